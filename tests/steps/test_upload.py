"""Uploading as a user would live it: everything arrives once, whatever interrupts; nothing is passed over."""

from __future__ import annotations

import http.client
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.storages.conftest import kit as kit
from tests.storages.kit import Kit, failure, new_kit
from wizard.context import Cancel
from wizard.demo import embedded
from wizard.errors import StepFailed, Stopped, UsageError
from wizard.events import Progress
from wizard.sources.inventory import open_inventory, take
from wizard.sources.placements import Confirmed, Placements
from wizard.steps import upload


def _write_some(kit: Kit, count: int = 60) -> dict[str, bytes]:
    """Small files, an empty one, odd names, and one of three parts."""
    contents = {f"{n % 5}/file {n}.txt": b"content %d" % n for n in range(count)}
    contents |= {"empty": b"", "ü/文 +%20#.txt": b"odd", "video.bin": bytes(range(256)) * (68 << 10)}
    for path, data in contents.items():
        kit.write(path, data)
    return contents


def test_everything_arrives_under_its_key(kit: Kit) -> None:
    contents = _write_some(kit)
    ctx = kit.ctx(kit.rule(prefix="media/"))
    take(ctx)
    summary = upload.run(ctx)
    assert kit.objects() == {f"media/{path}": data for path, data in contents.items()}
    assert summary == f"63 files, {sum(map(len, contents.values())):,} bytes stored"
    last = [e for e in kit.events if isinstance(e, Progress) and e.step == "upload"][-1]
    assert (last.done, last.total, last.unit) == (sum(map(len, contents.values())),) * 2 + ("bytes",)
    assert kit.journal.get("upload", "summary") == {
        "files": 63, "bytes": last.done, "kept": 0, "left": 0, "not_moved": 0,
    }  # fmt: skip
    assert list(kit.journal.all("parts")) == [] and kit.open_uploads() == []


def test_a_second_run_sends_nothing(kit: Kit) -> None:
    _write_some(kit, 5)
    take(kit.ctx())
    upload.run(kit.ctx())
    before = {o["Key"]: o["LastModified"] for o in kit.client.list_objects_v2(Bucket=kit.bucket)["Contents"]}
    with open_inventory(kit.ctx()) as inventory:
        settled = Placements(inventory).settled()
    assert upload.run(kit.ctx()).startswith("8 files")
    after = {o["Key"]: o["LastModified"] for o in kit.client.list_objects_v2(Bucket=kit.bucket)["Contents"]}
    assert after == before and set(settled) == {"sent"}


def test_a_kill_before_anything_was_recorded_loses_and_doubles_nothing(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = _write_some(kit)
    take(kit.ctx())

    class Killed(BaseException):
        pass

    def killed(self: Placements, confirmed: list[Confirmed]) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Placements, "confirm", killed)
        with pytest.raises(Killed):
            upload.run(kit.ctx())
    assert kit.objects() != {}
    assert upload.run(kit.ctx()).startswith("63 files")
    assert kit.objects() == contents
    assert kit.open_uploads() == []


def test_a_stop_halts_soon_and_a_resume_completes(kit: Kit) -> None:
    contents = _write_some(kit, 120)
    take(kit.ctx())
    cancel = Cancel()

    def stop_at_once(event: object) -> None:
        if isinstance(event, Progress) and event.done:
            cancel.ask()

    with pytest.raises(Stopped):
        upload.run(replace(kit.ctx(cancel=cancel), emit=stop_at_once))
    assert 0 < len(kit.objects()) < len(contents)
    upload.run(kit.ctx())
    assert kit.objects() == contents


