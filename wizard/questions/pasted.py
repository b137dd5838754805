"""What providers' pages give to copy, taken apart: one paste may answer several questions.

A connection string comes as `psql 'postgresql://…'`, `DATABASE_URL="…"`, `cloudinary://KEY:SECRET@CLOUD` or
Azure's `AccountName=…;AccountKey=…`. Nothing here connects, shows or keeps a value.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.model import Check
from wizard.question import Question

_ASSIGNED = re.compile(r"^(?:export\s+|set\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=\s*(?=[\"']?[a-z]+(?:\+\w+)?://)")
_CLIENT = re.compile(r"^(?:psql|mongosh)\s+(?:-d\s+)?")
_R2 = re.compile(r"^(https://[a-z0-9.]+\.r2\.cloudflarestorage\.com)/([^/?#]+)/?$")
_PLACEHOLDER = re.compile(r"://[^/:@]*:(?:\[?(?:YOUR[-_ ])?PASSWORD\]?|[*•]+|<[^>]*>)@", re.IGNORECASE)
_PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
POOLED = (
    (re.compile(r"-pooler\.[a-z0-9.-]*neon\.tech$"), None, "Neon's direct host is the same without -pooler."),
    (
        re.compile(r"\.pooler\.supabase\.com$"),
        "6543",
        "Take the session pooler, port 5432 at the same host, or the direct host db.REF.supabase.co.",
    ),
)


@dataclass(frozen=True)
class Pasted:
    """Replies by the question's key: a Secret where it is one, else text. `checks` say what was recognised,
    without any secret; one that is not ok says what is wrong with it."""

    values: dict[str, Secret | str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()


def holds_password(text: str) -> bool:
    """Whether a text, typed where it would be shown and saved, is an address with a password in it."""
    return _PASSWORD.search(text) is not None


def bare(text: str) -> str:
    """The connection string without what pages and shells put around it: variable, client, quotes."""
    text = _CLIENT.sub("", _ASSIGNED.sub("", text.strip())).strip()
    if len(text) > 1 and text[0] in "\"'":
        text = text[1:].split(text[0])[0]
    return text.strip()


def one_line(text: str) -> str | None:
    """A pasted text as one line: itself, or a JSON file (a service account's key) without its line breaks.
    None for any other text of several lines."""
    if len(text.splitlines()) <= 1:
        return text
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return json.dumps(found, separators=(",", ":")) if isinstance(found, dict) else None


def take_apart(question: Question, text: str) -> Pasted:
    """What a reply to `question` holds. Where nothing more is recognised, it is the reply itself."""
    if question.key in ("database.url", "database.source"):
        return _database(question.key, bare(text))
    for take in (_cloudinary, _azure, _r2):
        found = take(text.strip())
        if found is not None and question.key in found.values:
            return found
    return Pasted({question.key: Secret(text) if question.kind == "secret" else text})


def _database(key: str, text: str) -> Pasted:
    values: dict[str, Secret | str] = {key: Secret(text)}
    if not re.match(r"postgres(ql)?(\+\w+)?://", text):
        if re.match(r"mongodb(\+srv)?://", text):
            return Pasted(values, (Check("read", True, "a MongoDB connection string"),))
        wrong = "It looks like postgresql://user:password@host:5432/name; copy the whole line."
        return Pasted(values, (Check("read", False, "this is not a connection string", wrong),))
    if _PLACEHOLDER.search(text):
        hint = "Put the database's password in its place, without the brackets or dots."
        return Pasted(values, (Check("password", False, "a placeholder stands in its place", hint),))
    from wizard.databases.postgres.connect import parse

    try:
        parts = parse(Secret(text))
    except UsageError as error:
        return Pasted(values, (Check("read", False, error.message, error.hint),))
    return Pasted(values, tuple(_parts(parts)))


def _parts(parts: dict[str, str]) -> list[Check]:
    host, port = parts["host"], parts.get("port", "5432")
    user = parts.get("user", "")
    said = f"host {host}, port {port}, database {parts['dbname']}" + (f", user {user}" if user else "")
    tls = {"disable": "TLS off", "allow": "TLS off", "prefer": "TLS if offered"}.get(
        parts.get("sslmode", "prefer"), "TLS on"
    )
    found = [Check("read", True, f"{said}, {tls}")]
    if not parts.get("password"):
        hint = "Copy it with the password shown; some pages hide it until asked."
        found.append(Check("password", False, "none stands in it", hint))
    for host_like, only_port, hint in POOLED:
        if host_like.search(host) and only_port in (None, port):
            found.append(Check("direct", False, "this is the pooled address", hint))
    return found


def _cloudinary(text: str) -> Pasted | None:
    text = text.removeprefix("CLOUDINARY_URL=").strip("\"' ")
    if not text.startswith("cloudinary://"):
        return None
    try:
        parts = urlsplit(text)
        key, secret, cloud = parts.username, parts.password, parts.hostname
    except ValueError:
        return None
    if not (key and secret and cloud):
        return None
    # urlsplit lowers the case of a host; a cloud's name keeps it.
    cloud = text.rpartition("@")[2].split("/")[0].split("?")[0]
    return Pasted(
        {
            "storage.cloud_name": cloud,
            "storage.api_key": Secret(unquote(key)),
            "storage.api_secret": Secret(unquote(secret)),
        },
        (Check("read", True, f"cloud {cloud}, with its API key and secret"),),
    )


def _azure(text: str) -> Pasted | None:
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    account, key = parts.get("AccountName"), parts.get("AccountKey")
    if not (account and key):
        return None
    return Pasted(
        {"storage.account": account, "storage.account_key": Secret(key)},
        (Check("read", True, f"storage account {account}, with its key"),),
    )


def _r2(text: str) -> Pasted | None:
    match = _R2.match(text)
    if match is None:
        return None
    return Pasted(
        {"storage.endpoint": match[1], "storage.bucket": match[2]},
        (Check("read", True, f"endpoint {match[1]}, bucket {match[2]}"),),
    )
