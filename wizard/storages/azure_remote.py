"""A container of Azure Blob Storage through its REST interface.

https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl, quote, urlencode
from xml.sax.saxutils import escape

import httpx

from wizard.credentials import Secret
from wizard.errors import AshoreError, ConnectionLost, Refused, UsageError
from wizard.storages.base import Limits, Stored, Upload
from wizard.storages.rest_http import Http
from wizard.storages.rest_remote import Occupied, Record

VERSION = "2023-11-03"
PIECE = 8 << 20
MOST_BLOCKS = 50_000
SIGNED_S = 600
_HINTS = {
    "AuthenticationFailed": (
        "secret-key-wrong",
        "Copy account name and key again (Access keys in the portal), and check this machine's clock.",
    ),
    "AuthorizationFailure": ("access-denied", "Check the account key, and the account's network rules."),
    "AuthorizationPermissionMismatch": (
        "access-denied",
        "Use an account key; it may read, write and delete.",
    ),
    "KeyBasedAuthenticationNotPermitted": (
        "access-denied",
        "Allow storage account key access in the portal.",
    ),
    "ContainerNotFound": (
        "bucket-missing",
        "Create the container, correct its name, or answer `create: true`.",
    ),
    "ContainerBeingDeleted": ("storage-refused", "Wait until the container is deleted, or choose another."),
    "ContainerDisabled": ("access-denied", "Enable the container in the portal."),
    "AccountIsDisabled": ("account-problem", "Look at the subscription's billing page."),
    "InsufficientAccountPermissions": ("access-denied", "Use an account key with full rights."),
    "RequestBodyTooLarge": ("object-too-large", "Route larger files elsewhere with `max_size`."),
    "InvalidBlobType": ("storage-refused", "Something else stands under this name; choose another prefix."),
}


@dataclass(frozen=True, slots=True)
class AzurePlace:
    """A container's address. `endpoint` is the account's, without the container."""

    title: str
    account: str
    container: str
    endpoint: str
    prefix: str = ""
    public_base: str | None = None

    @property
    def limits(self) -> Limits:
        return Limits(
            50_000 * (4000 << 20)
        )  # https://learn.microsoft.com/azure/storage/blobs/scalability-targets

    @property
    def identity(self) -> str:
        return f"{self.endpoint}/{self.container}"

    def key_problem(self, key: str) -> str | None:
        """Rules: "Naming and referencing containers, blobs"; also what django-storages drops."""
        if not key:
            return "the key is empty"
        if len(key) > 1024:
            return f"the key is {len(key)} characters long, and 1024 is the most"
        if key != key.strip("./") or any(part in ("", ".", "..") for part in key.split("/")):
            return "Azure drops dots and slashes at the ends of a name, and empty parts of it"
        if "\\" in key or re.search(r"[\x00-\x1f\x7f]", key):
            return "Azure refuses backslashes and control characters in names"
        return None


class SharedKey(httpx.Auth):
    """Signs each request with the account's key.

    https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    """

    requires_request_body = True

    def __init__(self, account: str, key: Secret) -> None:
        """Raises UsageError `credentials-unreadable` for what is no account key."""
        try:
            self._key = base64.b64decode(key.reveal(), validate=True)
        except (binascii.Error, ValueError) as error:
            raise UsageError(
                "credentials-unreadable",
                "The Azure account key is not one (Base64); it is not repeated here.",
                "Copy key1 from Access keys in the portal, without the rest of the connection string.",
            ) from error
        self._account = account

    def sign(self, text: str) -> str:
        return base64.b64encode(hmac.new(self._key, text.encode(), hashlib.sha256).digest()).decode()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        headers = request.headers
        headers["x-ms-date"] = format_datetime(datetime.now(UTC), usegmt=True)
        headers["x-ms-version"] = VERSION
        length = headers.get("Content-Length", "0")
        standard = [
            headers.get(name, "")
            for name in (
                "Content-Encoding",
                "Content-Language",
                "Content-Length",
                "Content-MD5",
                "Content-Type",
                "Date",
                "If-Modified-Since",
                "If-Match",
                "If-None-Match",
                "If-Unmodified-Since",
                "Range",
            )
        ]
        standard[2] = "" if length == "0" else length
        own = sorted((n.lower(), v.strip()) for n, v in headers.items() if n.lower().startswith("x-ms-"))
        raw_path = request.url.raw_path.decode("ascii").partition("?")[0]
        resource = [f"/{self._account}{raw_path}"]
        query = parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True)
        resource += [f"{name.lower()}:{value}" for name, value in sorted(query)]
        text = "\n".join([request.method, *standard, *(f"{n}:{v}" for n, v in own), *resource])
        headers["Authorization"] = f"SharedKey {self._account}:{self.sign(text)}"
        yield request


class AzureRemote:
    """Implements rest_remote.Remote."""

    def __init__(self, place: AzurePlace, key: Secret) -> None:
        self._place, self._auth = place, SharedKey(place.account, key)
        self.name, self.title, self.identity = place.container, place.title, place.identity
        self.prefix, self.piece = place.prefix, PIECE
        self._http = Http(place.title, self._explain, self._auth)
        self._container = f"{place.endpoint}/{place.container}"
        # Of the one large file under way: blocks that stood before, and those of this pass by number.
        self._standing: frozenset[str] = frozenset()
        self._ids: dict[int, str] = {}

    def _blob(self, key: str) -> str:
        return f"{self._container}/{quote(key, safe='/~')}"

    def _explain(self, answer: httpx.Response, doing: str) -> AshoreError:
        found = re.search(r"<Message>([^<\n]*)", answer.text)
        code = answer.headers.get("x-ms-error-code") or str(answer.status_code)
        said = f"{code}: {found.group(1).rstrip('.')}" if found else code
        where = f"{self.title} says: {said} (container {self.name}, {doing})."
        if answer.status_code >= 500 or answer.status_code in (408, 429):
            return ConnectionLost("storage-unavailable", where, "Wait a little, then `ashore resume`.")
        if code in ("403", "401"):
            code = "AuthenticationFailed"
        ours, hint = _HINTS.get(
            code, ("storage-refused", "See Azure's page for this code, then `ashore resume`.")
        )
        return Refused(ours, where, hint)

    def reach(self) -> None:
        # GET, not HEAD: its refusals have words.
        params = {"restype": "container", "comp": "list", "maxresults": "1"}
        self._http.send("looking at the container", "GET", self._container, params=params)

    def create(self) -> None:
        self._http.send(
            "creating the container", "PUT", self._container, expected=(201,), params={"restype": "container"}
        )

    def allow_origins(self, origins: tuple[str, ...]) -> None:
        doing = "allowing other origins to read"
        params, url = {"restype": "service", "comp": "properties"}, f"{self._place.endpoint}/"
        standing = self._http.send(doing, "GET", url, params=params).text
        found = re.search(r"<Cors>(.*?)</Cors>", standing, re.DOTALL)
        rules = found.group(1) if found else ""
        ours = (
            f"<CorsRule><AllowedOrigins>{escape(','.join(origins))}</AllowedOrigins>"
            "<AllowedMethods>GET,HEAD</AllowedMethods><MaxAgeInSeconds>3600</MaxAgeInSeconds>"
            "<ExposedHeaders>*</ExposedHeaders><AllowedHeaders>*</AllowedHeaders></CorsRule>"
        )
        if f"<AllowedOrigins>{escape(','.join(origins))}</AllowedOrigins>" in rules:
            return
        # Only what is named is changed; everything else of the account stays.
        body = (
            '<?xml version="1.0" encoding="utf-8"?><StorageServiceProperties>'
            f"<Cors>{rules}{ours}</Cors></StorageServiceProperties>"
        )
        self._http.send(doing, "PUT", url, expected=(202,), params=params, content=body.encode())

    def head(self, key: str) -> Stored | None:
        doing = f"looking at {key}"
        answer = self._http.send(doing, "HEAD", self._blob(key), expected=(200, 404))
        if answer.status_code == 404:
            if answer.headers.get("x-ms-error-code") == "ContainerNotFound":
                raise self._explain(answer, doing)
            return None
        return Stored(
            key=key,
            size=int(answer.headers["Content-Length"]),
            content_type=answer.headers.get("Content-Type", ""),
            etag=answer.headers["ETag"].strip('"'),
            md5=self._server_md5(key, answer),
        )

    def _server_md5(self, key: str, answer: httpx.Response) -> bytes | None:
        """The MD5 that the server made, of a blob written in one piece; of blocks it keeps what is told."""
        text = answer.headers.get("Content-MD5")
        if text is None or answer.headers.get("x-ms-blob-type") != "BlockBlob":
            return None
        if self._blocks(key, "committed"):
            return None
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            return None

    def _blocks(self, key: str, which: str) -> dict[str, int]:
        """Block id → size in bytes; empty where there is no such blob."""
        answer = self._http.send(
            f"looking at the blocks of {key}",
            "GET",
            self._blob(key),
            expected=(200, 404),
            params={"comp": "blocklist", "blocklisttype": which},
        )
        found = re.findall(r"<Name>([^<]+)</Name>\s*<Size>(\d+)</Size>", answer.text)
        return {name: int(size) for name, size in found} if answer.status_code == 200 else {}

    def read(self, key: str) -> Iterator[bytes]:
        return self._http.stream(f"reading {key}", self._blob(key))

    def delete(self, key: str) -> None:
        headers = {"x-ms-delete-snapshots": "include"}
        self._http.send(f"deleting {key}", "DELETE", self._blob(key), expected=(202, 404), headers=headers)

    def put(self, key: str, data: bytes, content_type: str, only_new: bool) -> str:
        md5 = hashlib.md5(data, usedforsecurity=False).digest()
        headers = {
            "x-ms-blob-type": "BlockBlob",
            "x-ms-blob-content-type": content_type,
            "Content-MD5": base64.b64encode(md5).decode(),
            **_guard(only_new),
        }
        answer = self._http.send(
            f"writing {key}",
            "PUT",
            self._blob(key),
            expected=(201, 409, 412),
            headers=headers,
            content=data,
        )
        return self._etag(answer, f"writing {key}")

    def _etag(self, answer: httpx.Response, doing: str) -> str:
        if answer.status_code == 412 or answer.headers.get("x-ms-error-code") == "BlobAlreadyExists":
            raise Occupied
        if answer.status_code != 201:
            raise self._explain(answer, doing)
        return str(answer.headers["ETag"]).strip('"')

    def begin(self, upload: Upload, only_new: bool) -> Record:
        self._standing, self._ids = frozenset(), {}
        return {"blocks": "their ids hold their number and MD5"}

    def standing(self, upload: Upload, record: Record) -> int:
        """Every piece is looked at anew: what stands of it is known by its MD5, which is in its id."""
        self._standing, self._ids = frozenset(self._blocks(upload.key, "uncommitted")), {}
        return 0

    def send_piece(self, upload: Upload, record: Record, start: int, data: bytes, only_new: bool) -> str:
        number = start // self.piece
        if number >= MOST_BLOCKS:
            raise Refused(
                "object-too-large",
                f"{upload.key} is larger than the {MOST_BLOCKS * self.piece:,} bytes that fit into blocks.",
                "Route it elsewhere with `max_size`.",
            )
        md5 = hashlib.md5(data, usedforsecurity=False).digest()
        block = base64.b64encode(f"{number:05d}-{md5.hex()}".encode()).decode()
        self._ids[number] = block
        if block not in self._standing:
            self._http.send(
                f"writing {upload.key}",
                "PUT",
                self._blob(upload.key),
                expected=(201,),
                params={"comp": "block", "blockid": block},
                headers={"Content-MD5": base64.b64encode(md5).decode()},
                content=data,
            )
        return "" if start + len(data) < upload.size else self._commit(upload, only_new)

    def _commit(self, upload: Upload, only_new: bool) -> str:
        listed = "".join(f"<Latest>{block}</Latest>" for _, block in sorted(self._ids.items()))
        body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()
        body_md5 = hashlib.md5(body, usedforsecurity=False).digest()
        answer = self._http.send(
            f"writing {upload.key}",
            "PUT",
            self._blob(upload.key),
            expected=(201, 409, 412),
            params={"comp": "blocklist"},
            headers={
                "x-ms-blob-content-type": upload.content_type,
                "x-ms-blob-content-md5": base64.b64encode(upload.md5).decode(),
                "Content-MD5": base64.b64encode(body_md5).decode(),
                **_guard(only_new),
            },
            content=body,
        )
        return self._etag(answer, f"writing {upload.key}")

    def abandon(self, key: str, record: Record) -> None:
        """Blocks that were never committed are dropped by Azure after a week; nothing can be asked for."""

    def url(self, key: str) -> str:
        if self._place.public_base is not None:
            return f"{self._place.public_base.rstrip('/')}/{quote(key, safe='/')}"
        until = (datetime.now(UTC) + timedelta(seconds=SIGNED_S)).strftime("%Y-%m-%dT%H:%M:%SZ")
        resource = f"/blob/{self._place.account}/{self._place.container}/{key}"
        fields = ["r", "", until, resource, "", "", "", VERSION, "b", "", "", "", "", "", "", ""]
        signature = self._auth.sign("\n".join(fields))
        query = {"sv": VERSION, "sr": "b", "sp": "r", "se": until, "sig": signature}
        return f"{self._blob(key)}?{urlencode(query)}"


def _guard(only_new: bool) -> dict[str, str]:
    return {"If-None-Match": "*"} if only_new else {}
