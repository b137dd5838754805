"""One database API: PostgreSQL when DATABASE_URL is set, SQLite otherwise.

connect() is sqlite3.connect(), and on PostgreSQL the connection behaves as sqlite3's does: the
same placeholders, rows, lastrowid, transactions and exceptions.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .server import as_sqlite, catalog, read_as_sqlite
from .statements import translate
from .tokens import NotTranslated, split

URL = os.environ.get("DATABASE_URL", "")
WRITES = ("INSERT", "UPDATE", "DELETE")


def connect(database: Any, *args: Any, **options: Any) -> Any:
    """Open the database: the file, or the server that DATABASE_URL names."""
    if not URL or str(database) == ":memory:":
        return sqlite3.connect(database, *args, **options)
    return Connection(
        URL, options.get("detect_types", 0), options.get("isolation_level", "")
    )


def exists(path: Any) -> bool:
    """Tell whether the database has been made: its file, or tables on the server."""
    if not URL:
        return os.path.exists(path)
    connection = Connection(URL)
    try:
        return bool(connection.catalog.tables)
    finally:
        connection.close()


class Row(Sequence[Any]):
    """What sqlite3.Row is: values by position, and by name in any case."""

    def __init__(self, cursor: Cursor, values: tuple[Any, ...]) -> None:
        self._names = [column[0] for column in cursor.description or ()]
        self._values = values

    def keys(self) -> list[str]:
        return list(self._names)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return self._values[key]
        for name, value in zip(self._names, self._values):
            if name.lower() == key.lower():
                return value
        raise IndexError("No item with that key")

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and (self._names, self._values) == (
            other._names,
            other._values,
        )

    def __hash__(self) -> int:
        return hash((tuple(self._names), self._values))


class Cursor:
    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.row_factory = connection.row_factory
        self.lastrowid: int | None = None
        self.rowcount = -1
        self.description: Any = None
        self._rows: Iterator[tuple[Any, ...]] = iter(())

    def execute(self, sql: str, parameters: Any = ()) -> Cursor:
        self.connection._run(self, sql, parameters)
        return self

    def executemany(self, sql: str, rows: Iterable[Any]) -> Cursor:
        total = 0
        for row in rows:
            self.execute(sql, row)
            total += max(self.rowcount, 0)
        self.rowcount = total
        return self

    def executescript(self, script: str) -> Cursor:
        self.connection._script(self, script)
        return self

    def _made(self, values: tuple[Any, ...]) -> Any:
        if self.row_factory is None:
            return values
        if self.row_factory is sqlite3.Row:
            return Row(self, values)
        return self.row_factory(self, values)

    def fetchone(self) -> Any:
        return next(self, None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [row for _, row in zip(range(size or self.arraysize), self)]

    def fetchall(self) -> list[Any]:
        return list(self)

    def __iter__(self) -> Cursor:
        return self

    def __next__(self) -> Any:
        return self._made(next(self._rows))

    def close(self) -> None:
        self._rows = iter(())


class Connection:
    """A connection to PostgreSQL with sqlite3's manners."""

    def __init__(
        self, url: str, detect_types: int = 0, isolation_level: str | None = ""
    ) -> None:
        self.row_factory: Any = None
        self.text_factory: Any = str
        self.isolation_level = isolation_level
        self.total_changes = 0
        self._url, self._times = url, bool(detect_types)
        self._last_id: int | None = None
        self._lock = threading.RLock()
        self._open()

    def _open(self) -> None:
        import psycopg

        try:
            self._server = psycopg.connect(
                self._url, autocommit=True, cursor_factory=psycopg.ClientCursor
            )
        except psycopg.Error as error:
            raise sqlite3.OperationalError(str(error)) from error
        read_as_sqlite(self._server, self._times)
        self.catalog = catalog(self._server)

    @property
    def in_transaction(self) -> bool:
        return bool(self._server.info.transaction_status)

    def cursor(self, factory: Callable[[Connection], Cursor] = Cursor) -> Cursor:
        return factory(self)

    def execute(self, sql: str, parameters: Any = ()) -> Cursor:
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Any]) -> Cursor:
        return self.cursor().executemany(sql, rows)

    def executescript(self, script: str) -> Cursor:
        return self.cursor().executescript(script)

    def commit(self) -> None:
        self._control("COMMIT")

    def rollback(self) -> None:
        self._control("ROLLBACK")

    def close(self) -> None:
        self._server.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._control("COMMIT" if kind is None else "ROLLBACK")

    def _control(self, sql: str) -> None:
        import psycopg

        with self._lock:
            if self._server.closed:
                raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
            try:
                if self.in_transaction:
                    self._server.execute(sql)
            except psycopg.Error as error:
                raise as_sqlite(error) from error

    def _script(self, cursor: Cursor, script: str) -> None:
        with self._lock:
            self.commit()
            for statement in split(script):
                self._refuse_loss(statement)
                self._run(cursor, statement, (), begin=False)

    def _refuse_loss(self, statement: str) -> None:
        """A script that makes the tables anew must not empty those of a running app."""
        words = statement.replace(";", " ").split()
        if [w.upper() for w in words[:2]] == ["DROP", "TABLE"]:
            name = words[-1].strip("\"`[]'")
            table = self.catalog.tables.get(name.lower())
            if (
                table is not None
                and self.execute(f'SELECT 1 FROM "{table.name}" LIMIT 1').fetchone()
            ):
                raise sqlite3.OperationalError(
                    f"table {name} holds rows; delete them first to drop it"
                )

    def _run(
        self, cursor: Cursor, sql: str, parameters: Any, begin: bool = True
    ) -> None:
        with self._lock:
            nulls = (
                frozenset(_nulls(parameters))
                if sql.lstrip()[:7].upper() in ("INSERT ", "REPLACE")
                else frozenset()
            )
            try:
                said = translate(sql, self.catalog, nulls, self._times)
            except NotTranslated as error:
                raise sqlite3.OperationalError(
                    f"not possible on PostgreSQL: {error}"
                ) from error
            values = _values(said.order, parameters, said.verb)
            cursor.row_factory = cursor.row_factory or self.row_factory
            cursor.description, cursor._rows, cursor.rowcount = None, iter(()), -1
            if said.sql:
                self._perform(cursor, said, values, begin and said.verb in WRITES)

    def _perform(
        self, cursor: Cursor, said: Any, values: list[Any], begin: bool
    ) -> None:
        import psycopg

        inside = self.in_transaction
        guarded = inside and said.verb not in (
            "BEGIN",
            "COMMIT",
            "END",
            "ROLLBACK",
            "SAVEPOINT",
            "RELEASE",
        )
        try:
            if guarded:
                self._server.execute("SAVEPOINT before_statement")
            elif begin and self.isolation_level is not None:
                self._server.execute("BEGIN")
            result = self._server.execute(said.sql, values)
            rows = result.fetchall() if result.description else []
            if said.sets_id and rows and said.returns_id:
                self._server.execute(
                    _SET_ID.format(
                        said.table.replace("'", "''").replace('"', '""'),
                        said.returns_id,
                    )
                )
            if guarded:
                self._server.execute("RELEASE before_statement")
        except psycopg.Error as error:
            if not inside and self._server.closed:
                self._open()
                return self._perform(cursor, said, values, begin)
            if not self._server.closed:
                if guarded:
                    self._server.execute("ROLLBACK TO before_statement")
                elif self.in_transaction:
                    self._server.execute("ROLLBACK")
            raise as_sqlite(error) from error
        if said.verb in WRITES:
            cursor.rowcount = result.rowcount
            self.total_changes += max(result.rowcount, 0)
        if said.verb == "INSERT":
            if said.returns_id is not None:
                self._last_id = rows[-1][0] if rows else self._last_id
                rows = []
            cursor.lastrowid = self._last_id
        if result.description and said.returns_id is None:
            cursor.description = tuple(
                (c.name, None, None, None, None, None, None) for c in result.description
            )
            cursor._rows = iter(rows)
        if said.verb in ("CREATE", "ALTER", "DROP"):
            self.catalog = catalog(self._server)


