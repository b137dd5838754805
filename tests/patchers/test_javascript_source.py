"""TypeScript and JavaScript: imports read and placed, and what the check refuses."""

from __future__ import annotations

import pytest

from wizard.model import Splice
from wizard.patchers.base import BOM, NotUnderstood, assemble, spliced
from wizard.patchers.javascript_source import JavaScriptSource, splices_check

FILE = b"""// a comment stays\r
import * as fs from 'fs';\r
import { diskStorage as disk } from "multer";\r
\tconst { join } = require('path');\r
export const a = `uploads/${fs}` // caf\xc3\xa9\r
"""


@pytest.mark.parametrize("data", [FILE, BOM + FILE, FILE.removesuffix(b"\r\n")])
def test_an_import_goes_below_the_others_and_nothing_else_moves(data: bytes) -> None:
    source = JavaScriptSource(data, "ts")
    assert source.imported() == {
        "fs": ("fs", "*"),
        "disk": ("multer", "diskStorage"),
        "join": ("path", "join"),
    }
    line = source.import_line(["b", "a"], "./here")
    splice = source.add_import(line, "")
    edit = assemble("a.ts", data, [splice], splices_check("ts", [splice]))
    after = spliced(data, edit.splices)
    anchor = b"require('path');\r\n"
    assert after == data.replace(anchor, anchor + line.encode() + b"\r\n")


def test_a_file_that_requires_gets_a_require() -> None:
    source = JavaScriptSource(b"const fs = require('node:fs')\nconst a = fs.promises\n", "js")
    assert source.imported() == {"fs": ("fs", "*")}
    assert source.import_line(["a"], "./b") == "const { a } = require('./b')"


def test_a_syntax_error_is_refused_with_its_line() -> None:
    with pytest.raises(NotUnderstood) as error:
        JavaScriptSource(b"const a = 1;\nconst = ;\n", "js")
    assert error.value.line == 2
    with pytest.raises(NotUnderstood):
        JavaScriptSource(b"const a = '\xe9';\n", "js")


@pytest.mark.parametrize("text", ["/* ", "'", "b("])
def test_a_splice_that_changes_its_neighbours_is_refused(text: str) -> None:
    data = b"call(one);\nother(two); /* end */\n"
    splice = Splice(0, 4, text, "")
    with pytest.raises(NotUnderstood):
        assemble("a.js", data, [splice], splices_check("js", [splice]))
