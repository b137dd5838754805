"""The answers' keys of one storage as its dataclass, for every storage alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar
from urllib.parse import urlsplit

from wizard.answers import StorageRule
from wizard.errors import UsageError
from wizard.question import Ask

REFERENCE: Mapping[str, object] = {"reference": True}
KEPT_WHERE = "It goes to the keyring, or stays in memory for this run; it is written to no file."

Given = TypeVar("Given")


def asked(
    title: str, why: str, help: str = "", *, example: str = "", required: bool = True
) -> Mapping[str, object]:
    """Metadata of a key that the wizard asks for. A key without a default is asked for in any case."""
    return {"ask": Ask(title, why, help, example, required=required)}


def asked_secret(title: str, why: str, help: str = KEPT_WHERE, *, variable: str) -> Mapping[str, object]:
    """Metadata of a key that refers to a secret; `variable` holds it where there is no keyring."""
    return {**REFERENCE, "ask": Ask(title, why, help, variable=variable)}


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
