"""What several commands share: secrets from standard input, and output on standard output."""

from __future__ import annotations

import json
import sys
from typing import Any

from wizard.credentials import Secret
from wizard.errors import UsageError


def read_secrets(wanted: bool) -> dict[str, Secret]:
    """The JSON object {reference: value} on standard input, read to its end, if `wanted`.

    Raises UsageError `secrets-stdin`; nothing of the input is repeated.
    """
    if not wanted:
        return {}
    try:
        data = json.loads(sys.stdin.read())
    except ValueError:
        data = None
    if not isinstance(data, dict) or not all(isinstance(v, str) for v in data.values()):
        raise UsageError(
            "secrets-stdin",
            "Standard input does not hold one JSON object of references and values.",
            'Write {"env:DATABASE_URL": "…"} to it and close it.',
        )
    return {str(reference): Secret(value) for reference, value in data.items()}


def put_json(value: Any) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def put(text: str = "") -> None:
    """A line on standard output."""
    sys.stdout.write(text + "\n")


def tell(text: str) -> None:
    """A line for people on standard error."""
    sys.stderr.write(text + "\n")
