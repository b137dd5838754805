"""Uploads that the live site still serves: named by rows that were found, fetched by public address."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

import httpx

from wizard.errors import StepFailed, UsageError
from wizard.rescue.item import Item, short
from wizard.verifying import source_reader

PREFIXES = ("", "media/", "uploads/", "static/uploads/", "files/", "static/")
MOST_NAMES = 50_000
PROBED, SAMPLE = 6, 40
TIMEOUT_SECONDS = 30.0
_NAME = re.compile(
    r"(?:https?://[^/\s]+)?/?([^?#\"'<>\t\r\n]{1,400}\."
    r"(?:jpe?g|png|gif|webp|avif|svg|bmp|tiff?|heic|pdf|docx?|xlsx?|"
    r"pptx?|odt|ods|csv|txt|md|zip|gz|mp[34]|m4[av]|mov|webm|ogg|wav|flac|json|xml))",
    re.IGNORECASE,
)


def names(databases: Sequence[Path]) -> tuple[str, ...]:
    """What cells of these SQLite files name as files: paths, and paths of addresses. Damaged: skipped."""
    found: dict[str, None] = {}
    for path in databases:
        try:
            for text in _cells(path):
                match = _NAME.fullmatch(text)
                if match is not None and ".." not in PurePosixPath(match.group(1)).parts:
                    found[unquote(match.group(1))] = None
                    if len(found) >= MOST_NAMES:
                        return tuple(found)
        except sqlite3.Error:
            continue
    return tuple(found)


def _cells(path: Path) -> Iterator[str]:
    with source_reader.open_snapshot(path) as connection:
        for table in source_reader.tables(connection):
            for batch in source_reader.read_rows(
                connection, table, table.columns, (), source_reader.Orphans(), lenient=True
            ):
                for row in batch:
                    yield from (value.strip() for value in row if isinstance(value, str) and len(value) < 500)


def find(url: str, wanted: Sequence[str]) -> Iterator[Item]:
    """The files that the site at `url` serves under a usual prefix. A few GET requests, nothing else.

    Raises UsageError `url`, StepFailed `site-unreachable`.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("url", f"{url} is no web address.", "Write it as https://my-app.example.org.")
    base = url.rstrip("/") + "/"
    if not wanted:
        return
    step = max(1, len(wanted) // PROBED)
    with _client() as client:
        try:
            best = max(
                PREFIXES, key=lambda prefix: sum(_answers(client, base, prefix, n) for n in wanted[::step])
            )
            sample = wanted[:: max(1, len(wanted) // SAMPLE)]
            answered = sum(_answers(client, base, best, name) for name in sample)
        except httpx.HTTPError as error:
            raise StepFailed(
                "site-unreachable", f"{base} does not answer: {type(error).__name__}.", "Check the address."
            ) from error
    if answered:
        yield Item(
            short("web", base, best), "files", "web",
            f"{base}{best}: of {len(sample):,} files tried, {answered:,} are served", "",
            "--restore fetches every file that the rows name.", files=len(wanted) * answered // len(sample),
            take=lambda folder: _fetch_all(base, best, wanted, folder),
        )  # fmt: skip


def _client() -> httpx.Client:
    return httpx.Client(follow_redirects=True, timeout=TIMEOUT_SECONDS)


def _address(base: str, prefix: str, name: str) -> str:
    return base + quote(name if name.startswith(prefix) else prefix + name)


def _answers(client: httpx.Client, base: str, prefix: str, name: str) -> bool:
    with client.stream("GET", _address(base, prefix, name)) as answer:
        return _is_file(answer)


def _is_file(answer: httpx.Response) -> bool:
    """A site that shows its front page for every address serves no file."""
    return answer.status_code == 200 and not answer.headers.get("content-type", "").startswith("text/html")


def _fetch_all(base: str, prefix: str, wanted: Sequence[str], folder: Path) -> None:
    with _client() as client:
        for name in wanted:
            target = folder.joinpath(*PurePosixPath(name.removeprefix(prefix)).parts)
            part = target.with_name(target.name[:200] + ".part")
            with client.stream("GET", _address(base, prefix, name)) as answer:
                if not _is_file(answer):
                    continue
                part.parent.mkdir(parents=True, exist_ok=True)
                with part.open("wb") as file:
                    for piece in answer.iter_bytes():
                        file.write(piece)
            part.replace(target)
