"""A Cloudinary cloud through its upload and admin interfaces.

https://cloudinary.com/documentation/image_upload_api_reference; how to sign:
https://cloudinary.com/documentation/authentication_signatures
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

import httpx

from wizard.credentials import Secret
from wizard.errors import AshoreError, ConnectionLost, Refused
from wizard.storages.base import NO_LIMITS, Limits, Stored, Upload
from wizard.storages.rest_canary import NAME
from wizard.storages.rest_http import Http
from wizard.storages.rest_remote import Gone, Occupied, Record

ENDPOINT = "https://api.cloudinary.com"
PIECE = 20 << 20  # larger files go in pieces; each but the last must have 5 MB at least
LONGEST_ID = 255
ResourceType = Literal["image", "video", "raw"]
# https://cloudinary.com/documentation/upload_parameters (public_id)
_FORBIDDEN = re.compile(r"[?&#\\%<>+]|[\x00-\x1f\x7f]")
_LIMITED = 420  # Cloudinary's status for too many calls of the admin interface in an hour


@dataclass(frozen=True, slots=True)
class CloudPlace:
    """A cloud's address; `public_base` is what the address of each file begins with."""

    title: str
    cloud: str
    resource_type: ResourceType
    public_base: str
    endpoint: str = ENDPOINT
    prefix: str = ""
    algorithm: Literal["sha1", "sha256"] = "sha1"

    @property
    def limits(self) -> Limits:
        return NO_LIMITS  # the account itself tells them

    @property
    def identity(self) -> str:
        return f"{self.endpoint}/v1_1/{self.cloud}/{self.resource_type}"

    def key_problem(self, key: str) -> str | None:
        """Also refuses what django-cloudinary-storage would look for under another name."""
        public_id = self.public_id(key)
        if not key or key != key.strip("/ ") or "//" in key:
            return "Cloudinary refuses names with an empty part or a blank at an end"
        if len(public_id) > LONGEST_ID:
            return f"its public id is {len(public_id)} characters long, and {LONGEST_ID} is the most"
        if _FORBIDDEN.search(key):
            return "Cloudinary refuses ? & # \\ % < > + and control characters in names"
        if self.prefix and key.startswith(self.prefix * 2):
            return f"its path begins with the prefix {self.prefix} itself, which the app's storage would drop"
        return None

    def kind(self, key: str) -> ResourceType:
        """The test object is no image, whatever the files are."""
        return "raw" if key == self.prefix + NAME else self.resource_type

    def public_id(self, key: str) -> str:
        """Cloudinary keeps the extension of raw files only; of others it is the format asked for."""
        return key if self.kind(key) == "raw" else posixpath.splitext(key)[0]

    def url(self, key: str) -> str:
        base = self.public_base.rstrip("/")
        if self.kind(key) != self.resource_type:
            base = base.replace(f"/{self.resource_type}/upload", f"/{self.kind(key)}/upload")
        return f"{base}/{quote(key, safe='/')}"


def sign(parameters: Mapping[str, str], secret: Secret, algorithm: str) -> str:
    """The signature of an upload's parameters: sorted, joined by &, an & inside a value as %26."""
    text = "&".join(f"{k}={v}".replace("&", "%26") for k, v in sorted(parameters.items()) if v)
    return hashlib.new(algorithm, (text + secret.reveal()).encode()).hexdigest()


