"""Front ends that would ask an address where no API answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from wizard.model import Evidence, Finding
from wizard.scan.code import SCRIPTS, Code
from wizard.scan.platforms import listed, load_yaml
from wizard.scan.yaml_lines import line_of

_PREFIXES = (
    "VITE_",
    "NEXT_PUBLIC_",
    "REACT_APP_",
    "VUE_APP_",
    "NUXT_PUBLIC_",
    "EXPO_PUBLIC_",
    "PUBLIC_",
    "GATSBY_",
)
_LOCAL = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1"})  # noqa: S104 (a name, not a bind)
_SET = re.compile(r"(?m)^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*['\"]?((?:https?|wss?)://[^\s'\"]+)")
_PAIR = re.compile(r"['\"]?(\w+)['\"]?\s*[:=]\s*['\"]((?:https?|wss?)://[^\s'\"]+)['\"]")
_IN_CODE = re.compile(r"['\"`](https?://(?:localhost|127\.0\.0\.1):\d+(?:/[^'\"`\s]*)?)['\"`]")
_CALLS = re.compile(r"(?i)\bfetch\s*\(|axios|base_?url|api_?url|api_?base|backend_?url|server_?url")
_GUARDED = re.compile(r"\|\||\?\?|\?|process\.env|import\.meta|NODE_ENV|proxy|target\s*:|origin")
_TOOLS = re.compile(r"(?i)config|proxy|setup|server|dev|environment\.ts$|mock|test|(?:^|/)scripts?/")
_FRONT = frozenset(
    {"react", "vue", "svelte", "next", "nuxt", "@angular/core", "vite", "react-scripts", "solid-js", "preact"}
)
_WHERE = "Set it to the deployed API's address where the front end is built, and build again."


def find(code: Code) -> Iterator[Finding]:
    """Addresses of this machine in what is built for production, and of an undeclared Render service."""
    services = _services(code)
    for name, url, place in _settings(code):
        if not name.startswith(_PREFIXES):
            continue
        host = urlsplit(url).hostname or ""
        if host in _LOCAL:
            message = f"{name} points the front end to this machine ({host}): visitors reach nothing there."
            yield Finding("dead-api-address", "warning", message, _WHERE, place.file, place.line)
        elif services and host.endswith(".onrender.com") and not _declared(host, services):
            message = f"{name} names {host}, and render.yaml declares no service of that name."
            yield Finding("dead-api-address", "info", message, _WHERE, place.file, place.line)
    yield from _code(code)


def _settings(code: Code) -> Iterator[tuple[str, str, Evidence]]:
    """Variables that builds for production read."""
    for source in code.environment:
        if re.search(r"(?i)\.production(?:\.local)?$|\.prod$", source.file):
            text = source.text
            for match in _SET.finditer(text):
                yield match[1], match[2], source.at(match.start(1), text)
    tree = code.tree
    for file in tree.named("vercel.json", "netlify.toml"):
        text = tree.text(file)
        for match in _PAIR.finditer(text):
            yield match[1], match[2], Evidence(file, text.count("\n", 0, match.start(1)) + 1)
    for file in tree.named("render.yaml", "render.yml"):
        data, node = load_yaml(tree, file)
        for number, service in enumerate(listed(data, "services")):
            for index, variable in enumerate(listed(service, "envVars")):
                value = variable.get("value")
                if isinstance(value, str) and "://" in value:
                    line = line_of(node, "services", number, "envVars", index) or 1
                    yield str(variable.get("key")), value, Evidence(file, line)


def _services(code: Code) -> frozenset[str]:
    names: set[str] = set()
    for file in code.tree.named("render.yaml", "render.yml"):
        services = listed(load_yaml(code.tree, file)[0], "services")
        names |= {str(s["name"]) for s in services if s.get("type", "web") == "web" and s.get("name")}
    return frozenset(names)


def _declared(host: str, services: frozenset[str]) -> bool:
    """Render adds four characters to a name that is taken."""
    label = host.split(".", 1)[0]
    return any(label == name or re.fullmatch(re.escape(name) + r"-\w{4}", label) for name in services)


def _code(code: Code) -> Iterator[Finding]:
    fronts = tuple(_front_folders(code))
    if not fronts:
        return
    found: list[tuple[Evidence, str]] = []
    for source in code.having(SCRIPTS, b"localhost", b"127.0.0.1"):
        if not any(f == "." or source.file.startswith(f + "/") for f in fronts) or _TOOLS.search(source.file):
            continue
        text = source.text
        match = next((m for m in _IN_CODE.finditer(text) if _asked(text, m.start())), None)
        if match is not None:
            found.append((source.at(match.start(), text), urlsplit(match[1]).netloc))
    if found:
        place, host = found[0]
        files = f" (in {len(found)} files)" if len(found) > 1 else ""
        yield Finding(
            "dead-api-address",
            "warning",
            f"The front end asks {host}{files}: in a visitor's browser nothing answers there.",
            "Read the address from a variable that the build sets (VITE_API_URL, NEXT_PUBLIC_API_URL, …).",
            place.file,
            place.line,
        )


def _asked(text: str, position: int) -> bool:
    """Whether the address is what a request goes to, without another one before it."""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : end if end >= 0 else len(text)]
    if line.lstrip().startswith(("//", "*", "#", "<!--")):
        return False
    before = text[max(0, start - 160) : start].rstrip()
    around = (before.rpartition("\n")[2] if before.endswith(("||", "??", "?", ":", "(", "=")) else "") + line
    return bool(_CALLS.search(around)) and not _GUARDED.search(around)


def _front_folders(code: Code) -> Iterator[str]:
    for file in code.tree.named("package.json"):
        try:
            data = json.loads(code.tree.text(file))
            packages = {**data.get("dependencies", {}), **data.get("devDependencies", {})}
        except (ValueError, AttributeError, TypeError):
            continue
        if packages.keys() & _FRONT and not packages.keys() & {"@nestjs/core", "express", "fastify"}:
            yield code.tree.folder(file)