_SET_ID = """SELECT setval(pg_get_serial_sequence('"{0}"', '{1}'), GREATEST((SELECT max("{1}") FROM "{0}"),
 nextval(pg_get_serial_sequence('"{0}"', '{1}')) - 1))"""


def _nulls(parameters: Any) -> Iterator[int | str]:
    pairs = (
        parameters.items() if isinstance(parameters, Mapping) else enumerate(parameters)
    )
    return (key for key, value in pairs if value is None)


def _values(order: list[int | str], parameters: Any, verb: str) -> list[Any]:
    """The values in the order of their places, as SQLite would take them."""
    if not isinstance(parameters, Mapping):
        wanted = len({key for key in order if isinstance(key, int)}) or len(order)
        if len(parameters) < wanted:
            raise sqlite3.ProgrammingError(
                f"Incorrect number of bindings supplied. The current statement uses {wanted}, "
                f"and there are {len(parameters)} supplied."
            )
        names = list(dict.fromkeys(key for key in order if isinstance(key, str)))
        order = [names.index(key) if isinstance(key, str) else key for key in order]
    try:
        return [_value(parameters[key], verb) for key in order]
    except KeyError as error:
        raise sqlite3.ProgrammingError(
            f"You did not supply a value for binding {error}."
        ) from error


def _value(value: Any, verb: str) -> Any:
    """Numbers go as text: the column decides what they are, as SQLite's affinity does."""
    if isinstance(value, float) and verb not in WRITES:
        return value
    if isinstance(value, (bool, int, float)):
        return str(int(value)) if isinstance(value, bool) else repr(value)
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if hasattr(value, "isoformat"):
        return value.isoformat(" ") if hasattr(value, "hour") else value.isoformat()
    raise sqlite3.ProgrammingError(
        f"Error binding parameter: type '{type(value).__name__}' is not supported"
    )
