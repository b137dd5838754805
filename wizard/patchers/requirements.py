"""`requirements.txt` and the files it includes: which packages stand there, and lines added."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from wizard.model import Splice
from wizard.patchers.base import BOM, Check, NotUnderstood, at_end, encoding, lines_before, readable

_NAME = re.compile(r"^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?")
_INCLUDE = re.compile(r"^(?:-r|--requirement)[\s=]+(\S+)")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")


def normalised(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package to add. `bound` is the oldest version that works, `below` the first that does not."""

    name: str
    extras: tuple[str, ...] = ()
    bound: str | None = None
    below: str | None = None

    def line(self, bounded: bool) -> str:
        """As pip reads it. An upper limit is always written, the lower one where the file pins."""
        text = self.name + (f"[{','.join(self.extras)}]" if self.extras else "")
        limits = [f">={self.bound}"] if self.bound and (bounded or self.below) else []
        limits += [f"<{self.below}"] if self.below else []
        return text + ",".join(limits)


@dataclass(frozen=True, slots=True)
class Listed:
    """A package that stands in a file: normalised name, extras, and the rest of the line (its version)."""

    name: str
    extras: frozenset[str]
    rest: str


@dataclass(frozen=True)
class RequirementsFile:
    """One file's lines, located. May be UTF-16, as PowerShell's `pip freeze > requirements.txt` writes it."""

    data: bytes
    packages: tuple[Listed, ...] = field(init=False)
    includes: tuple[str, ...] = field(init=False)
    hashed: bool = field(init=False)

    def __post_init__(self) -> None:
        if encoding(self.data) == "utf-8":
            readable(self.data)
        packages, includes = [], []
        for line in _logical(self.data):
            if (include := _INCLUDE.match(line)) is not None:
                includes.append(include.group(1))
            elif (listed := _listed(line)) is not None:
                packages.append(listed)
        object.__setattr__(self, "packages", tuple(packages))
        object.__setattr__(self, "includes", tuple(includes))
        object.__setattr__(self, "hashed", any("--hash=" in line for line in _logical(self.data)))

    @property
    def pinned(self) -> bool:
        """Whether any package has a version."""
        return any(re.match(r"\s*[=<>~!]", p.rest) for p in self.packages)

    def add(self, wanted: Iterable[Requirement], reason: str) -> list[Splice]:
        """Lines for `wanted`: in their place where the file is sorted, else at its end.

        Raises NotUnderstood for a file with hashes: the hash of a package is not known here.
        """
        wanted = list(wanted)
        if wanted and self.hashed:
            text = _decoded(self.data)
            raise NotUnderstood(
                "The file pins packages by hash; ashore does not know the hashes of new ones.",
                1 + text.count("\n", 0, text.find("--hash=")),
            )
        lines = [w.line(self.pinned) for w in wanted]
        if not lines:
            return []
        if encoding(self.data) != "utf-8":
            return [_wide_end(self.data, lines, reason)]
        places = self._sorted_places()
        splices: dict[int, list[str]] = {}
        rest: list[str] = []
        for line in sorted(lines, key=str.lower) if places else lines:
            name = normalised(_NAME.match(line).group(1))  # type: ignore[union-attr]
            place = next((offset for other, offset in places or () if other > name), None)
            if place is None:
                rest.append(line)
            else:
                splices.setdefault(place, []).append(line)
        result = [lines_before(self.data, place, block, reason) for place, block in splices.items()]
        return result + ([at_end(self.data, rest, reason)] if rest else [])

    def _sorted_places(self) -> list[tuple[str, int]] | None:
        """(name, offset of its line) where the file is nothing but five or more sorted packages."""
        places: list[tuple[str, int]] = []
        offset = len(BOM) if self.data.startswith(BOM) else 0
        for raw in self.data[offset:].split(b"\n"):
            line = raw.decode("utf-8", "surrogateescape").strip()
            if line:
                listed = _listed(line)
                if listed is None or line.endswith("\\"):
                    return None
                places.append((listed.name, offset))
            offset += len(raw) + 1
        names = [name for name, _ in places]
        return places if len(names) >= 5 and names == sorted(names) else None


def chain(
    start: str, read: Callable[[str], bytes | None], join: Callable[[str, str], str]
) -> dict[str, RequirementsFile]:
    """`start` and every file it includes, by path, in the order pip reads them.

    `read` gives a file's bytes or None; `join(from, relative)` resolves an include.
    """
    found: dict[str, RequirementsFile] = {}
    pending = [start]
    while pending:
        path = pending.pop(0)
        data = None if path in found else read(path)
        if data is not None:
            found[path] = RequirementsFile(data)
            pending += [join(path, include) for include in found[path].includes]
    return found


def requirements_check(wanted: Iterable[Requirement]) -> Check:
    """A check that exactly the lines of `wanted` were added."""
    names = sorted(normalised(w.name) for w in wanted)

    def check(before: bytes, after: bytes) -> None:
        old, new = list(_logical(before)), list(_logical(after))
        for line in old:
            if line not in new:
                raise NotUnderstood("An existing requirement would change.")
            new.remove(line)
        if sorted(p.name for p in map(_listed, new) if p is not None) != names or len(new) != len(names):
            raise NotUnderstood("The added requirements would not read as they must.")

    return check


def _logical(data: bytes) -> list[str]:
    """Lines as pip sees them: continued ones joined, comments and blanks left out."""
    text = _decoded(data).replace("\r\n", "\n")
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in re.sub(r"\\\n", " ", text).split("\n"))
    return [line for line in lines if line]


def _decoded(data: bytes) -> str:
    name = encoding(data)
    if name == "utf-8":
        return data.removeprefix(BOM).decode("utf-8", "surrogateescape")
    try:
        return data[2:].decode(name)
    except UnicodeDecodeError as error:
        raise NotUnderstood("The file begins like UTF-16 and is none.") from error


def _wide_end(data: bytes, lines: list[str], reason: str) -> Splice:
    """Whole lines at the end of a UTF-16 file."""
    text = _decoded(data)
    ending = "\r\n" if "\r\n" in text else "\n"
    if text == "" or text.endswith("\n"):
        added = "".join(line + ending for line in lines)
    else:
        added = "".join(ending + line for line in lines)
    return Splice(len(data), len(data), added, reason)


def _listed(line: str) -> Listed | None:
    if line.startswith(("-e", "--editable", "git+", "http:", "https:")):
        egg = _EGG.search(line)
        return Listed(normalised(egg.group(1)), frozenset(), "") if egg else None
    match = None if line.startswith("-") else _NAME.match(line)
    if match is None:
        return None
    rest = line[match.end() :].strip()
    if rest and rest[0] not in "=<>~!;@(,#":
        return None
    extras = frozenset(normalised(e.strip()) for e in (match.group(2) or "").split(",") if e.strip())
    return Listed(normalised(match.group(1)), extras, rest)


def parsed(text: str) -> Listed | None:
    """One requirement string, as `pyproject.toml` lists it."""
    return _listed(text.strip())
