"""The project's migrations, run for real against PostgreSQL, leaving the user's tree as it was."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.frameworks.django import sample
from wizard.context import Cancel
from wizard.credentials import Secret
from wizard.errors import StepFailed, Stopped, UsageError
from wizard.events import Event, Progress
from wizard.frameworks import framework
from wizard.frameworks.base import Workshop
from wizard.frameworks.django.private import mask
from wizard.frameworks.django.schema import build_schema

MakeWorkshop = Callable[..., Workshop]


def tables(url: Secret) -> set[str]:
    with psycopg.connect(url.reveal()) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {row[0] for row in rows}


def test_tables_stand_and_the_tree_is_untouched(
    make_workshop: MakeWorkshop, database_url: Secret, events: list[Event]
) -> None:
    workshop = make_workshop()
    before = sample.fingerprint(workshop.project.root)
    kind = framework("django")
    assert kind is not None
    kind.build_schema(workshop, database_url)
    assert {"blog_post", "auth_user", "django_content_type", "django_migrations"} <= tables(database_url)
    assert sample.fingerprint(workshop.project.root) == before
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].done == progress[-1].total == len(progress) - 1
    assert "blog.0002_seed" in {event.item for event in progress}


def test_no_secret_in_the_work_folder(make_workshop: MakeWorkshop, database_url: Secret) -> None:
    workshop = make_workshop({".env": "SECRET_OF_MINE=planted-canary\n"})
    build_schema(workshop, database_url)
    password = database_url.reveal().split("@")[0].rpartition(":")[2]
    for path in workshop.work.rglob("*"):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", errors="replace")
            assert password not in text
            assert "planted-canary" not in text
    assert not (workshop.work / "project").exists()


def test_repeating_changes_nothing(make_workshop: MakeWorkshop, database_url: Secret) -> None:
    workshop = make_workshop()
    build_schema(workshop, database_url)
    build_schema(workshop, database_url)
    with psycopg.connect(database_url.reveal()) as connection:
        assert connection.execute("SELECT count(*) FROM blog_post").fetchone() == (1,)


KILLED_AFTER_RECORDING = """
import os
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
import pathlib

if not pathlib.Path({flag!r}).exists():
    leave = BaseDatabaseSchemaEditor.__exit__
    def killed(self, *args):
        leave(self, *args)
        if any("blog_post" in str(q["sql"]) for q in self.connection.queries_log):
            pathlib.Path({flag!r}).touch()
            os._exit(9)
    BaseDatabaseSchemaEditor.__exit__ = killed
"""


def test_killed_right_after_a_migrations_commit(
    make_workshop: MakeWorkshop, database_url: Secret, tmp_path: Path
) -> None:
    """Tables and record are one transaction: a repetition does not meet tables that nobody recorded."""
    hook = KILLED_AFTER_RECORDING.format(flag=str(tmp_path / "killed"))
    workshop = make_workshop({"apps/blog/migrations/0001_initial.py": hook + sample.FIRST})
    with pytest.raises(StepFailed) as caught:
        build_schema(workshop, database_url)
    assert caught.value.code == "migrate-failed"
    assert "blog_post" in tables(database_url)
    build_schema(workshop, database_url)
    with psycopg.connect(database_url.reveal()) as connection:
        assert connection.execute("SELECT count(*) FROM blog_post").fetchone() == (1,)


BROKEN = """from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("blog", "0001_initial")]
    operations = [migrations.RunSQL("PRAGMA foreign_keys = off")]
