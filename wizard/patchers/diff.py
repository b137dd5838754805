"""Unified diffs that `git apply` takes, and that show no secret a user has committed."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from wizard.patchers.base import encoding
from wizard.patchers.masking import masked, secret_lines

CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Patch:
    """A diff for a `.patch` file. `text` may hold surrogates: write it with `surrogateescape`.

    `narrow` tells that context was left out around secrets: it applies with `git apply --unidiff-zero`.
    """

    text: str
    narrow: bool


def unified(
    path: str, before: bytes | None, after: bytes, redact: Callable[[str], str], context: int = CONTEXT
) -> str:
    """The diff for people: lines that look secret are masked, then `redact` sees the rest.

    `before` is None for a new file. Masked context no longer applies: see `patch` for that.
    """
    old, new = _text(before or b""), _text(after)
    shown_old, shown_new = redact(masked(old)), redact(_masked_after(old, new))
    if shown_old.count("\n") != old.count("\n") or shown_new.count("\n") != new.count("\n"):
        raise ValueError("a redaction must keep the lines")
    hunks = _hunks(old, new, shown_old, shown_new, context, hide=False)
    return _header(path, before is None) + "".join(hunk for hunk, _ in hunks) if hunks else ""


def patch(path: str, before: bytes | None, after: bytes) -> Patch | None:
    """The diff for a `.patch` file, exact, with context narrowed so that no line that looks secret shows.

    None where a changed line itself looks secret, or the file is UTF-16 (binary to git): such a file
    cannot be shown as a patch.
    """
    if encoding(before or b"") != "utf-8":
        return None
    old, new = _text(before or b""), _text(after)
    if old == new:
        return Patch("", False)
    secret_old = secret_lines(old)
    old_lines = _lines(old)
    for kind, a, b, _, _ in _opcodes(old_lines, _lines(new)):
        if kind != "equal" and any(n in secret_old for n in range(a, b)):
            return None
    hunks = _hunks(old, new, old, new, CONTEXT, hide=True)
    text = _header(path, before is None) + "".join(hunk for hunk, _ in hunks)
    return Patch(text, any(narrow for _, narrow in hunks))


def _masked_after(old: str, new: str) -> str:
    """`new` masked, but for whole lines that only the edit brought: they hold names, no values."""
    old_lines, new_lines = _lines(old), _lines(new)
    shown = _lines(masked(new))
    secret = {old_lines[n] for n in secret_lines(old) if n < len(old_lines)}
    for kind, _, _, c, d in _opcodes(old_lines, new_lines):
        if kind == "insert":
            for number in range(c, d):
                if new_lines[number] not in secret:
                    shown[number] = new_lines[number]
    return "".join(shown)


def _text(data: bytes) -> str:
    name = encoding(data)
    return data.decode(name, "surrogateescape" if name == "utf-8" else "replace").removeprefix(
        "" if name == "utf-8" else "\ufeff"
    )


def _lines(text: str) -> list[str]:
    """Lines with their ending, split at \\n only: a \\r belongs to the line, as git sees it."""
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _opcodes(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    return [*difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()]


def _header(path: str, created: bool) -> str:
    a, b = _quoted(f"a/{path}"), _quoted(f"b/{path}")
    tab = "\t" if " " in path else ""
    if created:
        return f"diff --git {a} {b}\nnew file mode 100644\n--- /dev/null\n+++ {b}{tab}\n"
    return f"diff --git {a} {b}\n--- {a}{tab}\n+++ {b}{tab}\n"


def _quoted(path: str) -> str:
    """A path as git writes it: quoted, in octal, where it has other than printable ASCII."""
    raw = path.encode("utf-8", "surrogateescape")
    if all(32 <= b < 127 and b not in b'"\\' for b in raw):
        return path
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in raw) + '"'


def _hunks(
    old: str, new: str, shown_old: str, shown_new: str, context: int, hide: bool
) -> list[tuple[str, bool]]:
    """(hunk, narrowed) of each change. Lines are compared in `old`/`new` and printed from `shown_…`.

    With `hide`, the context of a hunk ends before a line that looks secret.
    """
    a_lines, b_lines = _lines(old), _lines(new)
    a_shown, b_shown = _lines(shown_old), _lines(shown_new)
    secret = secret_lines(old) if hide else frozenset()
    changes = [c for c in _opcodes(a_lines, b_lines) if c[0] != "equal"]
    groups: list[tuple[int, int, int, int, list[tuple[str, int, int, int, int]]]] = []
    for change in changes:
        _, a, b, _, d = change
        before = _clear(range(a - 1, max(a - 1 - context, -1), -1), secret)
        after = _clear(range(b, min(b + context, len(a_lines))), secret)
        start, end = a - before, b + after
        if groups and groups[-1][1] >= start:
            last = groups[-1]
            groups[-1] = (last[0], end, last[2], d + after, [*last[4], change])
        else:
            groups.append((start, end, change[3] - before, d + after, [change]))
    result: list[tuple[str, bool]] = []
    for start, end, b_start, b_end, members in groups:
        out = [f"@@ -{_span(start, end)} +{_span(b_start, b_end)} @@\n"]
        position = start
        for _, a, b, c, d in members:
            out += [_line(" ", line) for line in a_shown[position:a]]
            out += [_line("-", line) for line in a_shown[a:b]]
            out += [_line("+", line) for line in b_shown[c:d]]
            position = b
        out += [_line(" ", line) for line in a_shown[position:end]]
        full_start = max(members[0][1] - context, 0)
        full_end = min(members[-1][2] + context, len(a_lines))
        result.append(("".join(out), start > full_start or end < full_end))
    return result


def _clear(numbers: range, secret: frozenset[int]) -> int:
    count = 0
    for number in numbers:
        if number in secret:
            break
        count += 1
    return count


def _span(start: int, end: int) -> str:
    length = end - start
    return f"{start + 1 if length else start},{length}"


def _line(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n\\ No newline at end of file\n"
