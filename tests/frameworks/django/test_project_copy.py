"""The copy in which the project's tools run: code only, and gone afterwards."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from wizard.context import Cancel
from wizard.errors import Stopped
from wizard.frameworks.django.project_copy import MAX_BYTES, project_copy
from wizard.model import Project, Store


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def test_code_is_copied_and_data_is_not(tmp_path: Path) -> None:
    root = tmp_path / "app"
    write(
        root, "manage.py", "build/models.py", "media/a.png", "node_modules/x.js", ".git/HEAD", "v/pyvenv.cfg"
    )
    write(root, "a/__pycache__/m.pyc", "text.db", "data.db-wal", "v/lib/m.py", ".env", "a/.env.local")
    sqlite3.connect(root / "data.db").execute("CREATE TABLE t (x)").connection.close()
    (root / "big.bin").write_bytes(b"\0" * (MAX_BYTES + 1))
    (root / "loop").symlink_to(root)
    project = Project(root, stores=(Store("uploads", "media"),))
    with project_copy(project, tmp_path, Cancel()) as copy:
        names = {p.relative_to(copy).as_posix() for p in copy.rglob("*") if not p.is_dir()}
        assert names == {"manage.py", "build/models.py", "text.db", ".env", "a/.env.local"}
        assert (copy / ".env").is_symlink()
    assert not copy.exists()
    assert (root / ".env").read_text() == "x"


def test_the_variables_of_the_folder_above_are_linked(tmp_path: Path) -> None:
    write(tmp_path, "repo/app/manage.py", "repo/.env", "work/driver/x")
    with project_copy(Project(tmp_path / "repo/app"), tmp_path / "work", Cancel()):
        assert (tmp_path / "work/.env").is_symlink()
    assert [p.name for p in (tmp_path / "work").iterdir()] == ["driver"]
    assert (tmp_path / "repo/.env").is_file()


def test_what_a_kill_left_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "app", "manage.py")
    write(tmp_path / "project", "left_over.py")
    with project_copy(Project(tmp_path / "app"), tmp_path, Cancel()) as copy:
        assert [p.name for p in copy.iterdir()] == ["manage.py"]


def test_a_stop_is_obeyed(tmp_path: Path) -> None:
    write(tmp_path / "app", "manage.py")
    cancel = Cancel()
    cancel.ask()
    with pytest.raises(Stopped), project_copy(Project(tmp_path / "app"), tmp_path, cancel):
        pass
