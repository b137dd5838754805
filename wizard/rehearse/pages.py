"""What a visitor sees of an app: its pages, found by their links, and whether two looks are the same.

What differs by nature is taken out before comparing: tokens against forged requests, and addresses of files,
which after the move are those of the object server. A page that differs between two looks at the same app
(a clock, a random choice) says nothing and is counted, not compared.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import httpx

MOST_PAGES, MOST_FILES, KEPT_BYTES = 200, 100, 8_000_000
TIMEOUT_SECONDS = 60.0
# A GET of these may change something, even in an app that should know better.
_CHANGES = re.compile(r"(log-?out|sign-?out|delete|remove|unsubscribe|approve|purge)", re.IGNORECASE)
_TOKEN = re.compile(
    rb"(name=[\"']csrfmiddlewaretoken[\"'][^>]*value=[\"'])[^\"']+|(csrf-?token[\"'][^>]*content=[\"'])[^\"']+"
    rb"|(nonce=[\"'])[^\"']+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Files:
    """How addresses of files before and after are told to be the same.

    `media_url` is the app's (a path); `objects` are the beginnings of addresses at the object server, with
    the prefix of the keys.
    """

    media_url: str
    objects: tuple[str, ...] = ()

    def plain(self, body: bytes) -> bytes:
        """`body` with every address of an object as the app wrote it before, signatures left out."""
        for base in self.objects:
            pattern = re.compile(re.escape(base.encode()) + rb"([^\s\"'<>?]*)(\?[^\s\"'<>]*)?")
            body = pattern.sub(lambda match: self.media_url.encode() + match.group(1), body)
        return body


@dataclass(frozen=True)
class Look:
    """One look: (status, digest) of each page by path; the files' addresses that the pages name."""

    pages: Mapping[str, tuple[int, str]]
    files: Mapping[str, str]


@dataclass(frozen=True)
class PagesCompared:
    """`same` and `differing` pages, `unsteady` ones that tell nothing, `files` with the same bytes."""

    same: int
    differing: tuple[str, ...]
    unsteady: int
    files: int


def look(site: str, files: Files, wanted: tuple[str, ...] | None = None) -> Look:
    """Fetch `wanted`, or every page that links lead to from the front page (a bounded number).

    Raises httpx.HTTPError where the site does not answer.
    """
    pages: dict[str, tuple[int, str]] = {}
    found: dict[str, str] = {}
    todo = list(wanted or ("/", "/admin/login/", "/sitemap.xml", "/feed/", "/rss/"))
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=TIMEOUT_SECONDS) as client:
        while todo and len(pages) < MOST_PAGES:
            path = todo.pop(0)
            if path in pages:
                continue
            answer = client.get(site + path)
            raw = answer.content[:KEPT_BYTES]
            body = _TOKEN.sub(rb"\1\2\3", files.plain(raw)).replace(site.encode(), b"")
            pages[path] = answer.status_code, hashlib.sha256(body).hexdigest()
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            for link in _links(raw.decode("utf-8", "replace")):
                address = urldefrag(urljoin(site + path, link)).url
                plain = files.plain(address.encode()).decode()
                local = plain.removeprefix(site)
                if local.startswith(files.media_url):
                    if len(found) < MOST_FILES:
                        found.setdefault(unquote(urlsplit(local).path), address)
                elif wanted is None and address.startswith(site + "/") and not _CHANGES.search(local):
                    todo.append(local)
    return Look(pages, found)


def compare(before: Look, again: Look, after: Look, files: int) -> PagesCompared:
    """`before` and `again` are of the same app; pages that differ between them tell nothing."""
    steady = [path for path, seen in before.pages.items() if again.pages.get(path) == seen and seen[0] < 400]
    differing = tuple(path for path in steady if after.pages.get(path) != before.pages[path])
    unsteady = sum(1 for seen in before.pages.values() if seen[0] < 400) - len(steady)
    return PagesCompared(len(steady) - len(differing), differing, unsteady, files)


class _LinkParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if (
                name in ("href", "src")
                and value
                and not value.startswith(("data:", "mailto:", "javascript:"))
            ):
                self.found[value] = None


def _links(html: str) -> list[str]:
    parser = _LinkParser()
    parser.feed(html)
    return list(parser.found)
