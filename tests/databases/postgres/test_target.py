"""Opening, probing and claiming a target: what is refused, with which code, and that nothing is left behind."""

# ruff: noqa: E501

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.databases.contexts import build, context, execute, new_process, rows
from wizard.credentials import Secret
from wizard.databases.postgres.claim import source_id
from wizard.databases.postgres.connect import connect, parse, translate
from wizard.databases.postgres.probe import checks, probe
from wizard.databases.postgres.record import find_adoptable
from wizard.databases.postgres.target import open_target
from wizard.errors import AshoreError, ConnectionLost, Refused, UsageError
from wizard.steps import provision

TABLES = "CREATE TABLE item (id integer PRIMARY KEY);"


def changed(url: Secret, **parts: str) -> Secret:
    split = urlsplit(url.reveal())
    user, password = parts.get("user", split.username), parts.get("password", split.password)
    host, port = parts.get("host", split.hostname), parts.get("port", split.port)
    return Secret(
        f"postgresql://{user}:{password}@{host}:{port}{parts.get('path', split.path)}{parts.get('query', '')}"
    )


@pytest.mark.parametrize(
    ("parts", "code", "exit_code"),
    [
        ({"password": "wrong-word"}, "database-password", 4),
        ({"user": "nobody_here"}, "database-password", 4),
        ({"host": "no-such-host.invalid"}, "database-host", 4),
        ({"port": "1"}, "database-unreachable", 4),
        ({"path": "/absent"}, "database-name", 4),
        ({"query": "?sslmode=require"}, "database-tls", 4),
        ({"query": "?nonsense=1"}, "database-url", 2),
        ({"host": "127.0.0.1:x"}, "database-url", 2),
        ({"password": "a#b"}, "database-url", 2),
    ],
)
def test_a_refused_connection_says_why_without_the_secret(
    database_url: Secret, parts: dict[str, str], code: str, exit_code: int
) -> None:
    url = changed(database_url, **parts)
    with pytest.raises(AshoreError) as refused:
        connect(url, "test", attempts=2, sleep=lambda _: None)
    assert (refused.value.code, refused.value.exit_code) == (code, exit_code)
    password = parts.get("password") or urlsplit(database_url.reveal()).password
    assert password
    seen: BaseException | None = refused.value
    while seen is not None:
        assert password not in f"{seen} {seen.args}"
        assert seen.__suppress_context__ or seen.__context__ is None
        seen = seen.__cause__


def test_a_server_that_is_still_recovering_is_waited_for(database_url: Secret) -> None:
    """Between ashore and the server stands a door that first says what PostgreSQL says while it recovers."""
    said = (
        b"SFATAL\0VFATAL\0C57P03\0Mthe database system is not yet accepting connections\0"
        b"DConsistent recovery state has not been yet reached.\0\0"
    )
    answer = b"E" + (len(said) + 4).to_bytes(4, "big") + said
    server = urlsplit(database_url.reveal())

    def pump(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(65536):
                other.sendall(piece)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def serve(door: socket.socket) -> None:
        for _ in range(6):
            with door.accept()[0] as caller:
                caller.recv(4096)
                caller.sendall(answer)
        with (
            door.accept()[0] as caller,
            socket.create_connection((str(server.hostname), int(server.port or 0))) as behind,
        ):
            back = threading.Thread(target=pump, args=(behind, caller))
            back.start()
            pump(caller, behind)
            back.join()

    waits: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=serve, args=(door,))
        thread.start()
        url = changed(
            database_url, host="127.0.0.1", port=str(door.getsockname()[1]), query="?sslmode=disable"
        )
        with pytest.raises(Refused) as once:
            connect(url, "test", attempts=1)
        assert once.value.code == "database-starting"
        with connect(url, "test", attempts=2, sleep=waits.append) as opened:
            assert opened.execute("SELECT 1").fetchone() == (1,)
        thread.join()
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_a_full_server_is_waited_for(database_url: Secret) -> None:
    """The role's connections are used up; the second attempt finds one free."""
    name = urlsplit(database_url.reveal()).path[1:]
    held = connect(database_url, "holder")
    execute(database_url, "SELECT 1")
    waits = []

    def let_go(seconds: float) -> None:
        waits.append(seconds)
        held.close()
        admin_limit(-1)

    def admin_limit(number: int) -> None:
        execute(ADMIN[0], f"ALTER ROLE {name} CONNECTION LIMIT {number}")

    admin_limit(1)
    again = connect(database_url, "test", sleep=let_go)
    assert waits == [0.5]
    again.close()


ADMIN: list[Secret] = []


@pytest.fixture(autouse=True)
def _admin(postgres_server) -> None:  # type: ignore[no-untyped-def]
    ADMIN[:] = [postgres_server.admin]