class CloudinaryRemote:
    """Implements rest_remote.Remote. What is stored is public to all who know its address."""

    def __init__(self, place: CloudPlace, key: Secret, secret: Secret) -> None:
        self._place, self._key, self._secret = place, key, secret
        self.name, self.title, self.identity = place.cloud, place.title, place.identity
        self.prefix, self.piece = place.prefix, PIECE
        self._api = f"{place.endpoint}/v1_1/{place.cloud}"
        self._uploads = Http(place.title, self._explain)
        self._admin = Http(place.title, self._explain, httpx.BasicAuth(key.reveal(), secret.reveal()))

    def _explain(self, answer: httpx.Response, doing: str) -> AshoreError:
        try:
            said = str(answer.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            said = answer.headers.get("X-Cld-Error") or answer.reason_phrase
        # The words about a wrong signature quote what was signed; that is no secret, but no help either.
        said = said.split(" String to sign")[0].rstrip(".")
        where = f"{self.title} says: {answer.status_code}: {said} (cloud {self.name}, {doing})."
        low = said.lower()
        if answer.status_code >= 500 or answer.status_code in (408, 429, _LIMITED):
            return ConnectionLost(
                "storage-unavailable", where, "Wait until the hour is over, then `ashore resume`."
                if answer.status_code == _LIMITED else "Wait a little, then `ashore resume`."
            )  # fmt: skip
        if "stale request" in low:
            return Refused("clock-wrong", where, "Set this machine's clock and try again.")
        if "signature" in low:
            return Refused(
                "secret-key-wrong",
                where,
                "Copy the API secret again; where the account wants SHA-256, answer algorithm: sha256.",
            )
        if answer.status_code == 401:
            return Refused("access-key-unknown", where, "Copy the cloud name, API key and API secret again.")
        if answer.status_code == 403:
            return Refused("access-denied", where, "Give the API key the right to upload and delete.")
        if answer.status_code == 404:
            return Refused("bucket-missing", where, "Correct cloud_name; a cloud is made by signing up.")
        if "too large" in low:
            return Refused("object-too-large", where, "Route larger files elsewhere with `max_size`.")
        if "invalid image" in low or "unsupported" in low:
            return Refused(
                "storage-refused", where, "Route files of other kinds to a rule with resource_type: raw."
            )
        return Refused(
            "storage-refused", where, "See Cloudinary's page for these words, then `ashore resume`."
        )

    def reach(self) -> None:
        # Answers with the cloud's limits; any wrong key or name is told here.
        self._admin.send("looking at the account", "GET", f"{self._api}/usage", expected=(200, _LIMITED))

    def largest(self) -> int | None:
        """In bytes, by the account's plan; None where the hour's calls are used up."""
        answer = self._admin.send(
            "asking for the account's limits", "GET", f"{self._api}/usage", expected=(200, _LIMITED)
        )
        told = answer.json().get("media_limits", {}) if answer.status_code == 200 else {}
        limit = told.get(f"{self._place.resource_type}_max_size_bytes")
        return limit if isinstance(limit, int) else None

    def create(self) -> None:
        raise Refused(
            "bucket-missing", f"{self.title} makes a cloud by signing up only.", "Correct cloud_name."
        )

    def allow_origins(self, origins: tuple[str, ...]) -> None:
        """Cloudinary lets every origin read."""

    def _resource(self, key: str) -> httpx.Response:
        public_id = quote(self._place.public_id(key), safe="")
        url = f"{self._api}/resources/{self._place.kind(key)}/upload/{public_id}"
        return self._admin.send(f"looking at {key}", "GET", url, expected=(200, 404, _LIMITED))

    def head(self, key: str) -> Stored | None:
        answer = self._resource(key)
        if answer.status_code == 404:
            return None
        if answer.status_code == _LIMITED:
            return self._delivered(key)
        found = answer.json()
        etag = str(found.get("etag", ""))
        return Stored(key=key, size=int(found["bytes"]), content_type=None, etag=etag, md5=_md5(etag))

    def _delivered(self, key: str) -> Stored | None:
        """As a browser sees it, where the hour's calls are used up: proves nothing, so it is read back."""
        answer = self._uploads.send(f"looking at {key}", "HEAD", self._place.url(key), expected=(200, 404))
        if answer.status_code == 404:
            return None
        told = answer.headers.get("Content-Length")
        size = int(told) if told is not None else sum(map(len, self.read(key)))
        return Stored(key, size, None, answer.headers.get("ETag", ""))

    def read(self, key: str) -> Iterator[bytes]:
        answer = self._resource(key)
        # The answer's address holds the version, past anything that a network of copies remembers.
        url = str(answer.json()["secure_url"]) if answer.status_code == 200 else self._place.url(key)
        return self._uploads.stream(f"reading {key}", url, headers={"Accept-Encoding": "identity"})

    def delete(self, key: str) -> None:
        self._uploads.send(
            f"deleting {key}",
            "POST",
            f"{self._api}/{self._place.kind(key)}/destroy",
            json=self._signed({"public_id": self._place.public_id(key), "invalidate": "true"}),
        )

    def url(self, key: str) -> str:
        return self._place.url(key)

    def _signed(self, parameters: Mapping[str, str]) -> dict[str, str]:
        timed = {**parameters, "timestamp": str(int(time.time()))}
        signature = sign(timed, self._secret, self._place.algorithm)
        return {**timed, "api_key": self._key.reveal(), "signature": signature}

    def _fields(self, key: str, only_new: bool) -> dict[str, str]:
        return self._signed(
            {
                "public_id": self._place.public_id(key),
                "overwrite": "false" if only_new else "true",
                "invalidate": "false" if only_new else "true",
            }
        )

    def put(self, key: str, data: bytes, content_type: str, only_new: bool) -> str:
        answer = self._uploads.send(
            f"writing {key}",
            "POST",
            f"{self._api}/{self._place.kind(key)}/upload",
            data=self._fields(key, only_new),
            files={"file": (posixpath.basename(key), data, content_type)},
        )
        return _written(answer, hashlib.md5(data, usedforsecurity=False).digest(), only_new)

    def begin(self, upload: Upload, only_new: bool) -> Record:
        return {"id": secrets.token_hex(16), "at": 0}

    def standing(self, upload: Upload, record: Record) -> int:
        record["resumed"] = True
        return int(str(record["at"]))

    def send_piece(self, upload: Upload, record: Record, start: int, data: bytes, only_new: bool) -> str:
        end = start + len(data)
        answer = self._uploads.send(
            f"writing {upload.key}",
            "POST",
            f"{self._api}/{self._place.kind(upload.key)}/upload_chunked",
            expected=(200, 400) if record.get("resumed") else (200,),
            headers={
                "X-Unique-Upload-Id": str(record["id"]),
                "Content-Range": f"bytes {start}-{end - 1}/{upload.size}",
            },
            data=self._fields(upload.key, only_new),
            files={"file": (posixpath.basename(upload.key), data, upload.content_type)},
        )
        if answer.status_code == 400:
            # The pieces of an earlier execution may be forgotten; sent from the start, a real fault shows.
            raise Gone
        record["at"] = end
        return "" if end < upload.size else _written(answer, upload.md5, only_new)

    def abandon(self, key: str, record: Record) -> None:
        """Pieces that are never completed are dropped by Cloudinary itself; nothing can be asked for."""


def _written(answer: httpx.Response, md5: bytes, only_new: bool) -> str:
    """The ETag. Without leave to overwrite, Cloudinary answers with what stood there already."""
    found = answer.json()
    etag = str(found.get("etag", ""))
    other = _md5(etag) is not None and _md5(etag) != md5
    if only_new and (found.get("existing") is True or other):
        raise Occupied
    return etag


def _md5(etag: str) -> bytes | None:
    return bytes.fromhex(etag) if re.fullmatch(r"[0-9a-f]{32}", etag) else None
