# ruff: noqa: E501
"""Where the redirect, the packages and the variables go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frameworks.django.change_kit import BUCKET, DATABASE, FULL, URLS, changed, look, patched, write

HEAD = URLS.partition("urlpatterns = ")[0].replace(
    "import static\n", "import static\nfrom django.contrib.auth.decorators import login_required\n"
)
SERVE = "from django.urls import re_path\nfrom django.views.static import serve\n"
ROUTE = 'r"^media/(?P<path>.*)$"'


@pytest.mark.parametrize(
    "urls",
    [
        pytest.param(URLS, id="added"),
        pytest.param(
            HEAD + "urlpatterns = [] + static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)\n",
            id="operand",
        ),
        pytest.param(
            HEAD
            + 'urlpatterns = [path("x", lambda r: None)]\nif settings.DEBUG:\n'
            + "    urlpatterns += static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)\n",
            id="only with DEBUG",
        ),
        pytest.param(
            HEAD
            + SERVE
            + f"urlpatterns = [\n    re_path({ROUTE}, serve, {{'document_root': settings.MEDIA_ROOT}}),\n]\n",
            id="element",
        ),
        pytest.param(
            HEAD
            + SERVE
            + f"urlpatterns = [re_path({ROUTE}, serve, {{'document_root': settings.MEDIA_ROOT}})]\n",
            id="element on the line",
        ),
        pytest.param(
            HEAD
            + "urlpatterns = [\n    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),\n]\n",
            id="starred",
        ),
    ],
)
def test_old_links_lead_to_the_bucket(tmp_path: Path, urls: str) -> None:
    root = write(tmp_path, {"config/urls.py": urls})
    settings = root / "config/settings.py"
    # With DEBUG the app's own route would answer first, if ours came after it.
    settings.write_text(settings.read_text() + "DEBUG = True\n")
    assert not patched(root).instructions
    answers = look(root, FULL, ("/media/x.txt",))["answers"]
    assert isinstance(answers, list)
    assert answers[0][0] == 302
    assert answers[0][1].startswith("https://s3.example/my-bucket/x.txt?")


def test_files_behind_a_login_get_no_way_around_it(tmp_path: Path) -> None:
    guarded = (
        f"urlpatterns = [re_path({ROUTE}, login_required(serve), {{'document_root': settings.MEDIA_ROOT}})]\n"
    )
    root = write(tmp_path, {"config/urls.py": HEAD + SERVE + guarded})
    made = changed(root)
    assert not {"config/urls.py", "config/media_redirect.py"} & {e.path for e in made.edits}
    assert [i.file for i in made.instructions if "login" in i.why] == ["config/urls.py"]


def test_files_that_nobody_could_fetch_stay_so(tmp_path: Path) -> None:
    root = write(tmp_path, {"config/urls.py": "urlpatterns = []\n"})
    made = changed(root)
    assert not {"config/urls.py", "config/media_redirect.py"} & {e.path for e in made.edits}
    assert any("does not serve uploads" in i.why for i in made.instructions)


def test_packages_go_where_the_deploy_installs_from(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "render.yaml": "services:\n  - type: web\n    buildCommand: pip install -r requirements/prod.txt\n",
            "requirements.txt": "black\n",
            "requirements/prod.txt": "-r base.txt\ngunicorn\n",
            "requirements/base.txt": "Django\npsycopg2==2.9.9\nDjango_Storages\n",
        },
    )
    patched(root)
    assert (root / "requirements.txt").read_text() == "black\n"
    assert (root / "requirements/prod.txt").read_text() == "-r base.txt\ngunicorn\n"
    base = (root / "requirements/base.txt").read_text()
    assert base == "Django\npsycopg2==2.9.9\nDjango_Storages\ndj-database-url>=1.3\nboto3\n"


def test_an_old_pinned_package_is_used_as_it_is(tmp_path: Path) -> None:
    pins = "Django==4.2.1\ndj-database-url==0.5.0\ndjango-storages[boto3]==1.13.2\npsycopg2-binary==2.9.9\n"
    root = write(tmp_path, {"requirements.txt": pins})
    patched(root)
    assert (root / "requirements.txt").read_text() == pins
    text = (root / "config/settings.py").read_text()
    assert "conn_health_checks" not in text
    assert "storages.backends.s3boto3.S3Boto3Storage" in text


@pytest.mark.parametrize(
    ("name", "content", "added", "lock"),
    [
        (
            "pyproject.toml",
            '[project]\nname = "x"\ndependencies = [\n    "Django>=5",\n]\n',
            '    "dj-database-url>=1.3",\n    "django-storages[s3]>=1.14.3",\n    "psycopg[binary]>=3.1.8",\n]',
            "uv.lock",
        ),
        (
            "pyproject.toml",
            '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.11"\nDjango = "^5.0"\n',
            'dj-database-url = ">=1.3"\ndjango-storages = {extras = ["s3"], version = ">=1.14.3"}\n',
            "poetry.lock",
        ),
        (
            "Pipfile",
            '[packages]\ndjango = "*"\n',
            'psycopg = {extras = ["binary"], version = ">=3.1.8"}\n',
            "Pipfile.lock",
        ),
    ],
)
def test_other_package_files(tmp_path: Path, name: str, content: str, added: str, lock: str) -> None:
    root = write(tmp_path, {name: content, lock: "{}" if name == "Pipfile" else ""})
    (root / "requirements.txt").unlink()
    made = patched(root)
    assert added in (root / name).read_text()
    assert [i.text for i in made.instructions if i.file == lock] != []


def test_render_yaml_of_a_repository_with_several_services(tmp_path: Path) -> None:
    render = (
        "services:\n- type: web\n  name: site\n  runtime: static\n  rootDir: frontend\n"
        "- type: web\n  name: api\n  rootDir: backend\n  startCommand: gunicorn config.wsgi\n  envVars:\n"
        "  - fromGroup: common\n  - key: DATABASE_URL\n    sync: false\n"
        "- type: worker\n  name: jobs\n  rootDir: backend\n  startCommand: celery -A config worker\n"
        "- type: web\n  name: other\n  rootDir: other\n  startCommand: gunicorn app\n"
    )
    write(tmp_path / "backend")
    (tmp_path / "render.yaml").write_text(render)
    patched(tmp_path, (DATABASE, BUCKET), "backend")
    after = (tmp_path / "render.yaml").read_text()
    names = [v.name for v in BUCKET.variables]
    bucket = "".join(f"  - key: {n}\n    sync: false\n" for n in names)
    first = "  - key: DATABASE_URL\n    sync: false\n"
    expected = render.replace(first, first + bucket)
    celery = "  startCommand: celery -A config worker\n"
    assert after == expected.replace(celery, celery + "  envVars:\n" + first + bucket)
    assert (tmp_path / "backend/.env.example").exists()


def test_a_service_that_cannot_be_told_apart_and_values_in_render_yaml(tmp_path: Path) -> None:
    root = write(
        tmp_path, {"render.yaml": "services:\n  - type: web\n    name: a\n  - type: web\n    name: b\n"}
    )
    made = changed(root)
    assert any(i.file == "render.yaml" and "key: DATABASE_URL" in i.text for i in made.instructions)
    value = "services:\n  - type: web\n    healthCheckPath: /\n    envVars:\n"
    value += "      - key: DATABASE_URL\n        value: sqlite:///db\n"
    (root / "render.yaml").write_text(value)
    made = changed(root, (DATABASE,))
    assert [i.file for i in made.instructions] == ["render.yaml"]
    assert "sqlite" not in made.instructions[0].text


def test_dotenv_itself_is_never_touched(tmp_path: Path) -> None:
    root = write(tmp_path, {".env": "A=1\n", ".env.sample": "# c\nexport A=\n"})
    made = patched(root)
    assert (root / ".env").read_text() == "A=1\n"
    assert not (root / ".env.example").exists()
    assert "export DATABASE_URL=\n" in (root / ".env.sample").read_text()
    assert ".env.sample" in [e.path for e in made.edits]


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("2.2.14", "dj-database-url<1"),
        ("4.2.9", "dj-database-url>=1.3,<2.3"),
        ("5.2.1", "dj-database-url>=1.3"),
    ],
)
def test_dj_database_url_is_one_that_runs_with_the_pinned_django(
    tmp_path: Path, version: str, line: str
) -> None:
    root = write(tmp_path, {"requirements.txt": f"Django=={version}\n"})
    patched(root)
    assert line in (root / "requirements.txt").read_text().splitlines()
