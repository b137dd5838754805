"""What the clients of all management APIs share: one request, its retries, and its errors in words.

A request that may be repeated without harm is: after a lost connection, a 5xx, or when the provider says
to wait. A POST is repeated only where the provider surely did nothing with it. Nothing here logs; no message
holds a token or a request's body.
"""

from __future__ import annotations

import json
import re
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import httpx

from wizard import __version__
from wizard.credentials import Redactor, Secret
from wizard.errors import AshoreError, ConnectionLost, Refused, StepFailed

# Seconds for one read, and for one whole answer: an API that drips bytes is not waited for.
READ_SECONDS = 30.0
ANSWER_SECONDS = 90.0
MAX_BYTES = 10_000_000
ATTEMPTS = 5
# Seconds that all pauses of one request together may take: after that the provider is busy for us.
PATIENCE = 240.0
_EPOCH = 1_000_000_000  # a reset header above this is a time, below it a number of seconds
_BUSY = (423, 429, 503)
_QUOTA = re.compile(r"limit|quota|exceed|payment|billing|upgrade your|maximum number|free tier", re.I)
_TAKEN = re.compile(r"already (exists|in use|taken|been taken)|name is taken|duplicate", re.I)

Wait = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Provider:
    """How a provider is called and read. `scopes` says in words what its token must allow.

    `message` digs the words for people out of an error's body; `home` is where tokens are made.
    `untouched` are the states that mean that nothing was done with a request, so that a POST may be repeated.
    `accept` is the media type that names the API's version, where it does so. With `basic` the token is
    `key:secret`.
    """

    title: str
    base: str
    scopes: str
    home: str
    message: Callable[[Any], str]
    untouched: tuple[int, ...] = (429,)
    accept: str = "application/json"
    basic: bool = False


