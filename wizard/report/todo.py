"""What is left for a person to do, in the order that keeps the data safe.

Nothing before the last sync may restart the app; variables are set without deploying; the commit that
holds the edits is what switches the app over.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from wizard import state
from wizard.context import RunContext


def to_do(ctx: RunContext, edited: Sequence[str], proven: bool) -> list[dict[str, Any]]:
    """Tasks as {what, why, commands, variables}, each with only the keys it has. Values of variables never.

    `edited` are the files that this run changed, relative to the project.
    """
    if not proven:
        return [
            {
                "what": "Do not switch the app over: source and target differ.",
                "why": "The source is unchanged and complete. See the differences below.",
                "commands": [_command(ctx, "resume")],
            }
        ]
    if ctx.journal.get("deploy", "live"):
        by_hand = [_by_hand(i) for i in ctx.journal.get("patch", "instructions") or []]
        seen = [] if ctx.journal.get("deploy", "proven") else [_check(ctx)]
        return [*by_hand, *seen, *_rotate(ctx)]
    tasks = [
        {
            "what": "Pause what writes to the app's data, then carry over what changed since the snapshot.",
            "why": "Turn on the app's maintenance mode, or tell its users. Do not stop, restart or redeploy "
            "it: the platform may wipe its disk. What is written after the last sync stays behind.",
            "commands": [_command(ctx, "sync")],
        }
    ]
    tasks += [task for task in (_variables(ctx),) if task]
    tasks += [_by_hand(i) for i in ctx.journal.get("patch", "instructions") or []]
    tasks += _commit(ctx, edited)
    tasks.append(_check(ctx))
    tasks += _rotate(ctx)
    return tasks


def _command(ctx: RunContext, name: str) -> str:
    """`ashore NAME` for this run, to be called from any folder."""
    words = ["ashore", name, ctx.run, "--project", str(ctx.project.root)]
    root = state.root_of(ctx.folder)
    if root != state.default_root():
        words += ["--state-dir", str(root)]
    return shlex.join(words)


def _platform(ctx: RunContext) -> str:
    names = {"render": "Render", "railway": "Railway", "fly": "Fly", "heroku": "Heroku", "vercel": "Vercel"}
    found: list[str] = [ctx.answers.deploy.platform] if ctx.answers.deploy is not None else []
    found += [p.name for p in ctx.project.platforms]
    return next((names[name] for name in found if name in names), "the platform that runs the app")


def _variables(ctx: RunContext) -> dict[str, Any] | None:
    variables = {v.name: v for need in ctx.plan.needs for v in need.variables}
    if not variables or ctx.journal.get("deploy", "set"):
        return None
    database = ctx.answers.database
    create = database.create if database is not None else None
    made = f" The connection string is on the page of the database {create.name}." if create else ""
    platform = _platform(ctx)
    how, why = "without deploying", "Choose to save them only."
    if platform == "Heroku":
        how, why = "in one command", "Each change of a config var restarts the app, which wipes its disk."
    return {
        "what": f"Set these variables on {platform}, {how}.",
        "why": f"{why} They take effect with the commit below. Their values are where "
        f"you keep them; this report holds none.{made}",
        "variables": [{"name": v.name, "about": v.about, "secret": v.secret} for v in variables.values()],
    }


def _by_hand(instruction: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "what": f"Change {instruction['file']}, line {instruction['line']}, by hand.",
        "why": str(instruction["why"]),
        "commands": [str(instruction["text"])],
    }


def _commit(ctx: RunContext, edited: Sequence[str]) -> list[dict[str, Any]]:
    planned = [e.path for e in ctx.plan.edits if e.path not in ctx.answers.skip_edits]
    paths = list(edited) or planned
    if not paths:
        return []
    commands = [f"cd {shlex.quote(str(ctx.project.root))}"]
    if ctx.answers.patch == "show":
        commands.append(f"git apply {shlex.quote(str(ctx.folder.path / 'ashore.patch'))}")
    commands += [
        "git add -- " + " ".join(map(shlex.quote, paths)),
        'git commit -m "Keep data in a managed database and object storage"',
        "git push",
    ]
    return [
        {
            "what": "Commit the changed files and push them.",
            "why": "This is the moment of switching: the next version of the app reads its data from the new "
            "place. ashore never pushes.",
            "commands": commands,
        }
    ]


def _check(ctx: RunContext) -> dict[str, Any]:
    deploy = ctx.answers.deploy
    address = deploy.health_url if deploy is not None else None
    task: dict[str, Any] = {
        "what": "When the new version is live, check it.",
        "why": f"Open {address or 'the app'}: a page and a file that existed before; then save something "
        "new, redeploy once more, and see that it is still there.",
    }
    if address:
        task["commands"] = [shlex.join(["ashore", "check", address])]
    return task


def _rotate(ctx: RunContext) -> list[dict[str, Any]]:
    return [
        {
            "what": f"Replace a secret that was committed: {finding.file}"
            + (f", line {finding.line}." if finding.line else "."),
            "why": f"{finding.message} It stays in the history of the repository. {finding.hint}".strip(),
        }
        for finding in ctx.project.findings
        if "secret" in finding.code and finding.file
    ]
