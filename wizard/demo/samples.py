"""The demo's uploads: small but real pictures and documents, and one file of 30 MB.

The same `scale` always gives the same names and bytes.
"""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

BIG_BYTES = 30_000_000
BIG_MINIMUM = 9_000_000
"""At every scale one file is large enough to be uploaded in parts."""

BIG_NAME = "attachments/harbour tour.mp4"
EMPTY_NAME = "attachments/empty.txt"
SPECIAL_NAMES = (
    EMPTY_NAME,
    "attachments/Überraschung im Café.pdf",
    "attachments/фото из отпуска.png",
    "attachments/日本語 メモ.txt",
    "attachments/with spaces (and brackets) & more.txt",
    "attachments/100% sure + more #1.txt",
    "attachments/boat ⛵.png",
    "attachments/it's 'quoted'.txt",
    "attachments/a/b/c/deep down.csv",
    "attachments/UPPER.TXT",
    BIG_NAME,
)
UNLISTED_NAME = "old/notes without a row.txt"
"""Linked from a post's text only: no row names it."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Paths relative to the media folder, in the order in which rows use them."""

    covers: tuple[str, ...]
    avatars: tuple[str, ...]
    attachments: tuple[str, ...]
    unlisted: tuple[str, ...]

    def all(self) -> tuple[str, ...]:
        return self.covers + self.avatars + self.attachments + self.unlisted


def names(scale: float) -> Samples:
    """The files of a demo of this size. At 1.0 there are more than 350."""
    documents = tuple(
        f"attachments/paper-{number:04}.{('pdf', 'txt', 'csv')[number % 3]}"
        for number in range(max(3, round(130 * scale)))
    )
    return Samples(
        covers=tuple(
            f"covers/{2023 + number % 3}/{1 + number % 12:02}/cover-{number:04}.png"
            for number in range(max(4, round(170 * scale)))
        ),
        avatars=tuple(f"avatars/face-{number:04}.png" for number in range(max(2, round(60 * scale)))),
        attachments=SPECIAL_NAMES + documents,
        unlisted=(UNLISTED_NAME,),
    )


def content(name: str, scale: float) -> bytes:
    """The bytes of the file `name`, which depend on nothing but its name and the scale."""
    chance = random.Random(f"ashore {name}")  # noqa: S311  sample data
    if name == EMPTY_NAME:
        return b""
    if name == BIG_NAME:
        size = min(BIG_BYTES, max(BIG_MINIMUM, round(BIG_BYTES * scale)))
        head = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"isom", 512, b"isom", b"mp41")
        return head + struct.pack(">I4s", size - len(head), b"mdat") + chance.randbytes(size - len(head) - 8)
    suffix = name.rpartition(".")[2].lower()
    if suffix == "png":
        side = 48 if name.startswith("avatars/") else 136
        return png(side, side - chance.randrange(16), chance)
    lines = [
        f"{number};{chance.getrandbits(64):x};{chance.random()}"
        for number in range(20 + chance.randrange(400))
    ]
    text = f"{name}\n" + "\n".join(lines) + "\n"
    return pdf(text[:2000]) if suffix == "pdf" else text.encode()


def write(media: Path, scale: float) -> tuple[int, int]:
    """Write every file below `media`; returns their number and their bytes."""
    total = 0
    every = names(scale).all()
    for name in every:
        path = media / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content(name, scale)
        path.write_bytes(data)
        total += len(data)
    return len(every), total


def png(width: int, height: int, chance: random.Random) -> bytes:
    """A picture of coloured noise, as PNG (ISO/IEC 15948): 8 bits a channel, RGB, no filter."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + chance.randbytes(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(rows, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def pdf(text: str) -> bytes:
    """One page that shows the ASCII letters of `text`, as PDF 1.4 with a correct cross-reference table."""
    shown = "".join(c if c.isascii() and c.isprintable() and c not in "()\\" else " " for c in text)
    stream = f"BT /F1 9 Tf 36 760 Td ({shown}) Tj ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        out += b"%010d 00000 n \n" % offset
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
