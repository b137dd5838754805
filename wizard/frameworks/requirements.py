"""Which version of a package a project asks for: requirements files, pyproject.toml, Pipfile, lock files.

Read from disk only. Lock files and `==` pins are exact; any other specifier gives its lowest version.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(.*)$")
_VERSION = re.compile(r"(===?|~=|>=|\^|~|>)\s*[\"']?v?(\d+(?:\.\d+)*)")
_BARE_VERSION = re.compile(r"^v?\d+(?:\.\d+)*$")
_MAX_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package named in `file` at `line` (from 1). `version` is None where none is given."""

    name: str
    version: str | None
    exact: bool
    file: Path
    line: int


def normal(name: str) -> str:
    """The package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_files(folder: Path) -> tuple[Path, ...]:
    """The files in `folder` that say what the project needs, requirements files first."""
    texts = sorted(
        {
            *folder.glob("*requirements*.txt"),
            *folder.glob("requirements/*.txt"),
            *folder.glob("*requirements*.in"),
        }
    )
    others = [folder / name for name in ("pyproject.toml", "Pipfile", "setup.cfg", "setup.py")]
    return tuple(p for p in [*texts, *others] if p.is_file())


def package_version(folders: tuple[Path, ...], package: str) -> Requirement | None:
    """The best statement about `package` in `folders` (nearest first): an exact one if there is any."""
    first: Requirement | None = None
    for folder in folders:
        for found in requirements(folder):
            if found.name == normal(package):
                if found.exact:
                    return found
                first = first or found
    return first


def requirements(folder: Path) -> Iterator[Requirement]:
    """Every package named by the files in `folder`. Files that cannot be read are passed over."""
    for file in requirement_files(folder):
        text = _text(file)
        if file.suffix in (".txt", ".in"):
            yield from _lines(file, text)
        elif file.name in ("pyproject.toml", "Pipfile"):
            yield from _toml(file, text)
    for name, reader in (("poetry.lock", _toml_lock), ("uv.lock", _toml_lock), ("Pipfile.lock", _json_lock)):
        file = folder / name
        if file.is_file():
            yield from reader(file, _text(file))


def installed_version(folders: tuple[Path, ...], package: str) -> str | None:
    """The version installed in a virtual environment beside the project, from its metadata folder."""
    for folder in folders:
        for name in (".venv", "venv", "env", ".env", "virtualenv"):
            for site in (
                *folder.glob(f"{name}/lib/python3*/site-packages"),
                folder / name / "Lib" / "site-packages",
            ):
                for info in site.glob("*.dist-info"):
                    distribution, _, version = info.name.removesuffix(".dist-info").rpartition("-")
                    if normal(distribution) == normal(package):
                        return version
    return None


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MAX_BYTES:
            return ""
        raw = file.read_bytes()
    except OSError:
        return ""
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return raw.decode(encoding, errors="replace")


def _lines(file: Path, text: str) -> Iterator[Requirement]:
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split(" #")[0].split(";")[0].strip()
        if line and not line.startswith(("#", "-", "http:", "https:", "git+")):
            found = _requirement(file, number, line)
            if found is not None:
                yield found


def _requirement(file: Path, line: int, text: str) -> Requirement | None:
    match = _NAME.match(text)
    if match is None:
        return None
    version = _VERSION.search(match.group(2))
    exact = version is not None and version.group(1) in ("==", "===")
    return Requirement(normal(match.group(1)), version.group(2) if version else None, exact, file, line)


def _toml(file: Path, text: str) -> Iterator[Requirement]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    project = data.get("project", {})
    listed: list[Any] = list(project.get("dependencies", []))
    for group in project.get("optional-dependencies", {}).values():
        listed += group
    for item in listed:
        found = _requirement(file, _line_of(text, str(item)), str(item))
        if found is not None:
            yield found
    poetry = data.get("tool", {}).get("poetry", {})
    tables = [poetry.get("dependencies", {}), data.get("packages", {})]
    tables += [group.get("dependencies", {}) for group in poetry.get("group", {}).values()]
    for table in tables:
        for name, value in table.items():
            wanted = value.get("version", "") if isinstance(value, dict) else str(value)
            wanted = f"=={wanted}" if _BARE_VERSION.match(wanted) else wanted
            found = _requirement(file, _line_of(text, str(name)), f"{name} {wanted}")
            if found is not None and found.name != "python":
                yield found


def _toml_lock(file: Path, text: str) -> Iterator[Requirement]:
    try:
        packages = tomllib.loads(text).get("package", [])
    except tomllib.TOMLDecodeError:
        return
    for package in packages:
        name, version = str(package.get("name", "")), package.get("version")
        if name and version:
            yield Requirement(normal(name), str(version), True, file, _line_of(text, f'name = "{name}"'))


def _json_lock(file: Path, text: str) -> Iterator[Requirement]:
    try:
        packages = json.loads(text).get("default", {})
    except (ValueError, AttributeError):
        return
    for name, value in packages.items():
        version = str(value.get("version", "")).lstrip("=") if isinstance(value, dict) else ""
        if version:
            yield Requirement(normal(name), version, True, file, _line_of(text, f'"{name}"'))


def _line_of(text: str, part: str) -> int:
    at = text.find(part)
    return text.count("\n", 0, at) + 1 if at >= 0 else 1
