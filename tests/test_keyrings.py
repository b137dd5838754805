"""The keyring: a value said to be stored is there; a ring that cannot hold one is refused with reason."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked

from wizard import keyrings
from wizard.commands import credentials as command
from wizard.credentials import Redactor, Secret, Vault
from wizard.errors import AshoreError, Refused, UsageError


class Ring(KeyringBackend):
    """A working keyring in memory."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.held[service, username]


class Forgetful(Ring):
    """Accepts and discards, as keyring's null backend does, but cannot be told by its name."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Locked(Ring):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("the collection is locked")


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def test_stored_read_back_listed_and_deleted() -> None:
    keyring.set_keyring(Ring())
    ring = keyrings.open_keyring()
    ring.store("my-app/db", Secret("value one"))
    ring.store("my-app/s3", Secret("value two"))
    assert Vault(Redactor()).resolve("keyring:my-app/db").reveal() == "value one"
    assert ring.names() == ("my-app/db", "my-app/s3")
    assert ring.delete("my-app/db") is True
    assert ring.delete("my-app/db") is False
    assert ring.get("my-app/db") is None
    assert ring.names() == ("my-app/s3",)


@pytest.mark.parametrize("backend", [fail.Keyring(), null.Keyring()])
def test_a_ring_that_cannot_hold_a_secret_is_refused(backend: KeyringBackend) -> None:
    keyring.set_keyring(backend)
    assert keyrings.keyring_state().usable is False
    with pytest.raises(UsageError) as caught:
        keyrings.open_keyring()
    assert "env:NAME" in caught.value.hint


def test_a_value_that_does_not_stay_is_an_error_without_the_value() -> None:
    keyring.set_keyring(Forgetful())
    with pytest.raises(Refused) as caught:
        keyrings.open_keyring().store("name", Secret("hunter2secret"))
    assert "hunter2" not in str(caught.value)


def test_a_locked_ring_says_so() -> None:
    keyring.set_keyring(Locked())
    with pytest.raises(AshoreError) as caught:
        Vault(Redactor()).resolve("keyring:name")
    assert "locked" in caught.value.message


def test_the_command_lists_names_only_and_reveals_only_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from wizard.cli import build_parser

    keyring.set_keyring(Ring())

    def call(*words: str) -> int:
        return command.credentials(build_parser().parse_args(["credentials", *words]), None)

    monkeypatch.setattr(sys, "stdin", io.StringIO("hunter2secret\n"))
    assert call("set", "token") == 0
    assert call("list") == 0
    with pytest.raises(UsageError) as caught:
        call("reveal", "token")
    assert caught.value.code == "terminal-needed"
    assert call("delete", "token") == 0
    out, err = capsys.readouterr()
    assert out == "token\n"
    assert "hunter2" not in out + err


def test_without_a_keyring_the_command_says_what_to_do_instead() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "wizard", "credentials", "list"],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 2
    assert "env:NAME" in done.stderr
