"""Secrets: a value that never shows itself, references to where it lives, and one redactor.

A reference is `env:NAME`, `keyring:NAME` or `file:PATH`; a literal secret is never accepted.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, quote_plus, unquote, urlsplit

from wizard.errors import UsageError

REFERENCE = re.compile(r"^(env|keyring|file):(.+)$", re.DOTALL)
_PRIVATE = re.compile(r"private|secret|token|password", re.IGNORECASE)
SERVICE = "ashore"
MASK = "***"
SHORTEST = 4
LONG_LINE = 12


class Secret:
    """A string that shows itself as `***` everywhere but in `reveal()`.

    Not picklable and not JSON-serialisable, so that no log, cache or crash report can hold it.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The value itself, for the one call that needs it."""
        return self.__value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__value

    def __hash__(self) -> int:
        return hash(("Secret", self.__value))

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not serialised")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret lives: `scheme` is env, keyring or file; `name` the rest."""

    scheme: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Raises UsageError (`literal-secret`) for anything else; the text is not repeated."""
        match = REFERENCE.match(text)
        if match is None:
            raise UsageError(
                "literal-secret",
                "A secret stands where a reference belongs; its value is not repeated here.",
                "Write env:NAME, keyring:NAME or file:PATH, and keep the value there.",
            )
        return cls(match.group(1), match.group(2))

    def __str__(self) -> str:
        return f"{self.scheme}:{self.name}"


def looks_secret(text: str) -> Iterable[str]:
    """The forms in which a secret could turn up in a text: itself, its lines, encoded, its URL's password.

    None for values so short that ordinary words would be masked.
    """
    values = [text, text.strip()]
    if "://" in text:
        try:
            password = urlsplit(text).password
        except ValueError:
            password = None
        if password:
            values += [password, unquote(password)]
    values += _private_parts(text)
    # A key of several lines reaches a log line by line. Short lines of it are ordinary words.
    values += [line for v in values for line in map(str.strip, v.splitlines()) if len(line) >= LONG_LINE]
    for value in (v for v in dict.fromkeys(values) if len(v) >= SHORTEST):
        yield value
        for safe in ("", "/"):
            quoted = quote(value, safe=safe, errors="surrogateescape")
            yield quoted
            yield re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), quoted)
        yield quote_plus(value, errors="surrogateescape")
        yield json.dumps(value)[1:-1]
        yield json.dumps(value, ensure_ascii=False)[1:-1]
        yield repr(value)[1:-1]
        yield base64.b64encode(value.encode("utf-8", "surrogateescape")).decode()


def _private_parts(text: str) -> list[str]:
    """The secret values inside a JSON object, e.g. the key in a service account's file."""
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else {}
    except ValueError:
        return []
    return [v for k, v in found.items() if isinstance(v, str) and _PRIVATE.search(k)]


class Redactor:
    """Replaces every known secret in a text. One stands before every sink of a process."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def learn(self, secret: Secret) -> Secret:
        """Redact `secret` from now on. Values under four characters would mask ordinary words."""
        new = set(looks_secret(secret.reveal())) - self._forms
        if new:
            self._forms |= new
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return secret

    def text(self, text: str) -> str:
        """`text` with every learned secret masked, and passwords inside any URL."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        return re.sub(r"(?<=://)([^/\s:@]*):([^/\s@]+)@", rf"\1:{MASK}@", text)


class Vault:
    """Resolves references to secrets for one process, and teaches the redactor each of them.

    `given` (from --secrets-stdin or the screen) comes before everything else. A keyring that cannot
    be reached is an error that names the reference, never an empty secret.
    """

    def __init__(
        self,
        redactor: Redactor,
        given: Mapping[str, Secret] | None = None,
        environ: Mapping[str, str] | None = None,
        keyring_get: Callable[[str], Secret | None] | None = None,
        base: Path | None = None,
    ) -> None:
        self.redactor = redactor
        self._given = dict(given or {})
        self._environ = os.environ if environ is None else environ
        self._keyring_get = keyring_get or keyring_read
        self._base = base or Path.cwd()
        for secret in self._given.values():
            redactor.learn(secret)

    def resolve(self, reference: str) -> Secret:
        """The secret behind `reference`. Raises UsageError (`secret-missing`), which names it."""
        ref = Reference.parse(reference)
        secret = self._given.get(str(ref)) or self._look(ref)
        if not secret:
            raise UsageError(
                "secret-missing",
                f"The secret {ref} is not set.",
                {
                    "env": f"Set the environment variable {ref.name}, or pass it with --secrets-stdin.",
                    "keyring": f"Store it with `ashore credentials set {ref.name}`, or pass it with "
                    "--secrets-stdin.",
                    "file": f"Put the value into the file {ref.name}.",
                }[ref.scheme],
            )
        return self.redactor.learn(secret)

    def _look(self, ref: Reference) -> Secret | None:
        if ref.scheme == "env":
            value = self._environ.get(ref.name)
            return Secret(value) if value else None
        if ref.scheme == "file":
            try:
                text = (self._base / ref.name).read_text(encoding="utf-8").strip()
            except OSError:
                return None
            return Secret(text) if text else None
        return self._keyring_get(ref.name)


def keyring_read(name: str) -> Secret | None:
    """The keyring's value for `name`, or None. Raises UsageError where no keyring is usable."""
    from wizard.keyrings import open_keyring

    return open_keyring().get(name)
