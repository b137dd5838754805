"""`ashore demo`: an app loses its data on a redeploy; then the same app is saved, and proves it."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from wizard.credentials import Secret
from wizard.demo import app_writer, compare, embedded, platform, visitor
from wizard.demo.engine_left import EngineLeft
from wizard.errors import EXIT_DIFFERENCES, EXIT_DONE, EXIT_STEP_FAILED, AshoreError, Stopped, UsageError

PROJECT = "harbour-blog"
BUCKET = "harbour-media"
REGION = "us-east-1"
DATABASE_REFERENCE = "env:DATABASE_URL"
ACCESS_REFERENCE = "env:AWS_ACCESS_KEY_ID"
SECRET_REFERENCE = "env:AWS_SECRET_ACCESS_KEY"  # noqa: S105  a reference, not a secret
SHOWN_DIFFERENCES = 10
SIGNALLED = 128  # an exit code above it is 128 + the signal that ended a process
ENDING = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else []))

Say = Callable[[str], None]
Migrate = Callable[[Path, Path, Mapping[str, Secret], Path], int]
"""(project, answers file, secrets by reference, state folder) → the run's exit code."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The embedded servers: the secrets by reference, and the variables that the patched app reads."""

    endpoint: str
    secrets: Mapping[str, Secret]
    variables: Mapping[str, Secret | str]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a deployed site."""

    holds: Mapping[str, int]
    seen: Mapping[str, compare.Seen]


def run_demo(
    *,
    headless: bool,
    keep: Path | None,
    state_dir: Path | None,
    say: Say,
    migrate: Migrate,
    scale: float = 1.0,
) -> int:
    """The whole demo. Returns 0, 6 where anything differs, or the exit code of a run that failed.

    Everything it starts it stops, and everything it writes it removes, except with `keep` (a new or
    empty folder); also on Ctrl+C, SIGTERM and a closed terminal, when it returns 130, 143 or 129.
    `state_dir` is where the run keeps its record; by default beside the project, and removed with it.
    Raises AshoreError.
    """
    say = _unless_gone(say)
    with ExitStack() as stack:
        stack.enter_context(_signals_raise())
        try:
            root = _root(keep, stack)
            code = _tell(headless, root, state_dir or root / "state", say, migrate, scale, stack)
            if keep is None:
                say("The demo's folder is removed now, the run's report with it; --keep DIR keeps both.")
            return code
        except Stopped as stopped:
            say("Stopped; the demo's servers end now.")
            return stopped.exit_code
        finally:
            _ignore_signals()  # a second Ctrl+C must not leave servers behind
            stack.close()
            if keep is not None:
                say(f"Kept: {keep}. Its PostgreSQL and S3 were the demo's own, and have ended with it.")


def _tell(
    headless: bool, root: Path, state: Path, say: Say, migrate: Migrate, scale: float, stack: ExitStack
) -> int:
    say("1  A small Django app, as it lies on a platform's disk")
    demo = app_writer.prepare(root / PROJECT, scale)
    committed = platform.commit(demo.path, "Harbour blog")
    say(f"   {demo.rows:,} rows in db.sqlite3, {demo.files:,} files ({demo.bytes / 1e6:,.0f} MB) in media/")

    with platform.serve(demo.path, {}) as site:
        holds = compare.counts(site.url)
        before = Look(holds, compare.crawl(site.url, compare.pages(holds)))
    unanswered = [path for path, seen in before.seen.items() if seen.status != 200]
    if unanswered:
        raise AshoreError(
            "demo-site", f"The app does not answer {unanswered[0]}.", "This is a bug in ashore."
        )
    files = sum(map(compare.is_file, before.seen))
    say(f"   it answers: {len(before.seen) - files:,} pages and {files:,} addresses of files looked at")

    say("2  A redeploy: a fresh checkout, and what git does not track is gone")
    with platform.deploy(demo.path, {}) as site:
        lost = _look(site.url, before)
    gone = sum(seen.status == 404 for path, seen in lost.seen.items() if compare.is_file(path))
    say(f"   {lost.holds['posts']:,} posts, {lost.holds['comments']:,} comments, {gone:,} files not found")

    say("3  Saved by ashore: to a PostgreSQL and an S3 server, both started here for the demo")
    servers = start_servers(stack)
    answers = root / "ashore.yml"
    answers.write_text(answers_text(servers.endpoint), encoding="utf-8")
    if not headless:
        say("   the wizard opens; its answers are already proposed")
    engine = EngineLeft(demo.path, state)
    stack.callback(engine.stop)
    code = migrate(demo.path, answers, servers.secrets, state)
    over = ended(code, headless, engine, say)
    if over is not None:
        return over
    if committed:
        platform.commit(demo.path, "Use PostgreSQL and object storage")

    say("4  Redeployed: a fresh checkout of the patched app, no database file, no media folder")
    with platform.deploy(demo.path, servers.variables) as site:
        saved = _look(site.url, before)
        differing = compare.differences(before.seen, saved.seen)
        left = None if differing else visitor.leave(site.url, post=1)

    stayed = False
    if left is not None:
        say("5  A comment and a file sent through the app, then redeployed once more")
        with platform.deploy(demo.path, servers.variables) as site:
            stayed = visitor.still_there(site.url, left)
        say("   both are still there" if stayed else "   they are gone")

    for line in table(before, lost, saved):
        say(line)
    for difference in differing[:SHOWN_DIFFERENCES]:
        say(f"   differs: {difference.path} {_short(difference.before)} → {_short(difference.after)}")
    if differing or not stayed:
        say(f"{len(differing):,} of {len(before.seen):,} addresses differ.")
        return EXIT_DIFFERENCES
    say("Everything is as it was before, byte for byte.")
    return EXIT_DONE


def ended(code: int, headless: bool, engine: EngineLeft, say: Say) -> int | None:
    """What the migration's exit code means for the demo: None where it goes on, else its own exit code.

    Waits for an engine that was left at work. Raises Stopped where a signal ended the migration.
    """
    if code > SIGNALLED:
        raise Stopped(code - SIGNALLED)
    if code == EXIT_DONE and not headless:
        if engine.pid() is not None:
            say("   the run goes on without the wizard; the demo waits for it (Ctrl+C stops both)")
            engine.wait()
        status = engine.status()
        if status is None:
            say("   no run was started: the demo ends here, and nothing was saved")
            return EXIT_DONE
        code = {"done": EXIT_DONE, "differences": EXIT_DIFFERENCES}.get(status, EXIT_STEP_FAILED)
    if code != EXIT_DONE:
        say(f"   the run ended with exit code {code}; the original data is untouched")
        return code
    return None


def table(before: Look, lost: Look, saved: Look) -> list[str]:
    """The closing table: what stood there, after a redeploy without ashore, and after one with it."""
    rows: list[tuple[str, ...]] = [("", "before", "redeployed", "saved, redeployed")]
    rows += [
        (name.capitalize(), *(f"{look.holds[name]:,}" for look in (before, lost, saved)))
        for name in ("users", "posts", "comments", "tags")
    ]
    for title, of_files in (("Files identical", True), ("Pages identical", False)):
        paths = [path for path in before.seen if compare.is_file(path) == of_files]
        same = (sum(look.seen[p] == before.seen[p] for p in paths) for look in (before, lost, saved))
        rows.append((title, *(f"{number:,}" for number in same)))
    return [f"   {a:<16}{b:>10}{c:>13}{d:>20}" for a, b, c, d in rows]


def answers_text(endpoint: str) -> str:
    """The demo's answers file, to stand beside the project's folder. Holds references, no secret."""
    return f"""version: 1
