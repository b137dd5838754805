"""The OS keyring, used so that a value is there when it was said to be stored.

Known traps (keyring 25): the fail backend on a headless Linux, the null backend that accepts and
discards, plaintext backends, a locked Secret Service that blocks for ever.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from wizard.credentials import SERVICE, Secret
from wizard.errors import Refused, UsageError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

TIMEOUT = 30.0
INDEX = "__names__"
REFUSED_MODULES = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyringState:
    """Whether secrets can be stored here, in which keyring, and if not, why."""

    usable: bool
    title: str
    why: str


class Keyring:
    """A usable keyring. Values are strings; names are the user's."""

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend

    def get(self, name: str) -> Secret | None:
        """The value stored under `name`, or None."""
        value = _bounded(lambda: self._backend.get_password(SERVICE, name))
        return None if value is None else Secret(value)

    def store(self, name: str, secret: Secret) -> None:
        """Store and read back. Raises Refused `keyring-lost` where the value did not stay."""
        _bounded(lambda: self._backend.set_password(SERVICE, name, secret.reveal()))
        if self.get(name) != secret:
            raise Refused(
                "keyring-lost",
                f"The keyring accepted {name} but does not give it back.",
                "Use an environment variable (env:NAME) instead.",
            )
        self._write_names({*self.names(), name})

    def delete(self, name: str) -> bool:
        """Remove `name`; False where it was not there."""
        there = self.get(name) is not None
        if there:
            _bounded(lambda: self._backend.delete_password(SERVICE, name))
        self._write_names({*self.names()} - {name})
        return there

    def names(self) -> tuple[str, ...]:
        """The names stored by ashore, sorted. A keyring cannot be listed, so an index entry is kept."""
        text = _bounded(lambda: self._backend.get_password(SERVICE, INDEX))
        return tuple(sorted(json.loads(text))) if text else ()

    def _write_names(self, names: set[str]) -> None:
        text = json.dumps(sorted(names))
        _bounded(lambda: self._backend.set_password(SERVICE, INDEX, text))


def keyring_state() -> KeyringState:
    """Look at the keyring without storing anything."""
    import keyring
    from keyring.errors import KeyringError

    try:
        backend = _bounded(keyring.get_keyring)
    except (KeyringError, UsageError) as error:
        return KeyringState(False, "no keyring", str(error))
    chain = [backend, *getattr(backend, "backends", ())]
    usable = [
        b for b in chain if not type(b).__module__.startswith((*REFUSED_MODULES, "keyring.backends.chainer"))
    ]
    if not usable:
        return KeyringState(
            False,
            "no keyring",
            "No keyring of this system can hold a secret.",
        )
    return KeyringState(True, str(usable[0].name), "")


def open_keyring() -> Keyring:
    """The usable keyring. Raises UsageError `keyring-unusable` with what to do instead."""
    import keyring

    state = keyring_state()
    if not state.usable:
        raise UsageError(
            "keyring-unusable", state.why, "Use env:NAME or file:PATH references, or --secrets-stdin."
        )
    return Keyring(keyring.get_keyring())


def _bounded(call: Callable[[], T]) -> T:
    """`call()` in a thread of its own, given TIMEOUT seconds: a locked keyring can block for ever.

    Raises UsageError `keyring-blocked` or `keyring-error` (the keyring's own words, which hold no value).
    """
    from keyring.errors import KeyringError

    results: list[T] = []
    errors: list[KeyringError] = []

    def work() -> None:
        try:
            results.append(call())
        except KeyringError as error:
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(TIMEOUT)
    if errors:
        raise UsageError(
            "keyring-error", f"The keyring says: {errors[0]}", "Unlock it, or use env:NAME references."
        )
    if not results:
        raise UsageError(
            "keyring-blocked", "The keyring did not answer.", "Unlock it, or use env:NAME references."
        )
    return results[0]
