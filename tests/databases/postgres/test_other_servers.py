"""Servers that are not alike: TLS with an authority of their own, ICU, citext, what the target lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.databases.postgres import system_server
from tests.databases.postgres.moving import World, execute, rows
from tests.databases.postgres.system_server import SystemServer
from wizard.credentials import Secret

pytestmark = pytest.mark.long

FEATURES = """
CREATE EXTENSION citext;
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');
CREATE TABLE account (mail citext PRIMARY KEY, shown text COLLATE blind UNIQUE, sorted text COLLATE german);
CREATE INDEX by_name ON account (sorted);
CREATE TABLE visit (id serial PRIMARY KEY, mail citext REFERENCES account ON DELETE CASCADE, n int);
INSERT INTO account VALUES ('A@b.example', 'Straße', 'Äpfel'), ('c@B.example', 'ÉTÉ', 'Apfel'),
    ('z@z.example', NULL, 'Zitrone');
INSERT INTO visit (mail, n) VALUES ('a@B.EXAMPLE', 1), ('C@b.example', 2), (NULL, 3);
"""


@pytest.fixture(scope="module")
def system() -> Iterator[SystemServer]:
    with system_server.running() as server:
        yield server


def moved(world: World, *tables: str) -> None:
    for table in tables:
        query = f'SELECT t::text FROM {table} t ORDER BY t::text COLLATE "C"'
        assert rows(world.source, query) == rows(world.target, query), table
        assert rows(world.target, query)


def test_citext_and_icu_move_over_tls_as_an_ordinary_role(tmp_path: Path, system: SystemServer) -> None:
    world = World(tmp_path, system.database("tls_a"), system.database("tls_b"))
    world.answer()
    execute(world.source, FEATURES)
    end = world.run()
    assert end.exit_code == 0, end.said
    moved(world, "account", "visit")
    assert rows(world.target, "SELECT count(*) FROM account WHERE mail = 'A@B.EXAMPLE'") == [(1,)]
    assert rows(world.target, "SELECT count(*) FROM account WHERE shown = 'été'") == [(1,)]
    execute(world.source, CHANGE)
    end = world.ashore("sync")
    assert end.exit_code == 0, end.said
    moved(world, "account", "visit")
    execute(world.target, "UPDATE account SET mail = 'c@b.example' WHERE mail = 'c@b.example'")
    end = world.ashore("verify")
    assert end.exit_code == 6, end.said  # the same to the server, and yet another value


CHANGE = """
UPDATE account SET mail = 'a@b.EXAMPLE', shown = 'STRASSE' WHERE mail = 'a@b.example';
DELETE FROM account WHERE mail = 'Z@Z.example'; INSERT INTO visit (mail, n) VALUES ('a@B.example', 4)
"""


def test_a_server_that_another_authority_vouches_for_is_refused(tmp_path: Path, system: SystemServer) -> None:
    other, _ = system_server.certificate(tmp_path, "other")
    source, target = system.database("ca_a"), system.database("ca_b")
    execute(source, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    for one, two in (
        (source, system_server.trusting(target, other)),
        (system_server.trusting(source, other), target),
    ):
        world = World(tmp_path, one, two)
        world.answer()
        end = world.run()
        assert end.exit_code == 4, end.said
        assert "could not agree on an encrypted connection" in end.said
        assert rows(target, "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'ashore')") == [
            (0,)
        ]


def test_an_extension_that_the_target_lacks_stops_the_run_until_decided(
    tmp_path: Path, system: SystemServer, new_database: Callable[[], Secret]
) -> None:
    world = World(tmp_path, system.database("lacking_a"), new_database())
    world.answer()
    execute(
        world.source,
        "CREATE EXTENSION pg_trgm; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)",
    )
    end = world.run()
    assert end.exit_code == 2, end.said
    assert "The extension pg_trgm" in end.said
    assert "is not offered by the target's server" in end.said
    assert rows(world.target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    world.answer(decisions={"extension pg_trgm": {"extension_missing": "leave"}})
    end = world.run()
    assert end.exit_code == 0, end.said
    moved(world, "t")


def test_what_needs_a_missing_extension_fails_before_the_first_row(
    tmp_path: Path, system: SystemServer, new_database: Callable[[], Secret]
) -> None:
    world = World(tmp_path, system.database("needing_a"), new_database())
    world.answer(decisions={"extension citext": {"extension_missing": "leave"}})
    execute(world.source, "CREATE EXTENSION citext; CREATE TABLE t (id citext); INSERT INTO t VALUES ('a')")
    end = world.run()
    assert end.exit_code == 1, end.said
    assert "schema-refused" in end.said
    assert "citext" in end.said
    assert rows(world.target, "SELECT count(*) FROM ashore.progress") == [(0,)]


def test_an_older_target_is_tried_only_where_an_answer_says_so(
    tmp_path: Path, system: SystemServer, new_database: Callable[[], Secret]
) -> None:
    world = World(tmp_path, new_database(), system.database("older_b"))
    if _version(world.target) >= _version(world.source):
        pytest.skip("the system's PostgreSQL is not older than the embedded one")
    world.answer()
    execute(
        world.source,
        "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, said text NOT NULL UNIQUE, "
        "twice int GENERATED ALWAYS AS (id * 2) STORED);"
        "CREATE VIEW long AS SELECT * FROM t WHERE length(said) > 3; INSERT INTO t (said) VALUES ('a')",
    )
    end = world.run()
    assert end.exit_code == 2, end.said
    assert "the target the older" in end.said
    assert rows(world.target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    world.answer(decisions={"server": {"older_server": "try"}})
    end = world.run()
    assert end.exit_code == 0, end.said
    moved(world, "t")


def test_what_an_older_target_does_not_know_fails_before_the_first_row(
    tmp_path: Path, system: SystemServer, new_database: Callable[[], Secret]
) -> None:
    world = World(tmp_path, new_database(), system.database("unknown_b"))
    if _version(world.target) >= 18 or _version(world.source) < 18:
        pytest.skip("needs a source of PostgreSQL 18 and an older target")
    world.answer(decisions={"server": {"older_server": "try"}})
    execute(
        world.source,
        "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1);"
        "CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) VIRTUAL)",
    )
    end = world.run()
    assert end.exit_code == 1, end.said
    assert "does not take the table t" in end.said
    assert rows(world.target, "SELECT count(*) FROM ashore.progress") == [(0,)]


def _version(url: Secret) -> int:
    with psycopg.connect(url.reveal()) as connection:
        return connection.info.server_version // 10000
