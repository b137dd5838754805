"""Uses a running demo app as a visitor would: writes a comment, sends a file, reads both back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from wizard.errors import StepFailed

COMMENT = "Written after the migration, through the app. ⚓"
FILE_NAME = "sent after the migration.txt"
FILE_BYTES = "A file that was sent through the app after the migration: Grüße ⛵\n".encode() * 50
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Left:
    """What a visitor left behind: the post's page, and the address of the file."""

    page: str
    file: str


def leave(site_url: str, post: int) -> Left:
    """Add a comment and a file to a post through the app's own forms.

    Raises StepFailed `demo-form` where the app does not take them.
    """
    page = f"/post/{post}/"
    with _client(site_url) as client:
        _send(client, f"{page}reply/", {"name": "A visitor", "body": COMMENT}, None)
        shown = _send(client, f"{page}upload/", {"title": FILE_NAME}, FILE_BYTES)
    link = re.search(r'href="(/files/[^"]+)">' + re.escape(FILE_NAME), shown)
    if link is None or COMMENT not in shown:
        raise StepFailed("demo-form", f"What was sent to {page} does not stand there.", "")
    return Left(page, link.group(1))


def still_there(site_url: str, left: Left) -> bool:
    """Whether the comment is shown, and the file answers with its bytes."""
    with _client(site_url) as client:
        page, file = client.get(left.page), client.get(left.file)
    return COMMENT in page.text and file.status_code == 200 and file.content == FILE_BYTES


@contextmanager
def _client(site_url: str) -> Iterator[httpx.Client]:
    try:
        with httpx.Client(base_url=site_url, follow_redirects=True, trust_env=False, timeout=60) as client:
            yield client
    except httpx.HTTPError as error:
        raise StepFailed(
            "demo-site", f"The demo's site did not answer: {type(error).__name__}.", ""
        ) from error


def _send(client: httpx.Client, form: str, fields: dict[str, str], file: bytes | None) -> str:
    token = _TOKEN.search(client.get(form).text)
    if token is None:
        raise StepFailed("demo-form", f"{form} shows no form.", "")
    answer = client.post(
        form,
        data={**fields, "csrfmiddlewaretoken": token.group(1)},
        files=None if file is None else {"file": (FILE_NAME, file, "text/plain")},
    )
    if answer.status_code != 200:
        raise StepFailed("demo-form", f"{form} answered {answer.status_code}.", "")
    return answer.text
