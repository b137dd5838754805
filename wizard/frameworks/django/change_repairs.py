"""What is wrong in render.yaml already, and would fail the deploy that takes the patch live."""

from __future__ import annotations

import posixpath
import re
from pathlib import PurePosixPath

from wizard.frameworks.app_folder import AppFolder
from wizard.model import Instruction, Splice
from wizard.patchers.base import NotUnderstood
from wizard.patchers.yaml_file import YamlFile, YamlMapping

RENDER = "render.yaml"
_INSTALLS = re.compile(r"pip3?\s+install\s[^&|;\n]*?(?<=\s)(?:-r\s*|--requirement[\s=]+)([\w./-]+\.txt)\b")
_MADE = re.compile(r"(?:>|-o|--output(?:-file)?[= ])\s*[\w./-]+\.txt|pipenv|pip-compile")
_COMMANDS = ("buildCommand", "preDeployCommand", "startCommand")
_HEALTH = """In urls.py, above urlpatterns:
from django.http import HttpResponse

In urlpatterns:
    path("healthz/", lambda request: HttpResponse("ok")),

In the service in render.yaml:
    healthCheckPath: /healthz/
"""


def requirements_path(
    site: AppFolder, service: YamlMapping
) -> tuple[list[Splice], dict[str, str], list[Instruction]]:
    """A requirements file that the service installs and that does not exist, corrected to the one that does.

    Returns splices, the commands as they then read, and instructions where there is not just one such file.
    Raises NotUnderstood where the name is written in a way that cannot be replaced in place.
    """
    splices: list[Splice] = []
    commands: dict[str, str] = {}
    told: list[Instruction] = []
    folder = posixpath.normpath(str(service.value.get("rootDir") or "."))
    for key in _COMMANDS:
        command = service.value.get(key)
        if not isinstance(command, str) or _MADE.search(command) or re.search(r"(?:^|[\s&;])cd\s", command):
            continue
        for name in dict.fromkeys(_INSTALLS.findall(command)):
            if (site.root / folder / name).is_file():
                continue
            here = sorted((site.root / folder).glob("*requirements*.txt"))
            if len(here) != 1 or command.count(name) != 1:
                names = ", ".join(file.name for file in here) or "none"
                why = f"{name} does not exist: the next deploy fails here. Beside it there are: {names}."
                told.append(Instruction(RENDER, service.line, why, f"    {key}: {command}\n"))
                continue
            right = (PurePosixPath(name).parent / here[0].name).as_posix()
            if not (site.root / folder / right).is_file():
                right = here[0].name
            reason = f"{name} does not exist, so the next deploy would fail; {right} is the file that does"
            splices.append(service.replace_in(key, name, right, reason))
            commands[key] = command.replace(name, right)
    return splices, commands, told


def health(site: AppFolder) -> list[Instruction]:
    """How to give a web service of Django a health check, where render.yaml names none."""
    data = site.read(RENDER)
    if data is None:
        return []
    try:
        services = list(YamlFile(data).mappings("services"))
    except NotUnderstood:
        return []
    for service in services:
        value = service.value
        static = "static" in (value.get("env"), value.get("runtime"), value.get("type"))
        if value.get("type", "web") == "web" and not static and not value.get("healthCheckPath"):
            why = (
                f"{value.get('name') or 'The web service'} has no health check: a deploy that starts but "
                "cannot answer replaces one that does."
            )
            return [Instruction(RENDER, service.line, why, _HEALTH)]
    return []
