"""What kind of content a file is, from its extension and its first bytes.

The operating system's own tables are not asked: the same file gets the same type on every machine.
"""

from __future__ import annotations

import mimetypes
from pathlib import PurePosixPath

HEAD_BYTES = 512
UNKNOWN = "application/octet-stream"

_TABLE = mimetypes.MimeTypes()  # the built-in table only; it reads no file unless told to
_EXTRA = {
    ".avif": "image/avif",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".flac": "audio/flac",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".mkv": "video/x-matroska",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".otf": "font/otf",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".ttf": "font/ttf",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
}
_ENCODED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypM4A ", "audio/mp4"),
    (4, b"ftypqt  ", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}


def content_type(path: str, head: bytes) -> str:
    """The MIME type of the file called `path` that begins with `head` (up to HEAD_BYTES bytes).

    A known extension decides, except between images, where the bytes do: a PNG called photo.jpg is a
    PNG to every browser. Without a known extension the bytes decide.
    """
    named, seen = _by_name(path), _by_bytes(head)
    if named is None:
        return seen or UNKNOWN
    both_images = named.startswith("image/") and seen is not None and seen.startswith("image/")
    return seen if both_images and seen is not None else named


def _by_name(path: str) -> str | None:
    name = PurePosixPath(path).name
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _EXTRA:
        return _EXTRA[suffix]
    if suffix in _TABLE.encodings_map:
        return _ENCODED.get(_TABLE.encodings_map[suffix], UNKNOWN)
    for types in (_TABLE.types_map[True], _TABLE.types_map[False]):
        if suffix in types:
            return types[suffix]
    return None


def _by_bytes(head: bytes) -> str | None:
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    for offset, mark, kind in _MAGIC:
        if head[offset : offset + len(mark)] == mark:
            return kind
    return None
