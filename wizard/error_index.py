"""Every error code with what it says, read from the engine's own source: the index cannot miss one.

`python -m wizard.error_index README.md` writes the index into the README, between its two marks.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wizard import errors
from wizard.scan.explain import EXPLANATIONS

ROOT = Path(__file__).parent
BEGIN, END = "<!-- error index: begin -->", "<!-- error index: end -->"
_KINDS: dict[str, int] = {
    name: kind.exit_code
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.AshoreError)
}
_CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_COMPOUND = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One way a code is raised: `message` and `hint` with … where a value stands; `exit_code` of the run."""

    code: str
    exit_code: int
    message: str
    hint: str


def entries(code: str | None = None) -> tuple[Entry, ...]:
    """Every entry, or those of one code, by code. Empty where the source is not installed."""
    found: dict[Entry, None] = {}
    for path in sorted(ROOT.rglob("*.py")):
        if "demo" in path.relative_to(ROOT).parts[:-1]:
            continue
        text = path.read_text(encoding="utf-8")
        if code is None or f'"{code}"' in text:
            for entry in _in(ast.parse(text)):
                if code in (None, entry.code):
                    found[entry] = None
    return tuple(sorted(found, key=lambda e: e.code))


def page(code: str) -> str:
    """What an error code means, for people; empty for a code that is none."""
    known = entries(code)
    if not known:
        return ""
    lines = [f"{code}: exit code {known[0].exit_code}"]
    for entry in known:
        lines += ["", entry.message, *([entry.hint] if entry.hint else ())]
    return "\n".join(lines)


def _in(tree: ast.AST) -> Iterator[Entry]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _raised(node)
        elif isinstance(node, ast.Tuple | ast.List):
            yield from _listed(node)


def _raised(call: ast.Call) -> Iterator[Entry]:
    kind = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if kind not in _KINDS or len(call.args) < 3:
        return
    for code in _words(call.args[0]):
        if _CODE.fullmatch(code):
            yield Entry(code, _KINDS[kind], _line(call.args[1]), _line(call.args[2]))


def _listed(row: ast.Tuple | ast.List) -> Iterator[Entry]:
    """A row of a table of a server's sayings: …, code, message, hint, …"""
    values = [v.value if isinstance(v, ast.Constant) else None for v in row.elts]
    for at, value in enumerate(values[:-2]):
        message, hint = values[at + 1], values[at + 2]
        if isinstance(value, str) and _COMPOUND.fullmatch(value) and _sentence(message) and _sentence(hint):
            yield Entry(value, errors.EXIT_REFUSED, str(message), str(hint))


def _sentence(value: object) -> bool:
    return isinstance(value, str) and " " in value and value[:1].isupper()


def _words(node: ast.expr) -> Iterable[str]:
    """The strings that an expression may give: one, or both sides of a choice."""
    if isinstance(node, ast.IfExp):
        return (*_words(node.body), *_words(node.orelse))
    return (node.value,) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ()


def _line(node: ast.expr) -> str:
    """The words of a message on one line."""
    return " ".join(_text(node).replace("……", "…").split())


def _text(node: ast.expr) -> str:
    """The words of a message; … for what is filled in."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            pieces = (p.value if isinstance(p, ast.Constant) else "…" for p in parts)
            return "".join(map(str, pieces))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return f"{_text(left)}{_text(right)}"
        case ast.IfExp(body=body, orelse=other):
            return f"{_text(body)} / {_text(other)}"
        case _:
            return "…"


def table(known: Iterable[Entry]) -> str:
    """The index as a table in Markdown, a row a code."""
    by_code: dict[str, list[Entry]] = {}
    for entry in known:
        by_code.setdefault(entry.code, []).append(entry)
    rows = ["| code | exit | what it says | what to do |", "|---|---|---|---|"]
    for code, group in by_code.items():
        says, hints = (
            "<br>".join(list(dict.fromkeys(map(_cell, words)))[:_TOLD])
            for words in ([e.message for e in group], [e.hint for e in group if e.hint])
        )
        rows.append(f"| `{code}` | {group[0].exit_code} | {says} | {hints} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def write(path: Path) -> None:
    """Renew the index between its marks in a Markdown file."""
    found = ["| finding | what it means |", "|---|---|"]
    found += [f"| `{page.code}` | {_cell(page.title)} |" for page in EXPLANATIONS]
    index = "\n".join([*found, "", table(entries())])
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n{index}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
