"""The variables a patched app reads, in `render.yaml` and `.env.example`."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from wizard.frameworks.app_folder import AppFolder
from wizard.frameworks.django.change_repairs import requirements_path
from wizard.model import Edit, Instruction, Need, Splice, Variable
from wizard.patchers import dotenv
from wizard.patchers.base import NotUnderstood, assemble
from wizard.patchers.yaml_file import YamlFile, YamlMapping, items_check

_EXAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example", "example.env")
RUNS_PYTHON = re.compile(
    r"\b(?:gunicorn|uvicorn|daphne|hypercorn|waitress|uwsgi|celery|rq)\b|manage\.py|wsgi|asgi|\bfastapi run\b"
)
RUNS_NODE = re.compile(r"\b(?:node|nest|ts-node|tsx|npm|npx|yarn|pnpm|bun|prisma)\b")
_REASON = "the app reads it; its value is set on Render, not here"
_RENDER = "render.yaml"


def variables(needs: tuple[Need, ...]) -> list[Variable]:
    """Every variable of the needs once, in their order."""
    found: dict[str, Variable] = {}
    for need in needs:
        for variable in need.variables:
            found.setdefault(variable.name, variable)
    return list(found.values())


def change_example(site: AppFolder, needs: tuple[Need, ...]) -> tuple[list[Edit], list[Instruction]]:
    """The project's example of an environment gets the variables; without one it is made. Never `.env`."""
    folders = dict.fromkeys([site.at(), "."])
    places = [posixpath.normpath(posixpath.join(f, name)) for f in folders for name in _EXAMPLES]
    path = next((p for p in places if site.read(p) is not None), site.at(".env.example"))
    data = site.read(path)
    wanted = variables(needs)
    try:
        splices = dotenv.add(data or b"", wanted, "shows what the app reads")
        if not splices:
            return [], []
        present = dotenv.named(data or b"")
        check = dotenv.added_check(v.name for v in wanted if v.name not in present)
        return [assemble(path, data, splices, check)], []
    except NotUnderstood as error:
        text = "".join(f"{v.name}={v.example}\n" for v in wanted)
        return [], [error.instruction(path, text)]


def change_render(
    site: AppFolder, needs: tuple[Need, ...], runs: re.Pattern[str] = RUNS_PYTHON
) -> tuple[list[Edit], list[Instruction]]:
    """Every service of `render.yaml` that runs this app gets `- key: NAME` with `sync: false`.

    `runs` is what the commands of such a service hold.
    """
    data = site.read(_RENDER)
    wanted = variables(needs)
    if data is None or not wanted:
        return [], []
    try:
        source = YamlFile(data)
        services = list(source.mappings("services"))
        chosen = _running(site, services, runs)
        edits = []
        splices, added = _splices(services, chosen, wanted)
        replaced: dict[int, dict[str, str]] = {}
        told = [i for n in chosen for i in _literals(services[n], wanted)]
        for number in chosen:
            repairs, replaced[number], more = requirements_path(site, services[number])
            splices += repairs
            told += more
        if splices:
            check = items_check("services", "envVars", added, replaced)
            edits.append(assemble(_RENDER, data, splices, check))
        return edits, told
    except NotUnderstood as error:
        text = "".join(f"      - key: {v.name}\n        sync: false\n" for v in wanted)
        return [], [error.instruction(_RENDER, "    envVars:\n" + text)]


def _splices(
    services: list[YamlMapping], chosen: list[int], wanted: list[Variable]
) -> tuple[list[Splice], dict[int, list[dict[str, Any]]]]:
    splices: list[Splice] = []
    added: dict[int, list[dict[str, Any]]] = {}
    for number in chosen:
        present = {str(e.get("key")) for e in _entries(services[number])}
        missing = [v.name for v in wanted if v.name not in present]
        if missing:
            items = [[("key", name), ("sync", "false")] for name in missing]
            splices.append(services[number].add_items("envVars", items, _REASON))
            added[number] = [{"key": name, "sync": False} for name in missing]
    return splices, added


def _entries(service: YamlMapping) -> list[dict[str, Any]]:
    listed = service.value.get("envVars") or []
    return [e for e in listed if isinstance(e, dict)] if isinstance(listed, list) else []


def _running(site: AppFolder, services: list[YamlMapping], runs: re.Pattern[str]) -> list[int]:
    """Which services run this app: by their folder and commands. Raises NotUnderstood where none is seen."""
    ours: list[int] = []
    for number, service in enumerate(services):
        value = service.value
        if value.get("type") in ("redis", "keyvalue", "static") or "static" in (
            value.get("env"),
            value.get("runtime"),
        ):
            continue
        folder = posixpath.normpath(str(value.get("rootDir") or "."))
        commands = " ".join(
            str(value.get(k) or "") for k in ("startCommand", "buildCommand", "dockerCommand")
        )
        here = folder in (site.at(), ".") or site.at() == "."
        docker = "docker" in (value.get("env"), value.get("runtime")) and here
        if here and (runs.search(commands) or docker):
            ours.append(number)
    web = [n for n, s in enumerate(services) if s.value.get("type") == "web" and not _static(s)]
    if not ours and len(web) == 1:
        ours = web
    if not ours:
        line = services[0].line if services else 1
        raise NotUnderstood("It is not clear which service in render.yaml runs this app.", line)
    return ours


def _static(service: YamlMapping) -> bool:
    return "static" in (service.value.get("env"), service.value.get("runtime"), service.value.get("type"))


def _literals(service: YamlMapping, wanted: list[Variable]) -> list[Instruction]:
    """A needed variable that stands there with a value: the next sync would put that value back."""
    names = {v.name for v in wanted}
    found = sorted(str(e["key"]) for e in _entries(service) if e.get("key") in names and "value" in e)
    return [
        Instruction(
            _RENDER,
            service.line,
            f"{name} has a value of its own in render.yaml; the next sync of the blueprint puts it back.",
            f"      - key: {name}\n        sync: false\n",
        )
        for name in found
    ]
