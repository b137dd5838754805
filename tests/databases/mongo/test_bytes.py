"""BSON as bytes, without a server: what is read is what stands there, and one change is always seen."""

from __future__ import annotations

import datetime
import struct
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import Code, DatetimeMS, Decimal128, Int64, MaxKey, MinKey, Regex, Timestamp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wizard.credentials import Secret
from wizard.databases.mongo import connect, raw
from wizard.errors import EXIT_REFUSED, AshoreError
from wizard.references.documents import general, texts
from wizard.verifying import bson_leaves

KEYS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=4)
SCALARS: Any = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1).map(Int64),
    st.floats(), st.text(st.characters(exclude_categories=("Cs",)), max_size=6), st.binary(max_size=6),
    st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 1, 1)),
    st.sampled_from([MinKey(), MaxKey(), Code("x"), Code("x", {"a": 1}), Regex("a.b", "im"), Timestamp(1, 2),
                     Decimal128("1.10"), DatetimeMS(2**60), bson.ObjectId(b"1" * 12)]),
)  # fmt: skip
VALUES: Any = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=3), max_leaves=8
)
DOCUMENTS = st.dictionaries(KEYS.filter(lambda k: k != "_id"), VALUES, max_size=4)


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, SCALARS)
def test_documents_are_taken_apart_and_put_together(document: dict[str, Any], key: Any) -> None:
    data = bson.encode({"_id": key, **document})
    assert raw.build(*raw.fields(data)) == data
    assert list(raw.split(data * 3)) == [data] * 3 == list(bson_leaves.split(data * 3))
    assert raw.identity(data) == bson_leaves.identity(data)
    assert raw.identity(data)[1:] == bson.encode({"_id": key})[9:-1]
    late = bson.encode({"a": {"_id": 5}, "_id": key})
    assert raw.identity(late) == raw.identity(data)


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, st.data())
def test_one_text_is_replaced_and_nothing_else(document: dict[str, Any], data: st.DataObject) -> None:
    before = bson.encode({"_id": 1, **document, "last": ["x", {"y": "z"}]})
    path, text = data.draw(st.sampled_from(list(texts(before))))
    after = b"".join(
        raw.with_texts(b"\x03" + before, {path: text + "é"})[i : i + 1] for i in range(1, len(before) + 3)
    )
    old, new = bson_leaves.leaves(before), bson_leaves.leaves(after)
    assert [p for p, _ in old] == [p for p, _ in new]
    assert [p for (p, a), (_, b) in zip(old, new, strict=True) if a != b] == [path]
    assert bson_leaves.text(dict(new)[path]) == text + "é"


@pytest.mark.long
@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, DOCUMENTS)
def test_two_documents_have_the_same_leaves_only_where_they_are_the_same(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assume(one is not other and bson.encode(one) != bson.encode(other))
    assert bson_leaves.leaves(bson.encode(one)) != bson_leaves.leaves(bson.encode(other))


@pytest.mark.parametrize("cut", range(1, 20))
def test_bytes_cut_off_are_no_document(cut: int, tmp_path: Path) -> None:
    data = bson.encode({"_id": 1, "text": "long enough"})
    file = tmp_path / "a.bson"
    file.write_bytes(data + data[:-cut])
    with pytest.raises(raw.Damaged):
        list(raw.split(data + data[:-cut]))
    with pytest.raises(raw.Damaged):
        list(raw.read(file))
    with pytest.raises(ValueError):
        list(bson_leaves.documents(file))


def test_an_identity_with_a_dollar_is_no_operator() -> None:
    data = bson.encode({"_id": {"$ref": "a", "$id": 1}})
    wanted = bson.encode({"_id": {"$eq": {"$ref": "a", "$id": 1}}})
    assert raw.by_identity(raw.identity(data)).raw == wanted


def test_paths_are_said_for_people_and_for_places() -> None:
    assert bson_leaves.path_text(("a", 3, "b.c", 0)) == "a[3].b.c[0]"
    assert general(("a", 3, "url")) == "a[].url"
    assert bson_leaves.shown(b"\x10" + struct.pack("<i", 5)) == '{"$numberInt": "5"}'


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("SSL handshake failed: certificate verify failed", "tls-not-trusted"),
        ("x.mongodb.net:27017: SSL handshake failed: tlsv1 alert internal error", "access-list"),
        ("ac-1.abc.mongodb.net:27017: timed out", "access-list"),
        ("localhost:1: SSL handshake failed: wrong version number", "tls-refused"),
        ("localhost:1: [Errno 111] Connection refused", "mongodb-unreachable"),
    ],
)
def test_a_server_out_of_reach_is_a_refusal_in_words(said: str, code: str) -> None:
    from pymongo.errors import ServerSelectionTimeoutError

    error = connect.translate(ServerSelectionTimeoutError(said))
    assert error.code == code and error.exit_code == EXIT_REFUSED


@pytest.mark.parametrize(
    ("number", "said", "code"),
    [
        (18, "Authentication failed.", "credentials-refused"),
        (8000, "bad auth : authentication failed", "credentials-refused"),
        (13, "not authorized on app to execute command", "permission-missing"),
        (8000, "you are over your space quota, using 513 MB of 512 MB", "quota-full"),
    ],
)
def test_what_the_server_refuses_is_a_refusal_in_words(number: int, said: str, code: str) -> None:
    from pymongo.errors import OperationFailure

    error = connect.translate(OperationFailure(said, number, {"errmsg": said}))
    assert error.code == code and error.exit_code == EXIT_REFUSED


@pytest.mark.parametrize("url", ["postgresql://u:tiger99@h/d", "mongodb://u:tig@er99@h:x/d", "tiger99"])
def test_a_wrong_connection_string_is_not_repeated(url: str) -> None:
    with pytest.raises(AshoreError) as caught:
        connect.connect(Secret(url))
    assert caught.value.code == "mongodb-url" and "er99" not in str(caught.value)