"""


def test_a_migration_only_sqlite_accepts(make_workshop: MakeWorkshop, database_url: Secret) -> None:
    workshop = make_workshop({"apps/blog/migrations/0002_seed.py": BROKEN})
    with pytest.raises(StepFailed) as caught:
        build_schema(workshop, database_url)
    assert caught.value.code == "migrate-failed"
    assert "PRAGMA" in caught.value.message
    assert "migration blog.0002_seed failed" in caught.value.message


def test_settings_that_need_a_variable(make_workshop: MakeWorkshop, database_url: Secret) -> None:
    text = sample.SETTINGS + "import os\nPAYMENT = os.environ['PAYMENT_KEY_OF_NOBODY']\n"
    workshop = make_workshop({"site_of_ours/settings.py": text})
    with pytest.raises(UsageError) as caught:
        build_schema(workshop, database_url)
    assert caught.value.code == "unreadable-settings"
    assert "PAYMENT_KEY_OF_NOBODY" in caught.value.message
    assert "variable" in caught.value.hint
    assert tables(database_url) == set()


def test_the_projects_own_secrets_are_redacted(make_workshop: MakeWorkshop, database_url: Secret) -> None:
    text = sample.SETTINGS + "PAY_SECRET = 'planted-literal-7'\n"
    text += "raise ValueError(PAY_SECRET + (BASE_DIR / '.env').read_text())\n"
    env = "PAYMENT_TOKEN=planted-canary\n"
    with pytest.raises(UsageError) as caught:
        build_schema(make_workshop({"site_of_ours/settings.py": text, ".env": env}), database_url)
    assert "***PAYMENT_TOKEN=***" in caught.value.message


def test_a_quoted_line_of_code_shows_no_secret_and_an_error_keeps_its_words(tmp_path: Path) -> None:
    shown = mask((tmp_path,), tmp_path)
    assert shown('  File "/app/pay.py", line 3, in send') == '  File "/app/pay.py", line 3, in send'
    assert "x9y8z7" not in shown('    client = Client(api_key="x9y8z7")')
    words = 'KeyError: "PAYMENT_TOKEN"'
    assert shown(words) == words


def test_settings_that_need_a_package(make_workshop: MakeWorkshop, database_url: Secret) -> None:
    text = sample.SETTINGS + "import a_package_nobody_has\n"
    workshop = make_workshop({"site_of_ours/settings.py": text})
    with pytest.raises(UsageError, match="a_package_nobody_has") as caught:
        build_schema(workshop, database_url)
    assert "requirements" in caught.value.hint


def test_wrong_password_is_redacted(make_workshop: MakeWorkshop, database_url: Secret) -> None:
    wrong = Secret(database_url.reveal().replace("@", "wrong@", 1))
    with pytest.raises(StepFailed) as caught:
        build_schema(make_workshop(), wrong)
    assert caught.value.code == "migrate-failed"
    assert wrong.reveal().split("@")[0].rpartition(":")[2] not in str(caught.value)


WAITING = """
import os, pathlib, time
from django.db import migrations

def wait(apps, schema_editor):
    seen = pathlib.Path("/proc/self")
    facts = pathlib.Path({facts!r})
    part = facts.with_suffix(".part")
    part.write_bytes((seen / "cmdline").read_bytes() + b"|" + str(os.getpid()).encode())
    part.rename(facts)
    while True:
        time.sleep(0.05)

class Migration(migrations.Migration):
    dependencies = [("blog", "0001_initial")]
    operations = [migrations.RunPython(wait)]
"""


def wait_for(path: Path) -> bytes:
    ready = threading.Event()
    for _ in range(600):
        if path.exists():
            return path.read_bytes()
        ready.wait(0.05)
    raise AssertionError(f"{path} did not appear")


def test_a_stop_ends_the_child_and_its_transaction(
    make_workshop: MakeWorkshop, database_url: Secret, tmp_path: Path
) -> None:
    facts = tmp_path / "facts"
    cancel = Cancel()
    files = {"apps/blog/migrations/0002_seed.py": WAITING.format(facts=str(facts))}
    workshop = make_workshop(files, cancel=cancel)

    def stop() -> None:
        wait_for(facts)
        cancel.ask()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Stopped):
        build_schema(workshop, database_url)
    thread.join()
    arguments, _, pid = facts.read_bytes().rpartition(b"|")
    assert not Path(f"/proc/{int(pid)}").exists()
    assert database_url.reveal().split("@")[0].rpartition(":")[2].encode() not in arguments


ENGINE = """
import sys
from pathlib import Path
from wizard.context import Cancel
from wizard.credentials import Redactor, Secret
from wizard.frameworks.base import Workshop
from wizard.frameworks.django.schema import build_schema
from wizard.model import Framework, Project

framework = Framework("django", None, ".")
project = Project(Path(sys.argv[1]), (framework,))
build_schema(
    Workshop(project, framework, Path(sys.argv[2]), sys.executable, "a:x:1", Redactor(), print, Cancel()),
    Secret(sys.stdin.readline().strip()),
)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at /proc")
def test_the_child_dies_with_a_killed_engine(
    make_workshop: MakeWorkshop, database_url: Secret, tmp_path: Path
) -> None:
    facts = tmp_path / "facts"
    workshop = make_workshop({"apps/blog/migrations/0002_seed.py": WAITING.format(facts=str(facts))})
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(workshop.project.root), str(workshop.work)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert engine.stdin is not None
    engine.stdin.write(database_url.reveal().encode() + b"\n")
    engine.stdin.flush()
    pid = int(wait_for(facts).rpartition(b"|")[2])
    engine.kill()
    engine.wait()
    engine.stdin.close()
    for _ in range(200):
        if not alive(pid):
            break
        threading.Event().wait(0.05)
    assert not alive(pid)


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_lock_is_inherited(make_workshop: MakeWorkshop, database_url: Secret, tmp_path: Path) -> None:
    handle = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    facts = tmp_path / "facts"
    looking = f"""
import os, pathlib
pathlib.Path({str(facts)!r}).write_text(os.readlink("/proc/self/fd/{handle}"))
"""
    workshop = make_workshop({"site_of_ours/settings.py": sample.SETTINGS + looking}, lock_handle=handle)
    build_schema(workshop, database_url)
    os.close(handle)
    assert facts.read_text() == str(tmp_path / "lock")
