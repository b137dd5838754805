"""Every coercer against a real column: what it lets through is what the server stores, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator

import psycopg
import pytest

from wizard.credentials import Secret
from wizard.databases.copying.inexact import Inexact
from wizard.databases.copying.types import coercer
from wizard.databases.postgres.catalog import Column, read_tables
from wizard.databases.postgres.connect import connect
from wizard.verifying.canonical import TargetColumn
from wizard.verifying.target_reader import form_for


@pytest.fixture(scope="module")
def connection(postgres_server) -> Iterator[psycopg.Connection]:  # type: ignore[no-untyped-def]
    with connect(postgres_server.database("types_of_columns"), "test") as connection:
        connection.execute("CREATE DOMAIN short AS varchar(3) NOT NULL")
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
        yield connection


def column(connection: psycopg.Connection, kind: str) -> Column:
    connection.execute("DROP TABLE IF EXISTS one")
    connection.execute(f"CREATE TABLE one (value {kind})".encode())
    return read_tables(connection, "public")["one"].columns[0]


def stored(connection: psycopg.Connection, kind: str, value: object, **decisions: str) -> object:
    """What a value becomes on the server, as its text form."""
    carried = coercer(column(connection, kind), decisions, "UTC")(value)
    with connection.cursor() as cursor:
        with cursor.copy("COPY one FROM STDIN") as copy:
            copy.write_row((carried,))
        row = cursor.execute("SELECT value::text FROM one").fetchone()
    assert row is not None
    return row[0]


EXACT = [
    ("smallint", -32768, "-32768"),
    ("bigint", -(2**63), "-9223372036854775808"),
    ("boolean", 1, "true"),
    ("numeric(5,2)", 999.99, "999.99"),
    ("numeric(5,2)", 7, "7.00"),
    ("numeric(5,2)", "1.50", "1.50"),
    ("numeric(5,2)", 1.1, "1.10"),
    ("numeric(4,-2)", 1200, "1200"),
    ("numeric", 1e22, "10000000000000000000000"),
    ("numeric", 5e-324, "0." + "0" * 323 + "5"),
    ("double precision", 0.1, "0.1"),
    ("double precision", 2**53, "9.007199254740992e+15"),
    ("double precision", math.inf, "Infinity"),
    ("double precision", -0.0, "-0"),
    ("real", 0.5, "0.5"),
    ("text", "\\N \t \r\n é 😀", "\\N \t \r\n é 😀"),
    ("varchar(2)", "😀é", "😀é"),
    ("char(2)", "ab", "ab"),
    ("short", "abc", "abc"),
    ("mood", "glad", "glad"),
    ("bytea", b"\x00\xff", "\\x00ff"),
    ("date", "2024-02-29", "2024-02-29"),
    ("date", "2024-02-29 00:00:00", "2024-02-29"),
    ("time", "23:59:59.000001", "23:59:59.000001"),
    ("timestamp", "2024-01-01T10:00:00Z", "2024-01-01 10:00:00"),
    ("timestamptz", "2024-01-01 10:00:00.5", "2024-01-01 10:00:00.5+00"),
    ("timestamptz", "2024-01-01 10:00:00+02:00", "2024-01-01 08:00:00+00"),
    ("timestamptz", "2024-01-01 10:00:00.123456000", "2024-01-01 10:00:00.123456+00"),
    ("interval", 90061000001, "1 day 01:01:01.000001"),
    ("interval", -1, "-00:00:00.000001"),
    ("interval", "1970-01-02 00:00:01.500000", "1 day 00:00:01.5"),
    ("interval", "P1DT2H", "1 day 02:00:00"),
    ("uuid", "00112233445566778899AABBCCDDEEFF", "00112233-4455-6677-8899-aabbccddeeff"),
    ("uuid", bytes(range(16)), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
    ("jsonb", '{"b": 1, "a": "\\ud83d\\ude00"}', '{"a": "😀", "b": 1}'),
    ("jsonb", 5, "5"),
    ("jsonb", '"product E20245"', '"product E20245"'),
    ("json", '{"a":1,"a":2}', '{"a":1,"a":2}'),
    ("inet", "::1", "::1/128"),
    ("integer[]", "{1,2}", "{1,2}"),
]


@pytest.mark.parametrize(("kind", "value", "text"), EXACT, ids=[f"{k} {v!r}" for k, v, _ in EXACT])
def test_what_is_exact_arrives(connection: psycopg.Connection, kind: str, value: object, text: str) -> None:
    assert stored(connection, kind, value) == text


COUNTED = [
    ("timestamp(3)", 1704103445678, "milliseconds", "2024-01-01 10:04:05.678"),
    ("timestamptz", 1704103445678, "milliseconds", "2024-01-01 10:04:05.678+00"),
    ("timestamptz", -1, "milliseconds", "1969-12-31 23:59:59.999+00"),
    ("timestamp", 1704103445, "seconds", "2024-01-01 10:04:05"),
]


@pytest.mark.parametrize(("kind", "value", "unit", "text"), COUNTED)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_counted_moments_are_absolute(
    connection: psycopg.Connection, kind: str, value: int, unit: str, text: str, zone: str
) -> None:
    there = column(connection, kind)
    carried = coercer(there, {"epoch": unit}, zone)(value)
    row = connection.execute(f"SELECT (%s::{kind})::text".encode(), (carried,)).fetchone()
    form = form_for(TargetColumn("c", there.kind, fraction=there.fraction_digits), {"epoch": unit}, "UTC")
    assert (row, form.expect(value)) == ((text,), text)


def test_a_counted_moment_that_cannot_be_carried(connection: psycopg.Connection) -> None:
    for kind, value, code in (("timestamp(0)", 1500, "beyond_scale"), ("timestamp", 2**60, "out_of_range")):
        with pytest.raises(Inexact) as refused:
            coercer(column(connection, kind), {"epoch": "milliseconds"}, "UTC")(value)
        assert refused.value.code == code


INEXACT = [
    ("smallint", 32768, "out_of_range"),
    ("integer", 1.0, "wrong_type"),
    ("integer", "1", "wrong_type"),
    ("boolean", 2, "wrong_type"),
    ("boolean", "t", "wrong_type"),
    ("numeric(5,2)", 0.005, "beyond_scale"),
    ("numeric(5,2)", 0.30000000000000004, "beyond_scale"),
    ("numeric(5,2)", 1000, "out_of_range"),
    ("numeric(4,-2)", 1250, "beyond_scale"),
    ("numeric", math.inf, "out_of_range"),
    ("numeric(5,2)", "1,5", "wrong_type"),
    ("double precision", 2**53 + 1, "beyond_scale"),
    ("double precision", "0.5", "wrong_type"),
    ("real", 0.1, "beyond_scale"),
    ("real", 1e300, "out_of_range"),
    ("real", 1e-300, "out_of_range"),
    ("text", 5, "wrong_type"),
    ("text", b"x", "wrong_type"),
    ("text", "a\0b", "nul_bytes"),
    ("text", "caf\udce9", "invalid_utf8"),
    ("varchar(3)", "abc ", "too_long"),
    ("char(4)", "ab ", "too_long"),
    ("short", "abcd", "too_long"),
    ("mood", "angry", "wrong_type"),
    ("bytea", "text", "wrong_type"),
    ("date", "2024-02-30", "wrong_type"),
    ("date", "2024-02-29 00:00:01", "wrong_type"),
    ("time", "24:00:00", "wrong_type"),
    ("time", "10:00:00+01", "wrong_type"),
    ("timestamp", "2024-01-01 10:00:00+02:00", "wrong_type"),
    ("timestamptz", 1700000000, "epoch"),
    ("timestamptz", "yesterday", "wrong_type"),
    ("timestamptz", "infinity", "wrong_type"),
    ("timestamptz", "2024-01-01 10:00:00.1234567", "beyond_scale"),
    ("timestamptz(3)", "2024-01-01 10:00:00.1234", "beyond_scale"),
    ("interval", 1.5, "wrong_type"),
    ("uuid", "0011", "wrong_type"),
    ("jsonb", "{'a': 1}", "wrong_type"),
    ("jsonb", '{"a": NaN}', "wrong_type"),
    ("jsonb", '{"a": 1, "a": 2}', "json_duplicate_keys"),
    ("jsonb", '"\\u0000"', "json_nul"),
    ("jsonb", '"\\ud83d"', "json_surrogates"),
    ("jsonb", '"\\ude00\\ud83d"', "json_surrogates"),
    ("jsonb", "1e999999", "out_of_range"),
    ("inet", "not an address", "wrong_type"),
]


@pytest.mark.parametrize(("kind", "value", "code"), INEXACT, ids=[f"{k} {v!r}" for k, v, _ in INEXACT])
def test_what_is_not_exact_is_refused(
    connection: psycopg.Connection, kind: str, value: object, code: str
) -> None:
    with pytest.raises(Inexact) as refused:
        coercer(column(connection, kind), {}, "UTC")(value)
    assert refused.value.code == code


DECIDED = [
    ("text", "a\0b", {"nul_bytes": "strip"}, "ab"),
    ("text", "a\0b", {"nul_bytes": "replace"}, "a\ufffdb"),
    ("text", "caf\udce9", {"invalid_utf8": "latin1"}, "café"),
    ("text", "caf\udce9", {"invalid_utf8": "replace"}, "caf\ufffd"),
    ("numeric(5,2)", 0.125, {"beyond_scale": "round"}, "0.13"),
    ("numeric(5,2)", -0.125, {"beyond_scale": "round"}, "-0.13"),
    ("numeric(4,-2)", 1250, {"beyond_scale": "round"}, "1300"),
    ("real", 0.1, {"beyond_scale": "round"}, "0.1"),
    ("varchar(3)", "abc ", {"too_long": "truncate"}, "abc"),
    ("varchar(3)", "a\0bcd", {"nul_bytes": "strip", "too_long": "truncate"}, "abc"),
    ("integer", "x", {"wrong_type": "null"}, None),
    ("smallint", 40000, {"out_of_range": "null"}, None),
    ("jsonb", '{"a": 1, "a": 2}', {"json_duplicate_keys": "last"}, '{"a": 2}'),
    ("jsonb", '"a\\u0000b\\\\u0000"', {"json_nul": "strip"}, '"ab\\\\u0000"'),
    ("jsonb", '"\\ud83dx"', {"json_surrogates": "replace"}, '"\ufffdx"'),
    ("time(3)", "10:00:00.1235", {"beyond_scale": "round"}, "10:00:00.124"),
]


@pytest.mark.parametrize(("kind", "value", "decisions", "text"), DECIDED)
def test_what_is_decided_is_done(
    connection: psycopg.Connection, kind: str, value: object, decisions: dict[str, str], text: str | None
) -> None:
    assert stored(connection, kind, value, **decisions) == text


def test_rounding_out_of_the_precision_is_found(connection: psycopg.Connection) -> None:
    with pytest.raises(Inexact) as refused:
        coercer(column(connection, "numeric(5,2)"), {"beyond_scale": "round"}, "UTC")(999.999)
    assert refused.value.code == "out_of_range"


def test_the_catalog_resolves_domains(connection: psycopg.Connection) -> None:
    found = column(connection, "short")
    assert (found.kind, found.length, found.not_null) == ("varchar", 3, True)
    assert Secret("x") and column(connection, "numeric(4,-2)").precision_scale == (4, -2)


def test_a_counted_moment_is_no_local_time() -> None:
    form = form_for(TargetColumn("c", "timestamptz"), {"epoch": "seconds"}, "Europe/Berlin")
    assert form.expect(1704103445) == "2024-01-01 11:04:05+01"
