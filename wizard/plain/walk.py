"""The way from the scan to the report, stage by stage; answers are kept whenever it is left."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wizard import questions
from wizard.calls import Engine
from wizard.errors import EXIT_DONE, AshoreError
from wizard.interview import Interview
from wizard.model import Finding, Project
from wizard.plain import ask, review, watch
from wizard.plain.talk import Back, Line, Quit, Talk
from wizard.report_words import amount

SEVERITY = {"error": "PROBLEM", "warning": "Warning", "info": "To know"}
OVER = ("done", "differences")


def walk(
    talk: Talk,
    path: Path,
    engine: Engine,
    state_dir: Path | None = None,
    proposed: Mapping[str, object] | None = None,
) -> int:
    """The whole wizard; returns the exit code. Raises AshoreError where the project cannot be read."""
    interview = Interview(project_path=path, state_dir=state_dir)
    folder: Path | None = None
    try:
        folder = _begin(talk, interview, engine, proposed)
        if folder is None:
            _questions(talk, interview, engine)
            folder = _start(interview, engine)
        return _run(talk, interview, engine, folder)
    except (Quit, KeyboardInterrupt):
        if folder is not None:
            talk.say("\nLeft. A run that is at work goes on; `ashore` or `ashore resume` joins it again.")
        elif _keep(interview, engine):
            talk.say("\nLeft. Your answers are kept, without secrets; nothing else has been written.")
        else:
            talk.say("\nLeft. Nothing has been written.")
        return EXIT_DONE


def _begin(
    talk: Talk, interview: Interview, engine: Engine, proposed: Mapping[str, object] | None
) -> Path | None:
    """Scan, tell what is at risk, offer what was begun before: the folder of a run to watch, or None."""
    project = interview.project = engine.scan(interview.project_path)
    interview.keyring = engine.keyring_state()
    _tell(talk, project)
    draft = engine.load_draft(project.root, interview.state_dir)
    if proposed or draft:
        interview.take(proposed or draft or {})
    runs = engine.runs(project.root, interview.state_dir)
    run = next((r for r in reversed(runs) if r.state == "running"), runs[-1] if runs else None)
    lines = []
    if run is not None and run.state == "running":
        lines.append(Line("join", f"Watch run {run.run}, which is at work now, at step {run.step}"))
    elif run is not None and run.state in OVER:
        lines.append(Line("report", f"Read the report of run {run.run}, which has ended: {run.state}"))
    elif run is not None:
        lines.append(
            Line("resume", f"Go on with run {run.run}: {run.state}, at step {run.step or 'none yet'}")
        )
    if draft and not proposed:
        lines.append(Line("on", "Go on from your answers of last time"))
    if lines:
        lines.append(Line("new", "Begin anew"))
        chosen = talk.choose("\nYou were here before.", lines, lines[0].name)
        if run is not None and chosen in ("join", "report"):
            return run.folder
        if run is not None and chosen == "resume":
            return _resume(talk, interview, engine, run.folder)
        if chosen == "new":
            interview.begin_anew()
    if not questions.asked(project, interview.replies):
        raise Quit
    return None


def _tell(talk: Talk, project: Project) -> None:
    kinds = [f.name for f in project.frameworks] + [p.name for p in project.platforms]
    talk.say(f"ashore, {project.root}" + (f" ({', '.join(kinds)})" if kinds else ""))
    talk.heading("What a redeploy does to this app")
    for store in project.stores:
        counts = [
            f"{store.tables:,} tables, {store.rows:,} rows" if store.tables else "",
            f"{store.files:,} files" if store.files else "",
            amount(store.bytes, "bytes") if store.bytes else "",
        ]
        fate = "survives" if store.survives_redeploy else f"LOST on {', '.join(store.lost_on) or 'deploy'}"
        held = ", ".join(c for c in counts if c)
        talk.say(f"{store.path}: {fate}" + (f"; holds {held}" if held else ""), 2)
        talk.say(store.why, 4)
    for finding in project.findings:
        talk.say(f"{SEVERITY[finding.severity]}: {finding.message}{_place(finding)}", 2)
        if finding.hint:
            talk.say(finding.hint, 4)
    if not questions.asked(project, {}):
        talk.say(
            "Nothing that a run could move was found here. Start ashore in the app's folder, or name it."
        )
    talk.say("Nothing has been written. At every question: ? for help, back, quit.")


def _place(finding: Finding) -> str:
    if not finding.file:
        return ""
    return f" ({finding.file}" + (f", line {finding.line})" if finding.line else ")")


def _questions(talk: Talk, interview: Interview, engine: Engine) -> None:
    """Questions, decisions, review; an error is told and its stage begun again, `back` goes back."""
    stages = (ask.ask_all, review.decide, review.review)
    at = 0
    while at < len(stages):
        try:
            stages[at](talk, interview, engine)
            at += 1
        except Back:
            at -= 1
            # Going back from the review passes decisions by that there are none of.
            if at == 1 and not interview.found:
                at = 0
            at = max(at, 0)
        except AshoreError as error:
            talk.say(f"\n{error.message}")
            talk.say(error.hint)
            if "written" not in error.message:
                talk.say("Nothing has been written.")
            lines = [Line("again", "Try again"), Line("back", "Go back to the questions")]
            if talk.choose("", lines, "again") == "back":
                at = 0


def _start(interview: Interview, engine: Engine) -> Path:
    root, state_dir = interview.known.root, interview.state_dir
    path = engine.draft_path(root, state_dir)
    engine.save_answers(interview.answers(), path)
    return engine.start_run(path, dict(interview.secrets), state_dir).folder


def _resume(talk: Talk, interview: Interview, engine: Engine, folder: Path) -> Path:
    """Go on with a run; secrets that only lived in memory are asked for again."""
    for question in interview.unseen():
        ask.ask(talk, interview, question)
    engine.resume_run(interview.known.root, folder.name, dict(interview.secrets), interview.state_dir)
    return folder


def _run(talk: Talk, interview: Interview, engine: Engine, folder: Path) -> int:
    """Watch the run, offer to go on where it stopped, then read its report."""
    while True:
        talk.heading("The run. It goes on if you leave; Ctrl+C asks whether to stop it or leave it running.")
        code, resumable = watch.watch(talk, engine, folder)
        if not resumable:
            break
        lines = [Line("on", "Go on from where it stopped"), Line("leave", "Leave it for now")]
        if talk.choose("", lines, "on") == "leave":
            return code
        _resume(talk, interview, engine, folder)
    try:
        watch.tell_report(talk, engine, folder)
    except AshoreError as error:
        talk.say(f"{error.message} {error.hint}")
    return code


def _keep(interview: Interview, engine: Engine) -> bool:
    """Save unfinished answers, without secrets."""
    if interview.project is None or not interview.replies:
        return False
    try:
        path = engine.draft_path(interview.project.root, interview.state_dir)
        engine.save_answers(interview.answers(), path)
    except (AshoreError, OSError):
        return False
    return True
