"""A bucket of Google Cloud Storage through its JSON interface.

Small files go in one multipart request that carries their MD5, so that the server refuses damaged bytes (the
XML interface that obstore uses checks nothing). https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from wizard.credentials import Secret
from wizard.errors import AshoreError, ConnectionLost, Refused
from wizard.storages.base import Limits, Stored, Upload
from wizard.storages.gcs_auth import GoogleAuth, ServiceAccount
from wizard.storages.rest_http import Http
from wizard.storages.rest_remote import Gone, Occupied, Record

PIECE = 8 << 20
UNIT = 256 << 10  # the server keeps whole units of an unfinished upload
SIGNED_S = 600
ENDPOINT = "https://storage.googleapis.com"
_HINTS = {
    401: ("access-key-unknown", "Create a new JSON key for the service account."),
    403: (
        "access-denied",
        "Give the service account the role Storage Object Admin on this bucket (for create or cors: Storage "
        "Admin).",
    ),
    404: ("bucket-missing", "Create the bucket, correct its name, or answer `create: true`."),
    409: ("bucket-taken", "Bucket names are shared by everyone: choose another."),
    413: ("object-too-large", "Route larger files elsewhere with `max_size`."),
}


@dataclass(frozen=True, slots=True)
class GcsPlace:
    """A bucket's address. `location` is where it is made, `public` whether it may be opened later."""

    title: str
    bucket: str
    endpoint: str = ENDPOINT
    prefix: str = ""
    location: str = "US"
    public: bool = False
    public_base: str | None = None

    @property
    def limits(self) -> Limits:
        return Limits(5 << 40)  # https://cloud.google.com/storage/quotas

    @property
    def identity(self) -> str:
        return f"{self.endpoint}/{self.bucket}"

    def key_problem(self, key: str) -> str | None:
        """Rules: https://cloud.google.com/storage/docs/objects#naming"""
        size = len(key.encode("utf-8"))
        if not key:
            return "the key is empty"
        if size > 1024:
            return f"the key is {size} bytes long, and 1024 is the most"
        if "\r" in key or "\n" in key:
            return "a key cannot hold a line break"
        if key in (".", "..") or key.startswith(".well-known/acme-challenge/"):
            return f"no object can be called {key}"
        return None


