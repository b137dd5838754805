"""Looks at a running site as a visitor would, and compares two looks byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx

from wizard.errors import StepFailed

FILE_PREFIXES = ("/media/", "/files/")
POSTS_LOOKED_AT = 60
THREADS = 4
TIMEOUT_SECONDS = 60.0
_KEPT_FOR_LINKS = 4_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What one address answered at the end of its redirects. `length` is of the body, in bytes."""

    status: int
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A path that answered otherwise. None where it was not looked at."""

    path: str
    before: Seen | None
    after: Seen | None


def counts(site_url: str) -> dict[str, int]:
    """How many users, posts, comments, tags, attachments and covers the app says that it holds.

    Raises StepFailed `demo-site` where it does not answer.
    """
    with _client(site_url) as client:
        try:
            answer = client.get("/api/counts/").raise_for_status().json()
        except httpx.HTTPError as error:
            raise _no_answer("/api/counts/", error) from error
    return {str(name): int(number) for name, number in answer.items()}


def pages(holds: Mapping[str, int]) -> list[str]:
    """The pages to look at, for an app that `holds` so many rows.

    Every post's values (API), every file (gallery), and a fair number of pages made for people.
    """
    posts, users, tags = holds["posts"], holds["users"], holds["tags"]
    shown = [f"/?page={n}" for n in range(1, min(10, posts // 20 + 1) + 1)]
    shown += [f"/gallery/?page={n}" for n in range(1, max(holds["attachments"], holds["covers"]) // 60 + 2)]
    shown += [f"/post/{n}/" for n in _spread(posts, POSTS_LOOKED_AT)]
    shown += [f"/tag/{n}/" for n in _spread(tags, 10)] + [f"/user/{n}/" for n in _spread(users, 10)]
    return [*shown, *(f"/api/posts/?page={n}" for n in range(1, (posts - 1) // 50 + 2)), "/api/counts/"]


def crawl(site_url: str, paths: Iterable[str]) -> dict[str, Seen]:
    """Fetch `paths`, and every upload that the HTML among them links to; redirects are followed.

    Raises StepFailed `demo-site` where the site does not answer at all.
    """
    seen: dict[str, Seen] = {}
    with _client(site_url) as client, ThreadPoolExecutor(THREADS) as pool:
        todo = list(dict.fromkeys(paths))
        while todo:
            links: set[str] = set()
            for path, (answer, found) in zip(todo, pool.map(lambda p: _fetch(client, p), todo), strict=True):
                seen[path] = answer
                links |= found
            todo = sorted(links - seen.keys())
    return seen


def differences(before: Mapping[str, Seen], after: Mapping[str, Seen]) -> list[Difference]:
    """Every path whose status, length or bytes are not the same on both sides."""
    return [
        Difference(path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def is_file(path: str) -> bool:
    """Whether the path is an upload's, not a page's."""
    return path.startswith(FILE_PREFIXES)


def _client(site_url: str) -> httpx.Client:
    # trust_env=False: a proxy of the user's must not stand between two processes of this machine.
    return httpx.Client(base_url=site_url, follow_redirects=True, trust_env=False, timeout=TIMEOUT_SECONDS)


def _spread(total: int, wanted: int) -> list[int]:
    return sorted({1 + n * total // wanted for n in range(wanted)}) if total else []


def _fetch(client: httpx.Client, path: str) -> tuple[Seen, set[str]]:
    digest = hashlib.sha256()
    length = 0
    kept = bytearray()
    try:
        with client.stream("GET", path) as answer:
            html = answer.headers.get("content-type", "").startswith("text/html") and not is_file(path)
            for piece in answer.iter_bytes():
                digest.update(piece)
                length += len(piece)
                if html and length <= _KEPT_FOR_LINKS:
                    kept += piece
    except httpx.HTTPError as error:
        raise _no_answer(path, error) from error
    return Seen(answer.status_code, length, digest.hexdigest()), _links(kept.decode("utf-8", "replace"))


def _no_answer(path: str, error: httpx.HTTPError) -> StepFailed:
    return StepFailed("demo-site", f"The demo's site did not answer {path}: {type(error).__name__}.", "")


class _LinkParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value and is_file(value):
                self.found.add(value)


def _links(html: str) -> set[str]:
    parser = _LinkParser()
    parser.feed(html)
    return parser.found
