"""A table of PostgreSQL that holds files as bytes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from wizard.credentials import Secret
from wizard.databases.postgres.connect import connect, is_lost, translate
from wizard.errors import ConnectionLost, Refused, UsageError
from wizard.storages.base import Limits, Stored, Upload
from wizard.storages.rest_remote import Occupied, Record

TABLE = "stored_file"
# Beyond it a value costs several times its size in the memory of server and app, each time it is read.
LARGEST = 16 << 20
_PIECE = 1 << 20
_COLUMNS = ("path", "content_type", "size", "sha256", "data", "stored_at")
_TRIES = 4
_MAKE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    path text PRIMARY KEY,
    content_type text NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    data bytea NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    CHECK (size = octet_length(data))
)
"""
_INSERT = (
    f"INSERT INTO {TABLE} (path, content_type, size, sha256, data) "
    "SELECT %s, %s, octet_length(d), sha256(d), d FROM (SELECT %s::bytea AS d) AS given "
)
_REPLACE = (
    "(path) DO UPDATE SET content_type = EXCLUDED.content_type, size = EXCLUDED.size, "
    "sha256 = EXCLUDED.sha256, data = EXCLUDED.data, stored_at = now()"
)


@dataclass(frozen=True, slots=True)
class TablePlace:
    """Where the files go; `reference` is the one of the database's connection string."""

    title: str
    reference: str
    prefix: str = ""

    @property
    def identity(self) -> str:
        return f"{self.reference}#{TABLE}"

    @property
    def limits(self) -> Limits:
        return Limits(LARGEST)

    def key_problem(self, key: str) -> str | None:
        if "\0" in key:
            return "PostgreSQL stores no NUL character"
        try:
            key.encode()
        except UnicodeEncodeError:
            return "it is not valid Unicode"
        return None


class TableRemote:
    """Implements rest_remote.Remote. One session, used by one thread at a time; each write is a transaction
    of its own, so that a file stands there whole or not at all."""

    def __init__(self, place: TablePlace, url: Secret) -> None:
        self._place, self._url = place, url
        self._lock = threading.Lock()
        self._session: psycopg.Connection | None = None
        self.name, self.title, self.identity = TABLE, place.title, place.identity
        self.prefix, self.piece = place.prefix, LARGEST

    @contextmanager
    def _cursor(self) -> Iterator[psycopg.Cursor]:
        """A cursor in autocommit mode. A lost session is opened again by the next call."""
        with self._lock:
            if self._session is None or self._session.closed or self._session.broken:
                self._session = connect(self._url, "ashore:files")
            session = self._session
            try:
                with session.cursor() as cursor:
                    yield cursor
            except psycopg.Error as error:
                if is_lost(error, session):
                    session.close()
                raise translate(error) from error

    def _run(
        self, query: sql.SQL | sql.Composed, parameters: tuple[object, ...]
    ) -> tuple[object, ...] | None:
        """The first row of a statement that may be repeated; a lost connection is made again."""
        for attempt in range(1, _TRIES + 1):
            try:
                with self._cursor() as cursor:
                    cursor.execute(query, parameters)
                    return cursor.fetchone() if cursor.description else None
            except ConnectionLost:
                if attempt == _TRIES:
                    raise
        raise AssertionError("the loop ends by returning or raising")

    def probe(self) -> None:
        """Make the table and one file in it, and take both back: a test leaves nothing."""
        with self._cursor() as cursor, cursor.connection.transaction(force_rollback=True):
            cursor.execute(_MAKE.encode())
            cursor.execute(_INSERT.encode() + b"ON CONFLICT DO NOTHING", ("probe", "text/plain", b"probe"))

    def reach(self) -> None:
        """Raises Refused `bucket-missing` where there is no table yet, `table-taken` where one of that name
        holds something else."""
        row = self._run(
            sql.SQL(
                "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute "
                "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
            ),
            (TABLE,),
        )
        if row is None or row[0] is None:
            raise Refused(
                "bucket-missing",
                f"The database has no table {TABLE} yet; nothing was written.",
                "`ashore run` makes it.",
            )
        if row[0] != list(_COLUMNS):
            raise Refused(
                "table-taken",
                f"The database has a table {TABLE} that ashore did not make; nothing was written to it.",
                "Send these files to a bucket instead, or rename the app's table.",
            )

    def create(self) -> None:
        self._run(sql.SQL(_MAKE), ())

    def allow_origins(self, origins: tuple[str, ...]) -> None:
        """The app itself serves the files."""

    def head(self, key: str) -> Stored | None:
        row = self._run(
            sql.SQL(
                f"SELECT size, content_type, encode(sha256, 'hex'), sha256(data) FROM {TABLE} WHERE path = %s"
            ),
            (key,),
        )
        if row is None:
            return None
        size, content_type, told, computed = row
        assert isinstance(computed, bytes)
        # Where the column does not say what the server computes, the checksum must not count as one.
        etag = told if told == computed.hex() else f"{told}, but its bytes are {computed.hex()}"
        return Stored(key, int(str(size)), str(content_type), str(etag), sha256=computed)

    def read(self, key: str) -> Iterator[bytes]:
        at = 1
        while True:
            row = self._run(
                sql.SQL(f"SELECT substring(data FROM %s FOR %s) FROM {TABLE} WHERE path = %s"),
                (at, _PIECE, key),
            )
            piece = row[0] if row is not None else b""
            assert isinstance(piece, bytes)
            if not piece:
                return
            yield piece
            at += len(piece)

    def delete(self, key: str) -> None:
        self._run(sql.SQL(f"DELETE FROM {TABLE} WHERE path = %s"), (key,))

    def url(self, key: str) -> str:
        return f"{TABLE}/{key}"

    def put(self, key: str, data: bytes, content_type: str, only_new: bool) -> str:
        query = (
            f"{_INSERT}ON CONFLICT {'DO NOTHING' if only_new else _REPLACE} RETURNING encode(sha256, 'hex')"
        )
        row = self._run(sql.SQL(query), (key, content_type, data))
        if row is None:
            raise Occupied
        return str(row[0])

    def begin(self, upload: Upload, only_new: bool) -> Record:
        """Raises UsageError `file-too-large`: what is read whole must be small."""
        raise UsageError(
            "file-too-large",
            f"{upload.path} holds {upload.size:,} bytes; a file in the database may hold {LARGEST:,}.",
            "Give the rule a `max_size` and send larger files to a bucket. Then `ashore run` again.",
        )

    def standing(self, upload: Upload, record: Record) -> int:
        """No upload in pieces is ever begun."""
        return 0

    def send_piece(self, upload: Upload, record: Record, start: int, data: bytes, only_new: bool) -> str:
        raise AssertionError("no upload in pieces is ever begun")

    def abandon(self, key: str, record: Record) -> None:
        """No upload in pieces is ever begun."""
