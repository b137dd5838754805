"""One visit of a live app: what the checks of an address look at. Only GET requests, a few, no login."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx

from wizard import __version__
from wizard.errors import UsageError

SECONDS = 20.0
MAX_BYTES = 2_000_000
MAX_REDIRECTS = 10
# A path that no app has: what it answers shows how the app speaks of its errors.
NOWHERE = "ashore-check-no-such-page"
# The `.invalid` top level never resolves (RFC 6761): no site is meant by it.
FOREIGN = "https://ashore-check.invalid"
_FILES = ("/media/", "/uploads/", "/upload/", "/files/")
_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".mp4", ".webm", ".mp3", ".pdf")


@dataclass(frozen=True, slots=True)
class Page:
    """An answer. `status` is 0 where there was none, and `failure` says why. `url` is where it ended."""

    url: str
    status: int = 0
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytes = b""
    failure: str = ""
    cookies: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The server's certificate. `days` left; None where there is no TLS or it is not valid (`failure`)."""

    days: int | None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """`plain` is the answer over HTTP without following redirects; None where the app is not on HTTPS."""

    address: str
    page: Page
    nowhere: Page
    foreign: Page
    plain: Page | None
    certificate: Certificate
    files: tuple[Page, ...]

    @property
    def https(self) -> bool:
        """Whether the page came over TLS in the end."""
        return urlsplit(self.page.url).scheme == "https"


def visit(address: str) -> Visit:
    """Fetch what the checks need; at most eight requests. Raises UsageError `bad-address`."""
    parts = urlsplit(address)
    try:
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username is not None:
        raise UsageError(
            "bad-address", "That is no address that can be checked.", "Write https://HOST/, without a login."
        )
    address = urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, ""))
    # The system's own certificates, as a browser would judge: SSL_CERT_FILE is honoured.
    context = ssl.create_default_context()
    headers = {"User-Agent": f"ashore/{__version__} check"}
    with httpx.Client(
        verify=context, timeout=SECONDS, headers=headers, max_redirects=MAX_REDIRECTS
    ) as client:
        page = get(client, address)
        ended = urlsplit(page.url)
        https = ended.scheme == "https"
        return Visit(
            address=address,
            page=page,
            nowhere=get(client, urljoin(page.url, f"/{NOWHERE}")) if page.status else page,
            foreign=get(client, page.url, {"Origin": FOREIGN}) if page.status else page,
            plain=_plain(client, ended.hostname or "") if https and ended.port in (None, 443) else None,
            certificate=_certificate(ended.hostname or "", ended.port or 443, context)
            if https
            else Certificate(None),
            files=tuple(get(client, url) for url in file_links(page)),
        )


def get(
    client: httpx.Client, url: str, headers: Mapping[str, str] | None = None, *, follow: bool = True
) -> Page:
    """One GET, its body cut at `MAX_BYTES`; a failure is an answer too (status 0)."""
    try:
        with client.stream("GET", url, headers=headers, follow_redirects=follow) as answer:
            body = b""
            for piece in answer.iter_bytes():
                body += piece
                if len(body) >= MAX_BYTES:
                    break
            cookies = tuple(answer.headers.get_list("set-cookie"))
            return Page(str(answer.url), answer.status_code, answer.headers, body[:MAX_BYTES], "", cookies)
    except httpx.TimeoutException:
        return Page(url, failure=f"no answer within {SECONDS:.0f} seconds")
    except httpx.TooManyRedirects:
        return Page(url, failure="it redirects in a circle")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ssl.SSLError | OSError):
            cause = cause.__cause__ or cause.__context__
        return Page(url, failure=_said(cause or error))


def _said(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {error.verify_message.rstrip('.')}"
    if isinstance(error, socket.gaierror):
        return "its name is not known (DNS)"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def _plain(client: httpx.Client, host: str) -> Page:
    name = f"[{host}]" if ":" in host else host
    return get(client, f"http://{name}/", follow=False)


def _certificate(host: str, port: int, context: ssl.SSLContext) -> Certificate:
    try:
        with (
            socket.create_connection((host, port), timeout=SECONDS) as raw,
            context.wrap_socket(raw, server_hostname=host) as secure,
        ):
            found = secure.getpeercert() or {}
    except ssl.SSLError as error:
        return Certificate(None, _said(error))
    except OSError:
        return Certificate(None)
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), UTC)
    return Certificate((ends - datetime.now(UTC)).days)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {"a": "href"}.get(tag, "src")
        self.found += [(tag, value) for name, value in attrs if name == named and value]


def links(page: Page, tag: str | None = None) -> tuple[str, ...]:
    """Every link of an HTML page as it is written there, of one kind of element or of all."""
    if "html" not in page.headers.get("content-type", ""):
        return ()
    parser = _Links()
    parser.feed(page.text)
    return tuple(link for of, link in parser.found if tag in (None, of))


def file_links(page: Page, most: int = 3) -> tuple[str, ...]:
    """Up to `most` links of the page that look like uploaded files; static files of the build are none."""
    urls = []
    for link in links(page):
        try:
            url = urljoin(page.url, link.strip())
            path = urlsplit(url).path.lower()
        except ValueError:
            continue
        if not url.startswith(("http://", "https://")) or "/static/" in path:
            continue
        if any(mark in path for mark in _FILES) or path.endswith(_ENDINGS):
            urls.append(url)
    return tuple(dict.fromkeys(urls))[:most]