class Api:
    """One provider, called with one token. Close it, or use it in a `with`."""

    def __init__(
        self, provider: Provider, token: Secret, redactor: Redactor, wait: Wait = time.sleep
    ) -> None:
        self.provider = provider
        self.redactor = redactor
        self.wait = wait
        redactor.learn(token)
        self._client = httpx.Client(
            base_url=provider.base,
            verify=_certificates(),
            timeout=READ_SECONDS,
            headers={
                "Authorization": _authorization(provider, redactor, token),
                "Accept": provider.accept,
                "User-Agent": f"ashore/{__version__}",
            },
        )

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON at `path`. Raises as `call`."""
        return self.call("GET", path, query=query)

    def find(self, path: str, **query: Any) -> Any | None:
        """As `get`; None where there is no such thing (404)."""
        try:
            return self.get(path, **query)
        except Refused as error:
            if error.code == "not-found":
                return None
            raise

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer's JSON, None where it has no body. `headers` are added to those of every request.

        Raises Refused (exit 4) `token-refused`, `scope-missing`, `plan-limit`, `name-taken`, `not-found`,
        `provider-refused`; ConnectionLost `provider-unreachable`; StepFailed `provider-busy`,
        `provider-answer`.
        """
        begun, waited = 0, 0.0
        while True:
            begun += 1
            failure: AshoreError
            try:
                status, received, data = self._once(method, path, query, body, headers)
            except httpx.HTTPError as error:
                # Whether a POST arrived is not known: the caller looks before it tries again.
                failure = self._unreachable(error)
                if method == "POST" or begun >= ATTEMPTS:
                    raise failure from error
                pause = 0.5 * 2**begun
            else:
                if status < 300:
                    return self._json(data)
                failure = self._refusal(status, data)
                again = status in self.provider.untouched or (
                    method != "POST" and (status in _BUSY or status >= 500)
                )
                if not again or (status != 429 and begun >= ATTEMPTS):
                    raise failure
                pause = _pause(received) if status in _BUSY else None
                pause = 0.5 * 2 ** min(begun, 6) if pause is None else pause
            if waited + pause > PATIENCE:
                raise failure
            waited += pause
            self.wait(pause)

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str] | None,
    ) -> tuple[int, httpx.Headers, bytes]:
        parameters = {key: value for key, value in (query or {}).items() if value is not None}
        ends = time.monotonic() + ANSWER_SECONDS
        with self._client.stream(method, path, params=parameters, json=body, headers=headers) as answer:
            data = b""
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > MAX_BYTES:
                    raise self.garbage("it is too long")
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout("the whole answer took too long")
            return answer.status_code, answer.headers, data

    def _json(self, data: bytes) -> Any:
        if not data.strip():
            return None
        try:
            return json.loads(data)
        except ValueError:
            raise self.garbage("it is no JSON") from None

    def garbage(self, why: str) -> StepFailed:
        """The error for an answer that is not as the provider publishes it."""
        title = self.provider.title
        return StepFailed(
            "provider-answer",
            f"{title} gave an answer that cannot be used: {why}.",
            f"Look at {title}'s status page, then `ashore resume`.",
        )

    def _unreachable(self, error: httpx.HTTPError) -> ConnectionLost:
        title = self.provider.title
        how = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "cannot be reached"
        return ConnectionLost(
            "provider-unreachable", f"{title}'s API {how}.", "Check the network, then `ashore resume`."
        )

    def _refusal(self, status: int, data: bytes) -> AshoreError:
        title, home = self.provider.title, self.provider.home
        said = self._said(data)
        tail = f": {said}" if said else "."
        if status == 401:
            return Refused(
                "token-refused",
                f"{title} refused the token{tail}",
                f"It is wrong or has expired. Make a new one at {home}; {self.provider.scopes}.",
            )
        if status == 402 or (status in (400, 403, 409, 412, 422) and _QUOTA.search(said)):
            return Refused(
                "plan-limit",
                f"{title} says that a limit of the account's plan is reached{tail}",
                "Remove what is not needed there, choose another plan, or another provider.",
            )
        if status == 403:
            return Refused(
                "scope-missing",
                f"{title} does not let this token do that{tail}",
                f"{self.provider.scopes[:1].upper()}{self.provider.scopes[1:]}; make such a one at {home}.",
            )
        if status == 404:
            return Refused(
                "not-found", f"{title} has no such thing{tail}", "Check the names and ids in the answers."
            )
        if status == 409 or (status in (400, 422) and _TAKEN.search(said)):
            return Refused("name-taken", f"{title}: the name is taken{tail}", "Choose another name.")
        if status in _BUSY or status >= 500:
            return StepFailed(
                "provider-busy",
                f"{title}'s API does not serve requests now (status {status}){tail}",
                "Wait a few minutes, then `ashore resume`.",
            )
        return Refused(
            "provider-refused",
            f"{title} refused the request (status {status}){tail}",
            "Correct what it names in the answers.",
        )

    def _said(self, data: bytes) -> str:
        """The provider's words, one line, bounded, with every known secret masked."""
        try:
            words = self.provider.message(json.loads(data))
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            return ""
        line = " ".join(words.split())
        return self.redactor.text(line)[:300].rstrip(".") + "." if line else ""

    def text(self, data: Any, *way: str | int) -> str:
        """The text at `way` in an answer. Raises StepFailed `provider-answer` where there is none."""
        for step in way:
            try:
                data = data[step]
            except (KeyError, IndexError, TypeError):
                data = None
        if not isinstance(data, str) or not data:
            raise self.garbage(f"it lacks {'.'.join(map(str, way))}")
        return data

    def items(self, data: Any, *way: str) -> list[Any]:
        """The list at `way` in an answer. Raises as `text`."""
        for step in way:
            data = data.get(step) if isinstance(data, dict) else None
        if not isinstance(data, list):
            raise self.garbage(f"it lacks the list {'.'.join(way)}".rstrip())
        return data

    def secret(self, data: Any, *way: str | int) -> Secret:
        """As `text`, for a value that is masked from now on."""
        return self.redactor.learn(Secret(self.text(data, *way)))


def _authorization(provider: Provider, redactor: Redactor, token: Secret) -> str:
    if not provider.basic:
        return f"Bearer {token.reveal()}"
    encoded = redactor.learn(Secret(b64encode(token.reveal().encode()).decode()))
    return f"Basic {encoded.reveal()}"


@cache
def _certificates() -> ssl.SSLContext:
    """The authorities that are trusted, read once a process: it takes longer than a request."""
    return httpx.create_ssl_context()


@contextmanager
def opened(provider: Provider, token: Secret, redactor: Redactor, wait: Wait = time.sleep) -> Iterator[Api]:
    """An Api that is closed at the end."""
    api = Api(provider, token, redactor, wait)
    try:
        yield api
    finally:
        api.close()


def _pause(headers: httpx.Headers) -> float | None:
    """Seconds that the provider asks to wait, None where it does not say."""
    for name in ("retry-after", "ratelimit-reset", "x-ratelimit-reset"):
        value = headers.get(name, "").strip()
        if re.fullmatch(r"\d+(\.\d+)?", value):
            number = float(value)
            return max(1.0, number - time.time() if number > _EPOCH else number)
        if value and name == "retry-after":
            try:
                until = parsedate_to_datetime(value)
            except ValueError:
                continue
            until = until if until.tzinfo else until.replace(tzinfo=UTC)
            return max(1.0, (until - datetime.now(UTC)).total_seconds())
    return None
