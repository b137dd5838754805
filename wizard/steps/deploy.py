"""Step `deploy`: set the app's variables on its platform, one by one, without deploying; or list them.

Nothing is set while the live source differs from what was verified (promise 8). Of a variable that was set
to something else, the old value goes to the OS keyring first, so that undo can give it back; without a
keyring nothing is overwritten. The journal knows names and what stood there, never values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wizard.answers import Answers
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.sqlite import snapshot
from wizard.databases.sqlite.changes import changes, compared
from wizard.errors import NotAsPlanned, UsageError
from wizard.keyrings import Keyring, keyring_state, open_keyring
from wizard.sources import inventory
from wizard.steps import app_variables, moves, verify
from wizard.steps.platform_access import opened, platform
from wizard.steps.workshop import bookkeeping

if TYPE_CHECKING:
    from wizard.providers.base import Variables

name = "deploy"
SET = "deploy-variable"  # facts by variable: {"before": absent | kept | same}


def run(ctx: RunContext) -> str:
    """Set what is not set yet, or list the variables for a person. Never restarts or redeploys anything.

    Raises NotAsPlanned `source-moved`, `source-gone`, UsageError `variable-exists`, and what the values and
    the platform's API raise.
    """
    wanted = app_variables.names(ctx.plan.needs)
    ctx.journal.put("deploy", "variables", list(wanted))
    if not wanted:
        return "no variables to set"
    title = platform(ctx.answers)
    if title is None:
        return f"{len(wanted)} variables for you to set, without deploying yet: {', '.join(wanted)}"
    _require_settled(ctx)
    values = app_variables.values(ctx)
    with opened(ctx) as (client, service):
        where = client.check_service(service)
        states = [_set(ctx, client, service, variable, values[variable]) for variable in wanted]
    ctx.journal.put("deploy", "set", {"platform": title, "variables": list(wanted)})
    same = states.count("same")
    as_was = f" ({same} stood there already)" if same else ""
    return f"{len(wanted)} variables are set on {title} ({where}){as_was}; nothing was deployed"


def restore(ctx: RunContext) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Undo: (variables put back as they were, variables left because something newer stands there).

    Does nothing where this run set none. Safe to repeat. Deploys nothing.
    """
    facts = {variable: str(fact["before"]) for variable, fact in ctx.journal.all(SET)}
    ours = [variable for variable, before in facts.items() if before != "same"]
    if not ours:
        return (), ()
    restored, left = [], []
    values = app_variables.values(ctx)
    with opened(ctx) as (client, service):
        for variable in ours:
            ctx.cancel.check()
            before = open_keyring().get(_kept(ctx, variable)) if facts[variable] == "kept" else None
            current = client.variable(service, variable)
            lost = facts[variable] == "kept" and before is None
            if lost or current not in (before, values.get(variable)):
                left.append(variable)
                continue
            if current != before:
                if before is None:
                    client.delete_variable(service, variable)
                else:
                    client.set_variable(service, variable, before)
            restored.append(variable)
    return tuple(restored), tuple(left)


def forget(facts: dict[str, dict[str, str]], run: str) -> None:
    """Remove the old values of run `run` from the keyring; `facts` are its journal's."""
    for variable, fact in facts.items():
        if fact["before"] == "kept":
            open_keyring().delete(_kept_name(run, variable))


def _set(ctx: RunContext, client: Variables, service: str, variable: str, value: Secret) -> str:
    """Look, note what stands there, then set: after a kill the note still tells what was there before."""
    ctx.cancel.check()
    current = client.variable(service, variable)
    fact = ctx.journal.get(SET, variable)
    if fact is None:
        if current == value:
            before = "same"
        elif current is None:
            before = "absent"
        else:
            _keyring(variable, ctx.answers).store(_kept(ctx, variable), current)
            before = "kept"
        fact = {"before": before}
        ctx.journal.put(SET, variable, fact)
    if current != value:
        client.set_variable(service, variable, value)
    return str(fact["before"])


def _keyring(variable: str, answers: Answers) -> Keyring:
    """Where an old value can be kept. Raises UsageError `variable-exists`."""
    state = keyring_state()
    if not state.usable:
        raise UsageError(
            "variable-exists",
            f"{variable} stands on {platform(answers)} with another value, and there is no keyring here "
            "to keep that one in. It was not changed.",
            "Note it, remove it there, then `ashore resume`; or set the variables yourself.",
        )
    return open_keyring()


def _kept(ctx: RunContext, variable: str) -> str:
    return _kept_name(ctx.run, variable)


def _kept_name(run: str, variable: str) -> str:
    return f"undo/{run}/{variable}"


def _require_settled(ctx: RunContext) -> None:
    """Raises NotAsPlanned where rows or files of the source are not those that were verified."""
    if ctx.answers.storage:
        inventory.take(ctx)
        if verify.inventory_digest(ctx) != ctx.journal.get(verify.name, "inventory"):
            raise _moved("Files")
    way = moves.of(ctx)
    if way is not None:
        if not way.require_settled(ctx):
            raise _moved("Rows")
        return
    source = ctx.source_path
    if source is None or not ctx.answers.moves_database:
        return
    if not source.exists():
        raise NotAsPlanned(
            "source-gone",
            "The source database is not there any more, so that it cannot be compared; no variable was set.",
            "Put it back, then `ashore resume`; or set the variables yourself.",
        )
    ctx.folder.work.mkdir(parents=True, exist_ok=True)
    path = ctx.folder.work / "before-deploy.sqlite3"
    path.unlink(missing_ok=True)
    try:
        taken = snapshot.take(source, path, cancel=ctx.cancel)
        if taken.fingerprint != ctx.plan.source_fingerprint:
            raise _moved("Tables")
        with compared(ctx.snapshot_path, path) as connection:
            if changes(connection, skip=bookkeeping(ctx.project, ctx.answers)):
                raise _moved("Rows")
    finally:
        path.unlink(missing_ok=True)


def _moved(what: str) -> NotAsPlanned:
    return NotAsPlanned(
        "source-moved",
        f"{what} of the source changed since they were verified; no variable was set.",
        "Pause the app's writes, `ashore sync`, then `ashore resume`.",
    )
