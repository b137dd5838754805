"""What a person reads at the end: true, complete, safe to open and to share."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from tests.report.conftest import PASSWORD, verified
from wizard.context import RunContext
from wizard.report.build import build
from wizard.report.html import page
from wizard.steps import report as step


def test_what_is_left_to_do_stands_in_the_order_that_keeps_the_data_safe(ctx: RunContext) -> None:
    tasks = build(ctx)["to_do"]
    said = [str(t) for t in tasks]
    order = [
        "ashore sync 20260101-000000-abcdef",
        "DATABASE_URL",
        "git push",
        "ashore check https://my-app",
        "SECRET_KEY",
    ]
    assert [next(i for i, text in enumerate(said) if mark in text) for mark in order] == [0, 1, 2, 3, 4]
    assert "without deploying" in said[1]
    assert tasks[2]["commands"][1] == "git add -- 'my settings.py'"


def test_it_holds_what_was_at_risk_decided_compared_and_left_behind(ctx: RunContext) -> None:
    made = build(ctx)
    assert (made["version"], made["status"], made["headline"]) == (1, "done", "Everything arrived.")
    assert [s["path"] for s in made["at_risk"]] == ["db.sqlite3", "media"]
    assert (made["compared"]["rows"], made["compared"]["values"]) == (13073, 214551)
    assert [(d["subject"], d["chosen"]) for d in made["decisions"]] == [
        ("t.name", "strip"),
        ("view:recent", "leave"),
    ]
    assert [(n["what"], n["name"]) for n in made["not_moved"]] == [
        ("view", "recent"),
        ("file", "media/gone.png"),
    ]
    assert made["edits"] == [{"file": "my settings.py", "added": 9, "removed": 6, "new": False}]
    assert {t["title"] for t in made["beyond"]} >= {"Connection pooling", "Caching", "Monitoring"}


def test_with_differences_it_never_says_to_switch_over(ctx: RunContext) -> None:
    difference = {
        "kind": "value", "table": "t", "key": '["2"]', "column": "price", "source": "1.50", "target": None,
        "detail": "",
    }  # fmt: skip
    ctx.journal.put("verify", "database", verified(difference))
    made = build(ctx)
    assert made["status"] == "differences"
    assert "git push" not in str(made["to_do"])
    text = page(made)
    assert "t.price" in text
    assert "1.50" in text
    assert "NULL" in text
    assert "Everything arrived" not in text


class _Tags(HTMLParser):
    """Every tag and attribute; fails where tags do not close."""

    VOID = ("meta", "br", "hr", "img", "link")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [v or "" for k, v in attrs if k in ("src", "href", "srcset", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_one_file_without_network_and_nothing_in_it_becomes_markup(ctx: RunContext) -> None:
    evil = "<script>alert(1)</script>\"'&\udcff"
    ctx.journal.put("verify", "database", {**verified(), "notes": [evil]})
    ctx.journal.put("patch", "instructions", [{"file": evil, "line": 3, "why": evil, "text": evil}])
    text = page(build(ctx))
    tags = _Tags()
    tags.feed(text)
    assert tags.open == []
    assert tags.links == []
    assert not tags.seen & {"script", "link", "img", "iframe"}
    assert not re.search(r"url\(|@import", text)
    assert "&lt;script&gt;alert(1)" in text
    assert "prefers-color-scheme: dark" in text


def test_no_secret_reaches_either_file_and_both_are_replaced_whole(ctx: RunContext) -> None:
    leak = f"postgresql://user:{PASSWORD}@host/db"
    ctx.journal.put("verify", "database", {**verified(), "notes": [leak]})
    ctx.journal.put("not-moved", f"media/{PASSWORD}", {})
    ctx.folder.report_html.write_text("an older one")
    summary = step.run(ctx)
    assert str(ctx.folder.report_html) in summary
    for path in (ctx.folder.report_json, ctx.folder.report_html):
        text = path.read_text("utf-8")
        assert PASSWORD not in text
        assert "***" in text
    assert json.loads(ctx.folder.report_json.read_text())["run"] == ctx.run
    assert not list(ctx.folder.path.glob("*.part"))
    first = ctx.folder.report_html.read_bytes()
    step.run(ctx)
    assert ctx.folder.report_html.read_bytes() == first
