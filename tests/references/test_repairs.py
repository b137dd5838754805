"""Malformed Cloudinary addresses: asked about, confirmed by a fetch, repaired with undo, compared anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.references.fake_cloudinary import FakeCloudinary, serving
from tests.references.kit import BASE, fill, make, rows, rule
from wizard import decisions
from wizard.answers import DatabaseAnswers
from wizard.context import Cancel, RunContext
from wizard.credentials import Secret
from wizard.databases.postgres.target import open_target
from wizard.errors import Undecided
from wizard.references import apply as applying
from wizard.references.undo import undo
from wizard.steps import preflight, references, verify
from wizard.steps.moves import postgres_kept
from wizard.verifying.rewrites import is_rewrite

CLOUD = "https://res.cloudinary.com/demo"
OUTER = f"{CLOUD}/image/upload/v1/media/"
A, B, GONE = (f"{CLOUD}/image/upload/v1/logos/{n}.png" for n in ("a", "b", "gone"))
RAW = f"{CLOUD}/raw/upload/v1/media/list.csv"
ENCODED = A.replace("://", "%3A/")
SCRIPT = f"""
CREATE TABLE post (id INTEGER PRIMARY KEY, logo varchar(300), body TEXT, data TEXT, note TEXT);
INSERT INTO post VALUES
  (1, '{OUTER}{A}', 'see ![x]({OUTER}{B}) and /media/a.jpg.', '{{"u": "{OUTER}{B}"}}', '{OUTER}{A}'),
  (2, '/media/{ENCODED}', '<img src="{OUTER}{GONE}">', '{{}}', 'right: {A}'),
  (3, '{RAW.replace("media/", "media/media/")}', NULL, NULL, 'https://proxy.example/{A}');