def test_other_objects_in_the_way_stop_the_run_untouched_and_named(kit: Kit) -> None:
    for name in ("a", "b", "c"):
        kit.write(name, name.encode())
    kit.client.put_object(Bucket=kit.bucket, Key="b", Body=b"theirs")
    take(kit.ctx())
    error = failure(lambda: upload.run(kit.ctx()))
    assert isinstance(error, UsageError) and error.code == "object-conflict"
    assert f"{kit.bucket}/b " in error.message and "/a " not in error.message
    assert kit.objects() == {"a": b"a", "b": b"theirs", "c": b"c"}
    kept = upload.run(kit.ctx(kit.rule(on_conflict="keep")))
    assert kit.objects()["b"] == b"theirs" and "1 kept as they stood" in kept
    assert "object-kept" in kit.warnings()


def test_replace_overwrites_by_explicit_answer(kit: Kit) -> None:
    kit.write("b", b"ours")
    kit.client.put_object(Bucket=kit.bucket, Key="b", Body=b"theirs")
    ctx = kit.ctx(kit.rule(on_conflict="replace"))
    take(ctx)
    upload.run(ctx)
    assert kit.objects() == {"b": b"ours"}


def test_the_same_bytes_that_stand_there_count_as_arrived(kit: Kit) -> None:
    kit.write("a.txt", b"same")
    kit.client.put_object(Bucket=kit.bucket, Key="a.txt", Body=b"same", ContentType="text/plain")
    take(kit.ctx())
    assert upload.run(kit.ctx()).startswith("1 files")


@pytest.mark.parametrize("size", [10, 9 << 20])
def test_a_file_changed_since_the_inventory_arrives_as_it_is_now(kit: Kit, size: int) -> None:
    kit.write("a", b"1" * size)
    kit.write("b", b"b")
    take(kit.ctx())
    kit.write("a", b"2" * (size + 1))
    upload.run(kit.ctx())
    assert kit.objects() == {"a": b"2" * (size + 1), "b": b"b"}
    # And once more after it was sent: our own object gives way to the file's new bytes.
    kit.write("a", b"3" * size)
    take(kit.ctx())
    upload.run(kit.ctx())
    assert kit.objects()["a"] == b"3" * size


