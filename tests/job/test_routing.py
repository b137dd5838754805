"""A whole migration whose files go to three places: small ones to the database, others to two buckets."""

from __future__ import annotations

import json

import psycopg
import pytest
import yaml

from tests.faults import world as worlds
from wizard.demo import compare, platform, story, visitor

pytestmark = pytest.mark.long
LARGEST = 12_000


def test_every_address_answers_as_before_from_three_places(here: worlds.World) -> None:
    second = f"{here.bucket}-covers"
    here.s3.create_bucket(second)
    data = yaml.safe_load((here.root / "ashore.yml").read_text())
    bucket = data["storage"][0]
    data["storage"] = [
        {"match": "avatars/**", "max_size": LARGEST, "provider": "database"},
        {**bucket, "match": "covers/**", "bucket": second},
        {**bucket, "prefix": "files/"},
    ]
    (here.root / "ashore.yml").write_text(yaml.safe_dump(data))
    media = here.project / "media"
    small = next(path for path in sorted(media.glob("avatars/*")) if path.stat().st_size <= LARGEST)
    with platform.serve(here.project, {}) as site:
        holds = compare.counts(site.url)
        before = compare.crawl(site.url, compare.pages(holds))
    end = worlds.execute(here, *worlds.RUN)
    assert end.exit_code == 0, end.text

    with psycopg.connect(here.url.reveal()) as connection:
        held = dict(connection.execute("SELECT path, data FROM stored_file").fetchall())
    name = small.relative_to(media).as_posix()
    assert held[name] == small.read_bytes()
    assert all(path.startswith("avatars/") and len(body) <= LARGEST for path, body in held.items())
    client = here.client()
    covers = [o["Key"] for o in client.list_objects_v2(Bucket=second)["Contents"]]
    rest = [o["Key"] for o in client.list_objects_v2(Bucket=here.bucket)["Contents"]]
    assert covers and all(key.startswith("covers/") for key in covers)
    assert rest and all(key.startswith("files/") and not key.startswith("files/covers/") for key in rest)
    source = {p.relative_to(media).as_posix() for p in media.rglob("*") if p.is_file()}
    assert len(held) + len(covers) + len(rest) == len(source)

    environ = {
        "DATABASE_URL": here.url,
        "S3_BUCKET_NAME": second,
        "S3_BUCKET_NAME_2": here.bucket,
        "AWS_REGION": story.REGION,
        "S3_ENDPOINT_URL": here.s3.endpoint,
        "AWS_ACCESS_KEY_ID": here.s3.access_key,
        "AWS_SECRET_ACCESS_KEY": here.s3.secret_key,
    }
    with platform.deploy(here.project, environ) as site:
        after = compare.crawl(site.url, before)
        assert compare.differences(before, after) == []
        verified = worlds.execute_plain(here, "verify", "--json")
        assert verified.returncode == 0, verified.stderr
        assert json.loads(verified.stdout)["database"]["total"] == 0
        left = visitor.leave(site.url, post=1)
        assert visitor.still_there(site.url, left)
    for entry in client.list_objects_v2(Bucket=second)["Contents"]:
        client.delete_object(Bucket=second, Key=entry["Key"])
    client.delete_bucket(Bucket=second)
