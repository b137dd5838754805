"""Whether an address of Cloudinary's leads to a file, asked of Cloudinary itself."""

from __future__ import annotations

from types import TracebackType
from urllib.parse import urlsplit

import httpx

TIMEOUT_S = 15.0
REDIRECTS = 5
TRIES = 2
_NOT_THERE = (404, 410)
_DOCUMENTS = ("application/pdf", "application/postscript", "application/octet-stream")
_STREAMS = ("application/vnd.apple.mpegurl", "application/x-mpegurl", "application/dash+xml")


class Reach:
    """Fetches heads of answers, over https only. `transport` stands in for the network. For many threads."""

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        limits = httpx.Limits(max_connections=16)
        self._client = httpx.Client(transport=transport, timeout=TIMEOUT_S, limits=limits)

    def __enter__(self) -> Reach:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def why_not(self, address: str) -> str:
        """Why the address is not to be relied on, "" where a file of its kind answers there."""
        said = ""
        for _ in range(TRIES):
            try:
                said = self._look(address)
            except httpx.TimeoutException:
                said = "no answer in time"
            except httpx.TransportError:
                said = "not reached"
            except (httpx.HTTPError, httpx.InvalidURL):
                return "not an address that can be asked for"
            else:
                return said
        return said

    def _look(self, address: str) -> str:
        # Cloudinary serves both; what stands in the database keeps its own scheme.
        url = httpx.URL(address).copy_with(scheme="https")
        for _ in range(REDIRECTS + 1):
            status, kind, to = self._ask("HEAD", url)
            if status not in (200, *_NOT_THERE) and not to:
                status, kind, to = self._ask("GET", url)
            if not to:
                break
            url = url.join(to)
            if url.scheme != "https":
                return "redirected away from https"
        else:
            return "redirected too often"
        if status != 200:
            return f"answers {status}"
        return "" if _fits(address, kind) else f"answers with {kind or 'no type'}"

    def _ask(self, method: str, url: httpx.URL) -> tuple[int, str, str]:
        """(status, media type, where a redirect leads); the body is not read."""
        with self._client.stream(method, url) as answer:
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            to = answer.headers.get("location", "") if answer.is_redirect else ""
            return answer.status_code, kind, to


def _fits(address: str, kind: str) -> bool:
    """Whether a media type is one of the kind that the address names: image, video (and sound), raw."""
    path = urlsplit(address).path.lower()
    if "/image/upload/" in path:
        return kind.startswith("image/") or kind in _DOCUMENTS
    if "/video/upload/" in path:
        return kind.startswith(("video/", "audio/", "image/")) or kind in (*_DOCUMENTS, *_STREAMS)
    return bool(kind) and (kind != "text/html" or path.endswith((".html", ".htm")))
