"""A tiny stand-in for a hosting platform: a fresh checkout at every deploy, and nothing else survives.

Like Render's free plan: what git does not track is not there after a deploy; the build command runs
`migrate`; the app knows where its data is from environment variables only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from wizard.credentials import Secret
from wizard.errors import StepFailed

KEPT_VARIABLES = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH")
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Site:
    """A running app. `url` ends without a slash; `folder` is the checkout that it runs in."""

    url: str
    folder: Path
    pid: int


@contextmanager
def deploy(checkout: Path, environ: Mapping[str, Secret | str]) -> Iterator[Site]:
    """Build and serve what git would track of `checkout`, in a new folder that is gone afterwards.

    `environ` are the service's environment variables. Raises StepFailed `demo-migrate` or `demo-serve`.
    """
    place = Path(tempfile.mkdtemp(prefix="ashore-deploy-"))
    try:
        folder = place / "app"
        copy_tracked(checkout, folder)
        migrate(folder, environ)
        with serve(folder, environ) as site:
            yield site
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def serve(folder: Path, environ: Mapping[str, Secret | str]) -> Iterator[Site]:
    """Serve the app as it lies in `folder`, until the context ends.

    Raises StepFailed `demo-serve` with the last line that the app wrote.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-B", "-m", "wizard.demo.app_server"],
            cwd=folder, env=app_environ(environ), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            watchdog = threading.Timer(START_SECONDS, process.kill)
            watchdog.start()
            try:
                port = process.stdout.readline().decode().strip()
            finally:
                watchdog.cancel()
            if not port.isdigit():
                process.wait()
                log.seek(0)
                said = log.read().decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
                raise StepFailed("demo-serve", f"The app did not start; it said: {said[0]}", "")
            yield Site(f"http://127.0.0.1:{port}", folder, process.pid)
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


def migrate(folder: Path, environ: Mapping[str, Secret | str]) -> None:
    """Run `manage.py migrate` there, as a platform's build command does.

    Raises StepFailed `demo-migrate` with the last line that Django wrote.
    """
    done = subprocess.run(
        [sys.executable, "-B", "manage.py", "migrate", "--noinput", "-v", "0"],
        cwd=folder, env=app_environ(environ), capture_output=True, text=True, stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
        raise StepFailed("demo-migrate", f"manage.py migrate failed; it said: {said[0]}", "")


def app_environ(environ: Mapping[str, Secret | str]) -> dict[str, str]:
    """The whole environment of an app's process: no AWS_*, proxy or DATABASE_URL of the user's own."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    given = {k: v.reveal() if isinstance(v, Secret) else v for k, v in environ.items()}
    # Without these two, botocore would look for the user's own profile and ask a cloud's metadata address.
    fixed = {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONUTF8": "1"}
    return {**kept, **fixed, **given}


def copy_tracked(project: Path, folder: Path) -> None:
    """Copy what git tracks: all but `.git` and the names in `.gitignore` (plain names and `*.x` only)."""
    ignore = project / ".gitignore"
    patterns = [".git"]
    if ignore.is_file():
        lines = (line.strip().rstrip("/") for line in ignore.read_text(encoding="utf-8").splitlines())
        patterns += [line for line in lines if line and not line.startswith("#")]

    def skip(_: str, names: list[str]) -> set[str]:
        return {name for name in names if any(fnmatch(name, pattern) for pattern in patterns)}

    shutil.copytree(project, folder, ignore=skip)


def commit(project: Path, message: str) -> bool:
    """Commit every tracked or new file, as the app's author would; False where git cannot be used.

    Hermetic: neither the user's git configuration nor their hooks and signing keys are touched.
    """
    if shutil.which("git") is None:
        return False
    environ = app_environ(
        {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
    )
    author = ["-c", "user.name=Demo", "-c", "user.email=demo@example.org", "-c", "commit.gpgsign=false"]
    commands = [["init", "-q"]] if not (project / ".git").exists() else []
    commands += [["add", "-A"], [*author, "commit", "-q", "--allow-empty", "-m", message]]
    return all(
        subprocess.run(
            ["git", *command], cwd=project, env=environ, capture_output=True, stdin=subprocess.DEVNULL,
            start_new_session=True,
        ).returncode == 0
        for command in commands
    )  # fmt: skip
