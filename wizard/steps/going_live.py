"""After the user's push: wait until the live version holds the edits, look at it, redeploy, look again.

ashore never pushes. The redeploy is what used to lose the data; it comes only when the pushed version, which
reads its data from the new place, has been seen to work. Each part is noted before and after, so that a
resume goes on waiting for the same push and the same redeploy.
"""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING

from wizard.context import RunContext
from wizard.errors import Differences, StepFailed
from wizard.events import FindingSeen, Progress, Warned
from wizard.model import Edit
from wizard.steps.live_commit import holds

if TYPE_CHECKING:
    from wizard.checks.live.tour import Seen
    from wizard.providers.base import Client, Deploy

FACTS = "deploy"
WAIT_MINUTES = 30
LOOK_SECONDS = 10.0
# How often a page is asked for that does not answer yet: platforms switch a moment after they say `live`.
TRIES = 6
TRY_SECONDS = 5.0


def note_before(ctx: RunContext, client: Client, service: str) -> None:
    """What was deployed before the push, once a run."""
    if ctx.journal.get(FACTS, "before") is None:
        found = client.deploys(service)
        ctx.journal.put(FACTS, "before", {"newest": found[0].id if found else "", "told": ""})


def arrived(ctx: RunContext, client: Client, service: str) -> Deploy | None:
    """The live deploy, where it holds the edits; None where the old version still serves."""
    before = str((ctx.journal.get(FACTS, "before") or {}).get("newest", ""))
    found = client.deploys(service)
    live = next((deploy for deploy in found if deploy.state == "live"), None)
    if live is None or live.id == before:
        return None
    edits = _edits(ctx)
    if not edits or not live.commit:
        # Nothing to compare, or the platform does not say which commit: a newer deploy must do.
        return live
    return live if holds(ctx.project.root, live.commit, edits) == "yes" else None


def run(ctx: RunContext, client: Client, service: str) -> str:
    """Wait, look, redeploy where the answers want it, look again.

    Raises StepFailed `not-pushed-yet`, `deploy-failed`, `live-app-fails`, Differences `data-not-kept`.
    """
    deploy = ctx.answers.deploy
    assert deploy is not None
    assert deploy.health_url is not None
    live = _wait(ctx, client, service)
    fact = ctx.journal.get(FACTS, "live")
    if fact is None:
        # What was seen first counts, also after a resume: what a redeploy lost must not become the measure.
        fact = {"id": live.id, "commit": live.commit, **_fact(_look(ctx, deploy.health_url))}
        ctx.journal.put(FACTS, "live", fact)
    pages, files = dict(fact["pages"]), dict(fact["files"])
    named = str(fact["commit"])[:7] or fact["id"]
    said = f"the pushed version is live ({named}): {len(pages)} pages and {len(files)} files answered"
    if not deploy.trigger:
        return said
    again = _redeployed(ctx, client, service, live)
    after = _look(ctx, deploy.health_url)
    _compare(ctx, pages, files, after)
    ctx.journal.put(FACTS, "proven", {"id": again.id, **_fact(after)})
    return f"{said}; redeployed once more, and all of it is still there"


def commands(ctx: RunContext) -> str:
    """What the user types to push the changed files."""
    paths = " ".join(shlex.quote(edit.path) for edit in _edits(ctx))
    folder = shlex.quote(str(ctx.project.root))
    add = f"git add -- {paths} && " if paths else ""
    return f"cd {folder} && {add}git commit -m 'Keep data outside the container' && git push"


def _edits(ctx: RunContext) -> list[Edit]:
    return [e for e in ctx.plan.edits if e.path not in ctx.answers.skip_edits]


def _wait(ctx: RunContext, client: Client, service: str) -> Deploy:
    deploy = ctx.answers.deploy
    chosen = deploy.wait_minutes if deploy is not None else None
    minutes = WAIT_MINUTES if chosen is None else chosen
    live = arrived(ctx, client, service)
    if live is None:
        message = (
            f"Now push the changed files; the run waits up to {minutes} minutes for the version that holds "
            f"them to be live: {commands(ctx)}"
        )
        ctx.emit(Warned("push-now", message))
        live = arrived(ctx, client, service)
    begun = time.monotonic()
    told: set[str] = set()
    while live is None:
        _require_no_failure(ctx, client, service)
        _tell_unknown(ctx, client, service, told)
        passed = time.monotonic() - begun
        if passed >= minutes * 60:
            raise StepFailed(
                "not-pushed-yet",
                f"After {minutes} minutes the live version does not hold the changed files. The data is "
                "proven where it is, and the old version still serves.",
                f"Push them ({commands(ctx)}), then `ashore resume` goes on waiting.",
            )
        item = "waiting for your push to be live"
        ctx.emit(Progress("deploy", "", int(passed), minutes * 60, "seconds", item=item))
        ctx.cancel.wait(LOOK_SECONDS)
        live = arrived(ctx, client, service)
    return live


