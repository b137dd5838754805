"""Encryption with age (https://age-encryption.org, through `pyrage`): a passphrase, or a public key.

With a passphrase each backup has a key pair of its own, whose secret half lies beside it as `key.age`, sealed
with the passphrase; so that the slow derivation runs once, and the `age` program can open everything as well.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wizard.backup.layout import Encryption
from wizard.credentials import Secret
from wizard.errors import NotAsPlanned, UsageError

SHORTEST_PASSPHRASE = 12
PUBLIC = "age1"
PRIVATE = "AGE-SECRET-KEY-1"


@dataclass(frozen=True)
class Sealer:
    """Seals every part of one backup. `key` is the sealed secret key to lie beside it, or None."""

    encryption: Encryption
    key: bytes | None
    _recipient: Any

    def seal(self, source: Path, target: Path) -> None:
        import pyrage

        with source.open("rb") as reading, target.open("wb") as writing:
            pyrage.encrypt_io(reading, writer=writing, recipients=[self._recipient])


@dataclass(frozen=True)
class Opener:
    """Opens what a Sealer sealed."""

    _identity: Any

    def open(self, source: Path, target: Path) -> bool:
        """Open into `target`; False where the key does not fit or a byte is not what was sealed."""
        import pyrage

        try:
            with source.open("rb") as reading, target.open("wb") as writing:
                pyrage.decrypt_io(reading, writing, [self._identity])
        except pyrage.DecryptError:
            return False
        except OSError as error:
            if error.errno is not None:
                raise
            return False  # pyrage's own: a chunk that does not authenticate
        return True


def sealer(text: str, passphrase: Secret | None) -> Sealer:
    """For the public key `text`, or for `passphrase` (the value behind the reference `text`).

    Raises UsageError `age-missing`, `age-key`, `passphrase-short`.
    """
    _require()
    import pyrage

    if passphrase is None:
        try:
            return Sealer("age-recipient", None, pyrage.x25519.Recipient.from_str(text))
        except pyrage.RecipientError as error:
            raise UsageError(
                "age-key",
                f"{text[:12]}… is not a public key of age.",
                "Make a pair with `age-keygen`; the public half begins with age1.",
            ) from error
    if len(passphrase.reveal()) < SHORTEST_PASSPHRASE:
        raise UsageError(
            "passphrase-short",
            f"The passphrase in {text} has fewer than {SHORTEST_PASSPHRASE} characters.",
            "Choose a longer one, and keep it where the backups are not.",
        )
    identity = pyrage.x25519.Identity.generate()
    key = pyrage.passphrase.encrypt(str(identity).encode(), passphrase.reveal())
    return Sealer("age-passphrase", key, identity.to_public())


def opener(encryption: Encryption, key: bytes | None, given: Secret, where: str) -> Opener:
    """With the passphrase or key `given`. Raises UsageError `age-missing`, NotAsPlanned `backup-key`."""
    _require()
    import pyrage

    wrong = NotAsPlanned(
        "backup-key",
        f"{where}: the {'passphrase' if encryption == 'age-passphrase' else 'key'} does not open this "
        "backup. Nothing was restored.",
        "Name the one that it was made with: --key REF.",
    )
    text = given.reveal().strip()
    try:
        if encryption == "age-passphrase":
            text = pyrage.passphrase.decrypt(key or b"", given.reveal()).decode()
        else:
            text = next((line for line in text.splitlines() if line.startswith(PRIVATE)), text)
        return Opener(pyrage.x25519.Identity.from_str(text))
    except (pyrage.DecryptError, pyrage.IdentityError, ValueError) as error:
        raise wrong from error


def _require() -> None:
    if importlib.util.find_spec("pyrage") is None:
        raise UsageError(
            "age-missing",
            "Encrypted backups need the package pyrage, which is not installed.",
            'Install it with: pip install "ashore[encryption]"',
        )
