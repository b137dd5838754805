# ruff: noqa: E501
"""package.json: entries added in the file's own manner."""

from __future__ import annotations

import pytest

from wizard.patchers.base import BOM, NotUnderstood, assemble, spliced
from wizard.patchers.json_file import JsonFile, entries_check

WANTED = {"b-package": "^1.0.0", "zz": "^2.0.0"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            b'{\r\n\t"name": "x",\r\n\t"dependencies": {\r\n\t\t"a": "1",\r\n\t\t"c": "2"\r\n\t}\r\n}',
            b'{\r\n\t"name": "x",\r\n\t"dependencies": {\r\n\t\t"a": "1",\r\n\t\t"b-package": "^1.0.0",\r\n\t\t"c": "2",'
            b'\r\n\t\t"zz": "^2.0.0"\r\n\t}\r\n}',
        ),
        (
            BOM + b'{\n  "dependencies": {"z": "1", "a": "\\u00e9"}\n}\n',
            BOM
            + b'{\n  "dependencies": {"z": "1", "a": "\\u00e9", "b-package": "^1.0.0", "zz": "^2.0.0"}\n}\n',
        ),
        (
            b'{\n    "name": "x"\n}\n',
            b'{\n    "name": "x",\n    "dependencies": {\n        "b-package": "^1.0.0",\n        "zz": "^2.0.0"\n    }\n}\n',
        ),
        (
            b'{\n  "dependencies": {}\n}\n',
            b'{\n  "dependencies": {\n    "b-package": "^1.0.0",\n    "zz": "^2.0.0"\n  }\n}\n',
        ),
    ],
)
def test_entries_are_added_and_nothing_else_changes(before: bytes, after: bytes) -> None:
    splices = JsonFile(before).add("dependencies", WANTED, "")
    edit = assemble("package.json", before, splices, entries_check("dependencies", WANTED))
    assert spliced(before, edit.splices) == after
    with pytest.raises(NotUnderstood):
        JsonFile(after).add("dependencies", WANTED, "")


@pytest.mark.parametrize("data", [b"[]", b'{"a": 1,}', b'{"a": 1, "a": 2}', b'{"a": 1 // no\n}', b""])
def test_what_is_no_plain_json_object_is_refused(data: bytes) -> None:
    with pytest.raises(NotUnderstood):
        JsonFile(data)
