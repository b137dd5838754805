"""A SQLite database with everything that SQLite allows, and beside each feature what must become of it.

`FEATURES` is the whole of it; `build` writes the file. The rows are those that a reader of the target must
see (as psycopg returns them), written by hand, never computed by the code under test.
"""

# ruff: noqa: E501

from __future__ import annotations

import datetime
import sqlite3
from pathlib import Path

from tests.databases.feature import Feature
from tests.databases.torture_values import VALUES

WIDE = 200
FEATURES: tuple[Feature, ...] = (
    Feature(
        "strict",
        (
            "CREATE TABLE strict_t (id INTEGER PRIMARY KEY, n INT, r REAL, t TEXT, b BLOB, a ANY) STRICT",
            "INSERT INTO strict_t VALUES (1, 7, 1.5, 'x', x'00', 3), (2, NULL, NULL, NULL, NULL, 4)",
        ),
        {"strict_t": [(1, 7, 1.5, "x", b"\0", 3), (2, None, None, None, None, 4)]},
        {"strict_t.n": "bigint", "strict_t.r": "double precision", "strict_t.a": "bigint"},
    ),
    Feature(
        "without rowid, composite and text keys",
        (
            "CREATE TABLE pairs (b TEXT, a INT NOT NULL, v TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID",
            "INSERT INTO pairs VALUES ('ä', 1, 'one'), ('Z', 2, 'two'), ('a', 2, NULL), ('a', 1, '')",
            "CREATE TABLE texts (code TEXT PRIMARY KEY, v INT)",
            "INSERT INTO texts VALUES ('', 1), ('B', 2), ('a', 3), ('é', 4)",
        ),
        {
            "pairs": [("Z", 2, "two"), ("a", 1, ""), ("a", 2, None), ("ä", 1, "one")],
            "texts": [("", 1), ("B", 2), ("a", 3), ("é", 4)],
        },
        refused=("INSERT INTO pairs VALUES ('a', 1, 'again')", "INSERT INTO texts VALUES ('a', 9)"),
    ),
    Feature(
        "blob keys",
        (
            "CREATE TABLE blobs (k BLOB PRIMARY KEY, v INT) WITHOUT ROWID",
            "INSERT INTO blobs VALUES (x'', 0), (x'00', 1), (x'00ff', 2), (x'ff', 3)",
        ),
        {"blobs": [(b"", 0), (b"\0", 1), (b"\0\xff", 2), (b"\xff", 3)]},
        {"blobs.k": "bytea"},
        refused=("INSERT INTO blobs VALUES ('\\x00', 9)",),
    ),
    Feature(
        "no key, rows that are the same",
        ("CREATE TABLE keyless (word TEXT, n)", "INSERT INTO keyless VALUES ('x', 1), ('x', 1), (NULL, NULL), ('y', 2)"),
        {"keyless": [("x", 1), ("x", 1), ("y", 2), (None, None)]},
    ),
    Feature(
        "a key with NULL, which SQLite allows",
        ("CREATE TABLE nullkey (k TEXT PRIMARY KEY, v INT)", "INSERT INTO nullkey VALUES (NULL, 1), (NULL, 2), ('k', 3)"),
        {"nullkey": [(None, 1), (None, 2), ("k", 3)]},
        left=(("primary key", "nullkey"),),
    ),
    Feature(
        "generated columns",
        (
            "CREATE TABLE computed (id INTEGER PRIMARY KEY, a INT, s TEXT, sum INT AS (a + 1) STORED, "
            "low TEXT GENERATED ALWAYS AS (lower(s) || '.') VIRTUAL, part TEXT AS (substr(s, 1, 1)))",
            "INSERT INTO computed (id, a, s) VALUES (1, 41, 'ÄB'), (2, NULL, NULL)",
        ),
        {"computed": [(1, 41, "ÄB", 42, "Äb.", "Ä"), (2, None, None, None, None, None)]},
        left=(("generated column", "computed.part"),),
        refused=("INSERT INTO computed (id, sum) VALUES (9, 9)",),
    ),
    Feature(
        "self-referencing and circular foreign keys, with their actions",
        (
            "CREATE TABLE tree (id INTEGER PRIMARY KEY, up INT REFERENCES tree ON DELETE CASCADE)",
            "INSERT INTO tree VALUES (1, 3), (2, 1), (3, NULL)",
            "CREATE TABLE hen (id INTEGER PRIMARY KEY, egg INT REFERENCES egg (id) ON UPDATE SET NULL)",
            "CREATE TABLE egg (id INTEGER PRIMARY KEY, hen INT REFERENCES hen (id) DEFERRABLE INITIALLY DEFERRED)",
            "INSERT INTO hen VALUES (1, 2), (2, NULL)",
            "INSERT INTO egg VALUES (1, 1), (2, 1)",
            "CREATE TABLE both (b TEXT, a INT, FOREIGN KEY (B, A) REFERENCES Pairs ON DELETE SET DEFAULT)",
            "INSERT INTO both VALUES ('Z', 2), ('nothing', NULL)",
        ),
        {
            "tree": [(1, 3), (2, 1), (3, None)],
            "hen": [(1, 2), (2, None)],
            "egg": [(1, 1), (2, 1)],
            "both": [("Z", 2), ("nothing", None)],
        },
        refused=(
            "INSERT INTO tree VALUES (9, 99)",
            "INSERT INTO egg VALUES (9, 99)",
            'INSERT INTO "both" VALUES (\'Z\', 99)',
        ),
    ),
    Feature(
        "a foreign key whose parent is gone",
        (
            "CREATE TABLE lost (id INTEGER PRIMARY KEY, gone INT REFERENCES dropped (id))",
            "INSERT INTO lost VALUES (1, NULL)",
            "CREATE TABLE child (id INTEGER PRIMARY KEY, hen INT REFERENCES hen (id))",
            "INSERT INTO child VALUES (1, 1), (2, 77)",
        ),
        {"lost": [(1, None)], "child": [(1, 1), (2, None)]},
        decisions={"child.hen": {"orphans": "null"}},
        left=(("foreign key", "lost (gone) → dropped"),),
        refused=("INSERT INTO child VALUES (9, 77)",),
    ),
    Feature(
        "names",
        (
            'CREATE TABLE "Order" ("select" INTEGER PRIMARY KEY, "Group By" TEXT, "it\'s ""quoted""" INT, "%s {x}" INT, '
            'üñï TEXT, "tab\tname" INT)',
            "INSERT INTO \"Order\" VALUES (1, 'a', 2, 3, 'ü', 4)",
            'CREATE INDEX "my Index" ON "Order" ("Group By", "it\'s ""quoted""")',
            'CREATE TABLE "user" (id INTEGER PRIMARY KEY AUTOINCREMENT, "Table" INT REFERENCES "Order")',
            'INSERT INTO "user" VALUES (1, 1)',
            "CREATE TABLE [semi;colon--] (`back``tick` TEXT)",
            "INSERT INTO [semi;colon--] VALUES ('; DROP TABLE x')",
        ),
        {
            "Order": [(1, "a", 2, 3, "ü", 4)],
            "user": [(1, 1)],
            "semi;colon--": [("; DROP TABLE x",)],
        },
        indexes={"my Index": '("Group By", "it\'s ""quoted""")'},
        refused=('INSERT INTO "user" VALUES (9, 99)',),
    ),
    Feature(
        "partial, expression and descending indexes",
        (
            "CREATE TABLE indexed (id INTEGER PRIMARY KEY, email TEXT, n INT, live BOOLEAN)",
            "INSERT INTO indexed VALUES (1, 'A@x', 5, 1), (2, 'a@X', 5, 0), (3, NULL, 6, NULL)",
            "CREATE UNIQUE INDEX one_live ON indexed (lower(email)) WHERE live = 1",
            "CREATE INDEX latest ON indexed (n DESC, email) WHERE n > 5",
            "CREATE INDEX by_sum ON indexed (n * 2 + id)",
            "CREATE INDEX by_part ON indexed (substr(email, 1, 2))",
        ),
        {"indexed": [(1, "A@x", 5, True), (2, "a@X", 5, False), (3, None, 6, None)]},
        left=(("index", "indexed: by_part"),),
        indexes={"one_live": "WHERE (live = true)", "latest": "(n DESC, email) WHERE (n > 5)", "by_sum": "n * 2"},
        refused=("INSERT INTO indexed VALUES (9, 'a@x', 1, true)",),
    ),
    Feature(
        "NOCASE, RTRIM and a collation of the app's own",
        (
            "CREATE TABLE folded (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE, pad TEXT COLLATE RTRIM, "
            "own TEXT COLLATE app_rules, loose TEXT COLLATE NOCASE, tag TEXT)",
            "CREATE UNIQUE INDEX one_tag ON folded (tag COLLATE NOCASE)",
            "INSERT INTO folded VALUES (1, 'Anna', 'x  ', 'b', 'Q', 'T'), (2, 'bob', 'x', 'a', 'q', NULL)",
            "CREATE TABLE own_key (k TEXT COLLATE app_rules PRIMARY KEY, v INT) WITHOUT ROWID",
            "INSERT INTO own_key VALUES ('b', 1), ('a', 2)",
        ),
        {
            "folded": [(1, "Anna", "x  ", "b", "Q", "T"), (2, "bob", "x", "a", "q", None)],
            "own_key": [("a", 2), ("b", 1)],
        },
        decisions={
            "folded.name": {"nocase": "lower_index"},
            "folded.loose": {"nocase": "binary"},
            "folded.pad": {"collation": "binary"},
            "folded.own": {"collation": "binary"},
            "own_key.k": {"collation": "binary"},
        },
        left=(
            ("collation", "folded.loose"),
            ("collation", "folded.pad"),
            ("collation", "folded.own"),
            ("collation", "own_key.k"),
        ),
        refused=(
            "INSERT INTO folded (id, name) VALUES (9, 'ANNA')",
            "INSERT INTO folded (id, tag) VALUES (9, 't')",
        ),
    ),
    Feature(
        "CHECK constraints",
        (
            "CREATE TABLE checked (id INTEGER PRIMARY KEY, n INT CONSTRAINT positive CHECK (n > 0 AND n <> 13), "
            "s TEXT CHECK (s IN ('a', 'b')), flag BOOLEAN CHECK (flag IN (0, 1)), j TEXT, "
            "CHECK (s <> 'b' OR n IS NOT NULL), CHECK (s GLOB '[a-z]'), CHECK ((n > 5) + (n < 3) < 2))",
            "INSERT INTO checked VALUES (1, 5, 'a', 1, '{}'), (2, NULL, NULL, NULL, NULL)",
        ),
        {"checked": [(1, 5, "a", True, "{}"), (2, None, None, None, None)]},
        left=(
            ("check", "checked: s GLOB '[a-z]'"),
            ("check", "checked: ( n > 5 ) + ( n < 3 ) < 2"),
        ),
        refused=(
            "INSERT INTO checked (id, n) VALUES (9, 0)",
            "INSERT INTO checked (id, s) VALUES (9, 'c')",
            "INSERT INTO checked (id, s) VALUES (9, 'b')",
        ),
    ),
    Feature(
        "rows that break a CHECK",
        (
            "CREATE TABLE broken (id INTEGER PRIMARY KEY, n INT CHECK (n < 10))",
            "PRAGMA ignore_check_constraints = ON",
            "INSERT INTO broken VALUES (1, 99)",
            "PRAGMA ignore_check_constraints = OFF",
        ),
        {"broken": [(1, 99)]},
        left=(("check", "broken: n < 10"),),
    ),
    Feature(
        "defaults and AUTOINCREMENT",
        (
            "CREATE TABLE defaults (id INTEGER PRIMARY KEY AUTOINCREMENT, s TEXT DEFAULT 'it''s', n INT DEFAULT -5, "
            "at DATETIME DEFAULT CURRENT_TIMESTAMP, odd TEXT DEFAULT (hex(randomblob(2))), nul TEXT DEFAULT 'null')",
            "INSERT INTO defaults (id, s, n, at, odd, nul) VALUES (3, 'x', 1, '2024-02-29 12:00:00', 'AB', 'v'), "
            "(900, 'y', 2, NULL, NULL, NULL)",
            "DELETE FROM defaults WHERE id = 900",
            "CREATE TABLE used_up (id INTEGER PRIMARY KEY AUTOINCREMENT)",
            "INSERT INTO used_up VALUES (77)",
            "DELETE FROM used_up",
        ),
        {"defaults": [(3, "x", 1, datetime.datetime(2024, 2, 29, 12), "AB", "v")], "used_up": []},
        {"defaults.at": "timestamp without time zone"},
        left=(("default", "defaults.odd"),),
    ),
    Feature(
        "views and triggers",
        (
            "CREATE VIEW seen AS SELECT word FROM keyless",
            "CREATE TRIGGER counted AFTER INSERT ON keyless BEGIN UPDATE keyless SET n = n + 1; END",
        ),
        decisions={"view:seen": {"view": "leave"}, "trigger:counted": {"trigger": "leave"}},
        left=(("view", "seen"), ("trigger", "counted")),
    ),
    Feature(
        "virtual tables and their shadows, and tables merely named like one",
        (
            "CREATE VIRTUAL TABLE search USING fts5(body)",
            "INSERT INTO search VALUES ('lost and found')",
            'CREATE VIRTUAL TABLE "old search" USING fts4(body)',
            "CREATE VIRTUAL TABLE box USING rtree(id, x0, x1)",
            "INSERT INTO box VALUES (1, 0, 1)",
            "CREATE TABLE mail_content (id INTEGER PRIMARY KEY, v TEXT)",
            "INSERT INTO mail_content VALUES (1, 'mine')",
        ),
        {"mail_content": [(1, "mine")]},
        decisions={name: {"virtual_table": "leave"} for name in ("search", "old search", "box")},
        left=(("virtual table", "search"), ("virtual table", "old search"), ("virtual table", "box")),
    ),
    *VALUES,
    Feature(
        "a large value",
        (
            "CREATE TABLE large (id INTEGER PRIMARY KEY, b BLOB, t TEXT)",
            "CREATE INDEX by_text ON large (t)",
            ("INSERT INTO large VALUES (?, ?, ?)", [(1, bytes(range(256)) * 8000, "long " * 100_000)]),
        ),
        {"large": [(1, bytes(range(256)) * 8000, "long " * 100_000)]},
        left=(("index", "large: by_text"),),
    ),
    Feature(
        "many columns",
        (
            f"CREATE TABLE wide ({', '.join(f'c{i} INT' for i in range(WIDE))})",
            f"INSERT INTO wide VALUES ({', '.join(map(str, range(WIDE)))})",
        ),
        {"wide": [tuple(range(WIDE))]},
    ),
    Feature("nothing", ("CREATE TABLE empty (id INTEGER PRIMARY KEY, v TEXT)", "CREATE TABLE none (x)"), {"empty": [], "none": []}),
)  # fmt: skip


def decisions() -> dict[str, dict[str, str]]:
    """What an answers file must decide for all features together."""
    found: dict[str, dict[str, str]] = {}
    for feature in FEATURES:
        for subject, chosen in feature.decisions.items():
            found.setdefault(subject, {}).update(chosen)
    return found


def build(path: Path) -> sqlite3.Connection:
    """Write the database in WAL mode, its last rows still in the log; the caller closes the connection."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.create_collation("app_rules", lambda a, b: (a < b) - (a > b))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    for feature in FEATURES:
        for statement in feature.make:
            if isinstance(statement, str):
                connection.execute(statement)
            else:
                connection.executemany(*statement)
    return connection
