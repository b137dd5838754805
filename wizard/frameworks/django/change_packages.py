"""The packages a patched Django app needs, added where its deploy installs from."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace

from wizard.frameworks.app_folder import AppFolder
from wizard.frameworks.django.change_site import Site, Version
from wizard.frameworks.django.change_storages import Kind
from wizard.model import Edit, Instruction
from wizard.patchers import pipfile
from wizard.patchers.base import NotUnderstood, assemble
from wizard.patchers.requirements import (
    Listed,
    Requirement,
    RequirementsFile,
    chain,
    normalised,
    parsed,
    requirements_check,
)
from wizard.patchers.toml_file import TomlFile, array_check

_REASON = "the changed settings need it"
_DRIVERS = frozenset({"psycopg", "psycopg-binary", "psycopg2", "psycopg2-binary", "psycopg2cffi"})
_USED = re.compile(r"(?:-r|--requirement)[\s=]+[\"']?([\w./-]+\.(?:txt|in))")
_BUILD_FILES = ("render.yaml", "build.sh", "Dockerfile", "Procfile", "nixpacks.toml", "railway.json")
_LOCKS = {
    "poetry.lock": "poetry lock",
    "uv.lock": "uv lock",
    "pdm.lock": "pdm lock",
    "Pipfile.lock": "pipenv lock",
}


@dataclass(frozen=True)
class Manifest:
    """One way the project lists packages: a chain of requirements files, a pyproject.toml, a Pipfile."""

    kind: str
    path: str
    packages: dict[str, Listed]
    files: dict[str, RequirementsFile]


def manifests(site: AppFolder, package: str = "django") -> tuple[list[Manifest], list[Instruction]]:
    """Those that list `package`; where none does, the first there is. Unreadable ones become instructions."""
    found: list[Manifest] = []
    unreadable: list[Instruction] = []
    for path in _candidates(site):
        if any(path == m.path or path in m.files for m in found):
            continue
        try:
            manifest = _manifest(site, path)
        except NotUnderstood as error:
            unreadable.append(error.instruction(path, ""))
            continue
        if manifest is not None:
            found.append(manifest)
    listing = [m for m in found if package in m.packages]
    return listing or found[:1], unreadable


def _candidates(site: AppFolder) -> list[str]:
    """Paths, the file that the deploy's own commands name first."""
    folders = list(dict.fromkeys([site.at(), "."]))
    named: list[str] = []
    for folder in folders:
        for name in _BUILD_FILES:
            data = site.read(posixpath.normpath(posixpath.join(folder, name)))
            for match in _USED.findall((data or b"").decode("utf-8", "replace")):
                named += [posixpath.normpath(posixpath.join(base, match)) for base in [*folders, folder]]
    usual: list[str] = []
    for folder in folders:
        for name in (
            "requirements.txt",
            "requirements/production.txt",
            "requirements/prod.txt",
            "requirements/base.txt",
            "requirements.in",
            "pyproject.toml",
            "Pipfile",
        ):
            usual.append(posixpath.normpath(posixpath.join(folder, name)))
    return [p for p in dict.fromkeys(named + usual) if not p.startswith("..") and site.read(p) is not None]


def _manifest(site: AppFolder, path: str) -> Manifest | None:
    data = site.read(path) or b""
    name = posixpath.basename(path)
    if name == "Pipfile":
        listed = pipfile.listed(TomlFile(data))
        return Manifest("pipfile", path, {n: _table_entry(n, v) for n, v in listed.items()}, {})
    if name == "pyproject.toml":
        source = TomlFile(data)
        poetry = source.get(("tool", "poetry", "dependencies"))
        if isinstance(poetry, dict):
            packages = {normalised(n): _table_entry(n, v) for n, v in poetry.items()}
            return Manifest("poetry", path, packages, {})
        listed = source.get(("project", "dependencies"))
        if not isinstance(listed, list):
            return None
        entries = [p for p in map(parsed, map(str, listed)) if p is not None]
        return Manifest("project", path, {p.name: p for p in entries}, {})

    def join(source: str, include: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(source), include))

    def read(wanted: str) -> bytes | None:
        return None if wanted.startswith("..") else site.read(wanted)

    files = chain(path, read, join)
    return Manifest("requirements", path, {p.name: p for f in files.values() for p in f.packages}, files)


def _table_entry(name: str, value: object) -> Listed:
    if isinstance(value, dict):
        extras = value.get("extras", [])
        chosen = frozenset(normalised(str(e)) for e in extras) if isinstance(extras, list) else frozenset()
        return Listed(normalised(name), chosen, str(value.get("version", "")))
    return Listed(normalised(name), frozenset(), str(value))


def pinned_versions(found: list[Manifest]) -> dict[str, Version | None]:
    """The exact or capped version of each package listed, None for an open one."""
    versions: dict[str, Version | None] = {}
    for manifest in found:
        for name, listed in manifest.packages.items():
            match = re.search(r"(?:==|~=|\^|<=?)\s*(\d+(?:\.\d+)*)", listed.rest) or re.match(
                r"(\d+(?:\.\d+)*)$", listed.rest
            )
            versions[name] = tuple(int(n) for n in match.group(1).split(".")) if match else None
    return versions


