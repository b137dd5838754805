"""BSON as bytes: documents are carried as they are, never decoded and encoded again."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path as File

from bson.raw_bson import RawBSONDocument

_FIXED = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16,
          0x7F: 0, 0xFF: 0}  # fmt: skip
_READ = 1 << 20
Path = tuple[str | int, ...]
_SHORTEST = 5


class Damaged(ValueError):
    """Bytes that are no BSON."""


def split(data: bytes | memoryview) -> Iterator[bytes]:
    """The documents in `data`, which holds them one after the other. Raises Damaged."""
    place, end = 0, len(data)
    while place < end:
        size = _size(data, place)
        if size < _SHORTEST or place + size > end:
            raise Damaged("a document is cut off")
        yield bytes(data[place : place + size])
        place += size


def read(path: File) -> Iterator[bytes]:
    """The documents of a file, one at a time in memory. Raises Damaged, OSError."""
    with path.open("rb", buffering=_READ) as file:
        while head := file.read(4):
            size = struct.unpack("<i", head)[0] if len(head) == 4 else 0
            if size < _SHORTEST:
                raise Damaged(f"{path.name}: a document is cut off")
            body = file.read(size - 4)
            if len(body) != size - 4:
                raise Damaged(f"{path.name}: a document is cut off")
            yield head + body


def fields(document: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, type byte and value) of each field. Raises Damaged."""
    place, end = 4, len(document) - 1
    while place < end:
        kind = document[place]
        stop = document.find(b"\0", place + 1)
        if stop < 0:
            raise Damaged("a field's name is cut off")
        length = _length(kind, document, stop + 1)
        if stop + 1 + length > end:
            raise Damaged("a value is cut off")
        name = document[place + 1 : stop].decode("utf-8", "surrogateescape")
        yield name, bytes((kind,)) + document[stop + 1 : stop + 1 + length]
        place = stop + 1 + length


def identity(document: bytes) -> bytes:
    """Type byte and value of `_id`, which tells a document from all others. Raises Damaged without one."""
    if document[5:9] == b"_id\0":  # where a server puts it
        return document[4:5] + document[9 : 9 + _length(document[4], document, 9)]
    for name, value in fields(document):
        if name == "_id":
            return value
    raise Damaged("a document has no _id")


def build(*parts: tuple[str, bytes]) -> bytes:
    """A document of these fields, each its type byte and value."""
    body = b"".join(v[:1] + n.encode("utf-8", "surrogateescape") + b"\0" + v[1:] for n, v in parts)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def nested(*parts: tuple[str, bytes]) -> bytes:
    """`build`, as a field's value."""
    return b"\x03" + build(*parts)


def by_identity(identity: bytes) -> RawBSONDocument:
    """The filter for one document."""
    return RawBSONDocument(build(("_id", exactly(identity))))


def exactly(identity: bytes) -> bytes:
    """What a filter asks of `_id`. In `$eq` where it is a document: a dollar in it makes no operator."""
    return nested(("$eq", identity)) if identity[0] in (0x03, 0x0B) else identity


def with_texts(value: bytes, texts: Mapping[Path, str], at: Path = ()) -> bytes:
    """A value (type byte first) with some strings in it replaced, by path; every other byte stays."""
    if value[0] == 0x02 and at in texts:
        new = texts[at].encode()
        return b"\x02" + struct.pack("<i", len(new) + 1) + new + b"\0"
    if value[0] not in (0x03, 0x04) or not any(path[: len(at)] == at for path in texts):
        return value
    array = value[0] == 0x04
    parts = [
        (name, with_texts(part, texts, (*at, number if array else name)))
        for number, (name, part) in enumerate(fields(value[1:]))
    ]
    return value[:1] + build(*parts)


def _size(data: bytes | memoryview, place: int) -> int:
    if place + 4 > len(data):
        raise Damaged("a document is cut off")
    return int(struct.unpack_from("<i", data, place)[0])


def _length(kind: int, data: bytes, place: int) -> int:
    """Bytes of a value of type `kind` that begins at `place`. Source: bsonspec.org, version 1.1."""
    if kind in _FIXED:
        return _FIXED[kind]
    if kind in (0x02, 0x0D, 0x0E):
        return 4 + _size(data, place)
    if kind in (0x03, 0x04, 0x0F):
        return _size(data, place)
    if kind == 0x05:
        return 5 + _size(data, place)
    if kind == 0x0B:
        pattern = data.find(b"\0", place)
        return data.find(b"\0", pattern + 1) + 1 - place
    if kind == 0x0C:
        return 4 + _size(data, place) + 12
    raise Damaged(f"a value of the unknown type 0x{kind:02x}")
