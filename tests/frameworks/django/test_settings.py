"""What is read from settings as people write them, without running any of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from wizard.errors import UsageError
from wizard.frameworks.django import Django
from wizard.frameworks.django.settings import DjangoSettings, django_version, read
from wizard.model import Evidence, Framework, Project

HERE = Framework("django", None, ".")
MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")\n'
BASE = """import os
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
"""
DEFAULT = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "d"}}\n'
SQLITE = '{"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}'


def write(root: Path, **files: str) -> Path:
    names = {"manage": "manage.py", "settings": "config/settings.py", "urls": "config/urls.py", "env": ".env"}
    for key, text in ({"manage": MANAGE} | files).items():
        path = root / names.get(key, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def settings(root: Path, text: str, **files: str) -> DjangoSettings:
    return read(write(root, settings=BASE + text, **files), HERE)


@pytest.mark.parametrize(
    "database",
    [
        SQLITE,
        '{"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(BASE_DIR, "db.sqlite3")}',
        '{"ENGINE": "django.db.backends.sqlite3", "NAME": str(BASE_DIR / "db.sqlite3")}',
        '{"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}',
        '{"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.dirname(os.path.dirname('
        'os.path.abspath(__file__))) + "/db.sqlite3"}',
        '{"ENGINE": os.environ.get("E", "django.db.backends.sqlite3"), "NAME": os.getenv("N", "db.sqlite3")}',
        '__import__("x") if os.environ.get("DATABASE_URL") else ' + SQLITE,
        "dj_database_url.config(default=f\"sqlite:///{BASE_DIR / 'db.sqlite3'}\", conn_max_age=600)",
        "dj_database_url.parse(os.environ.get('DATABASE_URL', 'sqlite:///db.sqlite3'))",
        "env.db('DATABASE_URL', default='sqlite:///db.sqlite3')",
        "env.db_url('DATABASE_URL', 'sqlite:///' + str(BASE_DIR / 'db.sqlite3'))",
        "config('DATABASE_URL', default='sqlite:///db.sqlite3', cast=dj_database_url.parse)",
    ],
)
def test_the_sqlite_file_is_found(tmp_path: Path, database: str) -> None:
    head = (
        "import dj_database_url, environ\nfrom decouple import config\nenv = environ.Env(D=(bool, False))\n"
    )
    found = settings(tmp_path, head + f'DATABASES = {{"default": {database}}}\n')
    assert found.uses_sqlite
    assert found.database_path == tmp_path / "db.sqlite3"
    assert found.where["DATABASES"] == Evidence("config/settings.py", 7)


def test_a_branch_not_taken_holds_the_sqlite(tmp_path: Path) -> None:
    write(tmp_path, **{"db.sqlite3": ""})
    found = settings(
        tmp_path,
        "DEBUG = os.environ.get('DEBUG') == '1'\nif DEBUG:\n"
        f"    DATABASES = {{'default': {SQLITE}}}\nelse:\n"
        "    DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'x'}}\n",
    )
    assert found.database_path == tmp_path / "db.sqlite3"
    assert found.where["DATABASES"].line == 6


def test_postgres_of_an_env_file(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        "import environ\nenv = environ.Env()\n"
        "DATABASES = {'default': env.db(default='sqlite:///db.sqlite3')}\n",
        env="DATABASE_URL='postgres://u:planted@host/name'\n",
    )
    assert found.database_engine == "django.db.backends.postgresql"
    assert found.database_path is None
    assert "planted" not in repr(found)


@pytest.mark.parametrize(
    "media",
    [
        'BASE_DIR / "media"',
        'os.path.join(BASE_DIR, "media")',
        'str(BASE_DIR / "media")',
        'BASE_DIR.joinpath("media")',
        'config("MEDIA_ROOT", default=BASE_DIR / "media")',
        'env("MEDIA_ROOT") or str(BASE_DIR / "media")',
        'os.environ.get("MEDIA", os.path.join(BASE_DIR, "media"))',
        '"media"',
        '"%s/media" % BASE_DIR',
        'root.path("media")()',
        'Path(__file__).parents[1] / "media"',
    ],
)
def test_the_uploads_folder_is_found(tmp_path: Path, media: str) -> None:
    head = "import environ\nfrom decouple import config\nenv = environ.Env()\n"
    head += "root = environ.Path(__file__) - 2\n"
    found = settings(tmp_path, head + f"MEDIA_ROOT = {media}\nMEDIA_URL = '/media/'\n")
    assert found.media_root == tmp_path / "media"
    assert found.media_url == "/media/"


def test_a_package_of_settings(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "config/settings/__init__.py": "",
            "config/settings/base.py": "from pathlib import Path\n"
            "BASE_DIR = Path(__file__).resolve().parent.parent.parent\n"
            'MEDIA_ROOT = BASE_DIR / "uploads"\nDEBUG = True\n',
            "config/settings/local.py": "from .base import *\n"
            f"from .secrets import *\nDATABASES = {{'default': {SQLITE}}}\n",
            "config/settings/secrets.py": 'SECRET_KEY = "planted"\n',
            "manage": MANAGE.replace("config.settings", "config.settings.local"),
        },
    )
    found = read(tmp_path, HERE)
    assert found.files == (
        "config/settings/local.py",
        "config/settings/base.py",
        "config/settings/secrets.py",
    )
    assert found.where["MEDIA_ROOT"] == Evidence("config/settings/base.py", 3)
    assert found.where["DATABASES"] == Evidence("config/settings/local.py", 3)
    assert found.database_path == tmp_path / "db.sqlite3"
    assert found.media_root == tmp_path / "uploads"
    assert found.secret_key_literal
    assert found.debug_literal
    assert "planted" not in repr(found)


def test_the_deployed_settings_count_unless_the_file_of_others_is_here(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "config/dev.py": DEFAULT,
            "config/prod.py": DEFAULT.replace('"d"', '"p"'),
            "config/wsgi.py": MANAGE.replace("config.settings", "config.prod"),
            "manage": MANAGE.replace("config.settings", "config.dev"),
        },
    )
    assert read(tmp_path, HERE).module == "config.prod"
    (tmp_path / "d").touch()
    assert read(tmp_path, HERE).module == "config.dev"
    (tmp_path / "p").touch()
    assert read(tmp_path, HERE).module == "config.prod"


@pytest.mark.parametrize(
    ("urls", "serves"),
    [
        ("urlpatterns = static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)\n", "debug"),
        ("urlpatterns = []\nif settings.DEBUG:\n    urlpatterns += static(settings.MEDIA_URL)\n", "debug"),
        (
            "urlpatterns = [re_path(r'^media/(?P<path>.*)$', serve, {'root': settings.MEDIA_ROOT})]\n",
            "always",
        ),
        (
            "if settings.DEBUG:\n    urlpatterns = [url(r'^media/(?P<path>.*)$', views.serve)]\n",
            "debug",
        ),
        ("urlpatterns = [path('admin/', admin.site.urls)]\n", "never"),
    ],
)
def test_how_uploads_are_served(tmp_path: Path, urls: str, serves: str) -> None:
    found = settings(tmp_path, "ROOT_URLCONF = 'config.urls'\n", urls=urls)
    assert found.serves_media == serves
    assert (found.serves_media_at is None) == (serves == "never")


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"requirements.txt": "Django==4.2.11\n"}, (4, 2, 11)),
        ({"requirements.txt": "django[argon2]>=5.0,<5.2\n"}, (5, 0)),
        ({"requirements/base.txt": "# x\nDjango ~= 4.2  # lts\n"}, (4, 2)),
        ({"pyproject.toml": '[project]\ndependencies = ["django>=5.1"]\n'}, (5, 1)),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.11"\ndjango = "^5.0"\n'}, (5, 0)),
        ({"Pipfile.lock": '{"default": {"django": {"version": "==4.2.1"}}}'}, (4, 2, 1)),
        ({"poetry.lock": '[[package]]\nname = "django"\nversion = "5.2.1"\n'}, (5, 2, 1)),
        ({".venv/lib/python3.12/site-packages/Django-5.1.4.dist-info/METADATA": ""}, (5, 1, 4)),
        ({"requirements.txt": "djangorestframework==3.15\n"}, None),
    ],
)  # fmt: skip
def test_the_version_of_django(
    tmp_path: Path, files: dict[str, str], version: tuple[int, ...] | None
) -> None:
    write(tmp_path, **files)
    assert django_version(tmp_path, tmp_path) == version


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        settings(tmp_path, "DATABASES = {\n")
    assert caught.value.code == "unreadable-settings"
    assert "config/settings.py:4" in caught.value.message


def test_settings_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(write(tmp_path), HERE)
    assert caught.value.code == "unreadable-settings"
    assert "config.settings" in caught.value.message


def test_nothing_of_the_project_runs(tmp_path: Path) -> None:
    settings(tmp_path, "open(BASE_DIR / 'ran', 'w').write('x')\nraise SystemExit(9)\n")
    assert not (tmp_path / "ran").exists()


def test_a_package_whose_part_the_environment_chooses(tmp_path: Path) -> None:
    parts = {
        "config/settings/base.py": DEFAULT,
        "config/settings/prod.py": "from .base import *\nDEBUG = False\n",
    }
    write(tmp_path, **parts)
    found = read(tmp_path, HERE)
    assert found.module == "config.settings.prod"
    assert found.where["DATABASES"] == Evidence("config/settings/base.py", 1)


@pytest.mark.parametrize(
    ("text", "pin", "zone"),
    [
        ("USE_TZ = True\nTIME_ZONE = 'Asia/Seoul'\n", "4.2", "UTC"),
        ("USE_TZ = False\nTIME_ZONE = 'Asia/' + 'Seoul'\n", "4.2", "Asia/Seoul"),
        ("TIME_ZONE = 'Asia/Seoul'\n", "==4.2.1", "Asia/Seoul"),
        ("TIME_ZONE = 'Asia/Seoul'\n", "==5.0", "UTC"),
        ("TIME_ZONE = 'Asia/Seoul'\n", ">=5.1", "UTC"),
        ("TIME_ZONE = 'Asia/Seoul'\n", ">=3.2", None),
        ("TIME_ZONE = 'UTC'\n", ">=3.2", "UTC"),
        ("USE_TZ = False\n", "==4.2.1", "America/Chicago"),
        ("USE_TZ = False\nTIME_ZONE = os.environ['ZONE']\n", "==4.2.1", None),
        ("USE_TZ = False\nTIME_ZONE = os.environ.get('ZONE', 'Asia/Tokyo')\n", "==4.2.1", "Asia/Tokyo"),
        ("USE_TZ = False\nTIME_ZONE = None\n", "==4.2.1", None),
        ("USE_TZ = len(os.environ) > 3\nTIME_ZONE = 'Asia/Seoul'\n", "==5.0", None),
        ("USE_TZ = True\nDATABASES['default']['TIME_ZONE'] = 'Asia/Tokyo'\n", "==5.0", "Asia/Tokyo"),
    ],
)
def test_the_zone_of_stored_times_is_read_and_never_guessed(
    tmp_path: Path, text: str, pin: str, zone: str | None
) -> None:
    pinned = {"requirements.txt": f"Django{pin if pin[0] in '=>' else '==' + pin}\n"}
    assert settings(tmp_path, DEFAULT + text, **pinned).naive_zone == zone


def test_a_zone_that_cannot_be_known_stops_the_preflight(tmp_path: Path) -> None:
    root = write(tmp_path, settings=BASE + DEFAULT + "USE_TZ = False\nTIME_ZONE = os.environ['ZONE']\n")
    with pytest.raises(UsageError, match=r"config/settings.py:6: .* TIME_ZONE") as stop:
        Django().naive_zone(Project(root, (HERE,)), HERE)
    assert stop.value.code == "unknown-time-zone"
