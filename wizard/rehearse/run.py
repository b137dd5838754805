"""One rehearsal from beginning to end."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from wizard import engine, runner
from wizard.answers import Answers
from wizard.context import Cancel
from wizard.credentials import Secret
from wizard.demo import embedded
from wizard.errors import EXIT_DIFFERENCES, EXIT_DONE, AshoreError, UsageError
from wizard.events import Event, Failed, FindingSeen, Finished, Warned
from wizard.frameworks.django import interpreter, settings
from wizard.model import Plan, Project
from wizard.rehearse import pages, real
from wizard.rehearse.copy import Servers, copy_project, rehearsal_answers, variables
from wizard.rehearse.pages import Files, Look, PagesCompared
from wizard.rehearse.site import App, NotStarted, serve
from wizard.state import State

Listen = Callable[[Event], None]
SHOWN = 20


@dataclass(frozen=True)
class Rehearsal:
    """How it went. `compared` is None where the app was not started, and `why` says so."""

    exit_code: int
    compared: PagesCompared | None
    why: str
    real: tuple[str, ...]


@dataclass(frozen=True)
class _Before:
    """The app as it was: two looks, how its files are addressed, and where they lie."""

    app: App
    first: Look
    again: Look
    media_url: str
    media_root: Path | None


def rehearse(answers: Answers, cancel: Cancel, listen: Listen, keep: Path | None = None) -> Rehearsal:
    """The whole run on a copy; everything that it made is gone at the end, but for `keep` (a new folder).

    The stream's last event is told when the pages were compared as well. Raises AshoreError for what keeps
    the run from beginning.
    """
    # What the plan refuses is told of the original, before the app, started, could make an empty database.
    original = engine.make_plan(answers)[0]
    with ExitStack() as stack:
        root = _root(keep, stack)
        copy, tools = root / original.root.name, root / "tools"
        tools.mkdir()
        copy_project(original, copy, cancel)
        python, why = _interpreter(original, answers)
        project = engine.open_project(copy)
        postgres = stack.enter_context(embedded.postgres())
        servers = Servers(postgres.database("rehearsal"), postgres.port, stack.enter_context(embedded.s3()))
        found = rehearsal_answers(answers, copy, None if python is None else str(python), servers)
        before: _Before | None = None
        if python is not None:
            try:
                before = _look_before(project, python, copy, tools)
            except NotStarted as error:
                why = error.message
            except httpx.HTTPError as error:
                why = f"The app does not answer: {type(error).__name__}."
        last: list[Finished] = []

        def tell(event: Event) -> None:
            if isinstance(event, Finished):
                last.append(event)
            else:  # the copy is gone at the end: there is nothing to resume
                listen(replace(event, resumable=False) if isinstance(event, Failed) else event)

        code = engine.execute(found, servers.secrets, root / "state", cancel, tell)
        compared: PagesCompared | None = None
        if code == EXIT_DONE and before is not None:
            try:
                compared = _look_after(original, project, found, before, servers, root / "state", listen)
            except NotStarted as error:
                compared, why = PagesCompared(0, ("(the patched app)",), 0, 0), error.message
                listen(FindingSeen("patched-app-not-started", "error", error.message))
            except httpx.HTTPError as error:
                why = f"The patched app does not answer: {type(error).__name__}."
                compared = PagesCompared(0, ("(the patched app)",), 0, 0)
                listen(FindingSeen("patched-app-silent", "error", why))
        if compared is None and why:
            listen(Warned("app-not-started", f"The app was not started: {why}"))
        if code == EXIT_DONE and compared is not None and compared.differing:
            code = EXIT_DIFFERENCES
        status = "differences" if code == EXIT_DIFFERENCES else last[-1].status if last else "failed"
        listen(Finished(status=status, exit_code=code))
        sizes = {
            kind: sum(s.bytes for s in original.stores if s.kind == kind) for kind in ("uploads", "sqlite")
        }
        return Rehearsal(code, compared, why, tuple(real.lines(answers, sizes["uploads"], sizes["sqlite"])))


def _root(keep: Path | None, stack: ExitStack) -> Path:
    if keep is None:
        root = Path(tempfile.mkdtemp(prefix="ashore-rehearsal-")).resolve()
        stack.callback(shutil.rmtree, root, ignore_errors=True)
        return root
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UsageError(
            "keep-not-empty",
            f"{keep} is not an empty folder; nothing was written.",
            "Name a new one with --keep.",
        )
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


def _interpreter(project: Project, answers: Answers) -> tuple[Path | None, str]:
    """The original's interpreter (its environment is not copied), or why the app is not started."""
    framework = next((f for f in project.frameworks if f.name == "django"), None)
    if framework is None:
        names = ", ".join(f.name for f in project.frameworks) or "no framework that ashore knows"
        return None, f"only Django apps are started in a rehearsal; here: {names}."
    app = Path(os.path.normpath(project.root / framework.path))
    try:
        return interpreter.find(project.root, app, answers.interpreter).path, ""
    except AshoreError as error:
        return None, error.message


