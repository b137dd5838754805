"""`ashore restore`: a backup into a new database, or into a scratch one to be compared.

A target that holds anything is refused; nothing is overwritten. Every byte of the backup was checked before
(`read.open_backup`), and what was restored is compared with what was backed up, value by value.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from wizard.backup import digests
from wizard.backup.dump import session
from wizard.backup.layout import DatabaseFacts, Part, damaged
from wizard.backup.read import Opened
from wizard.credentials import Secret
from wizard.databases.postgres import pgtools
from wizard.databases.postgres.connect import connect, parse
from wizard.errors import Differences, StepFailed, UsageError
from wizard.patchers.files import sync_folder

Say = Callable[[str], None]
SHOWN = 20
# A newer pg_restore sets what an older server does not know; the data does not depend on it.
_HARMLESS = re.compile(r'unrecognized configuration parameter "transaction_timeout"')


@dataclass(frozen=True, slots=True)
class Compared:
    """What a restore was found equal in."""

    tables: int
    rows: int
    files: int
    bytes: int


def database_part(opened: Opened) -> tuple[Part, DatabaseFacts] | None:
    """The backup's database, or None where it holds files only."""
    facts = opened.about.database
    if facts is None:
        return None
    for part in opened.parts():
        if part.kind == "database":
            return part, facts
    raise damaged(opened.header.id, "its manifest names no part with the database")


def test(opened: Opened, into: Secret | None, say: Say) -> Compared:
    """Restore into scratch places and compare every value; the scratch places are removed.

    `into`: a PostgreSQL server on which a database of its own is made and dropped again; without it one is
    started here. Raises Differences `restore-differs`, UsageError `extension-missing`.
    """
    tables = rows = 0
    found = database_part(opened)
    if found is not None:
        part, facts = found
        archive = opened.fetch(part, opened.scratch / "database")
        if facts.kind == "sqlite":
            compare(facts, _sqlite_facts(archive, opened))
        else:
            with _scratch(into) as url:
                _load(archive, facts, url, opened)
                compare(facts, _postgres_facts(url, opened))
        tables, rows = len(facts.tables), _rows(facts)
        say(f"database: {rows:,} rows in {tables:,} tables restored into scratch, every value equal")
        archive.unlink()
    files = size = 0
    for part in opened.parts():
        if part.kind == "file":
            opened.fetch(part, opened.scratch / "file").unlink()
            files, size = files + 1, size + part.size
    if files:
        say(f"files: {files:,} files, {size:,} bytes read, every byte equal")
    return Compared(tables, rows, files, size)


def sqlite_into(opened: Opened, target: Path) -> Compared:
    """Restore a SQLite database as a new file, which appears whole or not at all.

    Raises UsageError `target-exists`, `backup-kind`, Differences.
    """
    part, facts = _of_kind(opened, "sqlite")
    _require_free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{target.name}.ashore-new")
    try:
        opened.fetch(part, new)
        compare(facts, _sqlite_facts(new, opened))
        _require_free(target)
        new.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise StepFailed("target-unwritable", f"{target} cannot be written: {error.strerror}.", "") from error
    finally:
        new.unlink(missing_ok=True)
    return Compared(len(facts.tables), _rows(facts), 0, 0)


def postgres_into(opened: Opened, url: Secret) -> Compared:
    """Restore into an empty PostgreSQL database, in one transaction where the server knows all its settings.

    Raises UsageError `target-not-empty`, `backup-kind`, `extension-missing`, Differences.
    """
    part, facts = _of_kind(opened, "postgres")
    with session(url) as connection:
        _require_empty(connection)
    archive = opened.fetch(part, opened.scratch / "database")
    _load(archive, facts, url, opened)
    archive.unlink()
    compare(facts, _postgres_facts(url, opened))
    return Compared(len(facts.tables), _rows(facts), 0, 0)


def compare(expected: DatabaseFacts, found: DatabaseFacts) -> None:
    """Raises Differences `restore-differs`, naming each table."""
    lines = digests.differences(expected, found)
    if lines:
        more = f"\n  and {len(lines) - SHOWN:,} more" if len(lines) > SHOWN else ""
        raise Differences(
            "restore-differs",
            "What was restored is not what was backed up:\n  " + "\n  ".join(lines[:SHOWN]) + more,
            "Do not rely on this backup; take another.",
        )


