"""Give every file its place before anything is sent; what has none stops the run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from wizard.context import RunContext
from wizard.errors import UsageError
from wizard.events import Warned
from wizard.sources.inventory import Inventory, StoreProblem, open_inventory
from wizard.sources.placements import Placement, Placements
from wizard.storages import LEAVE, kind, open_store
from wizard.storages.base import Address, Limits
from wizard.storages.routing import route
from wizard.storages.sizes import Sizes

SHOWN = 10
PAGE = 1000
STOPPING = frozenset({"symlink-outside", "unreadable", "name-not-utf8", "file-keeps-changing"})


@dataclass(frozen=True, slots=True)
class _Odd:
    path: str
    size: int = 0


def route_files(ctx: RunContext, inventory: Inventory) -> None:
    """Fill the placements from the answers' rules; repeatable, writes the run's folder only.

    Raises UsageError: `unrouted` (no rule takes a file), `files-unmovable` (what the inventory could not
    take and no `leave` rule covers), `key-unusable`, `file-too-large`, `key-collision`. Warns of
    keys that differ in case only, and of entries that hold no data.
    """
    _check_problems(ctx, inventory.problems())
    placements = Placements(inventory)
    placements.clear()
    addresses = _addresses(ctx)
    unrouted: list[str] = []
    unusable: list[str] = []
    sizes = Sizes()
    missed = 0
    entries = inventory.entries()
    while page := list(islice(entries, PAGE)):
        placed: list[Placement] = []
        for store, entry in page:
            found = route(ctx.answers.storage, store, entry)
            if found is None:
                missed += 1
                if len(unrouted) < SHOWN:
                    unrouted.append(f"{store}/{entry.path}")
                continue
            index, key = found
            address = addresses[index]
            reason = None if address is None else address.key_problem(key)
            if reason is not None and len(unusable) < SHOWN:
                unusable.append(f"{store}/{entry.path} ({reason})")
            if address is not None:
                sizes.look(f"{store}/{entry.path}", entry.size, rule_title(ctx, index), address.limits)
            # What is left has no key: its own path keeps it apart from all others.
            where = ("", f"{store}/{entry.path}") if address is None else (address.identity, key)
            placed.append(Placement(store, entry.path, index, *where))
        placements.place(placed)
    if missed:
        raise UsageError(
            "unrouted",
            f"No storage rule takes {missed} files: {', '.join(unrouted)}{' …' if missed > SHOWN else ''}. "
            "Nothing was sent.",
            'Add a rule with match: "**" at the end, with provider: leave if they shall stay where they are.',
        )
    if unusable:
        raise UsageError(
            "key-unusable",
            f"These files cannot be stored under their names: {'; '.join(unusable)}. Nothing was sent.",
            "Shorten the prefix, choose another storage, or route them to provider: leave.",
        )
    sizes.judge(ctx.emit)
    _check_keys(ctx, placements)


def check_account_sizes(ctx: RunContext) -> None:
    """Ask each provider that tells it for the largest file that the account takes.

    To be called once the files are routed and the buckets stand. Raises UsageError `file-too-large`, Refused,
    ConnectionLost.
    """
    sizes = Sizes()
    with open_inventory(ctx) as inventory:
        placements = Placements(inventory)
        for index, rule in enumerate(ctx.answers.storage):
            found = placements.largest(index)
            if found is None or rule.provider == LEAVE:
                continue
            store = open_store(rule, ctx.vault.resolve)
            sizes.look(*found, store.title, Limits(store.largest()))
    sizes.judge(ctx.emit)


def rule_title(ctx: RunContext, index: int) -> str:
    """What the rule's storage is called."""
    return kind(ctx.answers.storage[index].provider).title


def _addresses(ctx: RunContext) -> list[Address | None]:
    return [
        None if rule.provider == LEAVE else kind(rule.provider).address(rule) for rule in ctx.answers.storage
    ]


def _check_problems(ctx: RunContext, problems: tuple[StoreProblem, ...]) -> None:
    stopping: list[str] = []
    for problem in problems:
        found = route(ctx.answers.storage, problem.store, _Odd(problem.path))
        left = found is not None and ctx.answers.storage[found[0]].provider == LEAVE
        words = f"{problem.store}/{problem.path}: {problem.message}"
        if problem.code in STOPPING and not left:
            stopping.append(words)
        elif not left:
            ctx.emit(Warned(problem.code, words))
    if stopping:
        shown = " ".join(stopping[:SHOWN]) + (" …" if len(stopping) > SHOWN else "")
        raise UsageError(
            "files-unmovable",
            f"{len(stopping)} entries cannot be carried. {shown} Nothing was sent.",
            "Mend them, or route them to provider: leave with a `match` of their own.",
        )


def _check_keys(ctx: RunContext, placements: Placements) -> None:
    collisions = placements.collisions(SHOWN)
    if collisions:
        raise UsageError(
            "key-collision",
            "Several files would be stored under the same key: "
            + ", ".join(f"{key} ({count} files)" for key, count in collisions)
            + ". Nothing was sent.",
            "Give each source a `prefix` of its own.",
        )
    for one, other in placements.twins(SHOWN):
        ctx.emit(
            Warned("case-twins", f"{one} and {other} differ in case only; both are stored, as two objects.")
        )
