"""What providers' pages give to copy is taken apart, checked, and never shown."""

from __future__ import annotations

import json

import pytest

from wizard import questions
from wizard.credentials import Secret
from wizard.questions.pasted import Pasted, bare, holds_password, one_line, take_apart

URL = "postgresql://ana:c4n4ry%40pw@ep-x.eu-central-1.aws.neon.tech/app?sslmode=require"


def of(key: str, text: str, provider: str = "neon") -> Pasted:
    question = next(q for q in questions.QUESTIONS if q.key == key)
    return take_apart(question, text)


@pytest.mark.parametrize(
    "pasted",
    [
        URL,
        f"psql '{URL}'",
        f'psql "{URL}"',
        f"DATABASE_URL={URL}",
        f'export DATABASE_URL="{URL}"',
        f"  {URL}\n",
        f"psql -d '{URL}'",
    ],
)
def test_a_connection_string_loses_what_stands_around_it(pasted: str) -> None:
    found = of("database.url", pasted)
    assert found.values == {"database.url": Secret(URL)}
    assert [(c.what, c.ok, c.said) for c in found.checks] == [
        ("read", True, "host ep-x.eu-central-1.aws.neon.tech, port 5432, database app, user ana, TLS on")
    ]
    assert "c4n4ry" not in repr(found)


@pytest.mark.parametrize(
    ("url", "what", "words"),
    [
        (URL.replace("ep-x.", "ep-x-pooler."), "direct", "without -pooler"),
        ("postgresql://u.ref:p@aws-0-eu.pooler.supabase.com:6543/postgres", "direct", "5432"),
        ("postgresql://ana@db.example.com/app", "password", "password shown"),
        ("postgresql://ana:[YOUR-PASSWORD]@db.example.com/app", "password", "in its place"),
        ("postgresql://ana:******@db.example.com/app", "password", "in its place"),
        ("mysql://ana:secretpw@db.example.com/app", "read", "postgresql://user"),
        ("just-a-password", "read", "postgresql://user"),
        ("postgresql://ana:se#cret@db.example.com/app", "read", "percent-encoded"),
    ],
)
def test_what_is_wrong_with_a_connection_string_is_said_at_once(url: str, what: str, words: str) -> None:
    wrong = [c for c in of("database.url", url).checks if not c.ok]
    assert [c.what for c in wrong] == [what]
    assert words in wrong[0].hint
    assert "secret" not in wrong[0].said + wrong[0].hint


def test_the_session_pooler_is_no_fault() -> None:
    url = "postgresql://u.ref:p@aws-0-eu.pooler.supabase.com:5432/postgres"
    assert all(c.ok for c in of("database.url", url).checks)


def test_one_paste_answers_every_question_it_holds() -> None:
    cloud = of("storage.api_key", "CLOUDINARY_URL=cloudinary://123:s3cr%2Bet@My-Cloud")
    assert cloud.values == {
        "storage.cloud_name": "My-Cloud",
        "storage.api_key": Secret("123"),
        "storage.api_secret": Secret("s3cr+et"),
    }
    azure = of(
        "storage.account_key",
        "DefaultEndpointsProtocol=https;AccountName=media1;AccountKey=a/b+c==;EndpointSuffix=core.windows.net",
    )
    assert azure.values == {"storage.account": "media1", "storage.account_key": Secret("a/b+c==")}
    r2 = of("storage.endpoint", "https://abc.eu.r2.cloudflarestorage.com/my-media")
    assert r2.values == {
        "storage.endpoint": "https://abc.eu.r2.cloudflarestorage.com",
        "storage.bucket": "my-media",
    }
    for found in (cloud, azure):
        assert not any(secret in repr(found) for secret in ("s3cr", "a/b+c"))


def test_anything_else_is_the_reply_itself() -> None:
    assert of("storage.secret_key", "ab=c;d").values == {"storage.secret_key": Secret("ab=c;d")}
    assert of("storage.bucket", "media").values == {"storage.bucket": "media"}
    # A key file of a service account comes in several lines; any other text of several is no secret.
    key = {"type": "service_account", "private_key": "-----\nline\n-----\n"}
    assert json.loads(one_line(json.dumps(key, indent=2)) or "") == key
    assert "\n" not in (one_line(json.dumps(key, indent=2)) or "\n")
    assert one_line("one\ntwo") is None and one_line("one") == "one"
    assert bare("plain") == "plain"


def test_an_address_with_a_password_is_known() -> None:
    assert holds_password("https://ana:pw@s3.example.com") and not holds_password(
        "https://s3.example.com:9000"
    )
