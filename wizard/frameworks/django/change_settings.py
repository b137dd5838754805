"""The edits of a Django project's settings files: DATABASES from a URL, uploads in a bucket."""

from __future__ import annotations

from dataclasses import dataclass, replace

import tree_sitter

from wizard.frameworks.django.change_code import database_lines, storage_lines
from wizard.frameworks.django.change_site import Site, Version
from wizard.frameworks.django.change_storages import DISK, KINDS, TABLE, Kind
from wizard.frameworks.django.change_table import backend as table_backend
from wizard.model import Edit, Instruction, Need, Splice
from wizard.patchers.base import NotUnderstood, assemble
from wizard.patchers.python_source import PythonSource, statements_check, walk

_CARRIED = ("ATOMIC_REQUESTS", "AUTOCOMMIT")
_STORAGE_NAMES = ("STORAGES", "DEFAULT_FILE_STORAGE", "STATICFILES_STORAGE", "MEDIA_ROOT", "MEDIA_URL")


@dataclass(frozen=True, slots=True)
class Addition:
    """Lines for one settings file, below the last statement that assigns one of `anchors`."""

    file: str
    anchors: tuple[str, ...]
    lines: list[str]
    imports: tuple[tuple[str, str], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """`dj_database_url` tells whether the settings import that package, before or after the edit."""

    edits: tuple[Edit, ...]
    instructions: tuple[Instruction, ...]
    dj_database_url: bool


Refusal = tuple[NotUnderstood, str, list[str]]


def change_settings(
    site: Site,
    database: Need | None,
    storage: Need | Addition | Refusal | None,
    packages: dict[str, Version | None],
) -> SettingsChange:
    """The edits for at most one database and one storage, or the lines that several storages need.

    `packages` are pinned versions by name.
    """
    additions: list[Addition] = []
    instructions: list[Instruction] = []
    if database is not None:
        _collect(additions, instructions, _database(site, database, packages))
    if isinstance(storage, Need):
        found = _disk(site, storage) if storage.backend == DISK else _storage(site, storage, packages)
        _collect(additions, instructions, found)
    else:
        _collect(additions, instructions, storage)
    edits: list[Edit] = []
    for file in dict.fromkeys(a.file for a in additions):
        own = [a for a in additions if a.file == file]
        try:
            edits.append(_edit(site, file, own))
        except NotUnderstood as error:
            head = list(dict.fromkeys(s for a in own for _, s in a.imports))
            text = "\n".join([*head, *(line for a in own for line in ["", *a.lines])])
            instructions.append(error.instruction(file, text + "\n"))
    parsed = any("dj_database_url" in s for a in additions for _, s in a.imports)
    parsed = parsed or any(b"dj_database_url" in (site.read(f) or b"") for f in site.settings.files)
    return SettingsChange(tuple(edits), tuple(instructions), database is not None and parsed)


def _collect(
    additions: list[Addition],
    instructions: list[Instruction],
    outcome: Addition | Refusal | None,
) -> None:
    if isinstance(outcome, tuple):
        error, file, lines = outcome
        instructions.append(error.instruction(file, "\n".join(lines) + "\n"))
    elif outcome is not None:
        additions.append(outcome)


def _edit(site: Site, file: str, additions: list[Addition]) -> Edit:
    data = site.read(file) or b""
    source = PythonSource(data)
    splices: list[Splice] = []
    inserted: list[str] = []
    imports: list[tuple[str, str]] = []
    first = len(data)
    for addition in additions:
        touching = [n for name in addition.anchors for n in source.touching(name)]
        anchor = max(touching or source.statements, key=lambda n: n.end_byte)
        lines = source.styled(addition.lines)
        splices.append(source.after(anchor, lines, addition.reason))
        inserted.append("\n".join(lines) + "\n")
        imports += addition.imports
        first = min(first, anchor.start_byte)
    wanted = list(dict.fromkeys(imports))
    added = source.add_imports(wanted, first, site.own, "the lines below use it")
    inserted += [s for m, s in wanted if not source.imports(m, first)]
    return assemble(file, data, [*added, *splices], statements_check(inserted))


def _database(site: Site, need: Need, packages: dict[str, Version | None]) -> Addition | Refusal | None:
    variable = need.variable("url") or "DATABASE_URL"
    # Older dj-database-url knows no conn_health_checks; older Django no such setting.
    pinned = packages.get("dj-database-url")
    health = site.version >= (4, 1) and (pinned is None or pinned >= (1, 3))
    gis = "gis" in (site.settings.database_engine or "").split(".")
    plain = ["import os", "import dj_database_url", "", *database_lines(variable, health, gis, {})]
    where = site.settings.where.get("DATABASES")
    for file in [where.file] if where else site.settings.files:
        try:
            source = PythonSource(site.read(file) or b"")
        except NotUnderstood as error:
            if where is not None:
                return error, file, plain
            continue
        touching = source.touching("DATABASES")
        if reads_variable(source, touching, variable):
            return None
        if touching:
            break
    else:
        why = "No settings file assigns DATABASES in a way ashore understands."
        return NotUnderstood(why), site.settings.files[0], plain
    if not source.always_binds("DATABASES"):
        why = "DATABASES is assigned only under conditions; ashore cannot tell which hold on the server."
        return NotUnderstood(why, touching[0].start_point.row + 1), file, plain
    lines = database_lines(variable, health, gis, _carried(source))
    imports = (("os", "import os"), ("dj_database_url", "import dj_database_url"))
    reason = f"the database is the one {variable} names; without it, as now, for development"
    return Addition(file, ("DATABASES",), lines, imports, reason)


def reads_variable(source: PythonSource, nodes: list[tree_sitter.Node], variable: str) -> bool:
    """Whether any of the statements gets its value from the environment variable, directly or by a name."""
    holders = {
        source.text(s.children[0].children[0])
        for s in source.statements
        if s.type == "expression_statement"
        and s.children[0].type == "assignment"
        and (variable in source.strings(s) or (variable == "DATABASE_URL" and _reads_default_url(source, s)))
    }
    for node in nodes:
        if variable in source.strings(node):
            return True
        for inner in walk(node):
            if inner.type == "identifier" and source.text(inner) in holders - {"DATABASES", "STORAGES"}:
                return True
        if variable == "DATABASE_URL" and _reads_default_url(source, node):
            return True
    return False


def _reads_default_url(source: PythonSource, node: tree_sitter.Node) -> bool:
    return any(inner.type == "call" and _default_url_call(source, inner) for inner in walk(node))


def _default_url_call(source: PythonSource, call: tree_sitter.Node) -> bool:
    """`dj_database_url.config()` or `env.db()` without a name of their own read DATABASE_URL."""
    function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if function is None or arguments is None:
        return False
    name = source.text(function)
    if name in ("dj_database_url.config", "config"):
        return name != "config" and not any(
            a.type == "keyword_argument" and source.text(a).startswith("env") for a in arguments.children
        )
    if not name.endswith((".db", ".db_url", ".dj_db_url")):
        return False
    return not any(a.type == "string" for a in arguments.children)


def _carried(source: PythonSource) -> dict[str, str]:
    """Literal options of the development database that mean the same on PostgreSQL."""
    value = source.value_of("DATABASES")
    carried: dict[str, str] = {}
    for pair in _pairs(value):
        if _key(source, pair) == "default":
            for inner in _pairs(pair.child_by_field_name("value")):
                right = inner.child_by_field_name("value")
                key = _key(source, inner)
                if key in _CARRIED and right is not None and right.type in ("true", "false"):
                    carried[key] = source.text(right)
    return carried


def _pairs(node: tree_sitter.Node | None) -> list[tree_sitter.Node]:
    return [c for c in node.children if c.type == "pair"] if node is not None else []


def _key(source: PythonSource, pair: tree_sitter.Node) -> str:
    key = pair.child_by_field_name("key")
    return source.text(key).strip("\"'") if key is not None else ""


def storages_shape(site: Site) -> str:
    """How storages are set: `item` where STORAGES is assigned, `whole` where it can be, `older` elsewhere."""
    where = site.settings.where
    older = site.version < (4, 2) or (
        site.version < (5, 1)
        and "STORAGES" not in where
        and ("STATICFILES_STORAGE" in where or "DEFAULT_FILE_STORAGE" in where)
    )
    return "older" if older else "item" if "STORAGES" in where else "whole"


def named_kind(site: Site, need: Need) -> Kind:
    """The kind of storage; for files in the database, with the module that `change_table` writes."""
    kind = KINDS[need.backend]
    return replace(kind, module=table_backend(site).rpartition(".")[0]) if need.backend == TABLE else kind


def _storage(site: Site, need: Need, packages: dict[str, Version | None]) -> Addition | Refusal | None:
    bucket = need.variable("bucket") or ""
    kind = named_kind(site, need)
    location = need.prefix.strip("/")
    backend = kind.backend(site.version, packages.get("django-storages"))
    shape = storages_shape(site)
    lines = storage_lines(kind, need, location, backend, shape)
    reason = f"uploads are kept in the bucket {bucket} names; without it, as now, for development"
    wanted = Addition("", _STORAGE_NAMES, lines, kind.imports, reason)
    if need.prefix and not need.prefix.endswith("/"):
        return prefix_refusal(site, need, wanted)
    return place_storage(site, wanted, kind.module, (kind.bucket_setting,), (bucket,), shape)


def prefix_refusal(site: Site, need: Need, wanted: Addition) -> Refusal:
    """What is said of a prefix to which Django would add a slash."""
    why = f"The prefix {need.prefix!r} does not end in a slash; Django's storage puts one after it."
    return NotUnderstood(why), site.settings.files[0], _plain(wanted)


def place_storage(
    site: Site,
    wanted: Addition,
    module: str,
    named: tuple[str, ...],
    variables: tuple[str, ...],
    shape: str,
) -> Addition | Refusal | None:
    """`wanted` in the file that assigns storages; None where they are set already, by a class of `module`
    that reads every one of `variables`, there or in the settings `named`."""
    where, plain = site.settings.where, _plain(wanted)
    anchor = next((where[n] for n in _STORAGE_NAMES if n in where), None)
    if anchor is None:
        why = "No settings file assigns MEDIA_ROOT in a way ashore understands."
        return NotUnderstood(why), site.settings.files[0], plain
    for file in site.settings.files:
        try:
            source = PythonSource(site.read(file) or b"")
        except NotUnderstood as error:
            if file == anchor.file:
                return error, file, plain
            continue
        chosen = [*source.touching("STORAGES"), *source.touching("DEFAULT_FILE_STORAGE")]
        if any(text.startswith(module) for node in chosen for text in source.strings(node)):
            also = [node for name in named for node in source.touching(name)]
            if all(reads_variable(source, [*chosen, *also], variable) for variable in variables):
                return None
        if file == anchor.file and shape == "item" and not source.always_binds("STORAGES"):
            why = "STORAGES is assigned only under conditions."
            return NotUnderstood(why, anchor.line), file, plain
    return replace(wanted, file=anchor.file, anchors=_STORAGE_NAMES)


def _plain(wanted: Addition) -> list[str]:
    return [*(statement for _, statement in wanted.imports), "", *wanted.lines]


def _disk(site: Site, need: Need) -> Addition | Refusal | None:
    """MEDIA_ROOT on the disk where its variable is set; how files are served stays as it is."""
    variable = need.variable("path") or ""
    lines = [f'if os.environ.get("{variable}"):', f'    MEDIA_ROOT = os.environ["{variable}"]']
    plain = ["import os", "", *lines]
    anchor, used = site.settings.where.get("MEDIA_ROOT"), site.settings.default_storage
    if anchor is None or (used is not None and not used.endswith(".FileSystemStorage")):
        why = "No settings file assigns MEDIA_ROOT in a way ashore understands, or it is not what is used."
        return NotUnderstood(why), site.settings.files[0], plain
    try:
        source = PythonSource(site.read(anchor.file) or b"")
    except NotUnderstood as error:
        return error, anchor.file, plain
    if reads_variable(source, source.touching("MEDIA_ROOT"), variable):
        return None
    reason = f"uploads are kept in the folder {variable} names; without it, as now, for development"
    return Addition(anchor.file, ("MEDIA_ROOT",), lines, (("os", "import os"),), reason)
