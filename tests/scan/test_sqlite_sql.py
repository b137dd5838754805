"""SQL that only SQLite understands, found by file and line."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from wizard import cli
from wizard.scan import scan
from wizard.scan.sqlite_sql import places

PYTHON = [
    ("SELECT strftime('%Y', at) FROM t", "strftime()"),
    ("SELECT julianday(a) FROM t", "julianday()"),
    ("SELECT * FROM t WHERE at > datetime('now', '-1 day')", "datetime()"),
    ("SELECT date('now', '-7 days') AS d, 1 FROM t", "date() or time() with modifiers"),
    ("INSERT OR IGNORE INTO t VALUES (?)", "INSERT OR …, REPLACE INTO"),
    ("REPLACE INTO t VALUES (?)", "INSERT OR …, REPLACE INTO"),
    ("PRAGMA foreign_keys = ON", "PRAGMA"),
    ("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)", "AUTOINCREMENT"),
    ("SELECT last_insert_rowid()", "last_insert_rowid(), changes()"),
    ("SELECT rowid FROM t", "rowid"),
    ("SELECT GROUP_CONCAT(name) FROM t", "group_concat()"),
    ("SELECT ifnull(a, 1) FROM t", "ifnull()"),
    ("SELECT name FROM sqlite_master", "sqlite_master"),
    ("SELECT a FROM t WHERE name GLOB ?", "GLOB"),
    ("SELECT a FROM t WHERE name = ? COLLATE NOCASE", "COLLATE NOCASE"),
    ("SELECT a FROM t LIMIT ?, ?", "LIMIT offset, count"),
    ('SELECT a FROM t WHERE name = "ann"', "text in double quotes"),
    ("SELECT [a] FROM t", "names in backticks or brackets"),
    ("SELECT a FROM t WHERE name LIKE ?", "LIKE, which in SQLite does not mind the case of ASCII letters"),
]
FINE = [
    "SELECT a FROM t WHERE name = 'strftime(x) GLOB PRAGMA rowid' LIMIT 5 OFFSET 3",
    'SELECT a AS "b" FROM t WHERE "a" = "t"."b" AND at > CURRENT_TIMESTAMP -- rowid',
    "INSERT INTO t (a) VALUES ('INSERT OR REPLACE') ON CONFLICT DO NOTHING",
    "SELECT a[1], ARRAY[1, 2] FROM t WHERE name ILIKE ? AND made = date(?)",
    "Please select what you like from the list, 1, 2",
    "rowid",
]


def test_every_construct_is_seen() -> None:
    for sql, what in PYTHON:
        assert what in [rule.what for _, rule in places(f"run({sql!r})", True)], sql
        assert what in [rule.what for _, rule in places(f"run({json.dumps(sql)})", False)], sql


def test_what_both_understand_is_passed_over() -> None:
    for sql in FINE:
        for text, python in ((f"run({sql!r})", True), (f"run({json.dumps(sql)})", False)):
            assert [rule.what for _, rule in places(text, python)] == [], sql


def test_lines_are_those_of_the_file() -> None:
    python = (
        'def f(c, t):\n    """SELECT rowid FROM docs"""\n    # PRAGMA x\n'
        '    c.execute(\n        """\n        SELECT a\n        FROM sqlite_master\n'
        '        LIMIT 1, 2"""\n    )\n'
        '    c.execute(f"INSERT OR REPLACE INTO {t} VALUES (?)")\n    q(func.group_concat(t.a))\n'
    )
    found = [(line, rule.what) for line, rule in places(python, True)]
    assert sorted(found) == [
        (7, "sqlite_master"),
        (8, "LIMIT offset, count"),
        (10, "INSERT OR …, REPLACE INTO"),
        (11, "group_concat()"),
    ]
    script = (
        "// SELECT rowid FROM t\nconst q = db.prepare(`SELECT ${a.b({c: 1})},\n  IFNULL(a, 1)\nFROM t`)\n"
    )
    assert [(line, rule.what) for line, rule in places(script, False)] == [(3, "ifnull()")]


def test_the_scan_and_the_preflight_list_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = tmp_path / "app"
    (app / "tests").mkdir(parents=True)
    (app / "tests" / "helpers.py").write_text('run("PRAGMA x")\n')
    (app / "store.py").write_text(
        'run("SELECT 1 FROM t")\nrun("PRAGMA journal_mode=WAL")\nrun("SELECT a LIKE b")\n'
    )
    assert [f.code for f in scan(app).findings] == []  # no SQLite here
    with closing(sqlite3.connect(app / "app.db")) as db, db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    found = [(f.code, f.severity, f.file, f.line) for f in scan(app).findings if f.file == "store.py"]
    assert found == [
        ("sqlite-only-sql", "warning", "store.py", 2),
        ("like-minds-case", "info", "store.py", 3),
    ]
    assert not [f for f in scan(app).findings if f.file and f.file.startswith("tests/")]
    answers = tmp_path / "ashore.yml"
    answers.write_text(
        f"version: 1\nproject: {app}\nstorage: []\n"
        "database: {provider: postgres, url: 'env:X', source: app.db}\n"
    )
    with pytest.raises(SystemExit):
        cli.main(["preflight", "-a", str(answers), "--state-dir", str(tmp_path / "state")])
    assert "store.py:2: SQL that PostgreSQL does not understand: PRAGMA." in capsys.readouterr().out
