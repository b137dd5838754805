"""Each finding on the smallest project that shows it, and on the nearest one that does not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.scan.test_scan import codes, database, make
from wizard.model import Project
from wizard.scan import scan

FLASK = {"requirements.txt": "flask\nflask-sqlalchemy\n"}
NEST = {"package.json": '{"dependencies": {"@nestjs/core": "11.0.0", "multer": "2"}}'}
FRONT = {"web/package.json": '{"dependencies": {"react": "19"}}'}
PRISMA = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'
KEY = "AKIA" + "Q3EGRBTNUXK7WZ5M"  # in two parts: no key of this form shall stand in the repository
RANDOM = "pL4nt3dC4nary" + "Q7xZ0vB2kD9"


def scanned(root: Path, files: dict[str, str]) -> Project:
    return scan(make(root, **files))


@pytest.mark.parametrize(
    ("code", "files", "better"),
    [
        (
            "credentials-committed",
            {"app.py": f"import os\nKEY = '{KEY}'\n"},
            {"app.py": "KEY = 'AKIAIOSFODNN7EXAMPLE'\n"},
        ),
        (
            "credentials-committed",
            {"db.py": f"URL = 'postgresql://shop:{RANDOM}@ep-cool-1.neon.tech/shop'\n"},
            {"db.py": "URL = 'postgresql://postgres:postgres@localhost:5432/shop'\n"},
        ),
        (
            "credentials-committed",
            {"a.js": f"cloudinary.config({{ api_secret: '{RANDOM}' }})\n"},
            {
                "a.js": "cloudinary.config({ api_secret: process.env.API_SECRET })\n// api_secret: 'your_api_secret_1'\n"  # noqa: E501
            },
        ),
        (
            "secret-key-weak",
            {"app.py": "import os\nkey = os.environ.get('SECRET_KEY', 'dev')\n"},
            {"app.py": "import os\nkey = os.environ['SECRET_KEY']\n"},
        ),
        (
            "secret-key-weak",
            {"a.ts": "const secret = process.env.JWT_SECRET || 'secret';\n"},
            {
                "a.ts": "const secret = process.env.JWT_SECRET || 'secret';\n",
                "render.yaml": "services:\n- type: web\n  envVars:\n  - key: JWT_SECRET\n    generateValue: true\n",  # noqa: E501
            },
        ),
        (
            "secret-key-committed",
            {"app.py": "app.config['SECRET_KEY'] = 'hello'\n"},
            {"app.py": "# app.config['SECRET_KEY'] = 'hello'\n"},
        ),
        (
            "cors-any-origin",
            {"main.py": "app.add_middleware(CORSMiddleware, allow_origins=['*'])\n"},
            {"main.py": "app.add_middleware(CORSMiddleware, allow_origins=['https://a.example'])\n"},
        ),
        (
            "cors-any-origin",
            {"main.ts": "app.enableCors({ origin: true, credentials: true });\n"},
            {
                "main.ts": "// app.enableCors({ origin: true });\napp.enableCors({ origin: ['https://a.example'] });\n"  # noqa: E501
            },
        ),
        (
            "temporary-files-left",
            {"a.py": "import tempfile\nf = tempfile.NamedTemporaryFile(delete=False)\n"},
            {
                "a.py": "import os, tempfile\nf = tempfile.NamedTemporaryFile(delete=False)\nos.unlink(f.name)\n"  # noqa: E501
            },
        ),
        (
            "url-prefixed-twice",
            {"a.py": "u = f'https://res.cloudinary.com/x/image/upload/{p.image.url}'\n"},
            {"a.py": "u = f'https://res.cloudinary.com/x/image/upload/{p.public_id}'\n"},
        ),
        (
            "url-prefixed-twice",
            {
                "a.js": "const u = 'https://res.cloudinary.com/x/image/upload/https://res.cloudinary.com/x/a.png';\n"
            },
            {"a.js": "const u = 'https://res.cloudinary.com/x/image/fetch/https://example.com/a.png';\n"},
        ),
        (
            "postgres-scheme",
            {
                **FLASK,
                "Procfile": "web: x\n",
                "a.py": "import os\nSQLALCHEMY_DATABASE_URI = os.environ['DATABASE_URL']\n",
            },
            {
                **FLASK,
                "Procfile": "web: x\n",
                "a.py": "import os\nSQLALCHEMY_DATABASE_URI = os.environ['DATABASE_URL'].replace("
                "'postgres://', 'postgresql://', 1)\n",
            },
        ),
        (
            "dead-api-address",
            {**FRONT, "web/.env.production": "VITE_API_URL=http://localhost:8000\n"},
            {**FRONT, "web/.env": "VITE_API_URL=http://localhost:8000\n"},
        ),
        (
            "dead-api-address",
            {**FRONT, "web/src/a.js": "fetch('http://localhost:8000/api')\n"},
            {**FRONT, "web/src/a.js": "fetch(import.meta.env.VITE_API ?? 'http://localhost:8000/api')\n"},
        ),
        (
            "dead-api-address",
            {
                **FRONT,
                "web/.env.production": "VITE_API_URL=https://old-api.onrender.com\n",
                "render.yaml": "services:\n- type: web\n  name: api\n",
            },
            {
                **FRONT,
                "web/.env.production": "VITE_API_URL=https://api-x1y2.onrender.com\n",
                "render.yaml": "services:\n- type: web\n  name: api\n",
            },
        ),
        (
            "pooler-misuse",
            {
                "prisma/schema.prisma": PRISMA,
                ".env.example": "DATABASE_URL=postgresql://u:p@x.pooler.supabase.com:6543/p\n",
            },
            {
                "prisma/schema.prisma": PRISMA.replace("}", '  directUrl = env("DIRECT_URL")\n}'),
                ".env.example": "DATABASE_URL=postgresql://u:p@x.pooler.supabase.com:6543/p?pgbouncer=true\n",
            },
        ),
        (
            "missing-requirements-file",
            {"Dockerfile": "FROM python\nRUN pip install -r reqs.txt\n"},
            {
                "Dockerfile": "FROM python\nRUN poetry export -o reqs.txt && pip install --retries=5 -r reqs.txt\n"  # noqa: E501
            },
        ),
        (
            "no-health-check",
            {"render.yaml": "services:\n- type: web\n  name: a\n"},
            {"render.yaml": "services:\n- type: web\n  healthCheckPath: /\n- type: web\n  runtime: static\n"},
        ),
        (
            "uploads-folder-unknown",
            {
                **NEST,
                "a.ts": "import multer from 'multer';\nconst s = diskStorage({ destination: pick() });\n",
            },
            {
                **NEST,
                "a.ts": "import multer from 'multer';\nconst s = diskStorage({ destination: './uploads' });\n",  # noqa: E501
            },
        ),
        (
            "debug-true",
            {"Procfile": "web: python app.py\n", "app.py": "app.run(debug=True)\n"},
            {"Procfile": "web: gunicorn app:app\n", "app.py": "app.run(debug=True)\n"},
        ),
    ],
)
def test_seen_where_it_is_and_not_where_it_is_not(
    tmp_path: Path, code: str, files: dict[str, str], better: dict[str, str]
) -> None:
    found = codes(scanned(tmp_path / "worse", files))
    assert code in found
    assert found[code].file in files
    assert found[code].line
    project = scanned(tmp_path / "better", better)
    assert code not in codes(project)
    for value in (KEY, RANDOM):
        assert value not in repr(project) + repr(found)


def test_an_environment_file_counts_where_git_tracks_it(tmp_path: Path) -> None:
    make(
        tmp_path,
        **{".env": f"DEBUG=1\nJWT_SECRET={RANDOM}\nDB_PASSWORD=postgres\n", ".env.example": "JWT_SECRET=x\n"},
    )
    assert "env-file-committed" not in codes(scan(tmp_path))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    finding = codes(scan(tmp_path))["env-file-committed"]
    assert (finding.file, finding.line) == (".env", 2)
    assert "JWT_SECRET" in finding.message
    assert RANDOM not in finding.message


def test_backups_are_missed_only_where_nobody_makes_any(tmp_path: Path) -> None:
    database(tmp_path / "shop.db")
    make(tmp_path, **FLASK, **{"app.py": "import sqlite3\nsqlite3.connect('shop.db')\n"})
    assert codes(scan(tmp_path))["no-backups"].file == "app.py"
    make(tmp_path, **{"backup.sh": "sqlite3 shop.db '.backup copy.db'\n"})
    assert "no-backups" not in codes(scan(tmp_path))


@pytest.mark.parametrize(
    ("files", "path", "survives"),
    [
        ({"app.py": "from flask import request\nUPLOAD_FOLDER = 'files'\nrequest.files\n"}, "files", False),
        (
            {
                "app.py": "import os\nfrom flask import request\nrequest.files\n"
                "UPLOAD_FOLDER = os.environ.get('UPLOAD_DIR', 'uploads')\n",
                "render.yaml": "services:\n- type: web\n  disk:\n    mountPath: /var/data\n  envVars:\n"
                "  - key: UPLOAD_DIR\n    value: /var/data/uploads\n",
            },
            "/var/data/uploads",
            True,
        ),
        (
            {
                "app.py": "import os\nfrom flask import request\nrequest.files\n"
                "app.config['UPLOAD_FOLDER'] = os.path.join(app.root_path, 'static', 'avatars')\n"
            },
            "static/avatars",
            False,
        ),
    ],
)
def test_the_folder_of_a_flask_apps_uploads(
    tmp_path: Path, files: dict[str, str], path: str, survives: bool
) -> None:
    project = scanned(tmp_path, {**FLASK, **files})
    (store,) = [s for s in project.stores if s.kind == "uploads"]
    assert (store.path, store.survives_redeploy) == (path, survives)
    assert store.evidence[0].file == "app.py"


def test_vercel_for_the_front_end_says_nothing_of_a_server_elsewhere(tmp_path: Path) -> None:
    database(tmp_path / "api/data/app.db")
    disk = "services:\n- type: web\n  disk:\n    mountPath: /opt/render/project/src/api/data\n"
    make(tmp_path, **{"web/vercel.json": "{}", "render.yaml": disk})
    (store,) = scan(tmp_path).stores
    assert store.survives_redeploy


def test_several_apps_of_one_repository_each_keep_their_stores(tmp_path: Path) -> None:
    files = {
        "api/requirements.txt": "fastapi\n",
        "api/main.py": "from fastapi import UploadFile\nUPLOAD_DIR = 'uploads'\n",
        "admin/package.json": '{"dependencies": {"express": "5", "multer": "2"}}',
        "admin/index.js": "const multer = require('multer');\nconst m = multer({ dest: 'media/' });\n",
        "admin/prisma/schema.prisma": PRISMA,
    }
    project = scanned(tmp_path, files)
    assert sorted((s.kind, s.path) for s in project.stores) == [
        ("postgres", "DATABASE_URL"), ("uploads", "admin/media"), ("uploads", "api/uploads"),
    ]  # fmt: skip


def test_a_setting_that_django_no_longer_reads_keeps_nothing_safe(tmp_path: Path) -> None:
    from tests.frameworks.django import sample

    text = sample.SETTINGS + "DEFAULT_FILE_STORAGE = 'storages.backends.s3.S3Storage'\n"
    sample.write(tmp_path, {"site_of_ours/settings.py": text, "requirements.txt": "Django==5.2\n"})
    project = scan(tmp_path)
    assert codes(project)["storage-setting-removed"].severity == "error"
    assert [s.kind for s in project.stores] == ["sqlite", "uploads"]