project: {PROJECT}
interpreter: {json.dumps(sys.executable)}
database:
  provider: postgres
  url: {DATABASE_REFERENCE}
  schema: framework
storage:
  - match: "**"
    provider: s3-compatible
    bucket: {BUCKET}
    region: {REGION}
    endpoint: {json.dumps(endpoint)}
    access_key: {ACCESS_REFERENCE}
    secret_key: {SECRET_REFERENCE}
    access: signed
"""


def start_servers(stack: ExitStack, database: str = "harbour", bucket: str = BUCKET) -> Servers:
    """Start PostgreSQL and S3 in `stack`, with an empty database of an ordinary role and an empty bucket."""
    postgres = stack.enter_context(embedded.postgres())
    s3 = stack.enter_context(embedded.s3())
    url = postgres.database(database)
    s3.create_bucket(bucket)
    return Servers(
        s3.endpoint,
        {DATABASE_REFERENCE: url, ACCESS_REFERENCE: s3.access_key, SECRET_REFERENCE: s3.secret_key},
        {
            "DATABASE_URL": url,
            "S3_BUCKET_NAME": bucket,
            "AWS_REGION": REGION,
            "S3_ENDPOINT_URL": s3.endpoint,
            "AWS_ACCESS_KEY_ID": s3.access_key,
            "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        },
    )


def _look(site_url: str, before: Look) -> Look:
    return Look(compare.counts(site_url), compare.crawl(site_url, before.seen))


def _short(seen: compare.Seen | None) -> str:
    return "nothing" if seen is None else f"{seen.status}, {seen.length:,} bytes, {seen.sha256[:8]}"


def _root(keep: Path | None, stack: ExitStack) -> Path:
    if keep is None:
        folder = Path(tempfile.mkdtemp(prefix="ashore-demo-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UsageError(
            "demo-folder-not-empty",
            f"{keep} is not an empty folder; nothing was written.",
            "Name a new folder with --keep.",
        )
    keep.mkdir(parents=True, exist_ok=True)
    return keep.absolute()


def _unless_gone(say: Say) -> Say:
    """`say`, for a terminal that may be closed meanwhile: what was started must be stopped all the same."""

    def quietly(text: str) -> None:
        with suppress(OSError):
            say(text)

    return quietly


@contextmanager
def _signals_raise() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP become Stopped, once, so that every context ends what it started."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers; whoever called from another handles signals
        return

    def stop(number: int, frame: FrameType | None) -> None:
        _ignore_signals()
        raise Stopped(number)

    earlier = {number: signal.signal(number, stop) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
