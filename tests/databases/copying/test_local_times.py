"""Times of a Django app without USE_TZ: the app must read in PostgreSQL what it read in SQLite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases.contexts import build, context
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.databases.postgres.target import open_target
from wizard.errors import Differences, NotAsPlanned, Undecided
from wizard.steps import constraints, copy, provision, recheck, verify

ZONE = "America/Chicago"
TIMES = {
    1: "2024-01-15 09:30:00",
    2: "2024-07-15 09:30:00.250000",
    3: "2024-11-03 01:30:00",  # shown twice
    4: "2024-11-03 01:45:00.000001",
    5: "2024-03-10 02:30:00",  # skipped
    6: "9999-12-31 23:59:59.999999",
    7: "1850-06-01 12:00:00",  # local mean time, with seconds
    8: "2024-11-03 00:59:59",
    9: "2024-03-10 03:00:00",
    10: "2024-07-15 12:00:00+02:00",
    11: "0001-01-01 00:00:00",
}
SOURCE = (
    "CREATE TABLE shop_order (id integer PRIMARY KEY, at datetime NULL, note varchar(9) NOT NULL);"
    + "".join(f"INSERT INTO shop_order VALUES ({key}, '{text}', '');" for key, text in TIMES.items())
)
TARGET = "CREATE TABLE shop_order (id bigint PRIMARY KEY, at timestamptz, note varchar(9) NOT NULL);"
READ = """
import json, os, sys
import django
from django.conf import settings
settings.configure(
    USE_TZ=False, TIME_ZONE=os.environ["ZONE"], INSTALLED_APPS=[],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SQLITE"]},
        "there": {"ENGINE": "django.db.backends.postgresql"} | json.loads(os.environ["TARGET"]),
    },
)
django.setup()
from django.db import models
class Order(models.Model):
    at = models.DateTimeField(null=True)
    class Meta:
        app_label, db_table, managed = "shop", "shop_order", False
print(json.dumps([
    {row.pk: str(row.at) for row in Order.objects.using(name).exclude(pk=10)} for name in ("default", "there")
]))
"""


def ready(tmp_path: Path, url: Secret, zone: str = ZONE, **decided: str) -> RunContext:
    ctx = context(tmp_path, url, SOURCE, decisions={"shop_order.at": decided} if decided else {})
    ctx.journal.put("preflight", "naive_zone", zone)
    provision.run(ctx)
    build(ctx, TARGET)
    return ctx


def seen_by_django(ctx: RunContext, url: Secret) -> list[dict[str, str]]:
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url.reveal())
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    environ = {
        "ZONE": ZONE,
        "SQLITE": str(ctx.snapshot_path),
        "TARGET": json.dumps({name: parts[key] for name, key in names.items()}),
    }
    child = subprocess.run(
        [sys.executable, "-c", READ],
        env=dict(os.environ) | environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert child.returncode == 0, child.stderr
    found: list[dict[str, str]] = json.loads(child.stdout)
    return found


def test_the_app_reads_the_same_local_times(tmp_path: Path, database_url: Secret) -> None:
    ctx = ready(tmp_path, database_url, ambiguous_time="later", nonexistent_time="shift")
    recheck.run(ctx)
    copy.run(ctx)
    constraints.run(ctx)
    assert "0 differences" in verify.run(ctx)
    here, there = seen_by_django(ctx, database_url)
    assert here.pop("5") == "2024-03-10 02:30:00"
    assert there.pop("5") == "2024-03-10 03:30:00"
    assert there == here
    with open_target(ctx) as target:
        moments = dict(
            target.connection.execute("SELECT id, at::text FROM shop_order WHERE id < 5").fetchall()
        )
        assert moments == {
            1: "2024-01-15 15:30:00+00",
            2: "2024-07-15 14:30:00.25+00",
            3: "2024-11-03 07:30:00+00",
            4: "2024-11-03 07:45:00.000001+00",
        }
        target.connection.execute("UPDATE shop_order SET at = at - interval '1 hour' WHERE id IN (3, 6, 10)")
    with pytest.raises(Differences):
        verify.run(ctx)
    found = ctx.journal.get("verify", "database")
    assert found is not None
    assert [d["key"] for d in found["differences"]] == ['["3"]', '["6"]', '["10"]']


def test_times_without_one_meaning_are_named_before_a_row_is_written(
    tmp_path: Path, database_url: Secret
) -> None:
    ctx = ready(tmp_path, database_url)
    with pytest.raises(Undecided):
        recheck.run(ctx)
    found = {
        (d["subject"], d["code"]): (d["keys"], [c["name"] for c in d["choices"]])
        for d in ctx.journal.get("recheck", "decisions") or []
    }
    assert found == {
        ("shop_order.at", "ambiguous_time"): (["3", "4"], ["earlier", "later"]),
        ("shop_order.at", "nonexistent_time"): (["5"], ["shift"]),
    }


def test_a_zone_that_the_server_does_not_know_stops_before_a_row_is_written(
    tmp_path: Path, database_url: Secret
) -> None:
    ctx = ready(tmp_path, database_url, "Mars/Olympus")
    with pytest.raises(NotAsPlanned, match="Mars/Olympus") as stop:
        recheck.run(ctx)
    assert stop.value.code == "zone-unknown"
