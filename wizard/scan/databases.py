"""Databases that apps other than Django's name in their code: SQLite files, and servers by their variable."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from wizard.frameworks.prisma.layout import DATASOURCE
from wizard.model import Evidence, StoreKind
from wizard.scan.code import PYTHON, SCRIPTS, Code, Source

_CONNECT = re.compile(r"(?:sqlite3|aiosqlite)\.connect\(\s*([^,)\n]+(?:\([^()]*\))?[^,)\n]*)")
_URL = re.compile(r"sqlite(?:\+\w+)?:///(/?[\w./-]+\.(?:db3?|sqlite3?|s3db))\b")
_JOINED = re.compile(
    r"['\"]sqlite(?:\+\w+)?:////?['\"]\s*\+\s*(?:str\()?(?:os\.path\.join\([^\n]+|[^\n]*/\s*['\"][\w.]+['\"])"
)
_JS_FILE = re.compile(
    r"(?:new\s+(?:sqlite3\.)?(?:Database|DatabaseSync)\(\s*|(?:filename|storage|database)\s*:\s*)"
    r"['\"]((?:\./)?[\w./-]+\.(?:db3?|sqlite3?))['\"]"
)
_NAMED_FILE = re.compile(r"['\"]([\w./-]+\.(?:db3?|sqlite3?|s3db))['\"]")
_VARIABLE = (
    r"(?:os\.environ\.get\(|os\.getenv\(|os\.environ\["
    r"|process\.env\.|process\.env\[|env\(|\.get(?:OrThrow)?(?:<\w+>)?\()\s*['\"]?"
)
_READS = re.compile(_VARIABLE + r"(\w*(?:MONGO|DATABASE|POSTGRES|PG|MYSQL|DB)\w*(?:URL|URI|DSN|STRING))\b")
_FIELD = re.compile(r"(?m)^\s+(\w*(?:mongo|database|postgres|db)\w*(?:url|uri|dsn))\s*:\s*\w+")
_PROVIDER = re.compile(r"^\s*provider\s*=\s*\"(\w+)\"", re.M)
_ENV = re.compile(r"^\s*url\s*=\s*env\(\s*\"(\w+)\"\s*\)", re.M)
_FILE_URL = re.compile(r"^\s*url\s*=\s*\"file:([^\"]+)\"", re.M)
_LIBRARIES: tuple[tuple[bytes, StoreKind], ...] = (
    (b"motor.motor_asyncio", "mongodb"),
    (b"pymongo", "mongodb"),
    (b"beanie", "mongodb"),
    (b"mongoengine", "mongodb"),
    (b"mongoose", "mongodb"),
    (b"MongooseModule", "mongodb"),
    (b"from 'mongodb'", "mongodb"),
    (b"asyncpg", "postgres"),
    (b"psycopg", "postgres"),
    (b"from 'pg'", "postgres"),
    (b"require('pg')", "postgres"),
)
_PRISMA: dict[str, StoreKind] = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "mysql": "mysql",
    "mongodb": "mongodb",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A database that the code names. `path` is a file relative to the root, or the variable with the URL."""

    kind: StoreKind
    path: str
    place: Evidence


def named(code: Code) -> Iterator[Named]:
    """Every database named, each once; the first place counts."""
    seen: set[tuple[str, str]] = set()
    for found in (*_prisma(code), *_files(code), *_servers(code)):
        if (found.kind, found.path) not in seen:
            seen.add((found.kind, found.path))
            yield found


def _prisma(code: Code) -> Iterator[Named]:
    written = [s.text for s in code.environment]
    for source in code.having((".prisma",), b"datasource"):
        text = source.text
        block = DATASOURCE.search(text)
        provider = _PROVIDER.search(block[1]) if block else None
        if block is None or provider is None:
            continue
        env, file = _ENV.search(block[1]), _FILE_URL.search(block[1])
        at = source.at(block.start(1) + (env or file or provider).start(), text)
        kind = _PRISMA.get(provider[1])
        if kind is not None:
            yield Named(kind, env[1] if env else "DATABASE_URL", at)
        elif provider[1] == "sqlite" and file is not None:
            yield Named("sqlite", _beside(source, file[1]), at)
        elif provider[1] == "sqlite" and env is not None:
            value = re.compile(rf"(?m)^\s*{env[1]}\s*=\s*[\"']?file:([^\s\"'?]+)")
            named = next((m[1] for text in written if (m := value.search(text))), None)
            if named is not None:
                yield Named("sqlite", _beside(source, named), at)