def _look_before(project: Project, python: Path, copy: Path, tools: Path) -> _Before:
    framework = next(f for f in project.frameworks if f.name == "django")
    try:
        read = settings.read(project.root, framework)
    except AshoreError as error:
        raise NotStarted(error.code, error.message, error.hint) from error
    media = read.media_url or "/media/"
    media = media if media.startswith("/") else "/" + media
    app = App(python, read.module, framework.path, tools)
    with serve(app, copy, f"sqlite:{copy}", {}) as site:
        first = pages.look(site, Files(media))
        again = pages.look(site, Files(media), tuple(first.pages))
    if not any(status < 400 for status, _ in first.pages.values()):
        raise NotStarted("no-page", "None of its pages can be seen without logging in.", "")
    return _Before(app, first, again, media, read.media_root)


def _look_after(
    original: Project,
    project: Project,
    answers: Answers,
    before: _Before,
    servers: Servers,
    state: Path,
    listen: Listen,
) -> PagesCompared:
    """Look at the patched copy, whose old database and files are put out of its reach first."""
    copy = project.root
    run = State(state).runs(copy)[-1]
    plan: Plan = runner.load_plan(run.plan)
    moved: list[str] = []
    for store in project.stores:
        path = copy / store.path
        if store.kind == "sqlite" and answers.moves_database and path.is_file():
            path.unlink()
        elif store.kind == "uploads" and answers.storage and path.is_dir():
            shutil.rmtree(path)
            moved.append(store.path)
    objects = tuple(
        f"{servers.s3.endpoint}/{rule.options['bucket']}/{rule.prefix}"
        for rule in answers.storage
        if "endpoint" in rule.options
    )
    expect = f"postgres:{servers.port}" if answers.moves_database else f"sqlite:{copy}"
    values: dict[str, Secret | str] = variables(plan.needs, servers)
    with serve(before.app, copy, expect, values) as site:
        after = pages.look(site, Files(before.media_url, objects), tuple(before.first.pages))
        same, wrong = _files(after, before, original, copy)
    compared = pages.compare(before.first, before.again, after, same)
    for page in (*compared.differing, *wrong)[:SHOWN]:
        listen(FindingSeen("page-differs", "error", "It is not what it was before.", page))
    return PagesCompared(compared.same, (*compared.differing, *wrong), compared.unsteady, same)


def _files(after: Look, before: _Before, original: Project, copy: Path) -> tuple[int, list[str]]:
    """Fetch the files that the patched app's pages name, and compare with the original's bytes."""
    same, wrong = 0, []
    if before.media_root is None or not before.media_root.is_relative_to(copy):
        return 0, []
    media_root = original.root / before.media_root.relative_to(copy)
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=pages.TIMEOUT_SECONDS) as client:
        for path, address in after.files.items():
            inside = path.removeprefix(before.media_url)
            local = media_root / inside
            if not local.is_file() or not urlsplit(address).hostname:
                continue
            answer = client.get(address)
            with local.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            if answer.status_code == 200 and hashlib.sha256(answer.content).digest() == digest:
                same += 1
            else:
                wrong.append(path)
    return same, wrong
