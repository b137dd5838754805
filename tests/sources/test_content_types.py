"""The type of a file as browsers will be told."""

from __future__ import annotations

import pytest

from wizard.sources.content_types import content_type

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.mark.parametrize(
    ("path", "head", "kind"),
    [
        ("a.JPG", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("really-a-png.jpg", PNG, "image/png"),
        ("logo.svg", b"<svg", "image/svg+xml"),
        ("clip.webm", b"", "video/webm"),
        ("pic.webp", b"RIFF\0\0\0\0WEBP", "image/webp"),
        (
            "report.docx",
            b"PK\x03\x04",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("page.html", b"<p>", "text/html"),
        ("dump.tar.gz", b"\x1f\x8b\x08", "application/gzip"),
        ("notes.txt", PNG, "text/plain"),
        ("no-extension", PNG, "image/png"),
        ("no-extension", b"hello", "application/octet-stream"),
        ("empty", b"", "application/octet-stream"),
        ("v1.2/README", b"%PDF-1.7", "application/pdf"),
    ],
)
def test_type(path: str, head: bytes, kind: str) -> None:
    assert content_type(path, head) == kind
