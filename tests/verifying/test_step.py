"""The step: what a run records, says and ends with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.verifying.conftest import Pair
from wizard.answers import Answers, DatabaseAnswers
from wizard.context import Cancel, RunContext
from wizard.credentials import Redactor, Secret, Vault
from wizard.databases.postgres import record
from wizard.databases.postgres.claim import prepare_record
from wizard.errors import EXIT_DIFFERENCES, Differences, NotAsPlanned
from wizard.events import Event, FindingSeen
from wizard.journal import Journal
from wizard.model import Plan, Project
from wizard.state import RunFolder
from wizard.steps import verify


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def ctx(tmp_path: Path, pair: Pair, database_url: Secret, events: list[Event]) -> Iterator[RunContext]:
    folder = RunFolder(tmp_path / "run-1")
    folder.snapshots.mkdir(parents=True)
    pair.snapshot = folder.snapshots / "base.sqlite3"
    pair.source(
        "CREATE TABLE t (id integer PRIMARY KEY, v text)", rows={"t": [(1, "a"), (2, "token-123456")]}
    )
    journal = Journal(folder.journal)
    redactor = Redactor()
    redactor.learn(Secret("token-123456"))
    answers = Answers(tmp_path, database=DatabaseAnswers(url="env:URL"))
    vault = Vault(redactor, environ={"URL": database_url.reveal()})
    made = RunContext(
        Project(tmp_path), answers, Plan(1, str(tmp_path), "", "f", ()), folder, journal, vault, redactor,
        events.append, Cancel(),
    )  # fmt: skip
    prepare_record(made)
    pair.target.execute("CREATE TABLE t (id integer PRIMARY KEY, v text)")
    pair.target.execute("INSERT INTO t VALUES (1, 'a'), (2, 'token-123456')")
    yield made
    journal.close()


def test_equal_sides_are_recorded_in_the_journal_and_in_the_target(ctx: RunContext, pair: Pair) -> None:
    assert verify.run(ctx) == "2 rows of 1 tables, 4 values compared, 0 differences"
    fact = ctx.journal.get("verify", "database")
    assert fact is not None
    assert (fact["rows"], fact["values"], fact["total"]) == (2, 4, 0)
    state = record.get(pair.target, ctx.run)
    assert state is not None
    assert state.facts["verified"]["snapshot"] == "base.sqlite3"


def test_differences_end_with_their_own_code_and_are_told_without_secrets(
    ctx: RunContext, pair: Pair, events: list[Event]
) -> None:
    pair.target.execute("UPDATE t SET v = v || '!'")
    with pytest.raises(Differences) as caught:
        verify.run(ctx)
    assert (caught.value.exit_code, caught.value.code) == (EXIT_DIFFERENCES, "differences")
    found = [e for e in events if isinstance(e, FindingSeen)]
    assert [(e.code, e.severity, e.subject) for e in found] == [
        ("difference", "error", 't.v ["1"]'),
        ("difference", "error", 't.v ["2"]'),
    ]
    assert found[0].message == "t.v [\"1\"]: the source holds 'a', the target 'a!'"
    fact = ctx.journal.get("verify", "database")
    assert fact is not None
    assert fact["total"] == 2
    assert "token-123456" not in str(fact) + str(events)
    state = record.get(pair.target, ctx.run)
    assert state is not None
    assert "verified" not in state.facts


def test_a_sync_refuses_a_target_that_someone_else_wrote_to(ctx: RunContext, pair: Pair) -> None:
    assert verify.compare_rows(ctx, refuse_as=NotAsPlanned).rows == 2
    pair.target.execute("INSERT INTO t VALUES (3, 'new')")
    with pytest.raises(NotAsPlanned) as caught:
        verify.compare_rows(ctx, refuse_as=NotAsPlanned)
    assert caught.value.code == "target-changed"
    assert '["3"]' in caught.value.message
