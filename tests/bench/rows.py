"""How fast rows travel: the whole engine on a SQLite file of N rows, beside `psql \\copy` where installed.

    python -m tests.bench.rows [--rows 1050000] [--repeat 3]

Prints medians in seconds and their ratios, the engine's steps apart, and its greatest memory. Ratios are
what to compare: machines differ. A command, not a test.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from wizard.credentials import Secret
from wizard.demo import embedded

CHILD = (
    "import resource, runpy, sys; sys.argv[0] = 'ashore'\n"
    "try: runpy.run_module('wizard', run_name='__main__')\n"
    "finally: sys.stderr.write('peak %d\\n' % resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
)


def build(path: Path, rows: int) -> None:
    """A table of people and one of their events (20 to 1), about 350 bytes a row."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
            CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE,
                joined TIMESTAMP, active BOOLEAN, balance DECIMAL(12, 2));
            CREATE TABLE event (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person (id),
                at TIMESTAMP NOT NULL, kind VARCHAR(20), value REAL, note TEXT);
            """
        )
        people = rows // 21
        connection.executemany(
            "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?)",
            (
                (i, f"Person {i}", f"p{i}@example.org", "2024-03-01 12:00:00.123456", i % 2, i % 1000 + 0.25)
                for i in range(1, people + 1)
            ),
        )
        connection.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
            (
                (i, i % people + 1, "2024-05-06 07:08:09", "visit", i * 0.5, "n" * (i % 500))
                for i in range(1, rows - people + 1)
            ),
        )
        connection.execute("CREATE INDEX event_person ON event (person_id)")
        connection.commit()


def engine(folder: Path, url: Secret) -> tuple[float, dict[str, float], int]:
    """(seconds in all, seconds a step, peak memory in kB) of one `ashore run`."""
    answers = folder / "ashore.yml"
    answers.write_text("version: 1\nproject: app\ndatabase: {url: 'env:TARGET'}\nstorage: []\n")
    state = Path(tempfile.mkdtemp(prefix="state-", dir=folder))
    begun = time.perf_counter()
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-c", CHILD, "run", "-a", str(answers)),
            *("--yes", "--events", "--state-dir", str(state)),
        ],
        env={**os.environ, "TARGET": url.reveal()},
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - begun
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    steps = {e["step"]: e["seconds"] for e in events if e["type"] == "step_finished"}
    peak = int(done.stderr.rsplit("peak ", 1)[1])
    shutil.rmtree(state)
    return seconds, steps, peak


def psql(folder: Path, url: Secret) -> float | None:
    """Seconds of `psql \\copy` of ready-made text into tables without keys: the server's own limit."""
    if shutil.which("psql") is None:
        return None
    with closing(sqlite3.connect(folder / "app" / "db.sqlite3")) as source:
        for table in ("person", "event"):
            with (folder / f"{table}.txt").open("w", encoding="utf-8") as out:
                for row in source.execute(f"SELECT * FROM {table}"):
                    out.write("\t".join("\\N" if v is None else str(v) for v in row) + "\n")
    script = (
        "CREATE TABLE p (id bigint, name text, email text, joined timestamp, active boolean, "
        "balance numeric);\n"
        "CREATE TABLE e (id bigint, person_id bigint, at timestamp, kind text, value float8, note text);\n"
        f"\\copy p from '{folder}/person.txt'\n\\copy e from '{folder}/event.txt'\n"
    )
    begun = time.perf_counter()
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", url.reveal()], input=script, text=True, check=True)
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_050_000)
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ashore-bench-") as text, embedded.postgres() as server:
        folder = Path(text)
        (folder / "app").mkdir()
        build(folder / "app" / "db.sqlite3", arguments.rows)
        size = (folder / "app" / "db.sqlite3").stat().st_size / 1e6
        runs = [engine(folder, server.database(f"e{n}")) for n in range(arguments.repeat)]
        copies = [psql(folder, server.database(f"p{n}")) for n in range(arguments.repeat)]
    print(f"{arguments.rows:,} rows, {size:.0f} MB SQLite, PostgreSQL of the embedded package, same machine")
    whole = statistics.median(r[0] for r in runs)
    print(f"ashore run in all      {whole:7.2f} s   peak memory {max(r[2] for r in runs) // 1024} MB")
    for step in runs[0][1]:
        print(f"  {step:<20} {statistics.median(r[1][step] for r in runs):7.2f} s")
    if copies[0] is not None:
        limit = statistics.median(c for c in copies if c is not None)
        print(f"psql \\copy of text     {limit:7.2f} s")
        copied = statistics.median(r[1]["copy"] for r in runs)
        print(f"copy / psql {copied / limit:.2f}, all steps / psql {whole / limit:.2f}")


if __name__ == "__main__":
    main()
