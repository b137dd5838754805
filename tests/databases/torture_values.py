"""Features of the torture database that are about values: classes, bytes, numbers, moments."""

# ruff: noqa: E501

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal

from tests.databases.feature import INF, LARGEST, SMALLEST, Feature

VALUES: tuple[Feature, ...] = (
    Feature(
        "several storage classes in one column",
        (
            "CREATE TABLE mixed (id INTEGER PRIMARY KEY, t, b, n INT, v REAL)",
            (
                "INSERT INTO mixed VALUES (?, ?, ?, ?, ?)",
                [
                    (1, 5, b"\xff", "seven", 1),
                    (2, 0.1, "té", 8, 2.5),
                    (3, "5", 7, 1.5, None),
                    (4, b"\x00\x01", 1e300, -INF, 3),
                    (5, None, None, LARGEST, INF),
                ],
            ),
        ),
        {
            "mixed": [
                (1, "5", b"\xff", "seven", 1.0),
                (2, "0.1", "té".encode(), "8", 2.5),
                (3, "5", b"7", "1.5", None),
                (4, "\\x0001", b"1e+300", "-Infinity", 3.0),
                (5, None, None, str(LARGEST), INF),
            ]
        },
        {"mixed.t": "text", "mixed.b": "bytea", "mixed.n": "text", "mixed.v": "double precision"},
        decisions={
            "mixed.t": {"mixed_types": "text"},
            "mixed.b": {"mixed_types": "bytes"},
            "mixed.n": {"mixed_types": "text"},
        },
    ),
    Feature(
        "values of several kinds that become the same in a key",
        ("CREATE TABLE meeting (k PRIMARY KEY, v INT)", "INSERT INTO meeting VALUES (5, 1), ('5', 2)"),
        {"meeting": [("5", 1), ("5", 2)]},
        decisions={"meeting.k": {"mixed_types": "text"}},
        left=(("primary key", "meeting"),),
    ),
    Feature(
        "invalid UTF-8 and NUL bytes",
        (
            "CREATE TABLE bytes (id INTEGER PRIMARY KEY, latin TEXT, torn TEXT, nul TEXT)",
            "INSERT INTO bytes VALUES (1, CAST(x'636166e9' AS TEXT), CAST(x'61ff62' AS TEXT), CAST(x'610062' AS TEXT)), "
            "(2, 'café', '🙂', 'plain')",
        ),
        {"bytes": [(1, "café", "a\ufffdb", "ab"), (2, "café", "🙂", "plain")]},
        decisions={
            "bytes.latin": {"invalid_utf8": "latin1"},
            "bytes.torn": {"invalid_utf8": "replace"},
            "bytes.nul": {"nul_bytes": "strip"},
        },
    ),
    Feature(
        "numbers at their ends",
        (
            "CREATE TABLE numbers (id BIGINT PRIMARY KEY, n INTEGER, r DOUBLE, d DECIMAL(10, 2), q NUMERIC)",
            (
                "INSERT INTO numbers VALUES (?, ?, ?, ?, ?)",
                [
                    (SMALLEST, LARGEST, INF, 1230.99, 0.1),
                    (LARGEST, SMALLEST, -INF, -0.01, 12345678901234567),
                    (0, 0, 5e-324, 0, 1e20),
                    (1, -1, 1.7976931348623157e308, 99999999.99, None),
                ],
            ),
        ),
        {
            "numbers": [
                (SMALLEST, LARGEST, INF, Decimal("1230.99"), Decimal("0.1")),
                (LARGEST, SMALLEST, -INF, Decimal("-0.01"), Decimal("12345678901234567")),
                (0, 0, 5e-324, Decimal("0.00"), Decimal("1E+20")),
                (1, -1, 1.7976931348623157e308, Decimal("99999999.99"), None),
            ]
        },
        {"numbers.d": "numeric(10,2)", "numbers.q": "numeric", "numbers.r": "double precision"},
    ),
    Feature(
        "a rowid at its end",
        ("CREATE TABLE last_id (id INTEGER PRIMARY KEY)", f"INSERT INTO last_id VALUES ({LARGEST}), ({SMALLEST}), (-1)"),
        {"last_id": [(LARGEST,), (SMALLEST,), (-1,)]},
    ),
    Feature(
        "what apps mean by their types",
        (
            "CREATE TABLE meant (id INTEGER PRIMARY KEY, flag BOOLEAN, at DATETIME, zoned TIMESTAMP, day DATE, tod TIME, "
            "u UUID, j JSON, ms DATETIME)",
            "INSERT INTO meant VALUES (1, 1, '2024-02-29 10:00:00.123456', '2024-02-29T10:00:00+02:00', '2024-02-29', "
            "'10:00', '12345678-1234-5678-1234-567812345678', '{\"a\": [1]}', 1700000000001)",
        ),
        {
            "meant": [
                (
                    1,
                    True,
                    datetime.datetime(2024, 2, 29, 10, 0, 0, 123456),
                    datetime.datetime(2024, 2, 29, 8, tzinfo=datetime.UTC),
                    datetime.date(2024, 2, 29),
                    datetime.time(10),
                    uuid.UUID("12345678-1234-5678-1234-567812345678"),
                    {"a": [1]},
                    1700000000001,
                )
            ]
        },
        {"meant.ms": "bigint", "meant.j": "jsonb", "meant.zoned": "timestamp with time zone"},
    ),
)  # fmt: skip
