"""A run's report in words: what is left to do first, then what was compared and changed. No colours here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

LISTED = 12
Report = Mapping[str, Any]
Line = tuple[int, str, str]
"""Indent in cells, the words, and their style."""


def amount(value: int, unit: str) -> str:
    """`1,240` rows or files, `61.0 MB` for bytes."""
    if unit != "bytes":
        return f"{value:,}"
    size = float(value)
    for name in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or name == "GB":
            return f"{size:,.0f} {name}" if name == "bytes" else f"{size:,.1f} {name}"
        size /= 1000
    raise AssertionError("the last unit always fits")


def folded(report: Report, width: int) -> Iterator[tuple[str, str]]:
    """Everything in `report` (as `wizard.api.report` gives it), line by line with its style, at most `width`
    cells wide. A command stays whole, to be copied."""
    for title, lines in sections(report):
        found = list(lines)
        if not found:
            continue
        yield title, "bold"
        for indent, line, style in found:
            room = max(20, width - indent) - 2
            parts = [line] if style == "bold" else wrap(line, room) or [""]
            for number, part in enumerate(parts):
                yield " " * (indent + (2 if number and not style else 0)) + part, style
        yield "", ""


def sections(report: Report) -> Iterator[tuple[str, Iterator[Line]]]:
    """The report's parts: a title and its lines, those without any included."""
    yield "For you to do, in this order", _tasks(report.get("to_do") or ())
    yield "Differences", _some(_difference(d) for d in report.get("differences") or ())
    yield "Compared", _compared(report.get("compared") or {})
    yield "Decided", _some(_decision(d) for d in report.get("decisions") or ())
    yield "Not moved", _some(f"{n['what']} {n['name']}: {n['why']}" for n in report.get("not_moved") or ())
    yield "Files changed", _edits(report)
    yield "References to files", _references(report.get("references") or {})
    yield "Worth knowing", _some(str(note) for note in report.get("notes") or ())


def _some(lines: Iterator[str]) -> Iterator[Line]:
    for number, line in enumerate(lines):
        if number == LISTED:
            yield 2, "… and more, in report.html", ""
            return
        yield 2, line, ""


def _tasks(tasks: Sequence[Report]) -> Iterator[Line]:
    for number, task in enumerate(tasks, 1):
        yield 2, f"{number} {task.get('what', '')}", ""
        for command in task.get("commands") or ():
            for line in str(command).splitlines():
                yield 6, line, "bold"
        for variable in task.get("variables") or ():
            yield 6, f"{variable['name']}  {variable['about']}", ""
        if task.get("why"):
            yield 4, str(task["why"]), "dim"


def _difference(found: Report) -> str:
    if found.get("kind") == "object":
        return f"{found.get('store')}/{found.get('path')}: {found.get('what')}"
    column = f".{found['column']}" if found.get("column") else ""
    values = f": source {found.get('source')!r}, target {found.get('target')!r}" if column else ""
    return f"{found.get('table')}{column}, key {found.get('key')}{values} {found.get('detail') or ''}".strip()


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number != 1 else f"1 {word.removesuffix('s')}"


def _compared(compared: Report) -> Iterator[Line]:
    if "rows" in compared:
        held = f"{_count(compared['rows'], 'rows')}, {_count(compared.get('values', 0), 'values')}"
        where = f" in {_count(compared['tables'], 'tables')}" if "tables" in compared else ""
        found = compared.get("row_differences", compared.get("differences", 0))
        yield 2, f"{held}{where}: {_count(found, 'differences')}", ""
    if "files" in compared:
        size = f", {amount(compared['file_bytes'], 'bytes')}" if "file_bytes" in compared else ""
        found = compared.get("file_differences", compared.get("differences", 0))
        yield 2, f"{_count(compared['files'], 'files')}{size}: {_count(found, 'differences')}", ""
        ways = [
            f"{compared[key]:,} {words}"
            for key, words in (
                ("by_checksum", "by a checksum that the server computed"),
                ("by_reading", "by reading every byte back"),
                ("fetched_by_public_address", "also fetched by their public address"),
            )
            if compared.get(key)
        ]
        if ways:
            yield 4, "; ".join(ways), "dim"


def _decision(decision: Report) -> str:
    return f"{decision.get('message') or decision.get('subject')} Decided: {decision.get('chosen')}."


def _edits(report: Report) -> Iterator[Line]:
    edits = report.get("edits") or ()
    yield from _some(
        f"{e['file']}  {'new, ' if e.get('new') else ''}+{e['added']} −{e['removed']}" for e in edits
    )
    if edits:
        yield 2, f"To take them back: ashore undo {report.get('run', '')}", "dim"


def _references(summary: Report) -> Iterator[Line]:
    seen = int(summary.get("addresses") or 0) + int(summary.get("relative") or 0)
    if not seen:
        return
    rewritten = int(summary.get("rewritten") or 0)
    what = f"{_count(rewritten, 'values')} rewritten, undo kept" if rewritten else "none had to be rewritten"
    yield 2, f"{_count(seen, 'references')} seen in the database; {what}", ""
    dangling = int(summary.get("dangling") or 0)
    if dangling:
        named = ", ".join(map(str, summary.get("dangling_examples") or ()))
        yield 2, f"{dangling:,} name a file that the source did not have: {named}".rstrip(": "), ""
