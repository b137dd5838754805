"""A Cloudinary of the test's own, strict: signatures are checked by Cloudinary's package, requests by the
fields of its published specification."""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
import time
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

import cloudinary.utils

CLOUD, KEY, SECRET = "my-cloud", "123456789012345", "the-secret-of-the-cloud"
# The properties of `upload_request` and `destroy_request` in Cloudinary's OpenAPI specification of 2026-08,
# as far as a migration could have use for them.
_UPLOAD = """
api_key asset_folder async backup context discard_original_filename display_name eager file
filename_override folder format headers invalidate metadata notification_url overwrite public_id
public_id_prefix return_delete_token signature tags timestamp transformation type unique_filename
upload_preset use_filename
"""
UPLOAD_FIELDS = frozenset(_UPLOAD.split())
_DESTROY = "api_key invalidate notification_url public_id signature timestamp type"
DESTROY_FIELDS = frozenset(_DESTROY.split())
SMALLEST_PIECE = 5_000_000
FORMATS = {b"\x89PNG": "png", b"GIF8": "gif", b"\xff\xd8\xff": "jpg"}


@dataclass
class Asset:
    data: bytes
    format: str
    version: int


@dataclass
class Cloud:
    """`used_up`: the calls of the admin interface for this hour are."""

    assets: dict[tuple[str, str], Asset] = field(default_factory=dict)
    waiting: dict[str, bytes] = field(default_factory=dict)
    pieces: list[int] = field(default_factory=list)
    algorithm: str = "sha1"
    used_up: bool = False
    largest: int = 1 << 30
    version: int = 1_700_000_000

    def held(self) -> dict[str, bytes]:
        """Everything, by the name under which it is delivered."""
        return {f"{i}.{a.format}" if kind != "raw" else i: a.data for (kind, i), a in self.assets.items()}


