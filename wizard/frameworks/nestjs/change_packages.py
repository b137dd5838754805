"""What the patched Node app needs in its package.json."""

from __future__ import annotations

import posixpath

from wizard.frameworks.app_folder import AppFolder
from wizard.model import Edit, Instruction
from wizard.patchers.base import NotUnderstood, assemble
from wizard.patchers.json_file import JsonFile, entries_check

_REASON = "the module that speaks to the bucket imports it"
_LOCKS = {
    "package-lock.json": "npm install",
    "yarn.lock": "yarn install",
    "pnpm-lock.yaml": "pnpm install",
    "bun.lock": "bun install",
}


def change_packages(
    app: AppFolder, wanted: dict[str, str], functions: frozenset[str], typed: bool
) -> tuple[list[Edit], list[Instruction]]:
    """The edit of package.json, which gets `wanted`, and the lock file that must be made again."""
    path = app.at("package.json")
    data = app.read(path)
    if data is None:
        text = "".join(f'"{n}": "{v}"\n' for n, v in wanted.items())
        return [], [Instruction(path, 1, "No package.json was found that lists the app's packages.", text)]
    try:
        source = JsonFile(data)
        listed = {**_table(source, "devDependencies"), **_table(source, "dependencies")}
        if typed and functions & {"serveUploads", "sendUpload", "downloadUpload"}:
            types = {"@types/express": "^5.0.0"} if "@types/express" not in listed else {}
        else:
            types = {}
        if typed and "uploadStorage" in functions and "@types/multer" not in listed:
            types["@types/multer"] = "^1.4.12"
        missing = {n: v for n, v in wanted.items() if n not in _table(source, "dependencies")}
        edits = []
        splices = [
            *source.add("dependencies", missing, _REASON),
            *source.add("devDependencies", types, _REASON),
        ]
        if splices:
            checks = [
                entries_check(k, e) for k, e in (("dependencies", missing), ("devDependencies", types)) if e
            ]

            def check(before: bytes, after: bytes) -> None:
                if len(checks) == 1:
                    checks[0](before, after)
                    return
                middle = JsonFile(before).values
                middle["dependencies"] = {**middle.get("dependencies", {}), **missing}
                middle["devDependencies"] = {**middle.get("devDependencies", {}), **types}
                if JsonFile(after).values != middle:
                    raise NotUnderstood(
                        "The edited file would not say what it must; nothing is changed in it."
                    )

            edits.append(assemble(path, data, splices, check))
    except NotUnderstood as error:
        return [], [error.instruction(path, "".join(f'"{n}": "{v}"\n' for n, v in wanted.items()))]
    return edits, _locks(app) if edits else []


def _table(source: JsonFile, key: str) -> dict[str, object]:
    value = source.values.get(key, {})
    return value if isinstance(value, dict) else {}


def _locks(app: AppFolder) -> list[Instruction]:
    result = []
    for folder in dict.fromkeys((app.at(), ".")):
        for name, command in _LOCKS.items():
            path = posixpath.normpath(posixpath.join(folder, name))
            if app.read(path) is not None:
                why = "The lock file must be made again, or the deploy refuses to install."
                result.append(Instruction(path, 1, why, f"{command}\n"))
    return result
