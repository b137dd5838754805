"""The scan of small projects as they are found in the wild, and of things that are broken."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.frameworks.django import sample
from wizard.errors import UsageError
from wizard.model import Evidence, Finding, Project
from wizard.scan import scan
from wizard.scan.as_json import to_json
from wizard.scan.explain import EXPLANATIONS, explain

RENDER = """services:
  - type: web
    name: app
    plan: free
    rootDir: backend
    buildCommand: pip install -r requirements_render.txt && python manage.py migrate
    envVars:
      - key: DJANGO_SECRET_KEY
        value: planted-canary
      - key: MAX_TOKENS
        value: "4000"
      - key: OTHER_SECRET
        sync: false
databases:
  - name: db
    plan: free
"""


def make(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def database(path: Path, rows: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE "odd "" name" (id INTEGER PRIMARY KEY)')
    connection.execute("CREATE TABLE other (x TEXT)")
    connection.executemany("INSERT INTO other VALUES (?)", [("v",)] * rows)
    connection.commit()
    connection.close()
    return path


def codes(project: Project) -> dict[str, Finding]:
    return {finding.code: finding for finding in project.findings}


def test_a_django_app_on_render(tmp_path: Path) -> None:
    sample.write(tmp_path / "backend")
    make(tmp_path, **{"render.yaml": RENDER})
    before = sample.fingerprint(tmp_path)
    project = scan(tmp_path)
    assert sample.fingerprint(tmp_path) == before
    (django,) = project.frameworks
    assert (django.name, django.version, django.path) == ("django", "4.2", "backend")
    assert django.evidence == (Evidence("backend/manage.py", 5),)
    (render,) = project.platforms
    assert (render.name, render.plan, render.evidence) == ("render", "free", (Evidence("render.yaml", 4),))
    base, uploads = project.stores
    assert (base.kind, base.path, base.tables, base.rows) == ("sqlite", "backend/db.sqlite3", 1, 2)
    assert base.bytes == (tmp_path / base.path).stat().st_size
    assert base.evidence == (Evidence("backend/site_of_ours/settings.py", 8),)
    assert not base.survives_redeploy
    assert base.lost_on == ("deploy", "restart", "idle")
    assert (uploads.kind, uploads.path, uploads.files, uploads.bytes) == ("uploads", "backend/media", 1, 6)
    found = codes(project)
    assert found["missing-requirements-file"].line == 6
    assert found["free-database-expires"].line == 16
    assert {"debug-true", "media-served-in-debug-only", "no-postgres-driver"} <= found.keys()
    assert "planted-canary" not in repr(project)
    assert [f.line for f in project.findings if f.code == "secret-key-committed"] == [8, 4]


def test_requirements_that_exist_are_no_finding(tmp_path: Path) -> None:
    make(tmp_path, **{"render.yaml": RENDER, "backend/requirements_render.txt": "psycopg\n"})
    assert "missing-requirements-file" not in codes(scan(tmp_path))


def test_requirements_named_by_a_build_script(tmp_path: Path) -> None:
    text = RENDER.replace("pip install -r requirements_render.txt", "./build.sh")
    make(tmp_path, **{"render.yaml": text, "backend/build.sh": "cd sub\npip install -r reqs.txt\n"})
    assert "build.sh names reqs.txt" in codes(scan(tmp_path))["missing-requirements-file"].message
    make(tmp_path, **{"backend/sub/reqs.txt": ""})
    assert "missing-requirements-file" not in codes(scan(tmp_path))


@pytest.mark.parametrize(
    ("files", "survives", "lost"),
    [
        ({}, False, ("deploy",)),
        ({"Procfile": "web: gunicorn x\n"}, False, ("deploy", "restart")),
        ({"fly.toml": 'app = "x"\n'}, False, ("deploy", "restart")),
        ({"fly.toml": '[mounts]\nsource = "d"\ndestination = "/app/data"\n'}, True, ()),
        ({"fly.toml": '[[mounts]]\nsource = "d"\ndestination = "/data"\n'}, False, ("deploy", "restart")),
        (
            {"fly.toml": '[mounts]\ndestination = "/code/data"\n', "Dockerfile": "FROM x\nWORKDIR /code\n"},
            True,
            (),
        ),
        ({"vercel.json": "{}"}, False, ("deploy", "restart", "idle")),
        ({"railway.json": "{}"}, False, ("deploy", "restart")),
        ({"docker-compose.yml": "services:\n  web:\n    volumes:\n      - .:/app\n"}, True, ()),
        (
            {
                "docker-compose.yml": "services:\n  web:\n    volumes:\n"
                "      - type: volume\n        source: d\n        target: /app/data\n"
            },
            True,
            (),
        ),
        ({"docker-compose.yml": "services:\n  web:\n    volumes: [pg:/var/lib/x]\n"}, False, ("deploy",)),
        (
            {"docker-compose.yml": "services:\n  web:\n    volumes: ['.:/app']\n", "Procfile": "web: x\n"},
            False,
            ("deploy", "restart"),
        ),
        (
            {
                "render.yaml": "services:\n- type: web\n  plan: starter\n  disk:\n    name: d\n"
                "    mountPath: /opt/render/project/src/data\n"
            },
            True,
            (),
        ),
        ({"render.yaml": "services:\n- type: web\n  plan: starter\n"}, False, ("deploy", "restart")),
    ],
)
def test_what_a_deploy_does(
    tmp_path: Path, files: dict[str, str], survives: bool, lost: tuple[str, ...]
) -> None:
    database(make(tmp_path, **files) / "data" / "app.db")
    (store,) = scan(tmp_path).stores
    assert store.path == "data/app.db"
    assert (store.survives_redeploy, store.lost_on) == (survives, lost)
    assert store.why


def test_only_a_sqlite_file(tmp_path: Path) -> None:
    database(tmp_path / "data.sqlite")
    project = scan(tmp_path)
    assert project.frameworks == ()
    (store,) = project.stores
    assert (store.path, store.tables, store.rows) == ("data.sqlite", 2, 3)
    assert project.findings == ()


def test_pruned_folders_and_files_that_only_look_like_databases(tmp_path: Path) -> None:
    database(tmp_path / "node_modules/x/a.db")
    database(tmp_path / "myenv/lib/a.sqlite3")
    make(tmp_path, **{"myenv/pyvenv.cfg": "", "notes.db": "just text", ".gitignore": "*.sqlite3\nhidden/\n"})
    database(tmp_path / "hidden/real.sqlite3")
    assert [store.path for store in scan(tmp_path).stores] == ["hidden/real.sqlite3"]


def test_a_live_database_is_not_disturbed(tmp_path: Path) -> None:
    """A write-ahead log with data in it: nothing is merged, no side file is made or removed."""
    path = database(tmp_path / "live.db")
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode=wal")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO other VALUES ('uncommitted')")
    writer.execute("COMMIT")
    writer.execute("BEGIN EXCLUSIVE")
    before = {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()}
    (store,) = (project := scan(tmp_path)).stores
    assert {p.name: p.stat().st_mtime_ns for p in tmp_path.iterdir()} == before
    assert (store.tables, store.rows) == (2, 3)
    assert "database-in-use" in codes(project)
    writer.execute("COMMIT")
    writer.close()


def test_a_wal_database_at_rest_gets_no_side_files(tmp_path: Path) -> None:
    path = database(tmp_path / "rest.db")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=wal")
    connection.close()
    before = sample.fingerprint(tmp_path)
    (store,) = scan(tmp_path).stores
    assert store.rows == 3
    assert sample.fingerprint(tmp_path) == before


def test_a_damaged_database(tmp_path: Path) -> None:
    path = database(tmp_path / "broken.db", rows=5000)
    data = bytearray(path.read_bytes())
    data[100:4096] = os.urandom(3996)
    path.write_bytes(data)
    finding = codes(scan(tmp_path))["database-damaged"]
    assert (finding.severity, finding.file) == ("error", "broken.db")


def test_settings_naming_a_file_that_is_not_a_database(tmp_path: Path) -> None:
    sample.write(tmp_path)
    (tmp_path / "db.sqlite3").write_text("<html>not found</html>" * 50)
    assert codes(scan(tmp_path))["database-damaged"].file == "db.sqlite3"


def test_an_absent_database_is_still_named(tmp_path: Path) -> None:
    sample.write(tmp_path)
    (tmp_path / "db.sqlite3").unlink()
    project = scan(tmp_path)
    assert project.stores[0].path == "db.sqlite3"
    assert codes(project)["database-absent"].line == 8


def test_a_database_only_the_environment_knows(tmp_path: Path) -> None:
    before, _, after = sample.SETTINGS.partition("DATABASES = ")
    database = "DATABASES = {'default': parse(os.environ['DATABASE_URL'])}\n"
    text = before + database + after.partition("\n")[2]
    sample.write(tmp_path, {"site_of_ours/settings.py": text})
    (tmp_path / "db.sqlite3").unlink()
    project = scan(tmp_path)
    assert [store.kind for store in project.stores] == ["uploads"]
    assert codes(project)["database-from-environment"].line == 8


def test_unreadable_settings_are_a_finding(tmp_path: Path) -> None:
    sample.write(tmp_path, {"site_of_ours/settings.py": "DATABASES = {\n"})
    project = scan(tmp_path)
    assert "settings.py:1" in codes(project)["unreadable-settings"].message
    assert [store.path for store in project.stores] == ["db.sqlite3"]


def test_invalid_configuration_files(tmp_path: Path) -> None:
    make(
        tmp_path,
        **{
            "render.yaml": "services: [\n  : :",
            "fly.toml": "= nonsense",
            "package.json": "{",
            "docker-compose.yml": "just text",
            "pyproject.toml": "[",
        },
    )
    project = scan(tmp_path)
    assert {platform.name for platform in project.platforms} == {"render", "fly", "docker-compose"}
    assert "unreadable-config" in codes(project)


@pytest.mark.parametrize("name", ["manage.py", "site_of_ours/wsgi.py"])
def test_an_entry_point_that_cannot_be_parsed(tmp_path: Path, name: str) -> None:
    sample.write(tmp_path, {name: sample.MANAGE + "def main(:\n"})
    assert codes(scan(tmp_path))["unreadable-settings"].severity == "error"


def test_other_frameworks(tmp_path: Path) -> None:
    make(
        tmp_path,
        **{
            "api/requirements.txt": "# web\nFlask==3.0.2\nfastapi[all]>=0.110\n",
            "web/package.json": '{\n "dependencies": {\n  "@nestjs/core": "^10.3.0",\n  "express": "4"}}',
        },
    )
    found = {f.name: (f.version, f.path, f.evidence) for f in scan(tmp_path).frameworks}
    assert found["flask"] == ("3.0.2", "api", (Evidence("api/requirements.txt", 2),))
    assert found["fastapi"] == ("0.110", "api", (Evidence("api/requirements.txt", 3),))
    assert found["nestjs"] == ("10.3.0", "web", (Evidence("web/package.json", 3),))
    assert "express" not in found


def test_tracked_by_git(tmp_path: Path) -> None:
    sample.write(tmp_path)
    make(tmp_path, **{"media/sub/b.txt": "x"})
    git = ["git", "-C", str(tmp_path), "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    found = codes(scan(tmp_path))
    assert found["uploads-in-git"].message.startswith("2 files of media")
    assert found["database-in-git"].file == "db.sqlite3"


def test_uploads_already_in_a_bucket(tmp_path: Path) -> None:
    backend = 'STORAGES = {"default": {"BACKEND": "storages.backends.s3.S3Storage"}}\n'
    sample.write(tmp_path, {"site_of_ours/settings.py": sample.SETTINGS + backend})
    (tmp_path / "media/a.txt").unlink()
    kinds = {store.kind: store.survives_redeploy for store in scan(tmp_path).stores}
    assert kinds == {"sqlite": False, "s3": True}


def test_as_json_has_the_contracts_keys(tmp_path: Path) -> None:
    sample.write(tmp_path)
    make(tmp_path, **{"render.yaml": RENDER})
    data = to_json(scan(tmp_path))
    assert list(data) == ["version", "project", "frameworks", "platforms", "stores", "findings"]
    assert data["project"] == tmp_path.name
    assert data["stores"][0] == {
        "kind": "sqlite",
        "path": "db.sqlite3",
        "bytes": (tmp_path / "db.sqlite3").stat().st_size,
        "tables": 1,
        "rows": 2,
        "survives_redeploy": False,
        "lost_on": ["deploy", "restart", "idle"],
        "why": data["stores"][0]["why"],
        "evidence": [{"file": "site_of_ours/settings.py", "line": 8}],
    }
    assert list(data["stores"][1])[:4] == ["kind", "path", "bytes", "files"]
    assert list(data["findings"][0]) == ["code", "severity", "message", "hint", "file", "line"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        scan(tmp_path / "nowhere")
    assert caught.value.code == "no-such-folder"


def test_every_code_of_a_finding_is_explained() -> None:
    folder = Path(__file__).parents[2] / "wizard" / "scan"
    text = "".join(
        file.read_text(encoding="utf-8") for file in folder.glob("*.py") if not file.name.startswith("expla")
    )
    used = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)",\s*(?:"(?:error|warning|info)"|severity)', text))
    assert used - {explanation.code for explanation in EXPLANATIONS} == set()
    for explanation in EXPLANATIONS:
        if explanation.code != "unreadable-settings":
            assert f'"{explanation.code}"' in text
        assert len(explanation.text) > 200
    found = explain("database-damaged")
    assert found is not None
    assert found.title
    assert explain("no-such-code") is None
