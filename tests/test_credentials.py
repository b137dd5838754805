"""Secrets never show themselves; references resolve; one redactor masks every form."""

from __future__ import annotations

import base64
import json
import pickle
import re
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from wizard.credentials import Redactor, Reference, Secret, Vault
from wizard.errors import UsageError

VALUE = "p@ss/wörd:1"
URL = "postgresql://app:p%40ss%2Fw%C3%B6rd%3A1@host/db"


def test_a_secret_shows_nothing_anywhere() -> None:
    secret = Secret(VALUE)
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", repr([secret])):
        assert VALUE not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_the_redactor_masks_a_url_its_password_and_both_encodings() -> None:
    redactor = Redactor()
    redactor.learn(Secret(URL))
    for text in (
        URL,
        f"password {VALUE} refused",
        "p%40ss%2Fw%C3%B6rd%3A1",
        "see postgresql://x:unknown@h/db",
    ):
        masked = redactor.text(text)
        assert VALUE not in masked
        assert "p%40ss" not in masked
        assert "unknown" not in masked


def test_the_redactor_masks_every_line_and_every_escape() -> None:
    """A key of many lines reaches a log line by line; libraries quote, escape and encode what they hold."""
    redactor = Redactor()
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nend\n-----END PRIVATE KEY-----\n"
    inner = key.replace("MIIEv", "QUJDRE")
    account = json.dumps({"client_email": "me@example.com", "private_key": inner})
    odd = 'wJalr/+"\\ü=EXAMPLE\tkey'
    for value in (key, account, odd, "  spaced-secret \n"):
        redactor.learn(Secret(value))
    shown = [
        *key.strip().splitlines()[:2], inner.splitlines()[1],
        repr(key), json.dumps(key), repr(odd), json.dumps(odd), json.dumps(odd, ensure_ascii=False),
        quote(odd), quote(odd, safe=""), quote_plus(odd),
        re.sub("%..", lambda m: m[0].lower(), quote(odd, safe="")),
        base64.b64encode(odd.encode()).decode(), "said: spaced-secret",
    ]  # fmt: skip
    for text in shown:
        masked = redactor.text(text)
        assert "***" in masked, text
        assert not any(
            part in masked for part in ("MIIEv", "QUJDRE", "wJalr", "EXAMPLE", "spaced", "ZEpzb")
        ), text
    assert redactor.text("the end") == "the end"


def test_references_resolve_in_order_given_env_file_keyring(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("from-file\n")
    vault = Vault(
        Redactor(),
        given={"env:A": Secret("from-stdin")},
        environ={"A": "from-env", "B": "from-env"},
        keyring_get=lambda name: Secret("from-keyring") if name == "k" else None,
        base=tmp_path,
    )
    assert vault.resolve("env:A").reveal() == "from-stdin"
    assert vault.resolve("env:B").reveal() == "from-env"
    assert vault.resolve("file:secret.txt").reveal() == "from-file"
    assert vault.resolve("keyring:k").reveal() == "from-keyring"
    for missing in ("env:C", "file:no", "keyring:no"):
        with pytest.raises(UsageError) as caught:
            vault.resolve(missing)
        assert missing in caught.value.message


def test_a_literal_is_refused_without_being_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        Reference.parse("hunter2secret")
    assert "hunter2" not in str(caught.value)
