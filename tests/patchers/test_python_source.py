# ruff: noqa: E501
"""Python files: only the bytes that must differ do."""

from __future__ import annotations

import pytest

from wizard.patchers.base import NotUnderstood, apply_splices, assemble
from wizard.patchers.python_source import PythonSource, statements_check


def inserted(data: bytes, after: str, lines: list[str], imports: tuple[str, ...] = ()) -> bytes:
    source = PythonSource(data)
    node = source.touching(after)[-1]
    styled = source.styled(lines)
    wanted = [(name, f"import {name}") for name in imports]
    splices = source.add_imports(wanted, node.start_byte, lambda name: name == "shop", "because")
    splices.append(source.after(node, styled, "because"))
    new = [s for m, s in wanted if not source.imports(m, node.start_byte)]
    check = statements_check(["\n".join(styled), *new])
    return apply_splices(data, assemble("x.py", data, splices, check))


LINES = ["if X:", '    A["b"] = 1']


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"A = {}\nB = 1\n", b'A = {}\n\nif X:\n    A["b"] = 1\n\nB = 1\n', id="plain"),
        pytest.param(b"A = {}", b'A = {}\n\nif X:\n    A["b"] = 1', id="no final newline"),
        pytest.param(b"A = {}\r\n", b'A = {}\r\n\r\nif X:\r\n    A["b"] = 1\r\n', id="CRLF"),
        pytest.param(
            b"\xef\xbb\xbfA = {}\n", b'\xef\xbb\xbfA = {}\n\nif X:\n    A["b"] = 1\n', id="byte order mark"
        ),
        pytest.param(
            b"if Y:\n\tZ = 'a'\nA = {}  # kept\n",
            b"if Y:\n\tZ = 'a'\nA = {}  # kept\n\nif X:\n\tA['b'] = 1\n",
            id="tab, single quotes, comment",
        ),
        pytest.param(
            b"# -*- coding: latin-1 -*-\n# caf\xe9\nA = {'x': '\xe9'}\n",
            b"# -*- coding: latin-1 -*-\n# caf\xe9\nA = {'x': '\xe9'}\n\nif X:\n    A['b'] = 1\n",
            id="latin-1",
        ),
        pytest.param(
            b'A = {}; B = """\nlong\n"""\n',
            b'A = {}; B = """\nlong\n"""\n\nif X:\n    A["b"] = 1\n',
            id="shares its line with a long string",
        ),
        pytest.param(
            b"if Y:\n    A = {}\nelse:\n    A = {1: 2}\n    # end\nB = 1\n",
            b'if Y:\n    A = {}\nelse:\n    A = {1: 2}\n    # end\n\nif X:\n    A["b"] = 1\n\nB = 1\n',
            id="below the whole condition",
        ),
    ],
)
def test_lines_go_below_the_assignment_and_nothing_else_moves(before: bytes, after: bytes) -> None:
    assert inserted(before, "A", LINES) == after


@pytest.mark.parametrize(
    ("before", "head"),
    [
        pytest.param(b"A = {}\n", b"import os\n\nimport dj_database_url\n\nA = {}\n", id="none yet"),
        pytest.param(
            b'"""Doc."""\nfrom __future__ import annotations\nA = {}\n',
            b'"""Doc."""\nfrom __future__ import annotations\n\nimport os\n\nimport dj_database_url\nA = {}\n',
            id="below docstring and future",
        ),
        pytest.param(
            b"#!/usr/bin/python\n# coding: utf-8\nfrom pathlib import Path\n\nimport environ\n\nfrom shop import x\nA = {}\n",
            b"#!/usr/bin/python\n# coding: utf-8\nimport os\nfrom pathlib import Path\n\nimport dj_database_url\n"
            b"import environ\n\nfrom shop import x\nA = {}\n",
            id="each in its section",
        ),
        pytest.param(
            b"from .base import *\nA = {}\n",
            b"import os\n\nimport dj_database_url\n\nfrom .base import *\nA = {}\n",
            id="above relative ones",
        ),
        pytest.param(
            b"import sys, os\nimport dj_database_url\nA = {}\n",
            b"import sys, os\nimport dj_database_url\nA = {}\n",
            id="already there",
        ),
        pytest.param(
            b"\xef\xbb\xbfimport sys\r\nA = {}\r\n",
            b"\xef\xbb\xbfimport os\r\nimport sys\r\n\r\nimport dj_database_url\r\nA = {}\r\n",
            id="byte order mark and CRLF",
        ),
    ],
)
def test_imports_go_where_imports_stand(before: bytes, head: bytes) -> None:
    ending = b"\r\n" if b"\r\n" in before else b"\n"
    block = b'\nif X:\n    A["b"] = 1\n'.replace(b"\n", ending)
    assert inserted(before, "A", LINES, ("os", "dj_database_url")) == head + block


def test_an_import_below_the_use_does_not_count() -> None:
    after = inserted(b"A = {}\nimport os\n", "A", LINES, ("os",))
    assert after == b'import os\n\nA = {}\n\nif X:\n    A["b"] = 1\n\nimport os\n'


@pytest.mark.parametrize(
    ("data", "line"),
    [(b"A = {\nB = 1\n", 1), (b"a = 1\nb = = 2\n", 2), (b"x\0", 1), ("A = 1\n".encode("utf-16"), 1)],
)
def test_what_does_not_parse_is_refused(data: bytes, line: int) -> None:
    with pytest.raises(NotUnderstood) as caught:
        PythonSource(data)
    assert caught.value.line >= line


@pytest.mark.parametrize("data", [b"# caf\xe9\nA = 1\n", b"# coding: shift_jis\nA = '\x83\x5c'\n"])
def test_an_encoding_that_may_hide_ascii_is_refused(data: bytes) -> None:
    with pytest.raises(NotUnderstood, match="encoding"):
        PythonSource(data)


@pytest.mark.parametrize(
    ("code", "certain"),
    [
        ("A = 1", True),
        ("A: int = 1", True),
        ("B = A = 1", True),
        ("if x:\n    A = 1\nelif y:\n    A = 2\nelse:\n    A = 3", True),
        ("if x:\n    A = 1\nelif y:\n    A = 2", False),
        ("if x:\n    A = 1\nelse:\n    pass", False),
        ("try:\n    A = 1\nexcept E:\n    pass", False),
        ("def f():\n    A = 1", False),
        ("A['b'] = 1", False),
    ],
)
def test_whether_a_name_is_certainly_bound(code: str, certain: bool) -> None:
    assert PythonSource(code.encode()).always_binds("A") is certain


def test_the_check_refuses_a_splice_that_changes_more() -> None:
    from wizard.model import Splice

    data = b"A = 1\nB = 2\n"
    for bad in (Splice(4, 5, "3", "x"), Splice(0, 6, "", "x"), Splice(6, 6, "C = 3\n", "x")):
        with pytest.raises(NotUnderstood):
            assemble("x.py", data, [bad], statements_check(["D = 4\n"]))
    with pytest.raises(NotUnderstood):
        assemble("x.py", b"A = 1  # why\n", [Splice(5, 12, "", "x")], statements_check([]))
