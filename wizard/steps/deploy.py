"""Step `deploy`: set the app's variables on its platform, one by one, without deploying; or list them.

A platform that restarts the app with every change gets them all in one request, after the run has said so.
Nothing is set while the live source differs from what was verified (promise 8). Of a variable that was set
to something else, the old value goes to the OS keyring first, so that undo can give it back; without a
keyring nothing is overwritten. The journal knows names and what stood there, never values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wizard.answers import Answers
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.sqlite import snapshot
from wizard.databases.sqlite.changes import changes, compared
from wizard.errors import NotAsPlanned, UsageError
from wizard.events import Warned
from wizard.keyrings import Keyring, keyring_state, open_keyring
from wizard.sources import inventory
from wizard.steps import app_variables, going_live, moves, verify
from wizard.steps.platform_access import opened, platform, restarts, waits
from wizard.steps.workshop import bookkeeping

if TYPE_CHECKING:
    from wizard.providers.base import Variables

name = "deploy"
SET = "deploy-variable"  # facts by variable: {"before": absent | kept | same}


def run(ctx: RunContext) -> str:
    """Set what is not set yet, or list the variables for a person. Setting redeploys nothing, and restarts
    the app only where the platform has no other way, which is said before.

    Where the answers ask for it, waits for the user's push and looks at the live app (`going_live`).

    Raises NotAsPlanned `source-moved`, `source-gone`, UsageError `variable-exists`, and what the values, the
    platform's API and `going_live.run` raise.
    """
    wanted = app_variables.names(ctx.plan.needs)
    ctx.journal.put("deploy", "variables", list(wanted))
    title = platform(ctx.answers)
    if not waits(ctx.answers.deploy):
        if not wanted:
            return "no variables to set"
        if title is None:
            return _listed(wanted)
        with opened(ctx) as (client, service):
            return _set_all(ctx, client, service, wanted, title)
    with opened(ctx) as (client, service):
        going_live.note_before(ctx, client, service)
        # Once the pushed version is live, the container with the old data is gone: nothing to compare with.
        switched = _begun(ctx) and going_live.arrived(ctx, client, service)
        if switched:
            said = "the variables are set"
        elif title is not None and wanted:
            said = _set_all(ctx, client, service, wanted, title)
        else:
            _require_settled(ctx)
            said = _listed(wanted) if wanted else "no variables to set"
            ctx.journal.put("deploy", "settled", True)
        return f"{said}; {going_live.run(ctx, client, service)}"


def _begun(ctx: RunContext) -> bool:
    """Whether the source was seen settled in an earlier execution, after which the user may have pushed."""
    return bool(ctx.journal.get("deploy", "set") or ctx.journal.get("deploy", "settled"))


def _listed(wanted: tuple[str, ...]) -> str:
    return f"{len(wanted)} variables for you to set, without deploying yet: {', '.join(wanted)}"


def _set_all(ctx: RunContext, client: Variables, service: str, wanted: tuple[str, ...], title: str) -> str:
    values = app_variables.values(ctx)
    if not (restarts(ctx.answers) and _stand(ctx, client, service, values)):
        _require_settled(ctx)
    states = [_note(ctx, client, service, variable, values[variable]) for variable in wanted]
    where = client.check_service(service)
    changes = {v: values[v] for v in wanted if client.variable(service, v) != values[v]}
    if changes and restarts(ctx.answers):
        message = (
            f"{title} restarts the app with every change of its variables, which wipes its disk. The "
            f"verified copy stands outside it. {len(changes)} variables are set in one change now; let "
            "nobody write to the app until your pushed version is live."
        )
        ctx.emit(Warned("app-restarts", message))
    _change(ctx, client, service, changes)
    ctx.journal.put("deploy", "set", {"platform": title, "variables": list(wanted)})
    same = states.count("same")
    as_was = f" ({same} stood there already)" if same else ""
    after = "the app restarted" if restarts(ctx.answers) else "nothing was deployed"
    return f"{len(wanted)} variables are set on {title} ({where}){as_was}; {after}"


def _stand(ctx: RunContext, client: Variables, service: str, values: dict[str, Secret]) -> bool:
    """Whether an earlier execution set all of them, after which the restarted app's data is no measure."""
    noted = all(ctx.journal.get(SET, variable) is not None for variable in values)
    return noted and all(client.variable(service, v) == value for v, value in values.items())


def _change(ctx: RunContext, client: Variables, service: str, changes: Mapping[str, Secret | None]) -> None:
    """Set these, and remove those that are None: in one request where each would restart the app."""
    # Not at import: a scan needs no HTTP client.
    from wizard.providers.base import Together

    if isinstance(client, Together):
        if changes:
            client.change_variables(service, changes)
        return
    for variable, value in changes.items():
        ctx.cancel.check()
        if value is None:
            client.delete_variable(service, variable)
        else:
            client.set_variable(service, variable, value)


def restore(ctx: RunContext) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Undo: (variables put back as they were, variables left because something newer stands there).

    Does nothing where this run set none. Safe to repeat. Deploys nothing; one restart, where setting does.
    """
    facts = {variable: str(fact["before"]) for variable, fact in ctx.journal.all(SET)}
    ours = [variable for variable, before in facts.items() if before != "same"]
    if not ours:
        return (), ()
    restored, left = [], []
    values = app_variables.values(ctx)
    changes: dict[str, Secret | None] = {}
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
                changes[variable] = before
            restored.append(variable)
        _change(ctx, client, service, changes)
    return tuple(restored), tuple(left)


def forget(facts: dict[str, dict[str, str]], run: str) -> None:
    """Remove the old values of run `run` from the keyring; `facts` are its journal's."""
    for variable, fact in facts.items():
        if fact["before"] == "kept":
            open_keyring().delete(_kept_name(run, variable))


def _note(ctx: RunContext, client: Variables, service: str, variable: str, value: Secret) -> str:
    """Look, and note what stands there before anything is set: after a kill the note still tells it."""
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