class GcsRemote:
    """Implements rest_remote.Remote."""

    def __init__(self, place: GcsPlace, account: ServiceAccount) -> None:
        self._place, self._account = place, account
        self.name, self.title, self.identity = place.bucket, place.title, place.identity
        self.prefix, self.piece = place.prefix, PIECE
        self._http = Http(place.title, self._explain, GoogleAuth(account))
        self._sessions: dict[str, Secret] = {}
        self._bucket = f"{place.endpoint}/storage/v1/b/{place.bucket}"
        self._uploads = f"{place.endpoint}/upload/storage/v1/b/{place.bucket}/o"

    def _object(self, key: str) -> str:
        return f"{self._bucket}/o/{quote(key, safe='')}"

    def _explain(self, answer: httpx.Response, doing: str) -> AshoreError:
        said = _words(answer)
        where = f"{self.title} says: {answer.status_code}: {said.rstrip('.')} (bucket {self.name}, {doing})."
        if answer.status_code >= 500 or answer.status_code in (408, 429):
            return ConnectionLost("storage-unavailable", where, "Wait a little, then `ashore resume`.")
        if answer.status_code == 403 and "billing" in said.lower():
            return Refused("account-problem", where, "Look at the project's billing page.")
        code, hint = _HINTS.get(
            answer.status_code,
            ("storage-refused", "See Google's page for these words, then `ashore resume`."),
        )
        return Refused(code, where, hint)

    def reach(self) -> None:
        self._http.send("looking at the bucket", "GET", self._bucket, params={"fields": "name"})

    def create(self) -> None:
        body = {
            "name": self.name,
            "location": self._place.location,
            "iamConfiguration": {
                "uniformBucketLevelAccess": {"enabled": True},
                "publicAccessPrevention": "inherited" if self._place.public else "enforced",
            },
        }
        self._http.send(
            "creating the bucket",
            "POST",
            f"{self._place.endpoint}/storage/v1/b",
            params={"project": self._account.project},
            json=body,
        )

    def allow_origins(self, origins: tuple[str, ...]) -> None:
        doing = "allowing other origins to read"
        answer = self._http.send(doing, "GET", self._bucket, params={"fields": "cors"})
        standing: list[dict[str, Any]] = answer.json().get("cors", [])
        ours = {
            "origin": list(origins),
            "method": ["GET", "HEAD"],
            "responseHeader": ["Content-Type"],
            "maxAgeSeconds": 3600,
        }
        if ours not in standing:
            self._http.send(doing, "PATCH", self._bucket, json={"cors": [*standing, ours]})

    def head(self, key: str) -> Stored | None:
        answer = self._http.send(f"looking at {key}", "GET", self._object(key), expected=(200, 404))
        if answer.status_code == 404:
            if "bucket does not exist" in answer.text:
                raise self._explain(answer, f"looking at {key}")
            return None
        found = answer.json()
        return Stored(
            key=key,
            size=int(found["size"]),
            content_type=found.get("contentType", ""),
            etag=str(found.get("etag", "")).strip('"'),
            md5=_md5(found.get("md5Hash")),
        )

    def read(self, key: str) -> Iterator[bytes]:
        # Otherwise the server unpacks objects that were stored with an encoding.
        plain = {"Accept-Encoding": "gzip"}
        return self._http.stream(f"reading {key}", self._object(key), {"alt": "media"}, plain)

    def delete(self, key: str) -> None:
        self._http.send(f"deleting {key}", "DELETE", self._object(key), expected=(200, 204, 404))

    def url(self, key: str) -> str:
        if self._place.public_base is not None:
            return f"{self._place.public_base.rstrip('/')}/{quote(key, safe='/')}"
        return self._account.signed_url(self._place.endpoint, self.name, key, SIGNED_S)

    def put(self, key: str, data: bytes, content_type: str, only_new: bool) -> str:
        md5 = hashlib.md5(data, usedforsecurity=False).digest()
        about = {"name": key, "contentType": content_type, "md5Hash": base64.b64encode(md5).decode()}
        mark = secrets.token_hex(16)
        lead = (
            f"--{mark}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps(about)}\r\n"
            f"--{mark}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        )
        answer = self._http.send(
            f"writing {key}",
            "POST",
            self._uploads,
            expected=(200, 412),
            params={"uploadType": "multipart", **_guard(only_new)},
            headers={"Content-Type": f"multipart/related; boundary={mark}"},
            content=b"".join((lead.encode(), data, f"\r\n--{mark}--\r\n".encode())),
        )
        if answer.status_code == 412:
            raise Occupied
        return str(answer.json()["etag"]).strip('"')

    def begin(self, upload: Upload, only_new: bool) -> Record:
        about = {
            "name": upload.key,
            "contentType": upload.content_type,
            "md5Hash": base64.b64encode(upload.md5).decode(),
        }
        answer = self._http.send(
            f"writing {upload.key}",
            "POST",
            self._uploads,
            expected=(200, 412),
            params={"uploadType": "resumable", "name": upload.key, **_guard(only_new)},
            headers={
                "X-Upload-Content-Type": upload.content_type,
                "X-Upload-Content-Length": str(upload.size),
            },
            json=about,
        )
        if answer.status_code == 412:
            raise Occupied
        # The address lets whoever has it write the object: it stays in memory, and the record names it only.
        address = Secret(answer.headers["Location"])
        session = hashlib.sha256(address.reveal().encode()).hexdigest()[:16]
        self._sessions[session] = address
        return {"session": session}

    def _address(self, record: Record) -> str:
        """Raises Gone for a session of an earlier process: that upload begins anew."""
        address = self._sessions.get(str(record["session"]))
        if address is None:
            raise Gone
        return address.reveal()

    def standing(self, upload: Upload, record: Record) -> int:
        answer = self._piece(upload, record, f"bytes */{upload.size}", b"")
        return upload.size if answer.status_code in (200, 201) else _kept(answer)

    def send_piece(self, upload: Upload, record: Record, start: int, data: bytes, only_new: bool) -> str:
        end = start + len(data)
        at = start
        while True:
            body = data[at - start :]
            answer = self._piece(upload, record, f"bytes {at}-{end - 1}/{upload.size}", body)
            if answer.status_code == 412:
                raise Occupied
            if answer.status_code in (200, 201):
                return str(answer.json()["etag"]).strip('"')
            kept = _kept(answer)
            if kept >= end and end < upload.size:
                return ""
            if not at < kept < end:
                raise Gone
            # The server may keep less than was sent; it tells from where to go on.
            at = kept

    def _piece(self, upload: Upload, record: Record, span: str, data: bytes) -> httpx.Response:
        answer = self._http.send(
            f"writing {upload.key}",
            "PUT",
            self._address(record),
            expected=(200, 201, 308, 404, 410, 412),
            headers={"Content-Range": span},
            content=data,
        )
        if answer.status_code in (404, 410):
            raise Gone
        return answer

    def abandon(self, key: str, record: Record) -> None:
        if str(record["session"]) not in self._sessions:
            return  # the server drops an upload of an earlier process by itself, after a week
        # 499 is the server's word for an upload cancelled as asked.
        self._http.send(
            f"giving up the upload of {key}",
            "DELETE",
            self._address(record),
            expected=(200, 204, 404, 410, 499),
        )


def _guard(only_new: bool) -> dict[str, str]:
    return {"ifGenerationMatch": "0"} if only_new else {}


def _kept(answer: httpx.Response) -> int:
    """The bytes that the server has kept of an unfinished upload."""
    found = re.fullmatch(r"bytes=0-(\d+)", answer.headers.get("Range", ""))
    return (int(found.group(1)) + 1) // UNIT * UNIT if found else 0


def _md5(text: str | None) -> bytes | None:
    """The server's MD5 of the whole object; composed objects have none."""
    try:
        return base64.b64decode(text, validate=True) if text else None
    except binascii.Error:
        return None


def _words(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200] or answer.reason_phrase
