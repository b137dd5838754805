"""Requests to a storage's HTTP interface: repeated where that is safe, refused in the provider's words."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from wizard.errors import AshoreError, ConnectionLost
from wizard.storages.authority import context

ATTEMPTS = 6
CONNECT_ATTEMPTS = 2  # a person may be waiting for the live test
FIRST_WAIT_S = 0.3
LONGEST_WAIT_S = 10.0
CONNECT_S = 10.0
READ_S = 60.0
CONNECTIONS = 48
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
PIECE = 1 << 20

Explain = Callable[[httpx.Response, str], AshoreError]


@cache
def _certificates() -> ssl.SSLContext:
    """Whom to trust, read from disk once a process: it takes longer than a request."""
    return context()


class Http:
    """One server. Every request here may be repeated: it reads, is create-only, or writes the same bytes.

    `explain` makes the error of an answer that was not expected. Safe to use from several threads.
    """

    def __init__(self, title: str, explain: Explain, auth: httpx.Auth | None = None) -> None:
        self._title, self._explain = title, explain
        self._client = httpx.Client(
            auth=auth,
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            follow_redirects=False,
            trust_env=False,
            verify=_certificates(),
        )

    def send(
        self,
        doing: str,
        method: str,
        url: str,
        expected: tuple[int, ...] = (200,),
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        **body: Any,
    ) -> httpx.Response:
        """The answer, its status one of `expected`. `doing` is for messages (e.g. "writing a.txt").

        Raises what `explain` makes of another status, ConnectionLost `storage-unreachable`.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._client.request(method, url, headers=headers, params=params, **body)
            except httpx.TransportError as error:
                most = CONNECT_ATTEMPTS if isinstance(error, httpx.ConnectError) else ATTEMPTS
                if attempt >= most:
                    raise self._unreachable(url, doing, error) from error
                self._wait(attempt, None)
                continue
            if answer.status_code in expected:
                return answer
            if answer.status_code not in TRANSIENT or attempt == ATTEMPTS:
                raise self._explain(answer, doing)
            self._wait(attempt, answer.headers.get("Retry-After"))
        raise AssertionError("the last attempt returns or raises")

    def stream(
        self,
        doing: str,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[bytes]:
        """The body of a GET, a megabyte at a time. Raises as `send`, also in the middle."""
        try:
            with self._client.stream("GET", url, params=params, headers=headers) as answer:
                if answer.status_code != 200:
                    answer.read()
                    raise self._explain(answer, doing)
                yield from answer.iter_raw(PIECE)
        except httpx.TransportError as error:
            raise self._unreachable(url, doing, error) from error

    @staticmethod
    def _wait(attempt: int, asked: str | None) -> None:
        wait = FIRST_WAIT_S * 2 ** (attempt - 1)
        if asked is not None and asked.isdigit():
            wait = max(wait, float(asked))
        time.sleep(min(wait, LONGEST_WAIT_S))

    def _unreachable(self, url: str, doing: str, error: httpx.TransportError) -> ConnectionLost:
        parts = urlsplit(url)
        return ConnectionLost(
            "storage-unreachable",
            f"{self._title} cannot be reached at {parts.scheme}://{parts.netloc} "
            f"({type(error).__name__}, {doing}).",
            "Check the answers and the network, then `ashore resume`.",
        )
