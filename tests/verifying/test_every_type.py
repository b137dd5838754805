"""Equal data of every type is equal; any single change is found and named."""

from __future__ import annotations

import pytest

from tests.verifying.conftest import Pair

# name, SQLite declaration, PostgreSQL type, what SQLite holds, the same as PostgreSQL input, another value
CASES: list[tuple[str, str, str, object, str | None, str | None]] = [
    ("yes", "bool", "boolean", 1, "t", "f"),
    ("no", "bool", "boolean", 0, "f", None),
    ("small", "smallint", "smallint", -32768, "-32768", "32767"),
    ("whole", "integer", "integer", 7, "7", "8"),
    ("big", "bigint", "bigint", 9223372036854775807, "9223372036854775807", "9223372036854775806"),
    ("real", "real", "float8", 0.1, "0.1", "0.10000000000000002"),
    ("tiny", "real", "float8", 5e-324, "5e-324", "1e-323"),
    ("huge", "real", "float8", 1.7976931348623157e308, "1.7976931348623157e308", "1.797693134862315e308"),
    ("edge", "real", "float8", 1234567890123456.5, "1234567890123456.5", "1234567890123456.2"),
    ("million", "real", "float8", 1e15, "1e15", "1000000000000001"),
    ("zero", "real", "float8", 0.0, "0", "-0"),
    ("endless", "real", "float8", float("inf"), "Infinity", "-Infinity"),
    ("single", "real", "float4", 0.5, "0.5", "0.50000006"),
    ("price", "decimal", "numeric(10,2)", 1230.5, "1230.50", "1230.51"),
    ("price0", "decimal", "numeric(10,2)", 12, "12", "12.01"),
    ("digits", "text", "numeric", "1.50", "1.50", "1.500"),
    ("exact", "text", "numeric", "123456789012345678901234567890.000000000001",
     "123456789012345678901234567890.000000000001", "123456789012345678901234567890.000000000002"),
    ("text", "text", "text", "café\tand\\more\nlines \b\f\v\r", "café\tand\\more\nlines \b\f\v\r", "cafe"),
    ("blank", "text", "text", "a", "a", "a "),
    ("case", "varchar(9)", "varchar(9)", "Anna", "Anna", "anna"),
    ("empty", "text", "text", "", "", None),
    ("none", "text", "text", None, None, ""),
    ("mark", "text", "text", "\\N", "\\N", None),
    ("long", "text", "text", "x" * 5000 + "a", "x" * 5000 + "a", "x" * 5000 + "b"),
    ("fixed", "char(5)", "char(5)", "ab", "ab", "ac"),
    ("bytes", "blob", "bytea", b"\x00\xff\\n", "\\x00ff5c6e", "\\x00ff5c6f"),
    ("day", "date", "date", "2024-02-29", "2024-02-29", "2024-03-01"),
    ("clock", "time", "time", "23:59:59.999999", "23:59:59.999999", "23:59:59.999998"),
    ("minute", "time", "time", "07:30", "07:30:00", "07:30:01"),
    ("stamp", "datetime", "timestamptz", "2024-01-02 03:04:05.678901", "2024-01-02 03:04:05.678901+00",
     "2024-01-02 03:04:05.678902+00"),
    ("trim", "datetime", "timestamptz", "2024-01-02 03:04:05.600000", "2024-01-02 03:04:05.6Z",
     "2024-01-02 03:04:05Z"),
    ("plain", "datetime", "timestamp", "2024-01-02 03:04:05", "2024-01-02 03:04:05", "2024-01-02 03:04:06"),
    ("zone", "datetime", "timestamptz", "2024-01-02T03:04:05+05:30", "2024-01-01 21:34:05+00",
     "2024-01-02 03:04:05+00"),
    ("span", "bigint", "interval", 90061000001, "25:01:01.000001", "25:01:01.000002"),
    ("back", "bigint", "interval", -1, "-00:00:00.000001", "00:00:00.000001"),
    ("month", "bigint", "interval", 2592000000000, "30 days", "1 month"),
    ("uuid", "char(32)", "uuid", "0123456789ABCDEF0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef",
     "01234567-89ab-cdef-0123-456789abcdee"),
    ("json", "text", "json", '{"b":1, "a": [1.10, "\\u00e9"]}', '{"b":1, "a": [1.10, "\\u00e9"]}', '{"b":1}'),
    ("jsonb", "text", "jsonb", '{"bb": 1, "a": [1.10, 1e2, "\\u00e9\\n", null, true, -0]}',
     '{"bb":1,"a":[1.10,100,"é\\n",null,true,0]}', '{"bb":1,"a":[1.1,100,"é\\n",null,true,0]}'),
    ("number", "text", "jsonb", '{"a": 12345678901234567890.5}', '{"a": 12345678901234567890.5}',
     '{"a": 12345678901234567891.5}'),
    ("host", "char(39)", "inet", "2001:DB8::1", "2001:db8::1", "2001:db8::2"),
    ("Ünicode \"quoted\"", "text", "text", "🙂", "🙂", "\U0001f643"),
]  # fmt: skip


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _filled(pair: Pair, key: bool = True) -> None:
    columns = ", ".join(f"{_quoted(n)} {s}" for n, s, *_ in CASES)
    begin = "id integer PRIMARY KEY" if key else "id integer"
    pair.source(
        f'CREATE TABLE "all" ({begin}, {columns})',
        rows={"all": [[1, *(c[3] for c in CASES)], [2] + [None] * len(CASES)]},
    )
    columns = ", ".join(f"{_quoted(n)} {p}" for n, _, p, *_ in CASES)
    pair.target.execute(f'CREATE TABLE "all" ({begin}, {columns})')
    values = ", ".join("%s" for _ in CASES)
    pair.target.execute(f'INSERT INTO "all" VALUES (1, {values})', [c[4] for c in CASES])
    pair.target.execute('INSERT INTO "all" (id) VALUES (2)')


@pytest.mark.parametrize("key", [True, False], ids=["by key", "without a key"])
def test_equal_data_of_every_type_has_no_difference(pair: Pair, key: bool) -> None:
    _filled(pair, key)
    found = pair.compare()
    assert [d.message for d in found.differences] == []
    assert (found.tables, found.rows, found.values, found.total) == (1, 2, 2 * (len(CASES) + 1), 0)


def test_any_single_changed_value_is_named_with_both_values(pair: Pair) -> None:
    _filled(pair)
    for name, _, _, _, right, wrong in CASES:
        column = _quoted(name).replace("%", "%%")
        pair.target.execute(f'UPDATE "all" SET {column} = %s WHERE id = 1', [wrong])
        found = pair.compare()
        assert [(d.kind, d.table, d.key, d.column) for d in found.differences] == [
            ("value", "all", '["1"]', name)
        ]
        (difference,) = found.differences
        assert difference.source != difference.target, name
        if wrong is None:
            assert difference.target is None
        pair.target.execute(f'UPDATE "all" SET {column} = %s WHERE id = 1', [right])
    assert pair.named() == []


def test_a_null_that_became_a_value_is_named(pair: Pair) -> None:
    _filled(pair)
    for name, _, _, _, right, _ in CASES:
        if right is None:
            continue
        column = _quoted(name)
        pair.target.execute(f'UPDATE "all" SET {column} = %s WHERE id = 2', [right])
        assert pair.named() == [("value", "all", '["2"]', name)]
        pair.target.execute(f'UPDATE "all" SET {column} = NULL WHERE id = 2')
