"""What a Django project's files must become so that the app uses the targets."""

from __future__ import annotations

import re
from collections.abc import Callable

from wizard.frameworks.base import Change
from wizard.frameworks.django import change_routes
from wizard.frameworks.django.change_packages import change_packages, manifests, pinned_versions
from wizard.frameworks.django.change_platform import change_example, change_render
from wizard.frameworks.django.change_repairs import health
from wizard.frameworks.django.change_settings import change_settings
from wizard.frameworks.django.change_site import Site, open_site, pick
from wizard.frameworks.django.change_storages import DISK, KINDS, TABLE
from wizard.frameworks.django.change_table import CODE, change_table
from wizard.frameworks.django.change_urls import change_urls
from wizard.model import Edit, Framework, Instruction, Need, Project
from wizard.patchers.base import NotUnderstood

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PREFIX = re.compile(r"[^\"'\\\x00-\x1f]*\Z")


def change(project: Project, framework: Framework, needs: tuple[Need, ...]) -> Change:
    """The edits and instructions for `needs`; reads only. On files already changed there are none.

    One database and, from Django 4.2 on, several storages for one folder are understood, before that one.
    Anything else becomes an instruction. Raises UsageError `unreadable-settings` where the settings cannot
    be found or read.
    """
    site = open_site(project.root, framework)
    instructions: list[Instruction] = []
    databases, buckets = pick(needs, "database", ("postgres",)), pick(needs, "storage", (*KINDS, DISK))
    first = site.settings.files[0]
    hurdle = change_routes.problem(site, buckets) if change_routes.apart(buckets) else None
    routed = change_routes.apart(buckets) and hurdle is None
    if hurdle is not None:
        taken = f"{buckets[0].match} goes to {buckets[0].backend}"
        text = f"The storage that the app uses for all its uploads after the edits: {taken}.\n"
        instructions.append(Instruction(first, 1, f"Files go to several places, and {hurdle}", text))
    understood = [*databases[:1], *(buckets if routed else buckets[:1])]
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
    database = next(iter(databases), None)
    listed, unreadable = manifests(site)
    edits: list[Edit] = []
    chosen = buckets if routed else buckets[:1]
    made: list[Instruction] = []
    if any(need.backend == TABLE for need in chosen):
        _extend(edits, made, _module(site, change_table, CODE))
    if routed:
        _extend(edits, made, _module(site, change_routes.change_module, change_routes.CODE))
    instructions += made
    if made:  # without its class the storage cannot be used
        chosen = []
    bucket = chosen[0] if chosen else None
    versions = pinned_versions(listed)
    storage = change_routes.routed_settings(site, chosen, versions) if routed and chosen else bucket
    settings = change_settings(site, database, storage, versions)
    edits += settings.edits
    instructions += settings.instructions
    if routed and chosen:
        _extend(edits, instructions, change_urls(site, None, change_routes.SERVE))
    elif bucket is not None and bucket.backend != DISK:
        _extend(edits, instructions, change_urls(site, bucket))
    packages = change_packages(
        site,
        listed,
        unreadable,
        database is not None,
        settings.dj_database_url,
        tuple(dict.fromkeys(KINDS[n.backend] for n in chosen if n.backend in KINDS)),
    )
    _extend(edits, instructions, packages)
    if kept:
        _extend(edits, instructions, change_render(site, kept))
        _extend(edits, instructions, change_example(site, kept))
        instructions += health(site)
    return Change(tuple(edits), tuple(instructions))


def _module(
    site: Site, write: Callable[[Site], list[Edit]], code: str
) -> tuple[list[Edit], list[Instruction]]:
    """The edit of a module with a class of `code`, or what a person must do where that cannot stand there."""
    try:
        return write(site), []
    except NotUnderstood as error:
        return [], [error.instruction(site.settings.files[0], code)]


def _extend(
    edits: list[Edit], instructions: list[Instruction], more: tuple[list[Edit], list[Instruction]]
) -> None:
    edits += more[0]
    instructions += more[1]
