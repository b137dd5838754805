"""A walk through a live app: its page, pages linked there, and the files they show. GET only, no login."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from wizard import __version__
from wizard.checks.live.visit import MAX_REDIRECTS, SECONDS, Page, file_links, get, links

PAGES = 5
FILES = 10
# Following one of these could end a session or change data, though a GET should not.
_LEFT_OUT = ("logout", "signout", "delete", "remove", "unsubscribe")


@dataclass(frozen=True, slots=True)
class Seen:
    """What answered. `files` maps an address without its signature to the SHA-256 of the bytes that came."""

    page: Page
    pages: dict[str, int]
    files: dict[str, str]
    broken: dict[str, str]


def walk(address: str) -> Seen:
    """Fetch the page at `address`, up to four pages of the same site it links to, and up to ten files."""
    headers = {"User-Agent": f"ashore/{__version__} check"}
    context = ssl.create_default_context()
    with httpx.Client(
        verify=context, timeout=SECONDS, headers=headers, max_redirects=MAX_REDIRECTS
    ) as client:
        page = get(client, address)
        pages = {address: page.status}
        shown = list(file_links(page, FILES))
        for other in _same_site(page)[: PAGES - 1]:
            found = get(client, other)
            pages[other] = found.status
            shown += file_links(found, FILES)
        files: dict[str, str] = {}
        broken: dict[str, str] = {}
        for link in list(dict.fromkeys(shown))[:FILES]:
            came = get(client, link)
            name = link.partition("?")[0]
            if 200 <= came.status < 300:
                files[name] = hashlib.sha256(came.body).hexdigest()
            else:
                broken[name] = str(came.status or came.failure)
    return Seen(page, pages, files, broken)


def _same_site(page: Page) -> list[str]:
    home = urlsplit(page.url)[:2]
    wanted = []
    for link in links(page, "a"):
        try:
            url = urljoin(page.url, link.strip())
            parts = urlsplit(url)
        except ValueError:
            continue
        path = parts.path.lower()
        skip = parts.query or path.rsplit("/", 1)[-1].count(".") or any(w in path for w in _LEFT_OUT)
        if parts[:2] == home and not skip and url.partition("#")[0] != page.url:
            wanted.append(url.partition("#")[0])
    return list(dict.fromkeys(wanted))