"""
DDL = "CREATE TABLE post (id bigint PRIMARY KEY, logo varchar(300), body text, data jsonb, note text)"
ALL = "SELECT id, logo, body, data::text, note FROM post ORDER BY id"
REPAIR = {f"post.{name}": {"malformed_url": "repair"} for name in ("logo", "body", "data")}
KEEP = {"post.note": {"malformed_url": "keep"}}


@pytest.fixture
def cloud() -> Iterator[FakeCloudinary]:
    with serving() as fake:
        for address, kind in ((A, "image/png"), (B, "image/webp"), (RAW, "text/csv")):
            fake.files[address.removeprefix("https://res.cloudinary.com")] = kind
        yield fake


def deciding(
    ctx: RunContext, cloud: FakeCloudinary, chosen: dict[str, dict[str, str]], **more: Any
) -> RunContext:
    assert ctx.answers.database is not None
    database = dataclasses.replace(ctx.answers.database, decisions=chosen)
    answers = dataclasses.replace(ctx.answers, database=database, **more)
    return dataclasses.replace(ctx, answers=answers, web=cloud.transport)


@pytest.fixture
def ready(tmp_path: Path, database_url: Secret, cloud: FakeCloudinary) -> RunContext:
    ctx, _ = make(tmp_path, ("a.jpg",), SCRIPT, database_url)
    fill(ctx, database_url, DDL, ("post",))
    return deciding(ctx, cloud, {**REPAIR, **KEEP})


def test_each_column_is_a_decision_to_paste(ready: RunContext, cloud: FakeCloudinary) -> None:
    ctx = deciding(ready, cloud, {})
    found = [
        d
        for d in preflight.judge(ctx.project, ctx.answers, ctx.snapshot_path, Cancel())
        if d.code == "malformed_url"
    ]
    assert {d.subject: d.count for d in found} == {
        "post.logo": 3,
        "post.body": 2,
        "post.data": 1,
        "post.note": 1,
    }
    assert '"post.logo": {malformed_url: repair}  # malformed_url: repair | keep' in decisions.paste(found)
    assert f"{OUTER}{B} → {B}" in found[1].message
    assert found[0].keys == ("1", "2", "3")
    assert not cloud.asked
    with pytest.raises(Undecided):
        preflight.run(ctx)
    reporting = dataclasses.replace(ctx.answers, references="report")
    assert not preflight.judge(ctx.project, reporting, ctx.snapshot_path, Cancel())


def expected() -> list[tuple[object, ...]]:
    return [
        (1, A, f"see ![x]({B}) and {BASE}a.jpg.", f'{{"u": "{B}"}}', OUTER + A),
        (2, A, f'<img src="{OUTER}{GONE}">', "{}", f"right: {A}"),
        (3, RAW, None, None, f"https://proxy.example/{A}"),
    ]


def test_what_a_fetch_confirms_is_repaired_compared_and_undone(
    ready: RunContext, database_url: Secret, cloud: FakeCloudinary
) -> None:
    before = rows(database_url, ALL)
    said = references.run(ready)
    assert "5 values rewritten" in said and "1 malformed addresses stay" in said
    assert rows(database_url, ALL) == expected()
    facts = ready.journal.get("references", "summary")
    assert facts is not None and facts["unconfirmed"] == 1
    assert facts["unconfirmed_examples"] == [
        {"place": "post.body", "address": OUTER + GONE, "why": "answers 404"}
    ]
    for image in rows(database_url, "SELECT before, after FROM ashore.before_image"):
        assert is_rewrite(str(image[0]), str(image[1]), (BASE,)), image
        assert not is_rewrite(
            str(image[0]), str(image[1]).replace(".png", ".pnG").replace("csv", "tsv"), (BASE,)
        )
    cloud.asked.clear()
    assert references.run(ready) == said and rows(database_url, ALL) == expected()
    assert {path for _, path in cloud.asked} == {GONE.removeprefix("https://res.cloudinary.com")}
    with open_target(ready) as target:
        assert undo(target, ready.run) == (5, 0)
    assert rows(database_url, ALL) == before


def test_without_files_the_repair_runs_alone(
    ready: RunContext, database_url: Secret, cloud: FakeCloudinary
) -> None:
    ctx = dataclasses.replace(ready, answers=dataclasses.replace(ready.answers, storage=()))
    assert references.run(ctx).startswith("5 values with malformed addresses repaired")
    wanted = expected()
    wanted[0] = (1, A, f"see ![x]({B}) and /media/a.jpg.", *wanted[0][3:])
    assert rows(database_url, ALL) == wanted
    assert verify._compare(ctx).total == 0
    with psycopg.connect(database_url.reveal()) as other:
        other.execute("UPDATE post SET logo = %s WHERE id = 1", (B,))
        other.execute(
            "UPDATE ashore.before_image SET after = %s WHERE key = '[\"1\"]' AND column_name = 'logo'", (B,)
        )
    assert [d.column for d in verify._compare(ctx).differences] == ["logo"]


def test_nothing_decided_means_nothing_asked(
    ready: RunContext, database_url: Secret, cloud: FakeCloudinary
) -> None:
    ctx = deciding(ready, cloud, KEEP, storage=())
    before = rows(database_url, ALL)
    assert references.run(ctx) == "references stay as they are"
    assert references.run(deciding(ready, cloud, REPAIR, references="report"))
    assert rows(database_url, ALL) == before and not cloud.asked


def test_unreachable_addresses_stay_and_are_told(
    ready: RunContext, database_url: Secret, cloud: FakeCloudinary
) -> None:
    cloud.files.clear()
    cloud.files["/demo/image/upload/v1/logos/a.png"] = "text/html"
    cloud.moved["/demo/image/upload/v1/logos/b.png"] = "http://res.cloudinary.com/demo/image/upload/b.png"
    ctx = dataclasses.replace(ready, answers=dataclasses.replace(ready.answers, storage=()))
    before = rows(database_url, ALL)
    said = references.run(ctx)
    assert said.startswith("0 values with malformed addresses repaired")
    assert said.endswith("; 5 malformed addresses stay: no right one answers")
    assert rows(database_url, ALL) == before
    facts = ctx.journal.get("references", "summary") or {}
    assert {e["why"] for e in facts["unconfirmed_examples"]} == {
        "answers with text/html", "redirected away from https", "answers 404",
    }  # fmt: skip


def test_a_get_decides_where_head_is_refused_and_redirects_are_followed(
    ready: RunContext, database_url: Secret, cloud: FakeCloudinary
) -> None:
    cloud.no_head = True
    path = "/demo/image/upload/v1/logos/a.png"
    cloud.moved[path] = "/demo/image/upload/v2/logos/a.png"
    cloud.files["/demo/image/upload/v2/logos/a.png"] = cloud.files.pop(path)
    references.run(ready)
    assert rows(database_url, ALL) == expected()


def test_a_doubled_folder_that_is_right_stays(
    ready: RunContext, database_url: Secret, cloud: FakeCloudinary
) -> None:
    cloud.files["/demo/raw/upload/v1/media/media/list.csv"] = "text/csv"
    references.run(ready)
    assert rows(database_url, "SELECT logo FROM post WHERE id = 3") == [
        (RAW.replace("media/", "media/media/"),)
    ]


def test_a_kill_between_rows_is_taken_up(
    ready: RunContext, database_url: Secret, cloud: FakeCloudinary, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(Exception):
        pass

    ready = dataclasses.replace(ready, answers=dataclasses.replace(ready.answers, storage=()))
    wanted = expected()
    wanted[0] = (1, A, f"see ![x]({B}) and /media/a.jpg.", *wanted[0][3:])
    monkeypatch.setattr(applying, "BATCH_ROWS", 1)
    plain = applying._one
    for after in range(1, 5):
        calls: list[int] = []

        def dies(*arguments: Any, calls: list[int] = calls, after: int = after) -> None:
            calls.append(1)
            plain(*arguments)
            if len(calls) == after:
                raise Killed

        monkeypatch.setattr(applying, "_one", dies)
        with pytest.raises(Killed):
            references.run(ready)
        assert rows(database_url, "SELECT count(*) FROM ashore.before_image") < [(5,)]
    monkeypatch.setattr(applying, "_one", plain)
    assert references.run(ready).startswith("5 values")
    assert rows(database_url, ALL) == wanted
    assert verify._compare(ready).total == 0


def test_a_postgres_that_stays_is_repaired_in_place(
    tmp_path: Path, database_url: Secret, cloud: FakeCloudinary
) -> None:
    ctx, _ = make(tmp_path, (), "", database_url, (rule(),))
    with closing(psycopg.connect(database_url.reveal(), autocommit=True)) as other:
        other.execute("CREATE TABLE item (id int PRIMARY KEY, photo text, gallery text[])")
        gallery = [OUTER + A, f"logos/{B.replace('://', ':/')}", "a, b"]
        other.execute(
            "INSERT INTO item VALUES (1, %s, %s), (2, %s, '{}')", (OUTER + A, gallery, OUTER + GONE)
        )
    database = DatabaseAnswers(provider="keep", source="env:TARGET")
    answers = dataclasses.replace(ctx.answers, database=database, storage=())
    ctx = dataclasses.replace(ctx, answers=answers, web=cloud.transport)
    with pytest.raises(Undecided) as raised:
        postgres_kept.preflight(ctx)
    assert '"item.gallery": {malformed_url: repair}' in raised.value.hint
    ctx = deciding(ctx, cloud, {s: {"malformed_url": "repair"} for s in ("item.photo", "item.gallery")})
    assert postgres_kept.preflight(ctx) == "the database stays, 2 decisions, all taken"
    before = rows(database_url, "SELECT * FROM item ORDER BY id")
    postgres_kept.provision(ctx)
    assert "2 values" in postgres_kept.references(ctx)
    assert rows(database_url, "SELECT * FROM item ORDER BY id") == [
        (1, A, [A, B, "a, b"]),
        (2, OUTER + GONE, []),
    ]
    assert postgres_kept.verify(ctx) == ("2 rewritten values compared, 0 differences", 0)
    with open_target(ctx) as target:
        assert undo(target, ctx.run) == (2, 0)
    assert rows(database_url, "SELECT * FROM item ORDER BY id") == before
