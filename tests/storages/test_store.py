"""One bucket on a real server: the live test, create-only writes, parts, and refusals in plain words.

moto neither checks keys nor checksums; what depends on those is left to stricter servers.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.storages.kit import Kit, failure
from wizard.context import Cancel
from wizard.credentials import Secret
from wizard.errors import ConnectionLost, Refused, Stopped
from wizard.storages import open_store
from wizard.storages.base import ObjectStore, Outcome, Upload
from wizard.storages.prepare import prepare
from wizard.storages.s3_canary import NAME
from wizard.storages.s3_errors import explain
from wizard.storages.s3_parts import PART_SIZE, part_size_for
from wizard.storages.s3_place import Place, is_odd
from wizard.storages.s3_store import S3Store

BIG = 30 << 20
MIDDLE = 9 << 20  # two parts


class Parts(dict[str, dict[str, object]]):
    """The record of uploads in parts."""

    def put(self, key: str, value: dict[str, object]) -> None:
        self[key] = value

    def forget(self, key: str) -> None:
        self.pop(key, None)


def upload(file: Path, key: str, content_type: str = "text/plain") -> Upload:
    data = file.read_bytes()
    return Upload(
        key, file, len(data), hashlib.sha256(data).digest(), hashlib.md5(data).digest(), content_type
    )


def open_it(kit: Kit) -> ObjectStore:
    return open_store(kit.rule(), kit.ctx().vault.resolve)


def send(
    store: ObjectStore,
    *uploads: Upload,
    parts: Parts | None = None,
    cancel: Cancel | None = None,
    progress: Callable[[int], None] = lambda _: None,
    overwrite: bool = False,
) -> dict[str, Outcome]:
    found = store.send(
        uploads, parts if parts is not None else Parts(), cancel or Cancel(), progress, overwrite
    )
    return {outcome.key: outcome for outcome in found}


@pytest.fixture
def big(kit: Kit) -> Iterator[Path]:
    yield kit.write("big.bin", bytes(range(256)) * (BIG // 256) + b"tail")


def test_the_live_test_passes_and_leaves_nothing(kit: Kit) -> None:
    checks = open_it(kit).check()
    assert [check for check in checks if not check.ok] == []
    assert [check.what for check in checks][-1] == "an object is never overwritten"
    assert checks[-1].said == ""
    assert kit.objects() == {}


def test_a_bucket_that_everybody_reads_is_refused_unless_the_answers_make_it_public(kit: Kit) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["s3:GetObject"],
                "Resource": [f"arn:aws:s3:::{kit.bucket}/*"],
            }
        ],
    }
    kit.client.put_bucket_policy(Bucket=kit.bucket, Policy=json.dumps(policy))
    refused = failure(lambda: prepare(kit.ctx()))
    assert isinstance(refused, Refused)
    assert "Everybody can read this bucket" in refused.message
    assert "access: public" in refused.hint
    prepare(kit.ctx(kit.rule(access="public", public_url=f"{kit.s3.endpoint}/{kit.bucket}")))
    assert kit.objects() == {}


def test_a_file_of_the_same_size_and_other_bytes_is_not_sent(kit: Kit) -> None:
    planned = upload(kit.write("a.txt", b"as listed"), "a.txt")
    kit.write("a.txt", b"rewritten")
    assert send(open_it(kit), planned)["a.txt"].status == "changed"
    assert kit.objects() == {}


def test_a_test_object_left_by_a_kill_is_removed_but_never_another_one(kit: Kit) -> None:
    kit.client.put_object(Bucket=kit.bucket, Key=NAME, Body=b"ashore test object, may be deleted\nold")
    assert all(check.ok for check in open_it(kit).check())
    assert kit.objects() == {}
    kit.client.put_object(Bucket=kit.bucket, Key=NAME, Body=b"mine")
    assert not open_it(kit).check()[0].ok
    assert kit.objects() == {NAME: b"mine"}


def test_names_of_all_kinds_arrive_as_they_are(kit: Kit) -> None:
    odd = ["/leading", "double//slash", "dot/./segment", "up/../segment", "tab\there", "trailing/"]
    keys = ["plain.txt", "with space/ü ñ 文.txt", "a+b%20c#?&=.txt", "empty", "x~y*'()!.txt", "back\\slash"]
    keys += ["e\u0301/decomposed", *odd]
    uploads = []
    for number, key in enumerate(keys):
        data = b"" if key == "empty" else b"content %d" % number
        uploads.append(upload(kit.write(f"f{number}", data), key))
    outcomes = send(open_it(kit), *uploads)
    assert {outcome.status for outcome in outcomes.values()} == {"sent"}
    assert kit.objects() == {u.key: u.path.read_bytes() for u in uploads}
    assert [key for key in keys if is_odd(key)] == odd


def test_type_size_and_digest_come_back(kit: Kit) -> None:
    store = open_it(kit)
    send(store, upload(kit.write("a", b"abc"), "a.svg", "image/svg+xml"))
    stored = store.head("a.svg")
    assert stored is not None
    assert (stored.size, stored.content_type) == (3, "image/svg+xml")
    assert stored.md5 == hashlib.md5(b"abc").digest() and stored.etag == hashlib.md5(b"abc").hexdigest()
    assert b"".join(store.read("a.svg")) == b"abc"
    assert store.head("none") is None
    store.delete("a.svg")
    assert kit.objects() == {}


@pytest.mark.parametrize("key", ["a.txt", "/a.txt"])
@pytest.mark.parametrize("honoured", [True, False])
def test_what_stands_there_is_never_overwritten(kit: Kit, key: str, honoured: bool) -> None:
    store = open_it(kit)
    if not honoured:
        store.create_only = False  # type: ignore[attr-defined]  # a server that ignores If-None-Match
    first, other = upload(kit.write("1", b"first"), key), upload(kit.write("2", b"other"), key)
    assert send(store, first)[key].status == "sent"
    assert send(store, first)[key].status == "already"
    assert send(store, other)[key].status == "conflict"
    assert send(store, replace(first, content_type="image/png"))[key].status == "conflict"
    assert kit.objects() == {key: b"first"}
    ours = send(store, first)[key].etag
    assert send(store, replace(other, replaces="0" * 32))[key].status == "conflict"
    assert send(store, replace(other, replaces=ours))[key].status == "sent"
    assert kit.objects() == {key: b"other"}
    assert send(store, first, overwrite=True)[key].status == "sent"
    assert kit.objects() == {key: b"first"}


def test_a_large_file_arrives_in_parts_and_is_known_again(kit: Kit, big: Path) -> None:
    store, parts, counted = open_it(kit), Parts(), []
    outcome = send(store, upload(big, "big", "video/mp4"), parts=parts, progress=counted.append)["big"]
    assert (outcome.status, outcome.part_size) == ("sent", PART_SIZE)
    assert outcome.etag.endswith("-4") and sum(counted) == BIG + 4
    assert kit.objects() == {"big": big.read_bytes()}
    assert kit.client.head_object(Bucket=kit.bucket, Key="big")["ContentType"] == "video/mp4"
    assert parts == {} and kit.open_uploads() == []
    again = send(store, upload(big, "big", "video/mp4"))["big"]
    assert again.status == "already"
    other = upload(kit.write("other", b"z" * MIDDLE), "big", "video/mp4")
    assert send(store, other)["big"].status == "conflict"
    assert kit.open_uploads() == []
    assert send(store, replace(other, size=BIG + 4))["big"].status == "conflict"


def test_parts_that_stand_are_not_sent_again(kit: Kit, big: Path) -> None:
    store, parts, cancel = open_it(kit), Parts(), Cancel()

    def stop_after_a_part(_: int) -> None:
        cancel.ask()

    with pytest.raises(Stopped):
        send(store, upload(big, "big"), parts=parts, cancel=cancel, progress=stop_after_a_part)
    recorded = str(parts["big"]["upload_id"])
    standing = kit.client.list_parts(Bucket=kit.bucket, Key="big", UploadId=recorded)["Parts"]
    assert 0 < len(standing) <= 4
    assert kit.objects() == {}
    # One part that stands was damaged on its way: a resume must notice, and send it again.
    number, size = standing[0]["PartNumber"], standing[0]["Size"]
    kit.client.upload_part(
        Bucket=kit.bucket, Key="big", UploadId=recorded, PartNumber=number, Body=b"!" * size
    )
    before = {
        p["PartNumber"]: p["LastModified"]
        for p in kit.client.list_parts(Bucket=kit.bucket, Key="big", UploadId=recorded)["Parts"]
    }
    resumed = S3Store(store.place, store._keys)  # type: ignore[attr-defined]
    sent: list[int] = []
    real = resumed.client.upload_part

    def counting(**arguments: object) -> object:
        sent.append(int(str(arguments["PartNumber"])))
        return real(**arguments)  # type: ignore[arg-type]

    resumed.client.upload_part = counting  # type: ignore[method-assign,assignment]
    assert send(resumed, upload(big, "big"), parts=parts)["big"].status == "sent"
    assert set(sent) == {1, 2, 3, 4} - set(before) | {number}
    assert kit.objects() == {"big": big.read_bytes()}
    assert parts == {} and kit.open_uploads() == []


def test_a_kill_between_completion_and_record_is_recognised(kit: Kit, big: Path) -> None:
    store, parts = open_it(kit), Parts()
    kept: dict[str, dict[str, object]] = {}
    parts.forget = lambda key: kept.update({key: parts[key]})  # type: ignore[method-assign]
    send(store, upload(big, "big"), parts=parts)
    outcome = send(store, upload(big, "big"), parts=Parts(kept))["big"]
    assert (outcome.status, outcome.part_size) == ("already", PART_SIZE)


def test_an_upload_of_older_bytes_is_given_up_and_only_that_one(kit: Kit, big: Path) -> None:
    store, parts, cancel = open_it(kit), Parts(), Cancel()
    foreign = kit.client.create_multipart_upload(Bucket=kit.bucket, Key="foreign")["UploadId"]
    with pytest.raises(Stopped):
        send(store, upload(big, "big"), parts=parts, cancel=cancel, progress=lambda _: cancel.ask())
    big.write_bytes(b"new" * (MIDDLE // 3))
    assert send(store, upload(big, "big"), parts=parts)["big"].status == "sent"
    assert kit.objects() == {"big": big.read_bytes()}
    assert kit.open_uploads() == ["foreign"] and foreign


@pytest.mark.parametrize("size", [100, MIDDLE])
@pytest.mark.parametrize("change", ["edited", "longer", "shorter", "gone"])
def test_a_file_that_is_not_as_inventoried_is_not_stored(kit: Kit, size: int, change: str) -> None:
    file = kit.write("f", b"a" * size)
    listed = upload(file, "f")
    match change:
        case "edited":
            file.write_bytes(b"a" * (size - 1) + b"b")
        case "longer":
            file.write_bytes(b"a" * (size + 1))
        case "shorter":
            file.write_bytes(b"a" * (size - 1))
        case _:
            file.unlink()
    parts = Parts()
    outcome = send(open_it(kit), listed, parts=parts)["f"]
    assert outcome.status == ("vanished" if change == "gone" else "changed")
    assert kit.objects() == {} and kit.open_uploads() == [] and parts == {}


def test_part_sizes_keep_within_ten_thousand_equal_parts() -> None:
    assert part_size_for(PART_SIZE) == PART_SIZE
    for size in (80 << 30, (80 << 30) + 1, 5 << 40):
        part = part_size_for(size)
        assert -(-size // part) <= 10_000 and part % (1 << 20) == 0


def test_a_missing_bucket_is_told_and_made_where_asked(kit: Kit) -> None:
    options = {**kit.rule().options, "bucket": f"{kit.bucket}-new"}
    rule = kit.rule(options=options)
    error = failure(lambda: prepare(kit.ctx(rule)))
    assert isinstance(error, Refused) and error.code == "bucket-missing" and "NoSuchBucket" in error.message
    checks = open_store(rule, kit.ctx().vault.resolve).check()
    assert [check.ok for check in checks] == [False] and "NoSuchBucket" in checks[0].said
    made = kit.rule(options=options, create=True)
    prepare(kit.ctx(made))
    prepare(kit.ctx(made))
    assert kit.client.list_objects_v2(Bucket=f"{kit.bucket}-new").get("Contents", []) == []
    assert [value["name"] for _, value in kit.journal.all("bucket")] == [f"{kit.bucket}-new"]
    nowhere = open_store(kit.rule(options={**options, "bucket": "no-such"}), kit.ctx().vault.resolve)
    sending = failure(lambda: send(nowhere, upload(kit.write("a", b"a"), "a")))
    assert sending.code == "bucket-missing"


def test_origins_are_allowed_beside_the_rules_that_stand(kit: Kit) -> None:
    theirs = {"ID": "theirs", "AllowedOrigins": ["https://old"], "AllowedMethods": ["PUT"]}
    kit.client.put_bucket_cors(Bucket=kit.bucket, CORSConfiguration={"CORSRules": [theirs]})
    prepare(kit.ctx(kit.rule(cors=("https://a",))))
    prepare(kit.ctx(kit.rule(cors=("https://a", "https://b"))))
    rules = kit.client.get_bucket_cors(Bucket=kit.bucket)["CORSRules"]
    found = [(r["ID"], r["AllowedOrigins"], r["AllowedMethods"]) for r in rules]
    ours = ("ashore", ["https://a", "https://b"], ["GET", "HEAD"])
    assert found == [("theirs", ["https://old"], ["PUT"]), ours]


def test_a_server_out_of_reach_is_told(kit: Kit) -> None:
    rule = kit.rule(options={**kit.rule().options, "endpoint": "http://127.0.0.1:9"})
    error = failure(lambda: prepare(kit.ctx(rule)))
    assert isinstance(error, ConnectionLost) and error.code == "storage-unreachable"
    assert "127.0.0.1:9" in error.message and error.resumable


@pytest.mark.parametrize(
    ("code", "status", "ours", "kind"),
    [
        ("AccessDenied", 403, "access-denied", Refused),
        ("403", 403, "access-denied", Refused),
        ("InvalidAccessKeyId", 403, "access-key-unknown", Refused),
        ("SignatureDoesNotMatch", 403, "secret-key-wrong", Refused),
        ("Unauthorized", 401, "access-key-unknown", Refused),
        ("PermanentRedirect", 301, "bucket-region", Refused),
        ("RequestTimeTooSkewed", 403, "clock-wrong", Refused),
        ("SlowDown", 503, "storage-unavailable", ConnectionLost),
        ("Strange", 400, "storage-refused", Refused),
    ],
)
def test_refusals_keep_the_providers_words(code: str, status: int, ours: str, kind: type[Exception]) -> None:
    place = Place("s3", "Amazon S3", "my-app", "us-east-1", "https://s3.us-east-1.amazonaws.com")
    error = explain(code, "Their words.", status, place, "writing a.txt")
    assert type(error) is kind and error.code == ours and error.hint
    assert "Their words" in error.message and "my-app" in error.message and "writing a.txt" in error.message


@contextmanager
def _refusing(code: str, status: int, methods: str) -> Iterator[str]:
    """A server that refuses `methods` with words of its own, and knows no object."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            refused = self.command in methods.split()
            words = (
                f"<Code>{code}</Code><Message>Their words</Message>" if refused else "<Code>NoSuchKey</Code>"
            )
            body = b"" if self.command == "HEAD" else f"<Error>{words}</Error>".encode()
            self.send_response(status if refused else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_any

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("code", "status", "methods", "ours"),
    [
        ("AccessDenied", 403, "PUT", "access-denied"),
        ("InvalidAccessKeyId", 403, "GET PUT HEAD", "access-key-unknown"),
        ("SignatureDoesNotMatch", 403, "GET PUT HEAD", "secret-key-wrong"),
        ("Unauthorized", 401, "GET PUT HEAD", "access-key-unknown"),
        ("EntityTooLarge", 413, "PUT", "object-too-large"),
    ],
)
def test_a_server_that_refuses_is_quoted_and_no_secret_is(
    kit: Kit, code: str, status: int, methods: str, ours: str
) -> None:
    with _refusing(code, status, methods) as endpoint:
        rule = kit.rule(options={**kit.rule().options, "endpoint": endpoint})
        errors = [failure(lambda: prepare(kit.ctx(rule)))]
        store = open_store(rule, kit.ctx().vault.resolve)
        for key in ("a", "/a"):
            store.create_only = True  # type: ignore[attr-defined]  # as an earlier test found it
            errors.append(failure(lambda key=key: send(store, upload(kit.write("a", b"a"), key))))  # type: ignore[misc]
        [failed] = [check for check in store.check() if not check.ok]
    for error in errors:
        assert isinstance(error, Refused) and error.code == ours and error.exit_code == 4
        assert code in error.message and "Their words" in error.message
        assert kit.s3.secret_key.reveal() not in str(error)
        assert kit.s3.access_key.reveal() not in str(error)
    assert "Their words" in failed.said and failed.hint


def test_keys_and_settings_of_this_machine_do_not_leak_in(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    store = open_it(kit)
    assert all(check.ok for check in store.check())
    assert send(store, upload(kit.write("a", b"a"), "a"))["a"].status == "sent"
    assert Secret("x") not in vars(store).values()