def test_a_file_that_changes_each_time_stops_the_run(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    file = kit.write("busy", b"0")
    kit.write("calm", b"calm")
    take(kit.ctx())
    file.write_bytes(b"1")
    real = upload.refresh

    def refresh_then_change(*arguments: object) -> object:
        entry = real(*arguments)  # type: ignore[arg-type]
        file.write_bytes(file.read_bytes() + b"+")
        return entry

    monkeypatch.setattr(upload, "refresh", refresh_then_change)
    error = failure(lambda: upload.run(kit.ctx()))
    assert isinstance(error, StepFailed) and error.code == "file-keeps-changing" and "busy" in error.message
    assert kit.objects() == {"calm": b"calm"}


def test_a_vanished_file_is_warned_of_and_reported_not_forgotten(kit: Kit) -> None:
    kit.write("a", b"a")
    gone = kit.write("gone", b"gone")
    take(kit.ctx())
    gone.unlink()
    summary = upload.run(kit.ctx())
    assert "1 NOT moved" in summary and kit.objects() == {"a": b"a"}
    assert "file-gone" in kit.warnings()
    assert [key for key, _ in kit.journal.all("not-moved")] == ["media/gone"]
    summary_fact = kit.journal.get("upload", "summary")
    assert summary_fact is not None and summary_fact["not_moved"] == 1
    take(kit.ctx())  # a later look must not make it forgotten
    assert "1 NOT moved" in upload.run(kit.ctx())
    gone.write_bytes(b"back")
    take(kit.ctx())
    assert "NOT" not in upload.run(kit.ctx()) and kit.objects()["gone"] == b"back"


def test_nothing_is_sent_while_a_file_has_no_place(kit: Kit) -> None:
    kit.write("a.png", b"a")
    kit.write("b.txt", b"b")
    rule = kit.rule(match="**/*.png")
    take(kit.ctx(rule))
    error = failure(lambda: upload.run(kit.ctx(rule)))
    assert isinstance(error, UsageError) and error.code == "unrouted" and "media/b.txt" in error.message
    assert kit.objects() == {}
    leave = kit.rule(provider="leave", options={})
    assert upload.run(kit.ctx(rule, leave)) == "1 files, 1 bytes stored, 1 left in place"
    assert kit.objects() == {"a.png": b"a"}


def test_entries_that_cannot_be_carried_stop_the_run_until_left_by_an_answer(kit: Kit) -> None:
    kit.write("a", b"a")
    (kit.root / "outside").write_bytes(b"x")
    (kit.media / "link").symlink_to(kit.root / "outside")
    take(kit.ctx())
    error = failure(lambda: upload.run(kit.ctx()))
    assert isinstance(error, UsageError) and error.code == "files-unmovable" and "media/link" in error.message
    assert kit.objects() == {}
    upload.run(kit.ctx(kit.rule(provider="leave", match="link", options={}), kit.rule()))
    assert kit.objects() == {"a": b"a"}


def test_two_files_for_one_key_are_refused_and_case_twins_told(kit: Kit) -> None:
    kit.write("x/a", b"1")
    (kit.root / "other").mkdir()
    (kit.root / "other" / "a").write_bytes(b"2")
    rules = (kit.rule(prefix="p/"), kit.rule(source="other", prefix="p/x/"))
    take(kit.ctx(*rules))
    error = failure(lambda: upload.run(kit.ctx(*rules)))
    assert error.code == "key-collision" and "p/x/a (2 files)" in error.message and kit.objects() == {}
    kit.write("X/a", b"3")
    take(kit.ctx())
    upload.run(kit.ctx())
    assert kit.objects() == {"x/a": b"1", "X/a": b"3"} and "case-twins" in kit.warnings()


def test_a_key_longer_than_s3_takes_is_told_before_anything_is_sent(kit: Kit) -> None:
    kit.write("a", b"a")
    rule = kit.rule(prefix="p" * 1024)
    take(kit.ctx(rule))
    error = failure(lambda: upload.run(kit.ctx(rule)))
    assert error.code == "key-unusable" and "1025" in error.message and kit.objects() == {}


@contextmanager
def _faulty(endpoint: str, seed: int) -> Iterator[str]:
    """A proxy before the server that answers 503, drops the connection before the request reaches the
    server, or drops it after: the answer is lost though the work was done."""
    dice, lock = random.Random(seed), threading.Lock()
    real = urlsplit(endpoint)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                fault = dice.choices(["none", "busy", "before", "after"], [70, 10, 10, 10])[0]
            self.close_connection = True
            if fault == "before":
                return
            if fault == "busy":
                self._answer(503, [], b"<Error><Code>SlowDown</Code><Message>slow</Message></Error>")
                return
            onward = http.client.HTTPConnection(real.hostname or "", real.port, timeout=30)
            onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                onward.putheader(name, value)
            onward.endheaders(body)
            answer = onward.getresponse()
            data, headers = answer.read(), answer.getheaders()
            onward.close()
            if fault == "none":
                self._answer(answer.status, headers, data)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

        def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
            self.send_response_only(status)
            length = {k.lower(): v for k, v in headers}.get("content-length", str(len(data)))
            for name, value in headers:
                if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", length if self.command == "HEAD" else str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else data)

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


def test_lost_answers_and_refusals_of_a_busy_server_lose_and_double_nothing(
    tmp_path: Path, s3_server: embedded.S3, bucket: str
) -> None:
    with _faulty(s3_server.endpoint, seed=7) as endpoint:
        kit = new_kit(tmp_path, s3_server, bucket, endpoint)
        contents = _write_some(kit, 40)
        take(kit.ctx())
        for _ in range(5):  # each a resume, should the retries of one not have been enough
            try:
                upload.run(kit.ctx())
                break
            except StepFailed:
                continue
        assert kit.objects() == contents
        assert kit.open_uploads() == []
        kit.journal.close()
