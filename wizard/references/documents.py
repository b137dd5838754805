"""Looks through MongoDB documents for every text that names a stored file, and works out its new text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion

from wizard.references import cloudinary_urls
from wizard.references.files import Files
from wizard.references.find import EXAMPLES, Example, Found
from wizard.references.locate import MediaUrl, locate
from wizard.references.repairs import HOST, Repairs
from wizard.references.rewrite import rewrite

NAME_LENGTH = 512
PLACES = 10_000  # different paths of which is remembered whether they hold names
Path = tuple[str | int, ...]
# Texts that are no UTF-8 cannot name a file; the rest of the document can.
_LENIENT: CodecOptions[dict[str, Any]] = CodecOptions(
    document_class=dict,
    datetime_conversion=DatetimeConversion.DATETIME_MS,
    unicode_decode_error_handler="replace",
)


@dataclass(frozen=True, slots=True)
class TextEdit:
    """A text of a document, before and after."""

    path: Path
    before: str
    after: str
    references: int


def texts(document: bytes) -> Iterator[tuple[Path, str]]:
    """Every string of a document that is a value, with its path: names of fields, places in arrays."""
    yield from _texts((), bson.decode(document, codec_options=_LENIENT))


def _texts(at: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _texts((*at, name), part)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _texts((*at, number), part)
    elif type(value) is str:
        yield at, value


def general(path: Path) -> str:
    """A path for all elements of its arrays: `gallery[].url`."""
    words = ""
    for part in path:
        words += "[]" if isinstance(part, int) else (f".{part}" if words else part)
    return words


@dataclass(frozen=True)
class Rewriter:
    """What turns old addresses into new ones."""

    files: Files
    medias: tuple[MediaUrl, ...]
    repairs: Repairs | None = None
    repaired: frozenset[str] = (
        frozenset()
    )  # the paths, each behind its collection, where addresses are repaired

    def needles(self) -> tuple[bytes, ...]:
        """One of these stands in every document that may need a rewrite."""
        found = [needle.encode() for media in self.medias for needle in media.needles()]
        return (*found, HOST.encode()) if self.repaired else tuple(found)

    def see(self, collection: str, document: bytes) -> None:
        """Note the addresses of a document that are to be repaired."""
        if self.repairs is None or not self.repaired or HOST.encode() not in document:
            return
        for path, text in texts(document):
            subject = f"{collection}.{general(path)}"
            if subject in self.repaired:
                self.repairs.see(subject, text)

    def text(self, path: Path, before: str, collection: str) -> TextEdit | None:
        """The edit of one text; None where it stays."""
        after, count = before, 0
        if self.repairs is not None and f"{collection}.{general(path)}" in self.repaired:
            after, count = self.repairs.change(before)
        for media in self.medias:
            after, more = rewrite(after, media, self.files.known, self.files.address, self.files.own)
            count += more
        return TextEdit(path, before, after, count) if after != before else None

    def edits(self, collection: str, document: bytes) -> list[TextEdit]:
        """The edits of one document; its `_id` stays, whatever it holds."""
        return [
            edit
            for path, text in texts(document)
            if path[0] != "_id" and (edit := self.text(path, text, collection)) is not None
        ]


@dataclass
class _Place:
    """What stands at one path of a collection: names of files, and paths of files that do not exist."""

    names: int = 0
    others: int = 0
    examples: list[Example] = field(default_factory=list)


class Search:
    """Counts what documents say of files. Feed it every document with `look`, then ask `finish`."""

    def __init__(self, files: Files, medias: Sequence[MediaUrl]) -> None:
        self._files, self._medias = files, tuple(medias)
        self._found = Found()
        self.malformed = 0  # addresses of Cloudinary's wrapped into one another
        self._places: dict[tuple[str, str], _Place] = {}
        self._scratch = sqlite3.connect("")  # SQLite moves it to a temporary file when it grows
        self._scratch.execute("CREATE TABLE file (name TEXT PRIMARY KEY) WITHOUT ROWID")
        self._scratch.execute("CREATE TABLE named (name TEXT PRIMARY KEY) WITHOUT ROWID")
        self._scratch.executemany("INSERT OR IGNORE INTO file VALUES (?)", ((n,) for n in files.names()))

    def look(self, collection: str, key: str, document: bytes) -> None:
        """Look at one document; `key` is its `_id` for people."""
        for path, text in texts(document):
            place = general(path)
            self.malformed += len(cloudinary_urls.find(text))
            if self._is_name(text):
                self._name(collection, place, key, text)
            for media in self._medias:
                if any(needle in text for needle in media.needles()):
                    self._links(collection, place, key, text, media)

    def _is_name(self, text: str) -> bool:
        return 0 < len(text) <= NAME_LENGTH and "\n" not in text and "://" not in text and text[0] != "/"

    def _name(self, collection: str, place: str, key: str, text: str) -> None:
        known = self._files.known(text)
        # A file's name has a folder and an ending: other words at the same place are no names of files.
        if not known and not ("/" in text[1:] and "." in text.rpartition("/")[2][1:]):
            return
        at = self._places.get((collection, place))
        if at is None:
            if len(self._places) >= PLACES:
                return
            at = self._places[collection, place] = _Place()
        if known:
            at.names += 1
            self._note(text)
            return
        at.others += 1
        if len(at.examples) < EXAMPLES:
            at.examples.append(Example(collection, place, key, text))

    def _links(self, collection: str, place: str, key: str, text: str, media: MediaUrl) -> None:
        for ref in locate(text, media, self._files.known, self._files.own):
            if ref.path is None:
                self._found.dangle(Example(collection, place, key, ref.written))
                continue
            self._found.addresses += 1
            self._found.columns.add((collection, place))
            self._found.hosts[ref.host] = self._found.hosts.get(ref.host, 0) + 1
            self._note(ref.path)

    def _note(self, name: str) -> None:
        self._scratch.execute("INSERT OR IGNORE INTO named VALUES (?)", (name,))

    def finish(self) -> Found:
        """What was found. At a path that holds names of files, other paths are dangling."""
        for place in self._places.values():
            if place.names:
                self._found.relative += place.names
                self._found.dangling += place.others
                room = EXAMPLES - len(self._found.dangling_examples)
                self._found.dangling_examples += place.examples[: max(0, room)]
        where = "FROM file WHERE name NOT IN (SELECT name FROM named)"
        self._found.unnamed = self._scratch.execute(f"SELECT count(*) {where}").fetchone()[0]
        self._found.unnamed_examples = [
            name for (name,) in self._scratch.execute(f"SELECT name {where} ORDER BY name LIMIT {EXAMPLES}")
        ]
        self._scratch.close()
        return self._found
