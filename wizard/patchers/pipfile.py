"""`Pipfile`: packages added to its `[packages]` table."""

from __future__ import annotations

from wizard.model import Splice
from wizard.patchers.base import Check
from wizard.patchers.requirements import Requirement, normalised
from wizard.patchers.toml_file import TomlFile, table_check

TABLE = ("packages",)


def listed(source: TomlFile) -> dict[str, object]:
    """The packages by normalised name."""
    table = source.get(TABLE)
    return {normalised(k): v for k, v in table.items()} if isinstance(table, dict) else {}


def entry(requirement: Requirement, open_version: str = "*") -> tuple[str, str, object]:
    """(key, TOML text, value) of a package, as Pipfile and Poetry write it."""
    limits = [f">={requirement.bound}"] if requirement.bound else []
    limits += [f"<{requirement.below}"] if requirement.below else []
    version = ",".join(limits) or open_version
    if not requirement.extras:
        return requirement.name, f'"{version}"', version
    extras = ", ".join(f'"{e}"' for e in requirement.extras)
    text = f'{{extras = [{extras}], version = "{version}"}}'
    return requirement.name, text, {"extras": list(requirement.extras), "version": version}


def add(
    source: TomlFile, table: tuple[str, ...], wanted: list[Requirement], reason: str
) -> tuple[Splice, Check]:
    """The splice that adds `wanted` to `table`, and its check."""
    entries = [entry(w) for w in wanted]
    splice = source.add_to_table(table, [(key, text) for key, text, _ in entries], reason)
    return splice, table_check(table, {key: value for key, _, value in entries})