def _tell_unknown(ctx: RunContext, client: Client, service: str, told: set[str]) -> None:
    """A live commit that the user's git does not know, as after a merge elsewhere: said once."""
    live = next((d for d in client.deploys(service) if d.state == "live"), None)
    if live is None or not live.commit or live.commit in told or not _edits(ctx):
        return
    told.add(live.commit)
    before = str((ctx.journal.get(FACTS, "before") or {}).get("newest", ""))
    if live.id != before and holds(ctx.project.root, live.commit, _edits(ctx)) == "unknown":
        message = f"The live commit {live.commit[:12]} is not in the git repository here: `git fetch` it."
        ctx.emit(Warned("commit-not-here", message))


def _require_no_failure(ctx: RunContext, client: Client, service: str) -> None:
    """Raises StepFailed `deploy-failed` where the newest deploy since the run failed, once for each."""
    fact = dict(ctx.journal.get(FACTS, "before") or {})
    found = client.deploys(service)
    newest = found[0] if found else None
    if newest is None or newest.state not in ("failed", "canceled"):
        return
    if newest.id in (fact.get("newest"), fact.get("told")):
        return
    # A resume waits for the next push instead of failing with this deploy again.
    ctx.journal.put(FACTS, "before", {**fact, "told": newest.id})
    raise _failed(ctx, client, service, newest)


def _failed(ctx: RunContext, client: Client, service: str, deploy: Deploy) -> StepFailed:
    for line in client.log_tail(service, deploy):
        ctx.emit(FindingSeen("deploy-log", "warning", ctx.redactor.text(line), subject=deploy.id))
    return StepFailed(
        "deploy-failed",
        f"The deploy {deploy.id} ended as {deploy.detail or deploy.state}; its last lines stand above. The "
        "data is where it was proven, nothing was rolled forward, and the version before it still serves.",
        "Mend what its log names, push again, then `ashore resume` goes on waiting.",
    )


def _redeployed(ctx: RunContext, client: Client, service: str, live: Deploy) -> Deploy:
    asked = ctx.journal.get(FACTS, "redeploy_of")
    if asked is None:
        ctx.journal.put(FACTS, "redeploy_of", live.id)
        made = client.redeploy(service, live)
    else:
        # An earlier execution asked for it: it is there already, or a kill came before.
        newest = client.deploys(service)[0]
        failed = newest.state in ("failed", "canceled")
        made = newest if newest.id != asked and not failed else client.redeploy(service, live)
    ended = client.follow(service, made.id)
    if ended.state in ("failed", "canceled"):
        raise _failed(ctx, client, service, ended)
    if ended.state == "superseded" and arrived(ctx, client, service) is None:
        raise StepFailed(
            "deploy-failed",
            f"The redeploy {ended.id} was replaced by another one, which does not hold the changed files.",
            "Push them again, then `ashore resume`.",
        )
    return ended


def _look(ctx: RunContext, address: str) -> Seen:
    """The live app, seen working. Raises StepFailed `live-app-fails`."""
    from wizard.checks.live import tour

    for number in range(TRIES):
        if number:
            ctx.cancel.wait(TRY_SECONDS)
        seen = tour.walk(address)
        if 200 <= seen.page.status < 300 and all(status < 500 for status in seen.pages.values()):
            break
    else:
        bad = {url: status for url, status in seen.pages.items() if not 0 < status < 500} or seen.pages
        url, status = next(iter(bad.items()))
        raise StepFailed(
            "live-app-fails",
            f"The live app does not answer: {url} gives {status or seen.page.failure}. The data is where "
            "it was proven; nothing more was deployed.",
            "Look at the platform's log, mend it, push, then `ashore resume` looks again.",
        )
    if seen.broken and not seen.files:
        link, why = next(iter(seen.broken.items()))
        raise StepFailed(
            "live-app-fails",
            f"No file that the live app shows can be read; {link} gives {why}.",
            "Look at the storage's variables on the platform, then `ashore resume` looks again.",
        )
    for link, why in seen.broken.items():
        ctx.emit(Warned("file-not-shown", f"The live app links to {link}, which gives {why}."))
    return seen


def _compare(ctx: RunContext, pages: dict[str, int], files: dict[str, str], after: Seen) -> None:
    """Raises Differences where something that was there before the redeploy is not, or is another."""
    lost = [f"{url} gives {after.broken[url]}" for url in files if url in after.broken]
    lost += [
        f"{url} holds other bytes" for url, digest in files.items() if after.files.get(url, digest) != digest
    ]
    lost += [
        f"{url} gives {after.pages[url]}"
        for url, status in pages.items()
        if 200 <= status < 300 and url in after.pages and not 200 <= after.pages[url] < 300
    ]
    gone = [url for url in pages if url not in after.pages] + [
        url for url in files if url not in after.files and url not in after.broken
    ]
    lost += [f"{url} is not linked to any more" for url in gone]
    for line in lost:
        ctx.emit(FindingSeen("data-not-kept", "error", line))
    if lost:
        raise Differences(
            "data-not-kept",
            f"After the redeploy {len(lost)} of the things seen before it are not there: {lost[0]}.",
            "The data is where it was proven: see that the platform's variables lead there.",
        )


def _fact(seen: Seen) -> dict[str, dict[str, int] | dict[str, str]]:
    """Addresses without their signatures: none of it is a secret."""
    return {"pages": seen.pages, "files": seen.files}
