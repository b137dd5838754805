"""The report as one HTML file: no script, no network, every value escaped."""

from __future__ import annotations

import html as escaping
from collections.abc import Mapping, Sequence
from typing import Any

from wizard.report.style import STYLE

_SHOWN = 200
_HIDDEN = ' <span class="soft">(secret)</span>'
_TILES = (
    ("rows", "rows compared"),
    ("values", "values compared"),
    ("files", "files compared"),
    ("file_bytes", "of files, every byte"),
    ("fetched_by_public_address", "read by their public address"),
)


def page(report: Mapping[str, Any]) -> str:
    """The whole file, for a report made by `build`."""
    good = report["status"] == "done"
    parts = [
        _header(report, good),
        _todo(report["to_do"]),
        _differences(report["differences"]),
        _table(
            "What was at risk",
            report["at_risk"],
            (("path", "Holds"), ("holds", ""), ("lost", "Lost on")),
            lambda s: {"path": s["path"], "holds": _holds(s), "lost": ", ".join(s["lost_on"]) or s["why"]},
        ),
        _table(
            "What you decided",
            report["decisions"],
            (("subject", "Where"), ("message", "What was found"), ("chosen", "Decided")),
        ),
        _table(
            "What did not move",
            report["not_moved"],
            (("what", "Kind"), ("name", "Name"), ("why", "Why")),
        ),
        _edits(report),
        _references(report["references"]),
        _notes(report["notes"]),
        _table(
            "What was done",
            report["steps"],
            (("title", "Step"), ("summary", "Result"), ("writes", "Wrote to"), ("seconds", "Seconds")),
        ),
        _beyond(report["beyond"]),
    ]
    title = f"{report['project']}: ashore report"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{_e(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + f"\n<footer>Run {_e(report['run'])}. The same as data: report.json beside this file.</footer>\n"
        "</main>\n</body>\n</html>\n"
    )


def _e(value: object) -> str:
    """`value` as text that cannot be markup."""
    text = str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    return escaping.escape(text, quote=True)


def number(value: int) -> str:
    """An integer with thousands marked."""
    return f"{value:,}"


def size(count: int) -> str:
    """`61.0 MB`; units of 1000."""
    amount, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"


def _header(report: Mapping[str, Any], good: bool) -> str:
    compared = report["compared"]
    tiles = "".join(
        _tile(size(compared[key]) if key == "file_bytes" else number(compared[key]), label)
        for key, label in _TILES
        if compared.get(key)
    )
    found = compared.get("row_differences", 0) + compared.get("file_differences", 0)
    tiles += _tile(number(found), "differences")
    return (
        f'<header><div class="mark">ashore · {_e(report["project"])}</div>'
        f'<h1 class="{"good" if good else "bad"}">{_e(report["headline"])}</h1>'
        f'<div class="tiles">{tiles}</div></header>'
    )


def _tile(value: str, label: str) -> str:
    return f'<div class="tile"><b>{_e(value)}</b><span>{_e(label)}</span></div>'


def _todo(tasks: Sequence[Mapping[str, Any]]) -> str:
    items = []
    for task in tasks:
        item = f"<strong>{_e(task['what'])}</strong>"
        if task.get("why"):
            item += f'<p class="soft">{_e(task["why"])}</p>'
        if task.get("variables"):
            rows = "".join(
                f"<tr><td><code>{_e(v['name'])}</code></td><td>{_e(v['about'])}"
                f"{_HIDDEN if v['secret'] else ''}</td></tr>"
                for v in task["variables"]
            )
            item += f'<div class="scroll"><table>{rows}</table></div>'
        if task.get("commands"):
            item += f"<pre>{_e(chr(10).join(task['commands']))}</pre>"
        items.append(f"<li>{item}</li>")
    return f'<section><h2>For you to do, in this order</h2><ol class="todo">{"".join(items)}</ol></section>'


def _table(
    title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[tuple[str, str]], view: Any = dict
) -> str:
    if not rows:
        return ""
    shown = [view(row) for row in rows[:_SHOWN]]
    numeric = {key for key, _ in columns if all(isinstance(r.get(key), int | float) for r in shown)}

    def mark(key: str) -> str:
        return ' class="n"' if key in numeric else ""

    head = "".join(f"<th{mark(key)}>{_e(label)}</th>" for key, label in columns)
    body = "".join(
        "<tr>"
        + "".join(f"<td{mark(k)}>{'' if r.get(k) is None else _e(r[k])}</td>" for k, _ in columns)
        + "</tr>"
        for r in shown
    )
    more = (
        f'<p class="soft">And {_e(number(len(rows) - _SHOWN))} more, in report.json.</p>'
        if len(rows) > _SHOWN
        else ""
    )
    return (
        f'<section><h2>{_e(title)}</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{more}</section>"
    )


def _holds(store: Mapping[str, Any]) -> str:
    parts = [
        f"{number(store[key])} {word}"
        for key, word in (("tables", "tables"), ("rows", "rows"), ("files", "files"))
        if store[key]
    ]
    return ", ".join([*parts, size(store["bytes"])])


def _difference(found: Mapping[str, Any]) -> dict[str, str]:
    if found["kind"] == "object":
        where = f"{found['store']}/{found['path']}"
        return {"where": where, "key": found["key"], "source": "", "target": "", "detail": found["what"]}
    column = f".{found['column']}" if found["column"] else ""
    named = {"missing": "only in the source", "extra": "only in the target", "doubled": "more than once"}
    value = found["kind"] in ("value", "rewrite")
    return {
        "where": f"{found['table']}{column}",
        "key": found["key"],
        "source": "NULL" if value and found["source"] is None else found["source"] or "",
        "target": "NULL" if value and found["target"] is None else found["target"] or "",
        "detail": "; ".join(p for p in (named.get(found["kind"], ""), found["detail"]) if p),
    }


def _differences(found: Sequence[Mapping[str, Any]]) -> str:
    columns = (("where", "Where"), ("key", "Key"), ("source", "Source"), ("target", "Target"), ("detail", ""))
    return _table("Differences", found, columns, _difference)


def _edits(report: Mapping[str, Any]) -> str:
    lines = [
        {"file": e["file"], "lines": ("new file, " if e["new"] else "") + f"+{e['added']} −{e['removed']}"}
        for e in report["edits"]
    ]
    table = _table("Files that were changed", lines, (("file", "File"), ("lines", "Lines")))
    undo = f'<p class="soft">To take them back: <code>ashore undo {_e(report["run"])}</code></p>'
    return table + undo if table else ""


def _references(summary: Mapping[str, Any]) -> str:
    rows = [
        {"what": words, "count": f"{summary[key]:,}"}
        for key, words in REFERENCES
        if isinstance(summary.get(key), int) and (summary[key] or key in ("relative", "addresses"))
    ]
    return _table("References to files", rows, (("what", ""), ("count", "")))


REFERENCES = (
    ("relative", "names of files that the storage resolves by itself; they stay"),
    ("addresses", "addresses of files in texts"),
    ("rewritten", "values rewritten to the new address; undo is kept"),
    ("too_long", "values that the new address would make too long; they stay"),
    ("dangling", "references to files that were not there before either"),
    ("unnamed", "files that no row names"),
)


def _notes(notes: Sequence[str]) -> str:
    return _table("Worth knowing", [{"note": n} for n in notes], (("note", ""),))


def _beyond(topics: Sequence[Mapping[str, str]]) -> str:
    parts = "".join(f"<h3>{_e(t['title'])}</h3><p>{_e(t['text'])}</p>" for t in topics)
    lead = '<p class="soft">Not done by ashore; worth a look once the data is safe.</p>'
    return f'<section class="beyond"><h2>Beyond ashore</h2>{lead}{parts}</section>'
