"""The answers' keys of one storage as its dataclass, for every storage alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar
from urllib.parse import urlsplit

from wizard.answers import StorageRule
from wizard.errors import UsageError

REFERENCE: Mapping[str, object] = {"reference": True}

Given = TypeVar("Given")


def options_of(kind: type[Given], provider: str, given: Mapping[str, Any]) -> Given:
    """The rule's options as `kind`, a dataclass. Raises UsageError `storage-option` naming the key."""
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise UsageError(
                "storage-option", f"storage: {provider} knows no {name}.", f"It knows {', '.join(known)}."
            )
    said = {k: v for k, v in given.items() if v is not None}
    required = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
    missing = [n for n in required if n not in said]
    if missing:
        raise UsageError(
            "storage-option",
            f"storage: {provider} needs {', '.join(missing)}.",
            "Add it to the rule in the answers.",
        )
    return kind(**said)


def check_endpoint(endpoint: str) -> str:
    """`endpoint` without a trailing slash. Raises UsageError `endpoint` unless it is an http(s) address."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise UsageError(
            "endpoint",
            "storage: the endpoint is not an address like https://s3.example.com.",
            "Write the server's address without bucket, user name or key.",
        )
    return endpoint.rstrip("/")


def public_base(rule: StorageRule, default: str | None) -> str | None:
    """The address browsers read from: none for signed access, else the answer's or the provider's."""
    return (rule.public_url or default) if rule.access == "public" else None