def test_other_spellings_of_a_url_are_understood(database_url: Secret) -> None:
    text = database_url.reveal().replace("postgresql://", "postgres://") + "?schema=public&connection_limit=5"
    with connect(Secret(text), "test") as connection:
        row = connection.execute(
            "SELECT current_setting('statement_timeout'), current_setting('TimeZone'), "
            "current_setting('application_name')"
        ).fetchone()
    assert row == ("0", "UTC", "test")
    assert parse(Secret("postgresql+psycopg2://u:p%40@db.example.com/x"))["sslmode"] == "require"
    assert parse(Secret("postgresql://u:p%40@db.example.com/x"))["password"] == "p@"
    assert "sslmode" not in parse(Secret("postgresql://u:p@postgres.railway.internal/x"))


def test_a_session_killed_in_the_middle_is_a_lost_connection(database_url: Secret) -> None:
    connection = connect(database_url, "test")
    execute(database_url, f"SELECT pg_terminate_backend({connection.info.backend_pid})")
    with pytest.raises(psycopg.Error) as error:
        connection.execute("SELECT 1")
    assert isinstance(translate(error.value), ConnectionLost)


def test_probing_leaves_nothing_and_tells_rights(database_url: Secret) -> None:
    assert all(check.ok for check in checks(database_url))
    with connect(database_url, "test") as connection:
        seen = probe(connection, parse(database_url))
    assert seen.can_create and not seen.superuser and not seen.pooler and seen.tables == ()
    assert seen.encoding == "UTF8" and seen.max_connections == 60
    execute(
        database_url, "CREATE TABLE there (a int); INSERT INTO there VALUES (1); CREATE TABLE bare (a int)"
    )
    with connect(database_url, "test") as connection:
        seen = probe(connection)
    assert seen.tables == ("public.bare", "public.there") and seen.non_empty == ("public.there",)
    last = checks(database_url)[-1]
    assert not last.ok and "public.there" in last.said
    reader = urlsplit(database_url.reveal()).path[1:] + "_r"
    execute(database_url, "SELECT 1")
    execute(ADMIN[0], f"CREATE ROLE {reader} LOGIN PASSWORD 'reader-word'")
    weak = next(
        c for c in checks(changed(database_url, user=reader, password="reader-word")) if "create" in c.what
    )
    assert not weak.ok and "permission denied" in weak.said


def test_a_filled_target_is_refused_and_stays_as_it_is(tmp_path: Path, database_url: Secret) -> None:
    execute(database_url, "CREATE TABLE theirs (a int)")
    with pytest.raises(UsageError) as refused:
        provision.run(context(tmp_path, database_url, TABLES))
    assert refused.value.code == "target-not-empty" and "public.theirs" in refused.value.message
    assert refused.value.exit_code == 2
    assert rows(database_url, "SELECT to_regnamespace('ashore')") == [(None,)]
    allowed = context(tmp_path / "b", database_url, TABLES, allow_nonempty=True)
    provision.run(allowed)
    assert rows(database_url, "SELECT facts->'tables_before' FROM ashore.run") == [(["public.theirs"],)]


def test_allowing_a_filled_target_does_not_allow_a_clash(tmp_path: Path, database_url: Secret) -> None:
    execute(database_url, "CREATE TABLE item (a int)")
    with pytest.raises(UsageError) as refused:
        provision.run(context(tmp_path, database_url, TABLES, allow_nonempty=True))
    assert refused.value.code == "target-not-empty"


def test_provision_may_be_repeated_and_a_pooler_is_refused(tmp_path: Path, database_url: Secret) -> None:
    ctx = context(tmp_path, database_url, TABLES)
    provision.run(ctx)
    build(ctx, "CREATE TABLE item (id integer PRIMARY KEY)")
    provision.run(new_process(ctx))
    assert rows(database_url, "SELECT count(*), max(epoch), max(state) FROM ashore.run") == [(1, 2, "schema")]
    pooled = context(tmp_path / "b", Secret("postgresql://u:p@ep-x-pooler.eu.neon.tech/d"), TABLES)
    with pytest.raises(Refused) as refused:
        provision.run(pooled)
    assert refused.value.code == "database-pooler"


def test_a_run_at_work_elsewhere_is_not_adopted(tmp_path: Path, database_url: Secret) -> None:
    here, there = (context(tmp_path / name, database_url, TABLES, run=name) for name in ("here", "there"))
    provision.run(there)
    with open_target(there) as target:
        assert find_adoptable(target.connection, source_id("fingerprint", "project")) == "there"
        with pytest.raises(UsageError) as refused:
            provision.run(here)
        assert refused.value.code == "run-elsewhere" and refused.value.exit_code == 2
    while rows(database_url, "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'ashore:there:%'"):
        pass
    provision.run(here)
    assert rows(database_url, "SELECT run FROM ashore.run") == [("here",)]
    with pytest.raises(UsageError) as missing, open_target(new_process(there)):
        pass
    assert missing.value.code == "record-missing"
