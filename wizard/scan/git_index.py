"""Which files git tracks, from its index. Git itself is not run.

Format: https://git-scm.com/docs/index-format, versions 2 and 3 (4 compresses names and is passed over).
"""

from __future__ import annotations

from pathlib import Path

_ENTRY = 62  # bytes before an entry's name
_EXTENDED = 0x4000


def tracked_under(root: Path, path: str) -> int:
    """How many tracked files are `path` or lie below it (relative to `root`); 0 without a readable index."""
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            wanted = (root.relative_to(folder) / path).as_posix().encode()
            names = _names(folder / ".git" / "index")
            return sum(1 for name in names if name == wanted or name.startswith(wanted + b"/"))
    return 0


def _names(index: Path) -> list[bytes]:
    try:
        data = index.read_bytes()
    except OSError:
        return []
    if data[:4] != b"DIRC" or int.from_bytes(data[4:8], "big") not in (2, 3):
        return []
    names: list[bytes] = []
    at = 12
    for _ in range(int.from_bytes(data[8:12], "big")):
        flags = int.from_bytes(data[at + 60 : at + 62], "big")
        start = at + _ENTRY + (2 if flags & _EXTENDED else 0)
        end = data.find(b"\0", start)
        if end < 0:
            break
        names.append(data[start:end])
        at += (end - at + 8) // 8 * 8
    return names
