# ruff: noqa: E501
"""render.yaml: items join a list, in the list's own style."""

from __future__ import annotations

import pytest

from wizard.patchers.base import NotUnderstood, apply_splices, assemble
from wizard.patchers.yaml_file import YamlFile, items_check

NEW = "- key: X\n{i}  sync: false\n"


def added(data: bytes, number: int = 0) -> bytes:
    service = list(YamlFile(data).mappings("services"))[number]
    splice = service.add_items("envVars", [[("key", "X"), ("sync", "false")]], "because")
    check = items_check("services", "envVars", {number: [{"key": "X", "sync": False}]})
    return apply_splices(data, assemble("render.yaml", data, [splice], check))


HEAD = b"services:\n  - type: web\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            HEAD + b"    envVars:\n      - key: A\n        value: b # c\n      # end\n\n    plan: free\n",
            HEAD
            + b"    envVars:\n      - key: A\n        value: b # c\n      - key: X\n        sync: false\n"
            b"      # end\n\n    plan: free\n",
            id="comments around",
        ),
        pytest.param(
            b"services:\n- type: web\n  envVars:\n  - key: A\n    value: b\n  plan: free",
            b"services:\n- type: web\n  envVars:\n  - key: A\n    value: b\n  - key: X\n    sync: false\n  plan: free",
            id="dashes not indented",
        ),
        pytest.param(
            HEAD + b"    envVars:\n      -   key: A\n          value: b",
            HEAD
            + b"    envVars:\n      -   key: A\n          value: b\n      -   key: X\n          sync: false",
            id="wide dash, no final newline",
        ),
        pytest.param(
            (HEAD + b"    envVars:\n      - key: A\n        value: b\n").replace(b"\n", b"\r\n"),
            (
                HEAD
                + b"    envVars:\n      - key: A\n        value: b\n      - key: X\n        sync: false\n"
            ).replace(b"\n", b"\r\n"),
            id="CRLF",
        ),
        pytest.param(
            HEAD + b"    envVars: [{key: A, value: b}]  # c\n",
            HEAD + b"    envVars: [{key: A, value: b}, {key: X, sync: false}]  # c\n",
            id="in braces",
        ),
        pytest.param(
            HEAD + b"    envVars: []\n", HEAD + b"    envVars: [{key: X, sync: false}]\n", id="empty"
        ),
        pytest.param(
            HEAD + b"    name: a   # last\n# tail\n",
            HEAD + b"    name: a   # last\n    envVars:\n      - key: X\n        sync: false\n# tail\n",
            id="no list yet",
        ),
        pytest.param(
            HEAD + b"    envVars:\n    name: a\n",
            HEAD + b"    envVars:\n      - key: X\n        sync: false\n    name: a\n",
            id="key without a list",
        ),
        pytest.param(
            HEAD
            + b"    envVars: &common\n      - key: A\n        value: |\n          long\n          text\n\n    n: 1\n",
            HEAD + b"    envVars: &common\n      - key: A\n        value: |\n          long\n          text\n"
            b"      - key: X\n        sync: false\n\n    n: 1\n",
            id="anchor and block text",
        ),
        pytest.param(
            b"a: 1\n---\n" + HEAD + b"    envVars:\n      - key: A\n        value: b\n...\n---\nb: 2\n",
            b"a: 1\n---\n"
            + HEAD
            + b"    envVars:\n      - key: A\n        value: b\n      - key: X\n        sync: false\n...\n---\nb: 2\n",
            id="several documents",
        ),
    ],
)
def test_only_the_new_item_differs(before: bytes, after: bytes) -> None:
    assert added(before) == after


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"x: &c\n  - key: A\nservices:\n  - type: web\n    envVars: *c\n", id="alias"),
        pytest.param(b"x: &c\n  envVars: []\nservices:\n  - <<: *c\n    type: web\n", id="merge"),
        pytest.param(b"services:\n  - {type: web}\n", id="mapping in braces"),
        pytest.param(b"services:\n  - type: web\n    envVars: text\n", id="no list"),
    ],
)
def test_shapes_not_understood_are_refused(data: bytes) -> None:
    with pytest.raises(NotUnderstood):
        added(data)


@pytest.mark.parametrize("data", [b"services:\n  - a: [1\n", b"a: b: c\n", b"a: !thing 1\n", b"\ta: 1\n"])
def test_what_is_no_plain_yaml_is_refused(data: bytes) -> None:
    with pytest.raises(NotUnderstood):
        YamlFile(data)
