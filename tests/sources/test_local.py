"""What a walk finds, and what it refuses to follow or carry."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from wizard.sources.local import Found, Problem, walk


def _split(folder: Path) -> tuple[dict[str, int], dict[str, str]]:
    seen = list(walk(folder))
    files = {item.path: item.size for item in seen if isinstance(item, Found)}
    return files, {item.path: item.code for item in seen if isinstance(item, Problem)}


def test_files_of_any_name_and_depth_are_found(tmp_path: Path) -> None:
    for path in ("a.txt", "sub/dir/ü ñ 文.txt", "with space/new\nline", ".hidden", "empty"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"" if path == "empty" else b"xy")
    files, problems = _split(tmp_path)
    assert files == {
        "a.txt": 2,
        "sub/dir/ü ñ 文.txt": 2,
        "with space/new\nline": 2,
        ".hidden": 2,
        "empty": 0,
    }
    assert problems == {}


def test_links_are_followed_inside_the_folder_only(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "media"
    outside.mkdir()
    (outside / "secret.txt").write_bytes(b"secret")
    (tmp_path / "media-other").mkdir()
    (folder / "real").mkdir(parents=True)
    (folder / "real" / "a.txt").write_bytes(b"abc")
    (folder / "file-out").symlink_to(outside / "secret.txt")
    (folder / "dir-out").symlink_to(outside)
    (folder / "sibling-out").symlink_to(tmp_path / "media-other")
    (folder / "broken").symlink_to("nowhere")
    (folder / "loop").symlink_to(".")
    (folder / "self").symlink_to("self")
    (folder / "again").symlink_to("real")
    (folder / "copy.txt").symlink_to("real/a.txt")
    files, problems = _split(folder)
    assert files == {"real/a.txt": 3, "again/a.txt": 3, "copy.txt": 3}
    assert problems == {
        "file-out": "symlink-outside",
        "dir-out": "symlink-outside",
        "sibling-out": "symlink-outside",
        "broken": "symlink-broken",
        "loop": "symlink-loop",
        "self": "symlink-loop",
    }


def test_the_folder_itself_may_be_a_link_to_a_mounted_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.txt").write_bytes(b"abc")
    (tmp_path / "media").symlink_to("disk")
    assert _split(tmp_path / "media") == ({"a.txt": 3}, {})


def test_special_files_and_undecodable_names_are_problems(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(tmp_path)  # a socket's path may be short only
    try:
        listener.bind("sock")
    finally:
        os.chdir(here)
        listener.close()
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"x")
    files, problems = _split(tmp_path)
    assert files == {}
    assert problems == {"pipe": "fifo", "sock": "socket", "caf\\xe9.txt": "name-not-utf8"}


def test_depth_is_no_obstacle(tmp_path: Path) -> None:
    here, depth = Path.cwd(), 1200
    try:
        os.chdir(tmp_path)
        for _ in range(depth):
            os.mkdir("d")
            os.chdir("d")
        Path("deep.txt").write_bytes(b"x")
        files, problems = _split(tmp_path)
        Path("deep.txt").unlink()
        for _ in range(depth):  # pytest's own clean-up would be too deep
            os.chdir("..")
            os.rmdir("d")
    finally:
        os.chdir(here)
    assert list(files) == ["d/" * depth + "deep.txt"] and problems == {}


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    assert _split(tmp_path / "missing") == ({}, {".": "unreadable"})
