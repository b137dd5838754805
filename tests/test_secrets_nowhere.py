"""Planted secrets are searched for in everything that a migration leaves or shows (promise 5).

Searched: the run's folder (also while steps are at work), answers, plan, journal, events, report, standard
output and error, the project's files, the temporary folder, the target's own record, the process list.
"""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.faults import world as worlds
from wizard.credentials import Secret
from wizard.demo import app_writer, embedded, story

PASSWORD = "Canary/pass+word%41@:zQ8"
ACCESS = "AKIACANARYACCESS7731"
SECRET = "canary/Secret+Key=9d2KfPq0"
PROC = Path("/proc")


def forms() -> dict[str, list[bytes]]:
    """Each secret in every spelling in which it could turn up: plain, quoted for a URL, escaped, encoded."""
    found: dict[str, list[bytes]] = {}
    for name, value in (("password", PASSWORD), ("access key", ACCESS), ("secret key", SECRET)):
        texts = {value, quote(value), quote(value, safe=""), value.replace("/", "\\/"), repr(value)[1:-1]}
        raw = {text.encode() for text in texts} | {value.encode("utf-16-le")}
        found[name] = sorted(raw | {base64.b64encode(value.encode()).rstrip(b"=")})
    return found


FORMS = forms()


def leaks(data: bytes) -> list[str]:
    """Names of the secrets that stand in `data`."""
    return [name for name, spellings in FORMS.items() if any(form in data for form in spellings)]


def leaks_below(folder: Path) -> list[str]:
    """`file: secret` for every file below that holds one. Files may vanish while we look."""
    found = []
    for path in folder.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink():
                found += [f"{path.relative_to(folder)}: {name}" for name in leaks(path.read_bytes())]
        except OSError:
            continue
        found += [f"the name {path.name}: {name}" for name in leaks(os.fsencode(path.name))]
    return found


class ProcessWatch:
    """Reads every command line of the machine, again and again, until the context ends."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.looks = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> ProcessWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.03):
            self.looks += 1
            for entry in PROC.glob("[0-9]*"):
                try:
                    line = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                self.found |= {f"{line[:60]!r}: {name}" for name in leaks(line)}


@pytest.fixture
def canary_world(
    postgres_server: embedded.Postgres, s3_server: embedded.S3, tmp_path: Path
) -> Iterator[worlds.World]:
    template = tmp_path / "template"
    app_writer.prepare(template, 0.02)
    made = postgres_server.database("canary").reveal()
    with psycopg.connect(postgres_server.admin.reveal(), autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER ROLE canary PASSWORD {}").format(sql.Literal(PASSWORD)))
        url = Secret(f"postgresql://canary:{quote(PASSWORD, safe='')}@{made.rpartition('@')[2]}")
        server = embedded.S3(s3_server.endpoint, Secret(ACCESS), Secret(SECRET))
        try:
            with worlds.world(tmp_path / "world", template, url, server, "canary-bucket") as here:
                yield here
        finally:
            admin.execute("DROP DATABASE canary WITH (FORCE)")
            admin.execute("DROP ROLE canary")


def test_the_search_finds_what_is_planted(tmp_path: Path) -> None:
    for name, text in (
        ("log", f"x {SECRET} y"),
        ("url", f"postgresql://u:{quote(PASSWORD, safe='')}@h/d"),
        ("enc", base64.b64encode(ACCESS.encode()).decode()),
    ):
        (tmp_path / name).write_text(text)
    assert sorted(leaks_below(tmp_path)) == ["enc: access key", "log: secret key", "url: password"]


@pytest.mark.skipif(not PROC.is_dir(), reason="needs /proc to look at processes")
def test_no_artefact_of_a_run_a_failure_and_a_resume_holds_a_secret(
    canary_world: worlds.World,
    postgres_server: embedded.Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = canary_world
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    seen: list[str] = []
    cut: list[str] = []

    def watch(process: subprocess.Popen[bytes], event: Mapping[str, Any]) -> None:
        seen.extend(f"event: {name}" for name in leaks(repr(event).encode()))
        if event["type"] == "step_finished":
            seen.extend(leaks_below(here.state) + leaks_below(temporary))
        if not cut and event.get("step") in ("copy", "references", "constraints", "verify"):
            cut.extend(_end_sessions(postgres_server))

    with ProcessWatch() as processes:
        end = worlds.execute(here, *worlds.RUN, watch=watch)
        seen += [f"output: {name}" for name in leaks(end.text.encode())]
        if end.exit_code != 0:
            assert end.exit_code == 1, end.text
            seen += leaks_below(here.root)
            end = worlds.execute(here, *worlds.RESUME, watch=watch)
    assert end.exit_code == 0, end.text
    assert cut and processes.looks > 10

    assert seen == []
    assert processes.found == set()
    assert leaks_below(here.root) == []  # state folder, project, answers, standard error
    assert leaks_below(temporary) == []
    assert any(here.state.rglob("report.html")) and any(here.state.rglob("events.ndjson"))
    with psycopg.connect(here.url.reveal()) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('ashore', 'public')"
        ).fetchall()
        assert ("ashore", "run") in tables
        for schema, table in tables:
            query = sql.SQL("SELECT coalesce(string_agg(t::text, ' '), '') FROM {} t").format(
                sql.Identifier(schema, table)
            )
            row = connection.execute(query).fetchone()
            assert row is not None
            assert leaks(row[0].encode()) == [], table


@pytest.mark.parametrize("wrong", ["password", "host", "bucket"])
def test_a_refused_credential_is_not_repeated(canary_world: worlds.World, wrong: str) -> None:
    here = canary_world
    url = here.url.reveal()
    secrets = dict(here.secrets)
    answers = here.root / "ashore.yml"
    if wrong == "password":
        with psycopg.connect(url, autocommit=True) as own:
            own.execute("ALTER ROLE canary PASSWORD 'another'")
    elif wrong == "host":
        head, _, tail = url.rpartition("@")
        secrets[story.DATABASE_REFERENCE] = Secret(f"{head}@no-such-host.invalid/{tail.rpartition('/')[2]}")
    else:
        answers.write_text(answers.read_text().replace("canary-bucket", "no-such-bucket"))
    there = worlds.World(here.root, here.bucket, here.s3, secrets)
    end = worlds.execute(there, *worlds.RUN)
    assert end.exit_code in (1, 2, 4), end.text
    assert end.codes, end.text
    assert leaks(end.text.encode()) == []
    assert leaks_below(here.root) == []


def _end_sessions(server: embedded.Postgres) -> list[str]:
    """Cut the engine's connections; returns the names of the sessions that were cut."""
    with psycopg.connect(server.admin.reveal(), autocommit=True) as admin:
        rows = admin.execute(
            "SELECT pid, application_name FROM pg_stat_activity WHERE usename = 'canary'"
        ).fetchall()
        for pid, _ in rows:
            admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
    return [name for _, name in rows]
