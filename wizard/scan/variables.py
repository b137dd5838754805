"""Variables that the deployed app sees, as far as the project's files tell."""

from __future__ import annotations

from collections.abc import Mapping

from wizard.model import Evidence, Platform
from wizard.scan.platforms import listed, load_yaml
from wizard.scan.tree import Tree
from wizard.scan.yaml_lines import line_of

# What a platform sets for every app. The values do not matter, except that they are there.
_OF_PLATFORMS: Mapping[str, Mapping[str, str]] = {
    "render": {"RENDER": "true", "RENDER_EXTERNAL_HOSTNAME": "my-app.onrender.com"},
    "fly": {"FLY_APP_NAME": "my-app"},
    "railway": {"RAILWAY_ENVIRONMENT": "production"},
    "heroku": {"DYNO": "web.1"},
    "vercel": {"VERCEL": "1", "VERCEL_ENV": "production"},
}


def deployed(tree: Tree, platforms: tuple[Platform, ...]) -> tuple[dict[str, str], frozenset[str]]:
    """(variables with a known value, names of all that are set) of the first web service in render.yaml."""
    known, declared = _of_render(tree)
    for platform in platforms:
        known = {**_OF_PLATFORMS.get(platform.name, {}), **known}
    return known, frozenset(declared | known.keys())


def _of_render(tree: Tree) -> tuple[dict[str, str], set[str]]:
    for file in tree.named("render.yaml", "render.yml"):
        services = listed(load_yaml(tree, file)[0], "services")
        web = next((s for s in services if s.get("type", "web") == "web" and not static(s)), None)
        if web is not None:
            entries = [v for v in listed(web, "envVars") if isinstance(v.get("key"), str)]
            known = {str(v["key"]): _text(v["value"]) for v in entries if v.get("value") is not None}
            return known, {str(v["key"]) for v in entries}
    return {}, set()


def given_database(tree: Tree) -> tuple[str, Evidence] | None:
    """(variable, place) through which render.yaml hands a PostgreSQL of Render to a service."""
    for file in tree.named("render.yaml", "render.yml"):
        data, node = load_yaml(tree, file)
        for number, service in enumerate(listed(data, "services")):
            for index, variable in enumerate(listed(service, "envVars")):
                source = variable.get("fromDatabase")
                if isinstance(source, dict) and source.get("property") == "connectionString":
                    line = line_of(node, "services", number, "envVars", index) or 1
                    return str(variable.get("key")), Evidence(file, line)
    return None


def static(service: Mapping[str, object]) -> bool:
    """Whether a service of render.yaml is a static site: files on a network, no server."""
    return "static" in (service.get("env"), service.get("runtime"), service.get("type"))


def _text(value: object) -> str:
    """A YAML scalar as the platform would hand it to the app."""
    return str(value).lower() if isinstance(value, bool) else str(value)
