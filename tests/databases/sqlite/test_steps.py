"""The steps snapshot and preflight, as a run calls them."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from tests.references.kit import make
from wizard.answers import Answers, DatabaseAnswers
from wizard.context import RunContext
from wizard.databases.sqlite.schema import fingerprint, open_readonly
from wizard.errors import NotAsPlanned, Undecided, UsageError
from wizard.frameworks.base import Revision, Workshop
from wizard.model import Framework, Project
from wizard.steps import preflight, snapshot, workshop


@pytest.fixture
def ctx(tmp_path: Path) -> RunContext:
    made, _ = make(tmp_path, ["a.txt", "b.txt"])
    made.snapshot_path.unlink()
    with closing(sqlite3.connect(made.project.root / "db.sqlite3", isolation_level=None)) as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT, n TEXT)")
        db.execute("INSERT INTO t (body) VALUES ('fine'), (CAST(X'610062' AS TEXT)), (CAST(X'ff' AS TEXT))")
        db.execute("CREATE VIEW v AS SELECT * FROM t")
    made.emit.__self__.clear()  # type: ignore[attr-defined]
    return dataclasses.replace(made, plan=dataclasses.replace(made.plan, source_fingerprint=""))


def decided(ctx: RunContext, decisions: dict[str, dict[str, str]]) -> RunContext:
    database = DatabaseAnswers(source="db.sqlite3", decisions=decisions)
    return dataclasses.replace(ctx, answers=dataclasses.replace(ctx.answers, database=database))


def test_the_snapshot_is_taken_once_and_then_checked(ctx: RunContext) -> None:
    said = snapshot.run(ctx)
    assert said.startswith("1 tables, 3 rows") and "2 files" in said
    facts = ctx.journal.get("snapshot", "facts")
    assert facts is not None and facts["counts"] == {"t": 3}
    assert ctx.journal.get("snapshot", "current") == "base.sqlite3"
    with closing(sqlite3.connect(ctx.project.root / "db.sqlite3")) as db, db:
        db.execute("DELETE FROM t")
    assert snapshot.run(ctx) == said  # the frozen copy, not the newer source
    ctx.snapshot_path.write_bytes(ctx.snapshot_path.read_bytes().replace(b"fine", b"five"))
    with pytest.raises(NotAsPlanned) as told:
        snapshot.run(ctx)
    assert (told.value.code, told.value.exit_code) == ("snapshot-changed", 5)


def test_another_schema_than_planned_is_refused(ctx: RunContext) -> None:
    with open_readonly(ctx.project.root / "db.sqlite3") as db:
        planned = dataclasses.replace(ctx.plan, source_fingerprint=fingerprint(db))
    snapshot.run(dataclasses.replace(ctx, plan=planned))
    ctx.journal.forget("snapshot", "facts")
    with closing(sqlite3.connect(ctx.project.root / "db.sqlite3")) as db, db:
        db.execute("ALTER TABLE t ADD COLUMN more")
    with pytest.raises(NotAsPlanned) as told:
        snapshot.run(dataclasses.replace(ctx, plan=planned))
    assert told.value.code == "source-changed"
    assert ctx.journal.get("snapshot", "facts") is None


def test_the_undecided_stop_with_yaml_that_decides(ctx: RunContext) -> None:
    snapshot.run(ctx)
    with pytest.raises(Undecided) as told:
        preflight.run(ctx)
    assert told.value.exit_code == 2
    for part in ("t.body", "nul_bytes", "invalid_utf8", "keys: 2", "keys: 3", "view:v", "strip", "latin1"):
        assert part in told.value.message
    pasted = yaml.safe_load(told.value.hint.partition("\n")[2])["database"]["decisions"]
    assert pasted == {
        "t.body": {"nul_bytes": "strip", "invalid_utf8": "replace"},
        "view:v": {"view": "leave"},
    }
    assert preflight.run(decided(ctx, pasted)) == "3 decisions, all taken"
    events = [e for e in ctx.emit.__self__ if e.type == "finding"]  # type: ignore[attr-defined]
    assert [e.subject for e in events] == ["t.body", "t.body", "view:v"]
    stored = ctx.journal.get("preflight", "decisions")
    assert [d["chosen"] for d in stored or []] == ["replace", "strip", "leave"]


def test_a_choice_that_is_none_is_told(ctx: RunContext) -> None:
    snapshot.run(ctx)
    wrong = {"t.body": {"nul_bytes": "ignore", "invalid_utf8": "latin1"}, "view:v": {"view": "leave"}}
    with pytest.raises(Undecided) as told:
        preflight.run(decided(ctx, wrong))
    assert "`ignore` is not one of these" in told.value.message
    assert "invalid_utf8" not in told.value.message


def test_who_builds_the_schema(tmp_path: Path) -> None:
    plain, django = Project(tmp_path), Project(tmp_path, (Framework("django", "5.2", "."),))
    unasked = Answers(tmp_path, database=DatabaseAnswers())
    derived = Answers(tmp_path, database=DatabaseAnswers(schema="derived"))
    framework = Answers(tmp_path, database=DatabaseAnswers(schema="framework"))
    assert workshop.schema_mode(plain, unasked) == "derived"
    assert workshop.schema_mode(django, unasked) == "framework"
    assert workshop.schema_mode(django, derived) == "derived"
    assert "django_migrations" in workshop.bookkeeping(django, unasked)
    assert workshop.bookkeeping(django, derived) == ()
    with pytest.raises(UsageError) as told:
        workshop.schema_mode(plain, framework)
    assert told.value.code == "no-framework"


class _Behind:
    """A framework whose code is ahead of the database."""

    name = "django"

    def owns_schema(self, project: Project, framework: Framework) -> bool:
        return True

    def bookkeeping(self, project: Project, framework: Framework) -> tuple[str, ...]:
        return ()

    def naive_zone(self, project: Project, framework: Framework) -> str:
        return "UTC"

    def epoch(self, project: Project, framework: Framework) -> str | None:
        return None

    def revision(self, shop: Workshop, snapshot: Path) -> Revision:
        assert snapshot.is_file() and shop.application_name.endswith(":children")
        return Revision(("blog.0002_more",), ("old.0001_gone",), "python manage.py migrate")


def test_a_database_behind_the_code_is_refused(ctx: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot.run(ctx)
    monkeypatch.setattr(workshop, "FRAMEWORKS", (_Behind(),))
    project = dataclasses.replace(ctx.project, frameworks=(Framework("django", "5.2", "."),))
    with pytest.raises(UsageError) as told:
        preflight.run(dataclasses.replace(ctx, project=project))
    assert (told.value.code, told.value.exit_code) == ("revision-mismatch", 2)
    for part in ("blog.0002_more", "old.0001_gone", "Nothing was written"):
        assert part in told.value.message
    assert "python manage.py migrate" in told.value.hint
    assert ctx.journal.get("preflight", "decisions") is None
