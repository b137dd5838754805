"""What the parts of a change gather before the files are put together."""

from __future__ import annotations

from dataclasses import dataclass, field

from wizard.model import Instruction, Splice


@dataclass
class Work:
    """`splices` and `imports` (modules to import) by file; `in_place` are the imports of sqlite3 that become
    the generated package's, `renamed` the module they name. `made` are generated files by their path below
    the module's home, `reasons` says why."""

    splices: dict[str, list[Splice]] = field(default_factory=dict)
    imports: dict[str, set[str]] = field(default_factory=dict)
    in_place: dict[str, list[Splice]] = field(default_factory=dict)
    renamed: dict[str, set[str]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    instructions: list[Instruction] = field(default_factory=list)
    driver: bool = False
    boto: bool = False
