"""The PostgreSQL driver for the project's interpreter: its own, else one in the run's folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from wizard.errors import StepFailed
from wizard.frameworks.django.interpreter import Interpreter, environment

SECONDS = 300


def driver(interpreter: Interpreter, work: Path) -> Path | None:
    """A folder to put last on the child's path, or None where the interpreter has a driver itself.

    Never installs into the user's environment. Raises StepFailed `driver-missing`.
    """
    modern = interpreter.django_version >= (4, 2)
    if interpreter.psycopg2 or (modern and interpreter.psycopg and _numbers(interpreter.psycopg) >= (3, 1)):
        return None
    package = "psycopg[binary]>=3.1.8" if modern else "psycopg2-binary<2.10"
    return install(interpreter.path, work, package)


def install(python: Path, work: Path, package: str) -> Path:
    """The folder below `work` with `package` in it for `python`, made where it is not there yet.

    Never installs into the user's environment. Raises StepFailed `driver-missing`.
    """
    folder = work / "driver"
    if folder.is_dir():
        return folder
    half = work / "driver.part"
    said = ""
    for command in _installers(python):
        shutil.rmtree(half, ignore_errors=True)
        try:
            child = subprocess.run(
                [*command, "--target", str(half), package],
                capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, env=environment(),
                cwd=work,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            said = said or str(error)
            continue
        if child.returncode == 0:
            half.rename(folder)
            return folder
        said = said or (child.stderr.strip().splitlines() or [""])[-1]
    raise StepFailed(
        "driver-missing",
        f"The project's Python has no PostgreSQL driver, and {package} could not be installed into the run's "
        f"folder: {said}",
        f'Install it into the project\'s environment (pip install "{package}"), then `ashore resume`.',
    )


def _installers(python: Path) -> list[list[str]]:
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    commands = [
        [str(python), "-m", "pip", "install", *quiet],
        [sys.executable, "-m", "pip", "--python", str(python), "install", *quiet],
    ]
    if shutil.which("uv"):
        commands.append(["uv", "pip", "install", "--quiet", "--python", str(python)])
    return commands


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
