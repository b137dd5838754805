"""The derived schema as the run's steps make it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.databases.contexts import context, execute, new_process, rows
from wizard.credentials import Secret
from wizard.demo import embedded
from wizard.errors import NotAsPlanned, Undecided, UsageError
from wizard.steps import preflight, provision, schema

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
FOLDED = (
    "CREATE TABLE u (id INTEGER PRIMARY KEY, email TEXT COLLATE NOCASE UNIQUE, n INT);"
    "INSERT INTO u VALUES (1, 'A', 'x');"
)


def test_the_preflight_stops_until_both_are_decided(tmp_path: Path, database_url: Secret) -> None:
    with pytest.raises(Undecided) as told:
        preflight.run(context(tmp_path, database_url, FOLDED + "INSERT INTO u VALUES (2, 'B', 5);"))
    assert "u.email [nocase]" in told.value.message and "u.n [mixed_types]" in told.value.message
    assert '"u.n": {mixed_types: text}' in told.value.hint


def test_citext_is_refused_where_the_server_has_none(tmp_path: Path, database_url: Secret) -> None:
    if rows(database_url, "SELECT 1 FROM pg_available_extensions WHERE name = 'citext'"):
        pytest.skip("this server has citext")
    ctx = context(tmp_path, database_url, FOLDED, decisions={"u.email": {"nocase": "citext"}})
    provision.run(ctx)
    with pytest.raises(UsageError) as told:
        schema.run(ctx)
    assert told.value.code == "citext-not-available"
    assert rows(database_url, TABLES) == [(0,)]


def test_tables_half_made_for_another_snapshot_are_not_gone_on_with(
    tmp_path: Path, database_url: Secret
) -> None:
    ctx = context(tmp_path, database_url, FOLDED)
    provision.run(ctx)
    execute(database_url, """UPDATE ashore.run SET facts = facts || '{"derived": ["other", 1]}'""")
    with pytest.raises(NotAsPlanned) as told:
        schema.run(new_process(ctx))
    assert told.value.code == "schema-half-made"
    assert rows(database_url, TABLES) == [(0,)]


def test_on_supabase_no_visitor_may_read_the_tables(
    tmp_path: Path, database_url: Secret, postgres_server: embedded.Postgres
) -> None:
    """Supabase gives every new table in `public` to the roles of its web interface."""
    with psycopg.connect(postgres_server.admin.reveal(), autocommit=True) as admin:
        for role in ("anon", "authenticated"):
            if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                admin.execute(f"CREATE ROLE {role}".encode())
    execute(
        database_url,
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated; "
        "GRANT USAGE ON SCHEMA public TO anon",
    )
    ctx = context(
        tmp_path, database_url, "CREATE TABLE u (id INTEGER PRIMARY KEY); INSERT INTO u VALUES (1);"
    )
    provision.run(ctx)
    schema.run(ctx)
    may = "SELECT has_table_privilege(r, 'u', 'SELECT') FROM unnest(ARRAY['anon', 'authenticated']) r"
    assert rows(database_url, may) == [(False,), (False,)]
