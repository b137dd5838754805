"""A record whose state folder is lost after the cut-over or the rewriting of references: made right."""

from __future__ import annotations

import contextlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.databases.contexts import context, execute, new_process, rows
from tests.steps.test_cutover import CHANGES, change, migrated, same, source
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.postgres.target import open_target
from wizard.databases.sqlite import schema as sqlite_schema
from wizard.errors import StepFailed
from wizard.journal import Journal
from wizard.steps import constraints, copy, cutover, provision, recheck, schema, snapshot, verify


def on_another_machine(ctx: RunContext, tmp_path: Path, url: Secret) -> RunContext:
    """A new run of the same source, as it is now, whose state folder knows nothing of the first."""
    other = context(tmp_path / "elsewhere", url, "", run="another")
    source(other).write_bytes(source(ctx).read_bytes())
    other.snapshot_path.write_bytes(source(ctx).read_bytes())
    with closing(sqlite_schema.open_readonly(source(other))) as connection:
        fingerprint = sqlite_schema.fingerprint(connection)
    return replace(other, plan=replace(other.plan, source_fingerprint=fingerprint, tables=ctx.plan.tables))


@pytest.mark.parametrize("killed", [False, True], ids=["after the sync", "right after its rows"])
def test_a_synced_target_is_taken_over(
    tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    ctx = migrated(tmp_path, database_url)
    change(ctx, CHANGES)
    with monkeypatch.context() as patch:
        if killed:
            patch.setattr(cutover, "_adopt", lambda *_: None)
        cutover.run(new_process(ctx))
    change(ctx, "UPDATE book SET title = 'even later' WHERE id = 1; DELETE FROM book WHERE id = 9;")
    other = on_another_machine(ctx, tmp_path, database_url)
    for step in (provision, schema, recheck, copy, constraints, verify, cutover):
        step.run(other)
    same(other, database_url)
    with pytest.raises(StepFailed) as caught, open_target(ctx):
        pass
    assert caught.value.code == "fenced"


def test_rows_loaded_again_are_rewritten_again(tmp_path: Path, database_url: Secret) -> None:
    """What a rewrite noted of the rows before must not stand for the rows that took their place."""
    ctx = migrated(tmp_path, database_url)
    execute(
        database_url,
        "INSERT INTO ashore.before_image SELECT run, 'book', 'title', '[\"' || id || '\"]', title, 'new' "
        "FROM book, ashore.run; UPDATE book SET title = 'new'",
    )
    change(ctx, "UPDATE book SET title = 'as it is now' WHERE id = 1")
    other = on_another_machine(ctx, tmp_path, database_url)
    for step in (provision, schema, recheck, copy):
        step.run(other)
    assert rows(database_url, "SELECT key FROM ashore.before_image") == []
    assert rows(database_url, "SELECT title FROM book WHERE id = 1") == [("as it is now",)]


def test_a_kill_while_the_synced_snapshot_is_noted_leaves_all_of_the_note_or_none(
    tmp_path: Path, database_url: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    put = Journal.put

    def killed(self: Journal, kind: str, key: str, value: object) -> None:
        put(self, kind, key, value)
        if kind == "snapshot":
            raise Killed

    ctx = migrated(tmp_path, database_url)
    for number in (1, 2):
        change(ctx, f"INSERT INTO log VALUES ('again', {number})")
        with monkeypatch.context() as patch:
            patch.setattr(Journal, "put", killed)
            with contextlib.suppress(Killed):
                cutover.run(new_process(ctx))
        snapshot.check(new_process(ctx))
        cutover.run(new_process(ctx))
    same(ctx, database_url)
