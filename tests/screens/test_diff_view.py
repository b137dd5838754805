"""The diff: every line of it, numbered, coloured as code, and side by side where there is room."""

from __future__ import annotations

from screens.widgets.diff_view import lines, side_by_side, unified

DIFF = (
    "--- config/settings.py\n+++ config/settings.py\n@@ -8,4 +8,5 @@\n import os\n"
    "-x = {'a': 1}\n-y = 2\n+x = dict(\n+    a=1,\n+)\n z = '''text\n"
    "@@ -40 +41 @@\n--- a comment of SQL\n+last\n\\ No newline at end of file\n"
)


def test_no_line_is_lost_and_each_has_its_number() -> None:
    shown = unified(lines("config/settings.py", DIFF), 60).plain.splitlines()
    assert shown == [
        "@@ -8,4 +8,5 @@",
        "   8   import os",
        "   9 - x = {'a': 1}",
        "  10 - y = 2",
        "   9 + x = dict(",
        "  10 +     a=1,",
        "  11 + )",
        "  12   z = '''text",
        "@@ -40 +41 @@",
        "  40 - -- a comment of SQL",
        "  41 + last",
        "\\ No newline at end of file",
    ]


def test_code_has_its_colours_and_other_text_none() -> None:
    code = next(line for line in lines("config/settings.py", DIFF) if "import" in line.text.plain)
    assert code.text.spans
    assert not any(line.text.spans for line in lines("notes.xyz", DIFF))


def test_side_by_side_sets_a_block_against_what_replaces_it() -> None:
    shown = side_by_side(lines("config/settings.py", DIFF), 83).plain.splitlines()
    assert [" ".join(row.split()) for row in shown[1:6]] == [
        "8 import os │ 8 import os",
        "9 - x = {'a': 1} │ 9 + x = dict(",
        "10 - y = 2 │ 10 + a=1,",
        "│ 11 + )",
        "11 z = '''text │ 12 z = '''text",
    ]
    assert {len(row) for row in shown[1:6]} == {83}
