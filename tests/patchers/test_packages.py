"""requirements.txt, pyproject.toml and Pipfile: packages join in the file's own style."""

from __future__ import annotations

import pytest

from wizard.patchers import pipfile
from wizard.patchers.base import NotUnderstood, apply_splices, assemble
from wizard.patchers.diff import unified
from wizard.patchers.requirements import Requirement, RequirementsFile, chain, requirements_check
from wizard.patchers.toml_file import TomlFile, array_check

PSYCOPG = Requirement("psycopg", ("binary",), "3.1.8")
BOTH = [Requirement("dj-database-url", bound="1.3"), PSYCOPG]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"Django\n", b"Django\npsycopg[binary]\n", id="open"),
        pytest.param(b"Django==5.2\n", b"Django==5.2\npsycopg[binary]>=3.1.8\n", id="pinned"),
        pytest.param(b"Django==5.2", b"Django==5.2\npsycopg[binary]>=3.1.8", id="no final newline"),
        pytest.param(b"# web\r\nDjango\r\n", b"# web\r\nDjango\r\npsycopg[binary]\r\n", id="CRLF"),
        pytest.param(b"\xef\xbb\xbfDjango\n", b"\xef\xbb\xbfDjango\npsycopg[binary]\n", id="byte order mark"),
        pytest.param(b"", b"psycopg[binary]\n", id="empty"),
        pytest.param(
            b"asgiref\nDjango\ngunicorn\nwhitenoise\nzope.interface\n",
            b"asgiref\nDjango\ngunicorn\npsycopg[binary]\nwhitenoise\nzope.interface\n",
            id="sorted",
        ),
        pytest.param(
            b"Django ; python_version > '3'\n-e git+https://x/y#egg=z\n--extra-index-url https://x\n",
            b"Django ; python_version > '3'\n-e git+https://x/y#egg=z\n--extra-index-url https://x\npsycopg[binary]\n",
            id="options",
        ),
    ],
)
def test_requirements(before: bytes, after: bytes) -> None:
    splices = RequirementsFile(before).add([PSYCOPG], "because")
    edit = assemble("requirements.txt", before, splices, requirements_check([PSYCOPG]))
    assert apply_splices(before, edit) == after


def test_what_stands_in_a_chain_of_files_is_known_by_its_normalised_name() -> None:
    files = {
        "requirements.txt": b"-r requirements/prod.txt\n",
        "requirements/prod.txt": b"-r base.txt\nDJ_Database.URL == 2.1  # c\n",
        "requirements/base.txt": b"Django-Storages[S3, azure] \\\n  >=1.14\n",
    }
    found = chain("requirements.txt", files.get, lambda a, b: f"requirements/{b.rpartition('/')[2]}")
    listed = {p.name: p for f in found.values() for p in f.packages}
    assert set(listed) == {"dj-database-url", "django-storages"}
    assert listed["django-storages"].extras == {"s3", "azure"}
    assert list(found) == list(files)


def test_hashes_and_damage_are_left_to_a_person() -> None:
    with pytest.raises(NotUnderstood) as caught:
        RequirementsFile(b"a==1\nDjango==5.2 \\\n    --hash=sha256:00\n").add([PSYCOPG], "x")
    assert caught.value.line == 3
    with pytest.raises(NotUnderstood):
        RequirementsFile(b"\xff\xfeD")


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
def test_what_powershell_writes(mark: str) -> None:
    before = "\ufeffDjango==5.2\r\nasgiref==3.8\r\n".encode(mark)
    source = RequirementsFile(before)
    assert [p.name for p in source.packages] == ["django", "asgiref"]
    edit = assemble("r.txt", before, source.add([PSYCOPG], "x"), requirements_check([PSYCOPG]))
    after = apply_splices(before, edit)
    assert after == before + "psycopg[binary]>=3.1.8\r\n".encode(mark)
    assert "+psycopg[binary]>=3.1.8" in unified("r.txt", before, after, lambda text: text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b'["Django>=5"]', b'["Django>=5", "a", "b[c]>=1"]', id="one line"),
        pytest.param(b"['Django>=5',]  # c", b"['Django>=5', 'a', 'b[c]>=1',]  # c", id="trailing comma"),
        pytest.param(b"[]", b'["a", "b[c]>=1"]', id="empty"),
        pytest.param(
            b'[\n\t"Django", # web\n\t# end\n]',
            b'[\n\t"Django", # web\n\t"a",\n\t"b[c]>=1",\n\t# end\n]',
            id="lines with comma",
        ),
        pytest.param(
            b'[\r\n  "Django"  # web\r\n]',
            b'[\r\n  "Django",  # web\r\n  "a",\r\n  "b[c]>=1"\r\n]',
            id="CRLF, none",
        ),
    ],
)
def test_pyproject(before: bytes, after: bytes) -> None:
    head, tail = b'# x\n[project]\nname = "n"\ndependencies = ', b"\n\n[tool.x]\ndependencies = []\n"
    if b"\r" in before:
        head, tail = head.replace(b"\n", b"\r\n"), tail.replace(b"\n", b"\r\n")
    data = head + before + tail
    items = ["a", "b[c]>=1"]
    splices = TomlFile(data).add_to_array(("project",), "dependencies", items, "because")
    edit = assemble("pyproject.toml", data, splices, array_check(("project",), "dependencies", items))
    assert apply_splices(data, edit) == head + after + tail


@pytest.mark.parametrize("table", [("packages",), ("tool", "poetry", "dependencies")])
def test_tables(table: tuple[str, ...]) -> None:
    name = ".".join(table).encode()
    data = b"[" + name + b"]\r\n# web\r\nDjango = '*' # c\r\n\r\n[other]\r\nx = 1\r\n"
    splice, check = pipfile.add(TomlFile(data), table, BOTH, "because")
    after = apply_splices(data, assemble("Pipfile", data, [splice], check))
    new = b'dj-database-url = ">=1.3"\r\npsycopg = {extras = ["binary"], version = ">=3.1.8"}\r\n'
    assert after == data.replace(b"# c\r\n", b"# c\r\n" + new)


@pytest.mark.parametrize(
    "data", [b"[project]\ndependencies = 'a'\n", b"[project]\n", b"x = [\n", b"project.dependencies = []\n"]
)
def test_toml_in_other_shapes_is_refused(data: bytes) -> None:
    with pytest.raises(NotUnderstood):
        TomlFile(data).add_to_array(("project",), "dependencies", ["a"], "x")