def wanted(
    packages: dict[str, Listed],
    version: Version,
    database: bool,
    dj_database_url: bool,
    storages: tuple[Kind, ...],
) -> list[Requirement]:
    """What is missing. Bounds: psycopg 3 needs Django 4.2; Django before 3.1 breaks on psycopg2 2.9;
    django-storages 1.14 needs Django 3.2; conn_health_checks came with dj-database-url 1.3; 1.0 and later
    need Django 3.2 (an installer may replace the app's), 2.3 says it runs on Python 3.8 and does not."""
    result: list[Requirement] = []
    if dj_database_url and "dj-database-url" not in packages:
        if version >= (5, 0):
            result.append(Requirement("dj-database-url", bound="1.3"))
        elif version >= (3, 2):
            result.append(Requirement("dj-database-url", bound="1.3", below="2.3"))
        else:
            result.append(Requirement("dj-database-url", below="1"))
    of_storages: dict[str, Requirement] = {}
    for storage in storages:
        for needed in storage.packages(packages, version):
            present = of_storages.get(needed.name, needed)
            extras = tuple(sorted({*present.extras, *needed.extras}))
            of_storages[needed.name] = replace(present, extras=extras)
    result += of_storages.values()
    if database and not _DRIVERS & packages.keys():
        if version >= (4, 2):
            result.append(Requirement("psycopg", ("binary",), "3.1.8"))
        elif version >= (3, 1):
            result.append(Requirement("psycopg2-binary", bound="2.9"))
        else:
            result.append(Requirement("psycopg2-binary", bound="2.8", below="2.9"))
    return result


def change_packages(
    site: Site,
    found: list[Manifest],
    unreadable: list[Instruction],
    database: bool,
    dj_database_url: bool,
    storages: tuple[Kind, ...],
) -> tuple[list[Edit], list[Instruction]]:
    """The edits of every manifest that lacks a package, and what a person must do (lock files, hashes)."""
    edits: list[Edit] = []
    instructions: list[Instruction] = []
    if not found:
        missing = wanted({}, site.version, database, dj_database_url, storages)
        text = "".join(f"{m.line(False)}\n" for m in missing)
        why = (
            "No requirements.txt, pyproject.toml or Pipfile was found that lists the app's packages. "
            f"The edits are written for Django {_family(site.version)}: deploy with that."
        )
        if unreadable:
            instructions += [replace(i, text=text) for i in unreadable]
        elif missing:
            instructions.append(Instruction(site.at("requirements.txt"), 1, why, text))
    for manifest in found:
        missing = wanted(manifest.packages, site.version, database, dj_database_url, storages)
        more = add_packages(site, manifest, missing, "django")
        edits += more[0]
        instructions += more[1]
    return edits, instructions


def add_packages(
    site: AppFolder, manifest: Manifest, missing: list[Requirement], package: str
) -> tuple[list[Edit], list[Instruction]]:
    """The edit that lists `missing` beside `package`, and what a person must do about lock files."""
    if not missing:
        return [], []
    try:
        edit = _edit(site, manifest, missing, package)
    except NotUnderstood as error:
        text = "".join(f"{m.line(True)}\n" for m in missing)
        return [], [error.instruction(_file(manifest, package), text)]
    return [edit], _locks(site, manifest)


def _file(manifest: Manifest, package: str) -> str:
    """The file to edit: of a chain, the one that lists `package`."""
    holding = (p for p, f in manifest.files.items() if any(i.name == package for i in f.packages))
    return next(holding, manifest.path)


def _edit(site: AppFolder, manifest: Manifest, missing: list[Requirement], package: str) -> Edit:
    path = _file(manifest, package)
    data = site.read(path) or b""
    if manifest.kind == "requirements":
        splices = manifest.files[path].add(missing, _REASON)
        return assemble(path, data, splices, requirements_check(missing))
    source = TomlFile(data)
    if manifest.kind == "project":
        items = [m.line(True) for m in missing]
        splices = source.add_to_array(("project",), "dependencies", items, _REASON)
        return assemble(path, data, splices, array_check(("project",), "dependencies", items))
    table = pipfile.TABLE if manifest.kind == "pipfile" else ("tool", "poetry", "dependencies")
    splice, check = pipfile.add(source, table, missing, _REASON)
    return assemble(path, data, [splice], check)


def _locks(site: AppFolder, manifest: Manifest) -> list[Instruction]:
    folder = posixpath.dirname(manifest.path)
    result = []
    for name, command in _LOCKS.items():
        path = posixpath.join(folder, name)
        fits = manifest.kind == ("pipfile" if name == "Pipfile.lock" else "poetry")
        fits = fits or (manifest.kind == "project" and name != "Pipfile.lock")
        if fits and site.read(path) is not None:
            why = "The lock file must be made again, or the deploy installs without the new packages."
            result.append(Instruction(path, 1, why, f"{command}\n"))
    source = posixpath.splitext(manifest.path)[0] + ".in"
    if manifest.kind == "requirements" and manifest.path.endswith(".txt") and site.read(source) is not None:
        why = f"{manifest.path} is compiled from this file: the next compilation would drop the new packages."
        lines = "Add the packages that were added there, then compile again.\n"
        result.append(Instruction(source, 1, why, lines))
    return result


def _family(version: Version) -> str:
    """In which releases of Django the settings of the edits mean the same; outside, uploads stay on disk."""
    return "4.2 or newer" if version >= (4, 2) else ".".join(map(str, version[:2]))