class Refusal(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class Handler(BaseHTTPRequestHandler):
    """One request."""

    cloud: Cloud
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        self._body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = [unquote(p) for p in urlsplit(self.path).path.strip("/").split("/")]
        try:
            if parts[:2] == ["v1_1", CLOUD] and self.command == "POST":
                self._json(self._write(parts[2], parts[3]))
            elif parts[:2] == ["v1_1", CLOUD]:
                self._json(self._admin(parts[2:]))
            elif parts[:1] == [CLOUD]:
                self._deliver(parts[1:])
            else:
                raise Refusal(404, "cloud_name mismatch")
        except Refusal as refusal:
            self._json({"error": {"message": refusal.words}}, refusal.status)

    do_GET = do_HEAD = do_POST = _handle

    def _write(self, kind: str, action: str) -> Any:
        if action == "destroy":
            fields = json.loads(self._body)
            self._check(fields, DESTROY_FIELDS)
            found = self.cloud.assets.pop((kind, fields["public_id"]), None)
            return {"result": "ok" if found else "not found"}
        fields, data = self._form()
        self._check(fields, UPLOAD_FIELDS)
        if re.search(r"[?&#\\%<>]|^/|/$|//", fields["public_id"]) or kind not in ("image", "video", "raw"):
            raise Refusal(400, f"public_id ({fields['public_id']}) is invalid")
        if action == "upload_chunked":
            start, end, total = self._span()
            self.cloud.pieces.append(len(data))
            held = self.cloud.waiting.get(self.headers["X-Unique-Upload-Id"], b"")
            if end + 1 - start != len(data) or (end + 1 < total and len(data) < SMALLEST_PIECE):
                raise Refusal(400, "Invalid Content-Range")
            if start > len(held):
                raise Refusal(400, "Missing chunks")
            data = held[:start] + data
            self.cloud.waiting[self.headers["X-Unique-Upload-Id"]] = data
            if end + 1 < total:
                return {"done": False, "bytes": len(data)}
            del self.cloud.waiting[self.headers["X-Unique-Upload-Id"]]
        elif action != "upload":
            raise Refusal(404, "no such action")
        if len(data) > self.cloud.largest:
            raise Refusal(400, f"File size too large. Got {len(data)}. Maximum is {self.cloud.largest}.")
        shape = next((f for magic, f in FORMATS.items() if data.startswith(magic)), "")
        if kind == "image" and not shape:
            raise Refusal(400, "Invalid image file")
        at = (kind, fields["public_id"])
        if at in self.cloud.assets and fields.get("overwrite") == "false":
            return {**self._about(at), "existing": True}
        self.cloud.version += 1
        self.cloud.assets[at] = Asset(data, shape if kind == "image" else "", self.cloud.version)
        return self._about(at)

    def _check(self, fields: dict[str, str], known: frozenset[str]) -> None:
        unknown = set(fields) - known
        if unknown:
            raise Refusal(400, f"Unknown fields {unknown}")
        if fields.get("api_key") != KEY:
            raise Refusal(401, f"Unknown API key {fields.get('api_key')}")
        if abs(time.time() - int(fields["timestamp"])) > 3600:
            raise Refusal(400, "Stale request - reported time is more than 1 hour ago")
        signed = {k: v for k, v in fields.items() if k not in ("api_key", "signature", "file")}
        right = cloudinary.utils.api_sign_request(signed, SECRET, self.cloud.algorithm)
        if fields.get("signature") != right:
            raise Refusal(401, f"Invalid Signature {fields.get('signature')}. String to sign - '{signed}'.")

    def _form(self) -> tuple[dict[str, str], bytes]:
        kind = self.headers["Content-Type"].encode()
        message = BytesParser().parsebytes(b"Content-Type: " + kind + b"\r\n\r\n")
        mark = b"--" + str(message.get_boundary()).encode()
        fields, data = {}, None
        for part in self._body.split(mark)[1:-1]:
            head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            content = content.removesuffix(b"\r\n")
            found = re.search(rb'name="([^"]+)"', head)
            assert found
            if found.group(1) == b"file":
                data = content
            else:
                fields[found.group(1).decode()] = content.decode()
        if data is None:
            raise Refusal(400, "Missing required parameter - file")
        return fields, data

    def _span(self) -> tuple[int, int, int]:
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", self.headers["Content-Range"])
        assert found
        start, end, total = map(int, found.groups())
        return start, end, total

    def _admin(self, parts: list[str]) -> Any:
        right = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {right}":
            raise Refusal(401, "Invalid credentials")
        if self.cloud.used_up:
            raise Refusal(420, "Rate Limit Exceeded. Limit of 500 api operations reached.")
        if parts == ["usage"]:
            return {"media_limits": {"image_max_size_bytes": self.cloud.largest}}
        at = (parts[1], parts[3])
        if parts[0] != "resources" or parts[2] != "upload" or at not in self.cloud.assets:
            raise Refusal(404, f"Resource not found - {parts[-1]}")
        return self._about(at)

    def _about(self, at: tuple[str, str]) -> dict[str, Any]:
        kind, public_id = at
        asset = self.cloud.assets[at]
        name = f"{public_id}.{asset.format}" if asset.format else public_id
        host = self.headers["Host"]
        return {
            "public_id": public_id,
            "resource_type": kind,
            "type": "upload",
            "bytes": len(asset.data),
            "etag": hashlib.md5(asset.data).hexdigest(),
            "version": asset.version,
            "secure_url": f"http://{host}/{CLOUD}/{kind}/upload/v{asset.version}/{name}",
        }

    def _deliver(self, parts: list[str]) -> None:
        kind, path = parts[0], [p for p in parts[2:] if not re.fullmatch(r"v\d+", p)]
        name = "/".join(path)
        public_id, extension = (name, "") if kind == "raw" else posixpath.splitext(name)
        asset = self.cloud.assets.get((kind, public_id))
        if asset is None or (kind == "image" and extension != f".{asset.format}"):
            raise Refusal(404, "Resource not found")
        self._answer(200, asset.data, "application/octet-stream")

    def _json(self, value: Any, status: int = 200) -> None:
        self._answer(status, json.dumps(value).encode(), "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""
