# ruff: noqa: E501
"""Diffs apply with git and show no committed secret."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from wizard.patchers.diff import patch, unified
from wizard.patchers.masking import masked, secret_lines

LINES = [b"line %d\n" % n for n in range(30)]


def applied(tmp_path: Path, text: str, *options: str) -> None:
    (tmp_path / "x.patch").write_bytes(text.encode("utf-8", "surrogateescape"))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(
        ["git", "-c", "core.autocrlf=false", "apply", *options, "x.patch"], cwd=tmp_path, check=True
    )


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        pytest.param("a.txt", b"".join(LINES), b"".join([*LINES[:9], b"new\n", *LINES[9:]]), id="insert"),
        pytest.param("a b.txt", b"x\r\ny", b"x\r\ny\r\nz", id="CRLF, no final newline, blank in name"),
        pytest.param("\u00e9/\u65e5.py", b"caf\xe9\nb\n", b"caf\xe9\nnew\nb\n", id="latin-1, other names"),
        pytest.param("new.py", None, b"a\nb\n", id="new file"),
        pytest.param(
            "a.txt",
            b"".join(LINES),
            b"".join([b"0\n", *LINES[:5], b"1\n", *LINES[6:20], b"2\n", *LINES[20:], b"3\n"]),
            id="several hunks",
        ),
        pytest.param("a.txt", b"", b"a\n", id="was empty"),
    ],
)
def test_git_applies_it(tmp_path: Path, name: str, before: bytes | None, after: bytes) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    if before is not None:
        file.write_bytes(before)
    made = patch(name, before, after)
    assert made is not None
    applied(tmp_path, made.text)
    assert file.read_bytes() == after
    assert not made.narrow
    assert made.text == unified(name, before, after, lambda text: text)


def test_a_secret_beside_a_change_is_neither_shown_nor_in_the_way(tmp_path: Path) -> None:
    before = b"import x\n\nSECRET_KEY = 'django-insecure-abc'\nA = 1\nPASSWORD = 'hunter2'\n"
    after = before.replace(b"A = 1\n", b"A = 1\nB = 2\n")
    (tmp_path / "s.py").write_bytes(before)
    made = patch("s.py", before, after)
    assert made is not None
    assert made.narrow
    assert "insecure" not in made.text
    assert "hunter2" not in made.text
    applied(tmp_path, made.text, "--unidiff-zero")
    assert (tmp_path / "s.py").read_bytes() == after
    shown = unified("s.py", before, after, lambda text: text)
    assert " SECRET_KEY = ***\n A = 1\n+B = 2\n PASSWORD = ***\n" in shown


def test_a_changed_line_that_holds_a_secret_makes_no_patch() -> None:
    before = b"services: [{envVars: [{key: API_TOKEN, value: tok-123456}]}]\n"
    after = before.replace(b"}]}]", b"}, {key: X, sync: false}]}]")
    assert patch("render.yaml", before, after) is None
    assert "tok-123456" not in unified("render.yaml", before, after, lambda text: text)


def test_lines_of_the_edit_itself_are_shown() -> None:
    after = b"A = 1\naccess_key = os.environ['AWS_ACCESS_KEY_ID']\n"
    assert "+access_key = os.environ['AWS_ACCESS_KEY_ID']\n" in unified(
        "s.py", b"A = 1\n", after, lambda t: t
    )


@pytest.mark.parametrize(
    "text",
    [
        "SECRET_KEY = 'hunter2-value'",
        'SECRET_KEY = (\n    "hunter2-value"\n)',
        "SECRET_KEY = os.environ.get(\n    'SECRET_KEY',\n    'hunter2-value1!aaaaaaaaaaaa',\n)",
        "'PASSWORD': 'hunter2-value',",
        "EMAIL_HOST_PASSWORD='hunter2-value'",
        "      - key: DJANGO_SECRET\n        value: hunter2-value",
        "      - key: DATABASE_URL\n        sync: x\n        value: hunter2-value",
        "url: postgres://me:hunter2-value@host/db",
        "export API_TOKEN=hunter2-value",
        "os.environ['API_TOKEN'] = 'hunter2-value'",
        "cloudinary.config(cloud_name='x', api_secret='hunter2-value')",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2-value\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_committed_secrets_are_masked(text: str) -> None:
    assert "hunter2-value" not in masked(text)
    assert masked(text).count("\n") == text.count("\n")


def test_ordinary_lines_stay() -> None:
    text = (
        "from django.contrib.auth.tokens import x\nDATABASES = {\n    'ENGINE': 'django.db.backends.sqlite3',\n"
        "ROOT_URLCONF = 'config.urls'\nMEDIA_URL = '/media/'\nrequests==2.31.0\n      - key: PORT\n        value: 10\n"
    )
    assert secret_lines(text) == frozenset()