def _of_kind(opened: Opened, kind: str) -> tuple[Part, DatabaseFacts]:
    found = database_part(opened)
    if found is None or found[1].kind != kind:
        holds = "no database" if found is None else f"a {found[1].kind} database"
        raise UsageError(
            "backup-kind",
            f"{opened.header.id} holds {holds}; nothing was restored.",
            "A SQLite backup goes into a new file (--into restored.sqlite3), a PostgreSQL one into an empty "
            "database (--into env:NAME). To change from one to the other, restore it and then `ashore run`.",
        )
    return found


def _require_free(target: Path) -> None:
    for path in (target, *(target.with_name(target.name + s) for s in ("-wal", "-journal"))):
        if path.exists() or path.is_symlink():
            raise UsageError(
                "target-exists",
                f"{path} exists; nothing was restored, and nothing is overwritten.",
                "Name a new file with --into.",
            )


def _require_empty(connection: psycopg.Connection) -> None:
    row = connection.execute(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT (n.nspname = ANY(%s) AND "
        "n.nspowner <> current_user::regrole) AND NOT EXISTS (SELECT FROM pg_depend d WHERE "
        "d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY 1 LIMIT 1",
        (sorted(digests.PLATFORM_SCHEMAS),),
    ).fetchone()
    if row is not None:
        raise UsageError(
            "target-not-empty",
            f"The target database is not empty (it holds {row[0]}); nothing was restored.",
            "Make a new, empty database, and name it with --into.",
        )


def _load(archive: Path, facts: DatabaseFacts, url: Secret, opened: Opened) -> None:
    with session(url) as connection:
        there = {str(n) for (n,) in connection.execute("SELECT name FROM pg_available_extensions")}
        version = connection.info.server_version
    lacking = [name for name in facts.extensions if name not in there]
    if lacking:
        raise UsageError(
            "extension-missing",
            f"The backup needs the extension {', '.join(lacking)}, which this server does not offer; nothing "
            "was restored.",
            "Name a server that has it: --into REF (with --test a database of its own is made there).",
        )
    # The program must understand the archive as well: it may not be older than the one that made it.
    program = pgtools.find("pg_restore", max(version, facts.tool))
    own_age = pgtools.version_of(program) <= version // 10000
    arguments = ["--no-owner", "--no-privileges"]
    arguments += ["--single-transaction", "--exit-on-error"] if own_age or version >= 170000 else []
    pgtools.run(program, [*arguments, str(archive)], url, opened.cancel, accept=_HARMLESS)


def _postgres_facts(url: Secret, opened: Opened) -> DatabaseFacts:
    with session(url) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return digests.postgres_facts(connection, opened.cancel)


def _sqlite_facts(path: Path, opened: Opened) -> DatabaseFacts:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            said = connection.execute("PRAGMA quick_check").fetchone()
        if said is None or said[0] != "ok":
            raise damaged(path.name, f"SQLite says: {said}")
        return digests.sqlite_facts(path, opened.cancel)
    except sqlite3.DatabaseError as error:
        raise damaged(path.name, str(error)) from error


@contextmanager
def _scratch(into: Secret | None) -> Iterator[Secret]:
    """An empty scratch database, gone at the end."""
    if into is None:
        from wizard.demo import embedded

        with embedded.postgres() as server:
            yield server.database("restored")
        return
    name = f"ashore_test_{secrets.token_hex(4)}"
    with closing(connect(into, "ashore:restore")) as connection:
        try:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege as error:
            raise UsageError(
                "no-scratch-database",
                "This role may not create databases, so no scratch database can be made there.",
                "Leave --into out: an embedded server is used then. Or name a role with CREATEDB.",
            ) from error
        try:
            yield _renamed(into, name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _renamed(url: Secret, database: str) -> Secret:
    from urllib.parse import quote, urlencode

    parts = {k: str(v) for k, v in conninfo_to_dict("", **parse(url)).items() if v is not None}
    host, port = parts.pop("host"), parts.pop("port", "5432")
    user, password = quote(parts.pop("user", ""), safe=""), quote(parts.pop("password", ""), safe="")
    parts.pop("dbname", None)
    return Secret(f"postgresql://{user}:{password}@{host}:{port}/{database}?{urlencode(parts)}")


def _rows(facts: DatabaseFacts) -> int:
    return sum(table.rows for table in facts.tables if table.name != "(sequences)")