def _files(code: Code) -> Iterator[Named]:
    for source in code.having(PYTHON, b"sqlite3", b"aiosqlite", b"sqlite:///", b"sqlite+"):
        text = source.text
        for match in _URL.finditer(text):
            yield Named("sqlite", match[1].removeprefix("./"), source.at(match.start(), text))
        for match in _JOINED.finditer(text):
            parts = re.findall(r"['\"]([\w./-]+)['\"]", match[0].partition("///")[2])
            parts = [p for p in parts if p not in (".", "..")]
            if parts and parts[-1].rpartition(".")[2] in ("db", "db3", "sqlite", "sqlite3"):
                yield Named("sqlite", _from(source, "/".join(parts)), source.at(match.start(), text))
        for match in _CONNECT.finditer(text):
            argument = match[1].strip()
            literal = _NAMED_FILE.search(argument)
            if literal is None and re.fullmatch(r"[\w.]+", argument):
                # The name's one assignment in this file: DATABASE = os.path.join(BASE_DIR, 'shop.db')
                name = re.escape(argument.rpartition(".")[2])
                assigned = re.findall(rf"(?m)^\s*(?:\w+\.)?{name}\s*(?::\s*\w+)?\s*=\s*(.+)$", text)
                literal = _NAMED_FILE.search(assigned[0]) if len(assigned) == 1 else None
                parts = re.findall(r"['\"]([\w./-]+)['\"]", assigned[0]) if literal is not None else []
                if literal is not None and "get" not in assigned[0] and len(parts) > 1:
                    yield Named("sqlite", _from(source, "/".join(parts)), source.at(match.start(), text))
                    continue
            if literal is not None:
                yield Named("sqlite", _from(source, literal[1]), source.at(match.start(), text))
    for source in code.having(SCRIPTS, b"sqlite"):
        text = source.text
        for match in _JS_FILE.finditer(text):
            yield Named("sqlite", match[1].removeprefix("./"), source.at(match.start(), text))


def _servers(code: Code) -> Iterator[Named]:
    """A server, where a library that speaks to one is imported and a variable for its URL is read."""
    imported = {
        kind for hint, kind in _LIBRARIES for source in code.having((*PYTHON, *SCRIPTS), hint) if source.data
    }
    imported |= {kind for kind in _of_packages(code) if kind not in imported}
    found: set[StoreKind] = set()
    for source in code.having((*PYTHON, *SCRIPTS), b"UR", b"_url", b"_uri", b"DSN"):
        text = source.text
        for match in sorted((*_READS.finditer(text), *_FIELD.finditer(text)), key=lambda m: m.start()):
            name = match[1].upper()
            kind: StoreKind | None = "mongodb" if "MONGO" in name else "mysql" if "MYSQL" in name else None
            if kind is None and "postgres" in imported and not re.search(r"TEST|DEV|SHADOW|DIRECT", name):
                kind = "postgres"
            elif kind is None and imported == {"mongodb"}:
                kind = "mongodb"
            if kind is not None and kind in imported | {"mysql"} and kind not in found:
                found.add(kind)
                yield Named(kind, name, source.at(match.start(1), text))


def _of_packages(code: Code) -> Iterator[StoreKind]:
    for file in code.tree.named("package.json"):
        try:
            wanted = json.loads(code.tree.text(file)).get("dependencies", {})
        except (ValueError, AttributeError):
            continue
        for package, kind in (("mongoose", "mongodb"), ("mongodb", "mongodb"), ("pg", "postgres")):
            if isinstance(wanted, dict) and package in wanted:
                yield "mongodb" if kind == "mongodb" else "postgres"
    for name, files in code.tree.names.items():
        if name.endswith(".txt") or name in ("pyproject.toml", "pipfile"):
            for file in files:
                if re.search(r"(?mi)^\s*[\"']?(?:psycopg|asyncpg)", code.tree.text(file)):
                    yield "postgres"


def _beside(source: Source, path: str) -> str:
    """Prisma reads a relative file: from the folder of the schema."""
    if path.startswith("/"):
        return path
    return posixpath.normpath(posixpath.join(posixpath.dirname(source.file), path))


def _from(source: Source, path: str) -> str:
    """A path without a folder of its own, beside the code that names it: where it is started is not seen."""
    return (
        path
        if path.startswith("/")
        else posixpath.normpath(posixpath.join(posixpath.dirname(source.file), path))
    )
