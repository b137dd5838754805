"""The patch step and undo: exact bytes, all or nothing, at any point of interruption."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.frameworks.django.change_kit import DATABASE, changed, write
from wizard.answers import Answers, DatabaseAnswers
from wizard.commands.run import show_plan
from wizard.context import Cancel, RunContext
from wizard.credentials import Redactor, Secret, Vault
from wizard.databases.postgres import record
from wizard.errors import NotAsPlanned, StepFailed, Stopped
from wizard.events import EditMade, Event, Warned
from wizard.journal import Journal
from wizard.model import Instruction, Plan, Project
from wizard.state import RunFolder
from wizard.steps import patch
from wizard.undo import undo

Make = Callable[..., RunContext]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "app", {"config/settings.py": SETTINGS})


SETTINGS = (
    "# caf\u00e9\r\nSECRET_KEY = 'hunter2-value'\r\nDATABASES = {\r\n\t'default': {}}  # kept\r\n"
    "ROOT_URLCONF = 'config.urls'"
)


@pytest.fixture
def make(tmp_path: Path, root: Path) -> Make:
    folder = RunFolder(tmp_path / "state" / "run-1")
    folder.path.mkdir(parents=True)
    folder.originals.mkdir()
    made = changed(root, (DATABASE,))
    plan = Plan(
        1, str(root), "", "", (), edits=made.edits, instructions=(Instruction("a", 1, "why", "text"),)
    )

    def build(events: list[Event] | None = None, cancel: Cancel | None = None, **answers: Any) -> RunContext:
        redactor = Redactor()
        return RunContext(
            Project(root),
            Answers(root, **answers),
            plan,
            folder,
            Journal(folder.journal),
            Vault(redactor, given={"env:DATABASE_URL": Secret(answers.pop("url", "x"))}),
            redactor,
            (events if events is not None else []).append,
            cancel or Cancel(),
        )

    return build


def tree(root: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(root)): p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and ".git" not in p.parts
    }


def test_apply_then_undo_restores_every_byte(make: Make, root: Path) -> None:
    before, events = tree(root), list[Event]()
    (root / "config/settings.py").chmod(0o640)
    ctx = make(events)
    assert patch.run(ctx) == "3 files changed; 1 to make by hand"
    after = tree(root)
    assert sorted(p for p in after if after[p] != before.get(p)) == [
        ".env.example", "config/settings.py", "requirements.txt",
    ]  # fmt: skip
    assert (root / "config/settings.py").stat().st_mode & 0o777 == 0o640
    assert [e.file for e in events if isinstance(e, EditMade)] == [e.path for e in ctx.plan.edits]
    assert ctx.journal.get("patch", "instructions") == [
        {"file": "a", "line": 1, "why": "why", "text": "text"}
    ]
    events.clear()
    patch.run(ctx)
    assert (tree(root), events) == (after, [])
    assert undo(ctx.folder, ctx.journal, root).restored == (
        "config/settings.py",
        "requirements.txt",
        ".env.example",
    )
    assert tree(root) == before
    assert (root / "config/settings.py").stat().st_mode & 0o777 == 0o640
    assert undo(ctx.folder, ctx.journal, root).already == (
        "config/settings.py",
        "requirements.txt",
        ".env.example",
    )


def test_a_file_saved_by_its_author_meanwhile_is_not_overwritten(make: Make, root: Path) -> None:
    before = tree(root)

    class Author(list[Event]):
        def append(self, event: Event) -> None:
            if isinstance(event, EditMade) and event.file == "config/settings.py":
                (root / "requirements.txt").write_bytes(b"mine\n")

    ctx = make(Author())
    with pytest.raises(NotAsPlanned) as refused:
        patch.run(ctx)
    assert refused.value.code == "file-changed"
    assert (root / "requirements.txt").read_bytes() == b"mine\n"
    undo(ctx.folder, ctx.journal, root)
    assert tree(root) == {**before, "requirements.txt": b"mine\n"}


def test_undo_leaves_and_names_what_was_edited_since(make: Make, root: Path) -> None:
    before = tree(root)
    ctx = make()
    patch.run(ctx)
    (root / "requirements.txt").write_text("mine")
    (root / ".env.example").unlink()
    undone = undo(ctx.folder, ctx.journal, root)
    assert (undone.restored, undone.already, undone.changed) == (
        ("config/settings.py",), (".env.example",), ("requirements.txt",),
    )  # fmt: skip
    assert tree(root) == {**before, "requirements.txt": b"mine"}


@pytest.mark.parametrize("kills", [0, 1, 2])
def test_killed_in_between_resume_and_undo_end_as_if_never_interrupted(
    make: Make, root: Path, monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    before = tree(root)
    ctx = make()
    real, count = Path.replace, 0

    def die(self: Path, target: Path) -> Path:
        nonlocal count
        if Path(target).is_relative_to(root):
            if count == kills:
                raise KeyboardInterrupt
            count += 1
        return real(self, target)

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        patch.run(ctx)
    monkeypatch.setattr(Path, "replace", real)
    half = tree(root)
    for path, data in half.items():
        if not path.endswith(".ashore-new"):
            edit = next((e for e in ctx.plan.edits if e.path == path), None)
            assert edit is None or patch.sha256(data) in (edit.before_sha256, edit.after_sha256)
    patch.run(ctx)
    whole = tree(root)
    assert not [p for p in whole if p.endswith(".ashore-new")]
    for path, data in half.items():
        (root / path).write_bytes(data)
    for path in set(whole) - set(half):
        (root / path).unlink()
    undo(ctx.folder, ctx.journal, root)
    assert tree(root) == before


def test_a_file_changed_since_the_plan_stops_before_any_write(make: Make, root: Path) -> None:
    (root / "requirements.txt").write_text("Django==5.2.1\nmine\n")
    before = tree(root)
    ctx = make()
    with pytest.raises(NotAsPlanned, match=r"requirements\.txt has changed since the plan") as caught:
        patch.run(ctx)
    assert (caught.value.code, caught.value.exit_code) == ("file-changed", 5)
    assert tree(root) == before
    left_out = make(skip_edits=("requirements.txt",))
    patch.run(left_out)
    assert tree(root)["requirements.txt"] == before["requirements.txt"]


def test_a_file_made_in_the_meantime_is_not_overwritten(make: Make, root: Path) -> None:
    (root / ".env.example").write_text("A=1\n")
    with pytest.raises(NotAsPlanned, match=r"\.env\.example was made"):
        patch.run(make())


def test_a_link_is_followed_inside_the_project_only(make: Make, root: Path, tmp_path: Path) -> None:
    real = root / "config" / "real.py"
    (root / "config/settings.py").rename(real)
    (root / "config/settings.py").symlink_to("real.py")
    ctx = make()
    patch.run(ctx)
    assert (root / "config/settings.py").is_symlink()
    assert b"DATABASE_URL" in real.read_bytes()
    undo(ctx.folder, ctx.journal, root)
    assert real.read_bytes() == SETTINGS.encode()
    outside = tmp_path / "outside.py"
    real.rename(outside)
    (root / "config/settings.py").unlink()
    (root / "config/settings.py").symlink_to(outside)
    with pytest.raises(NotAsPlanned) as caught:
        patch.run(ctx)
    assert caught.value.code == "file-outside-project"
    assert outside.read_bytes() == SETTINGS.encode()


def test_show_writes_a_patch_that_applies_and_holds_no_secret(make: Make, root: Path) -> None:
    before = tree(root)
    ctx = make(patch="show")
    said = patch.run(ctx)
    assert tree(root) == before
    file = ctx.folder.path / "ashore.patch"
    assert b"hunter2-value" not in file.read_bytes()
    command = said.partition("git apply ")[2].partition(";")[0].split()
    subprocess.run(["git", "apply", *command], cwd=root, check=True)
    shown = tree(root)
    for path, data in before.items():
        (root / path).write_bytes(data)
    (root / ".env.example").unlink()
    patch.run(make())
    assert tree(root) == shown


@pytest.mark.parametrize("folder", [".", "app"])
def test_a_patch_for_a_folder_of_a_repository_applies_from_anywhere_in_it(
    make: Make, root: Path, folder: str
) -> None:
    """`git apply` passes over paths that do not count from the top, and says nothing."""
    top = root.parent
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    before = tree(root)
    ctx = make(patch="show")
    patch.run(ctx)
    command = ["git", "apply", "--unidiff-zero", str(ctx.folder.path / "ashore.patch")]
    subprocess.run(command, cwd=top / folder, check=True)
    shown = tree(root)
    assert shown.keys() - before.keys() == {".env.example"}
    for path, data in before.items():
        (root / path).write_bytes(data)
    (root / ".env.example").unlink()
    patch.run(make())
    assert tree(root) == shown


def test_the_plan_that_a_person_confirms_names_what_is_not_committed(make: Make, root: Path) -> None:
    said: list[str] = []
    show_plan(make().plan, said.append)
    assert "Not committed" not in "".join(said)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    show_plan(make().plan, said.append)
    (line,) = [line for line in said if "Not committed" in line]
    assert "config/settings.py, requirements.txt" in line


def test_skip_changes_nothing_and_keeps_the_instructions(make: Make, root: Path) -> None:
    before = tree(root)
    ctx = make(patch="skip")
    patch.run(ctx)
    assert tree(root) == before
    assert ctx.journal.get("patch", "instructions")
    assert undo(ctx.folder, ctx.journal, root).restored == ()


def test_uncommitted_files_are_named(make: Make, root: Path) -> None:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=root, check=True)
    subprocess.run([*git, "add", "-A"], cwd=root, check=True)
    subprocess.run([*git, "commit", "-qm", "x"], cwd=root, check=True)
    events: list[Event] = []
    patch.run(make(events))
    assert not [e for e in events if isinstance(e, Warned)]
    ctx = make()
    undo(ctx.folder, ctx.journal, root)
    subprocess.run([*git, "rm", "-q", "--cached", "requirements.txt"], cwd=root, check=True)
    patch.run(make(events))
    warned = [e for e in events if isinstance(e, Warned)]
    assert [w.code for w in warned] == ["uncommitted-changes"]
    assert "requirements.txt" in warned[0].message


def test_a_lost_original_is_said_before_anything_is_undone(make: Make, root: Path) -> None:
    ctx = make()
    patch.run(ctx)
    after = tree(root)
    (ctx.folder.originals / "requirements.txt").write_bytes(b"damaged")
    with pytest.raises(StepFailed) as caught:
        undo(ctx.folder, ctx.journal, root)
    assert caught.value.code == "original-lost"
    assert tree(root) == after


def test_a_stop_is_obeyed_between_files(make: Make, root: Path) -> None:
    cancel = Cancel()
    cancel.ask()
    before = tree(root)
    with pytest.raises(Stopped):
        patch.run(make(cancel=cancel))
    assert tree(root) == before
    patch.run(make())
    assert tree(root) != before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_a_failure_to_resume(make: Make, root: Path) -> None:
    root.chmod(0o500)
    with pytest.raises(StepFailed) as caught:
        patch.run(make())
    root.chmod(0o700)
    assert caught.value.code == "file-unwritable"
    patch.run(make())


def test_originals_lie_in_the_target_without_their_secrets(
    make: Make, root: Path, database_url: Secret
) -> None:
    ctx = make(database=DatabaseAnswers(url="env:DATABASE_URL"))
    vault = Vault(ctx.redactor, given={"env:DATABASE_URL": database_url})
    ctx = replace(ctx, vault=vault)
    _record(ctx, database_url)
    patch.run(ctx)
    patch.run(ctx)
    with psycopg.connect(database_url.reveal()) as connection:
        rows = connection.execute("SELECT path, bytes FROM ashore.original ORDER BY path").fetchall()
    kept = {path: bytes(data) for path, data in rows}
    assert sorted(kept) == ["config/settings.py", "requirements.txt"]
    assert kept["config/settings.py"] == SETTINGS.replace("'hunter2-value'", "***").encode()


def _record(ctx: RunContext, url: Secret) -> None:
    """The target's record, as provision makes it."""
    with psycopg.connect(url.reveal()) as connection, connection.cursor() as cursor:
        record.create_schema(cursor)
        record.insert(cursor, record.Run(ctx.run, "app", "source", 0, "copying", {"schema": "public"}))
