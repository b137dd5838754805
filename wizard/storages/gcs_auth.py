"""A Google service account: access tokens for the interface, signatures for addresses.

https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from wizard.credentials import Secret
from wizard.errors import ConnectionLost, Refused, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SCOPE = "https://www.googleapis.com/auth/devstorage.full_control"
LIFETIME_S = 3600
SPARE_S = 300  # a token is renewed this long before it ends
TIMEOUT_S = 30.0


class ServiceAccount:
    """The key file of a service account, read. The private key is in memory only."""

    def __init__(self, secret: Secret) -> None:
        """Raises UsageError `credentials-unreadable`, `package-missing`; the content is never repeated."""
        try:
            from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
            from cryptography.hazmat.primitives.serialization import load_pem_private_key
        except ImportError as error:
            raise UsageError(
                "package-missing",
                "Google's credentials need the package cryptography, which is not installed.",
                "Install ashore with the extra: pip install 'ashore[gcs]'.",
            ) from error
        try:
            content = json.loads(secret.reveal())
            self.email = str(content["client_email"])
            self.project = str(content.get("project_id", ""))
            self.token_uri = str(content.get("token_uri", "https://oauth2.googleapis.com/token"))
            self.key_id = str(content.get("private_key_id", ""))
            key = load_pem_private_key(str(content["private_key"]).encode(), None)
        except (ValueError, KeyError, TypeError) as error:
            raise _unreadable() from error
        if not isinstance(key, RSAPrivateKey):
            raise _unreadable()
        self._key: RSAPrivateKey = key

    def sign(self, data: bytes) -> bytes:
        """The RSA signature (PKCS #1 v1.5, SHA-256) of `data`."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        return self._key.sign(data, PKCS1v15(), SHA256())

    def assertion(self, now: int) -> str:
        """The signed request for a token (RFC 7523). `now` in seconds since 1970."""
        head = {"alg": "RS256", "typ": "JWT", "kid": self.key_id}
        claims = {
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_uri,
            "iat": now,
            "exp": now + LIFETIME_S,
        }
        text = b".".join(_url64(json.dumps(part).encode()) for part in (head, claims))
        return (text + b"." + _url64(self.sign(text))).decode()

    def signed_url(self, base: str, bucket: str, key: str, seconds: int, now: datetime | None = None) -> str:
        """A V4 signed address for reading, valid for `seconds`.

        https://cloud.google.com/storage/docs/access-control/signing-urls-manually
        """
        at = now or datetime.now(UTC)
        stamp, scope = at.strftime("%Y%m%dT%H%M%SZ"), f"{at:%Y%m%d}/auto/storage/goog4_request"
        host = base.partition("://")[2]
        path = f"/{bucket}/{quote(key, safe='/~')}"
        query = "&".join(
            f"{name}={quote(value, safe='')}"
            for name, value in (
                ("X-Goog-Algorithm", "GOOG4-RSA-SHA256"),
                ("X-Goog-Credential", f"{self.email}/{scope}"),
                ("X-Goog-Date", stamp),
                ("X-Goog-Expires", str(seconds)),
                ("X-Goog-SignedHeaders", "host"),
            )
        )
        request = f"GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        signature = self.sign(f"GOOG4-RSA-SHA256\n{stamp}\n{scope}\n{digest}".encode()).hex()
        return f"{base}{path}?{query}&X-Goog-Signature={signature}"


def _unreadable() -> UsageError:
    return UsageError(
        "credentials-unreadable",
        "The Google credentials are not the JSON key file of a service account; it is not repeated here.",
        "In the console: IAM, Service accounts, Keys, Add key, JSON; refer to it as file:PATH, or put its "
        "content into an environment variable.",
    )


def _url64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class GoogleAuth(httpx.Auth):
    """Puts an access token on each request; renews it in time, for all threads."""

    def __init__(self, account: ServiceAccount) -> None:
        self._account = account
        self._lock = threading.Lock()
        self._token, self._until = Secret(""), 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._current().reveal()}"
        yield request

    def _current(self) -> Secret:
        with self._lock:
            if time.monotonic() >= self._until:
                self._token, lifetime = _fetch(self._account)
                self._until = time.monotonic() + max(lifetime - SPARE_S, lifetime / 2)
            return self._token


def _fetch(account: ServiceAccount) -> tuple[Secret, float]:
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": account.assertion(int(time.time())),
    }
    try:
        answer = httpx.post(account.token_uri, data=form, timeout=TIMEOUT_S, trust_env=False)
    except httpx.TransportError as error:
        raise ConnectionLost(
            "storage-unreachable",
            f"Google's token server cannot be reached at {account.token_uri} ({type(error).__name__}).",
            "Check the network, then `ashore resume`.",
        ) from error
    if answer.status_code >= 500:
        raise ConnectionLost(
            "storage-unavailable",
            f"Google's token server answers {answer.status_code}.",
            "Wait a little, then `ashore resume`.",
        )
    try:
        content = answer.json()
    except ValueError:
        content = {}
    if answer.status_code != 200 or "access_token" not in content:
        said = str(content.get("error_description") or content.get("error") or answer.status_code)
        skew = "iat and exp" in said or "JWT must be a short-lived token" in said
        raise Refused(
            "clock-wrong" if skew else "access-key-unknown",
            f"Google refuses the service account {account.email}: {said.rstrip('.')}.",
            "Set this machine's clock and try again."
            if skew
            else "Create a new JSON key for the service account; the old one may have been deleted.",
        )
    return Secret(str(content["access_token"])), float(content.get("expires_in", LIFETIME_S))
