"""Starts a copy of a Django project in the project's own interpreter, held to this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wizard.credentials import Redactor, Secret
from wizard.errors import AshoreError
from wizard.frameworks.django import interpreter, paths

SECONDS, INSTALL_SECONDS = 90.0, 300
_INSIDE = Path(__file__).parent / "inside"
_PORT = re.compile(rb"ashore-port (\d+)")
_MISSING = re.compile(r"No module named '([\w]+)")
# What the patch adds to the requirements; the interpreter may not have it yet. `False`: without dependencies,
# which would bring another Django.
_PACKAGES: Mapping[str, tuple[str, bool]] = {
    "psycopg": ("psycopg[binary]>=3.1.8", True),
    "psycopg2": ("psycopg2-binary<2.10", True),
    "boto3": ("boto3", True),
    "storages": ("django-storages", False),
    "dj_database_url": ("dj-database-url", False),
    "whitenoise": ("whitenoise", False),
}
# Variables that name where data lies: the copy gets its own, never the user's.
_DATA = re.compile(
    r"^(PG|AWS_|S3_|DATABASE|POSTGRES|DB_|MYSQL|MONGO|REDIS|CLOUDINARY|AZURE_|GOOGLE_|SUPABASE)"
)


class NotStarted(AshoreError):
    """The app cannot be started here; the rest of the rehearsal counts all the same."""


@dataclass(frozen=True)
class App:
    """How to start the project: its interpreter, its settings module, its folder inside a copy."""

    python: Path
    module: str
    path: str
    tools: Path

    @property
    def extra(self) -> Path:
        """Packages that the patched app needs and the interpreter lacks."""
        return self.tools / "extra"


@contextmanager
def serve(app: App, copy: Path, expect: str, variables: Mapping[str, Secret | str]) -> Iterator[str]:
    """The address of the running copy, without a slash at the end.

    `expect` as `inside/ashore_rehearsal.py` says. Raises NotStarted with the last words of the app.
    """
    folder = copy / app.path
    redactor = Redactor()
    for value in variables.values():
        if isinstance(value, Secret):
            redactor.learn(value)
    for name in ("ashore_site.py", "ashore_rehearsal.py"):
        shutil.copyfile(_INSIDE / name, app.tools / name)
    app.extra.mkdir(exist_ok=True)
    for _ in range(len(_PACKAGES) + 1):
        process, port, said = _start(app, folder, expect, variables)
        if port is not None:
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                _end(process)
            return
        _end(process)
        if not _install_missing(app, said):
            last = redactor.text((said.strip().splitlines() or ["nothing"])[-1])
            raise NotStarted("not-started", f"The app does not start here; it said: {last}", "")
    raise NotStarted("not-started", "The app does not start here.", "")


def _start(
    app: App, folder: Path, expect: str, variables: Mapping[str, Secret | str]
) -> tuple[subprocess.Popen[bytes], int | None, str]:
    environ = {k: v for k, v in interpreter.environment().items() if not _DATA.match(k)}
    environ |= {k: v.reveal() if isinstance(v, Secret) else v for k, v in variables.items()}
    environ |= {
        "ASHORE_PATHS": json.dumps([str(path) for path in paths.python_paths(folder, app.module)]),
        "ASHORE_EXTRA": str(app.extra),
        "ASHORE_SETTINGS": app.module,
        "ASHORE_EXPECT": expect,
        "DJANGO_SETTINGS_MODULE": "ashore_rehearsal",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    log = app.tools / "site.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [str(app.python), str(app.tools / "ashore_site.py")],
            cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sink,
            start_new_session=True,
        )  # fmt: skip
    assert process.stdout is not None
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:  # settings may print as well
            match = _PORT.match(line)
            if match is not None:
                return process, int(match.group(1)), ""
    finally:
        watchdog.cancel()
    process.wait()
    return process, None, log.read_text(encoding="utf-8", errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def _install_missing(app: App, said: str) -> bool:
    """Install what the patch added and the app missed into a folder here; False where that is not it."""
    match = _MISSING.search(said)
    name = match.group(1) if match else "psycopg" if "loading psycopg" in said else ""
    if name not in _PACKAGES or (app.extra / name).exists():
        return False
    package, with_dependencies = _PACKAGES[name]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--target", str(app.extra)]
    quiet += [] if with_dependencies else ["--no-deps"]
    for command in (
        [str(app.python), "-m", "pip", "install"],
        [sys.executable, "-m", "pip", "--python", str(app.python), "install"],
    ):
        try:
            done = subprocess.run(
                [*command, *quiet, package],
                capture_output=True, timeout=INSTALL_SECONDS, stdin=subprocess.DEVNULL,
                env=interpreter.environment(), cwd=app.tools,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0 and (app.extra / name).exists():
            return True
    return False
