"""Reads BSON for comparison: documents of a file, and the leaves of a document with their paths.

Written for verification alone; what copies documents has a reader of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import bson
from bson import json_util
from bson.codec_options import CodecOptions, DatetimeConversion

_SIZES = {1: 8, 6: 0, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8, 19: 16, 127: 0, 255: 0}
_INT = struct.Struct("<i")
LeafPath = tuple[str | int, ...]
_AS_THEY_ARE = CodecOptions(document_class=dict, datetime_conversion=DatetimeConversion.DATETIME_MS)
_SPOKEN = json_util.JSONOptions(
    json_mode=json_util.JSONMode.CANONICAL, datetime_conversion=DatetimeConversion.DATETIME_MS
)


def documents(path: Path) -> Iterator[bytes]:
    """Every document of a file of BSON documents. Raises ValueError where it is cut off."""
    with path.open("rb", buffering=1 << 20) as file:
        while length := file.read(4):
            rest = file.read(max(0, _INT.unpack(length)[0] - 4)) if len(length) == 4 else b""
            if len(rest) < 1 or len(rest) + 4 != _INT.unpack(length)[0]:
                raise ValueError(f"{path.name} is cut off")
            yield length + rest


def split(batch: bytes) -> Iterator[bytes]:
    """The documents of one answer of the server."""
    place = 0
    while place < len(batch):
        (size,) = _INT.unpack_from(batch, place)
        if size < 5 or place + size > len(batch):
            raise ValueError("the server's answer is cut off")
        yield batch[place : place + size]
        place += size


def leaves(document: bytes) -> list[tuple[LeafPath, bytes]]:
    """(path, type byte and bytes) of every value that holds no other; empty documents and arrays count.

    In the document's order, which counts for the comparison.
    """
    found: list[tuple[LeafPath, bytes]] = []
    _walk((), document, False, found)
    return found


def _walk(at: LeafPath, data: bytes, array: bool, found: list[tuple[LeafPath, bytes]]) -> None:
    place, number = 4, 0
    while data[place] != 0:
        kind = data[place]
        end_of_name = data.index(b"\0", place + 1)
        name = data[place + 1 : end_of_name].decode("utf-8", "surrogateescape")
        start = end_of_name + 1
        end = start + _size(kind, data, start)
        path = (*at, number if array else name)
        value = data[start:end]
        if kind in (3, 4) and len(value) > 5:
            _walk(path, value, kind == 4, found)
        else:
            found.append((path, bytes((kind,)) + value))
        place, number = end, number + 1


def _size(kind: int, data: bytes, start: int) -> int:
    """Bytes of a value. Source: bsonspec.org, version 1.1."""
    if kind in _SIZES:
        return _SIZES[kind]
    if kind == 11:
        return data.index(b"\0", data.index(b"\0", start) + 1) + 1 - start
    (length,) = _INT.unpack_from(data, start)
    if kind in (3, 4, 15):
        return int(length)
    if kind in (2, 13, 14):
        return 4 + int(length)
    if kind == 5:
        return 5 + int(length)
    if kind == 12:
        return 16 + int(length)
    raise ValueError(f"unknown type {kind}")


def fields(document: bytes) -> int:
    """How many fields a document has at its top."""
    place, count = 4, 0
    while kind := document[place]:
        start = document.index(b"\0", place + 1) + 1
        place, count = start + _size(kind, document, start), count + 1
    return count


def identity(document: bytes) -> bytes:
    """Type byte and bytes of the document's `_id`; b"" where it has none."""
    place = 4
    while data := document[place]:
        end_of_name = document.index(b"\0", place + 1)
        end = end_of_name + 1 + _size(data, document, end_of_name + 1)
        if document[place + 1 : end_of_name] == b"_id":
            return document[place : place + 1] + document[end_of_name + 1 : end]
        place = end
    return b""


def text(value: bytes) -> str | None:
    """The string that a leaf holds, None where it is none."""
    if value[:1] != b"\x02":
        return None
    try:
        return value[5:-1].decode("utf-8")
    except UnicodeDecodeError:
        return None


def shown(value: bytes) -> str:
    """A leaf for people, with its type, as canonical Extended JSON."""
    body = value[:1] + b"v\0" + value[1:]
    document = _INT.pack(len(body) + 5) + body + b"\0"
    try:
        said = bson.decode(document, codec_options=_AS_THEY_ARE)["v"]
        return json_util.dumps(said, json_options=_SPOKEN, ensure_ascii=False)
    except (bson.errors.BSONError, ValueError, TypeError):
        return value.hex()


def path_text(path: LeafPath) -> str:
    """`gallery[3].url`."""
    words = ""
    for part in path:
        words += f"[{part}]" if isinstance(part, int) else (f".{part}" if words else part)
    return words
