"""What a Django project's files must become so that the app uses the targets."""

from __future__ import annotations

import re

from wizard.frameworks.base import Change
from wizard.frameworks.django.change_packages import change_packages, manifests, pinned_versions
from wizard.frameworks.django.change_platform import change_example, change_render
from wizard.frameworks.django.change_settings import change_settings
from wizard.frameworks.django.change_site import open_site, pick
from wizard.frameworks.django.change_storages import DISK, KINDS
from wizard.frameworks.django.change_urls import change_urls
from wizard.model import Edit, Framework, Instruction, Need, Project

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PREFIX = re.compile(r"[^\"'\\\x00-\x1f]*\Z")


def change(project: Project, framework: Framework, needs: tuple[Need, ...]) -> Change:
    """The edits and instructions for `needs`; reads only. On files already changed there are none.

    One database and one bucket are understood: Django has one default storage. Anything else becomes
    an instruction. Raises UsageError `unreadable-settings` where the settings cannot be found or read.
    """
    site = open_site(project.root, framework)
    instructions: list[Instruction] = []
    databases, buckets = pick(needs, "database", ("postgres",)), pick(needs, "storage", (*KINDS, DISK))
    understood = [*databases[:1], *buckets[:1]]
    first = site.settings.files[0]
    for need in needs:
        if need not in understood:
            why = f"ashore does not know how to make Django use this {need.kind} ({need.backend})"
            why += " beside another one." if need.backend in ("postgres", *KINDS, DISK) else "."
            names = "".join(f"{variable.name}\n" for variable in need.variables)
            instructions.append(Instruction(first, 1, why, f"The variables to read:\n{names}"))
    for need in understood:
        if not all(_VARIABLE.match(name) for _, name in need.roles) or not _PREFIX.match(need.prefix):
            raise ValueError("a need names a variable or prefix that cannot stand in code")
    kept = tuple(understood)
    database, bucket = next(iter(databases), None), next(iter(buckets), None)
    listed, unreadable = manifests(site)
    settings = change_settings(site, database, bucket, pinned_versions(listed))
    edits = list(settings.edits)
    instructions += settings.instructions
    if bucket is not None and bucket.backend != DISK:
        _extend(edits, instructions, change_urls(site, bucket))
    packages = change_packages(
        site,
        listed,
        unreadable,
        database is not None,
        settings.dj_database_url,
        KINDS.get(bucket.backend) if bucket else None,
    )
    _extend(edits, instructions, packages)
    if kept:
        _extend(edits, instructions, change_render(site, kept))
        _extend(edits, instructions, change_example(site, kept))
    return Change(tuple(edits), tuple(instructions))


def _extend(
    edits: list[Edit], instructions: list[Instruction], more: tuple[list[Edit], list[Instruction]]
) -> None:
    edits += more[0]
    instructions += more[1]
