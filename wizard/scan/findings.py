"""What the code and its configuration say that their owner should know. One function a subject."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from wizard.frameworks.django.settings import DjangoSettings
from wizard.frameworks.requirements import requirement_files, requirements
from wizard.model import Evidence, Finding, Framework, Severity, Store
from wizard.scan.django_findings import for_development
from wizard.scan.git_index import Index
from wizard.scan.platforms import listed, load_yaml
from wizard.scan.tree import Tree
from wizard.scan.yaml_lines import line_of

INSTALLS = re.compile(r"pip3?\s+install\s[^&|;\n]*?(?<=\s)(?:-r\s*|--requirement[\s=]+)([^\s&|;\"']+)")
_SCRIPT = re.compile(r"(?:^|[\s&;])(?:bash\s+|sh\s+)?(?:\./)?([\w./-]+\.sh)\b")
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:SECRET(?:_KEY|_ACCESS_KEY|_KEY_BASE)?|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_KEY)$", re.I
)
_DRIVERS = frozenset({"psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary"})


def of_settings(tree: Tree, settings: DjangoSettings, stores: tuple[Store, ...]) -> Iterator[Finding]:
    """What Django's settings and root urls say."""
    if settings.secret_key_literal and not for_development(settings.where.get("SECRET_KEY"), tree):
        yield _finding(
            "secret-key-committed",
            "warning",
            "SECRET_KEY is written in the code: whoever reads the repository can forge sessions.",
            "Read it from the environment and make a new one.",
            settings.where.get("SECRET_KEY"),
        )
    has_uploads = any(store.kind == "uploads" and (store.files or store.evidence) for store in stores)
    if has_uploads and settings.serves_media == "debug":
        yield _finding(
            "media-served-in-debug-only",
            "warning",
            "Uploaded files are served only while DEBUG is on: in production their links lead nowhere.",
            "Links of files in durable storage do not depend on it.",
            settings.serves_media_at,
        )


def of_requirements(
    tree: Tree, framework: Framework | None, settings: DjangoSettings | None
) -> Iterator[Finding]:
    """A PostgreSQL driver that is missing from the requirements of a Django app."""
    if framework is None or settings is None:
        return
    in_use = "postg" in (settings.database_engine or "")
    if not (settings.uses_sqlite or in_use):
        return
    folders = dict.fromkeys((tree.root / framework.path, tree.root))
    files = [file for folder in folders for file in requirement_files(folder)]
    names = {requirement.name for folder in folders for requirement in requirements(folder)}
    if files and names and not names & _DRIVERS:
        severity: Severity = "warning" if in_use else "info"
        yield Finding(
            "no-postgres-driver",
            severity,
            "The requirements name no PostgreSQL driver"
            + (", and the settings use PostgreSQL." if in_use else "."),
            "The patch adds psycopg.",
            files[0].relative_to(tree.root).as_posix(),
        )


def of_render(tree: Tree) -> Iterator[Finding]:
    """What render.yaml says: files it names that are not there, free databases, secrets in clear."""
    for file in tree.named("render.yaml", "render.yml"):
        data, node = load_yaml(tree, file)
        if node is None and tree.text(file).strip():
            yield Finding(
                "unreadable-config",
                "warning",
                f"{file} is not valid YAML.",
                "Correct it: Render refuses it too.",
                file,
            )
        for index, service in enumerate(listed(data, "services")):
            for key in ("buildCommand", "startCommand", "preDeployCommand"):
                line = line_of(node, "services", index, key)
                folder = str(service.get("rootDir") or ".")
                for missing, where in _missing_requirements(tree, str(service.get(key) or ""), folder):
                    yield Finding(
                        "missing-requirements-file",
                        "error",
                        f"{where or file} names {missing}, which does not exist.",
                        "The next deploy fails at this line: correct the name before you push.",
                        file,
                        line,
                    )
            for number, variable in enumerate(listed(service, "envVars")):
                value = variable.get("value")
                if _SECRET_NAME.search(str(variable.get("key", ""))) and isinstance(value, str) and value:
                    yield Finding(
                        "secret-key-committed",
                        "warning",
                        f"{file} holds the value of {variable['key']}: whoever reads the repository has it.",
                        "Use `sync: false` or `generateValue: true`, and make a new value.",
                        file,
                        line_of(node, "services", index, "envVars", number),
                    )
        for index, database in enumerate(listed(data, "databases")):
            if database.get("plan") == "free":
                yield Finding(
                    "free-database-expires",
                    "warning",
                    "The free Render database in this file expires 30 days after it was made.",
                    "Choose a paid plan, or another provider.",
                    file,
                    line_of(node, "databases", index, "plan"),
                )


def of_git(index: Index, stores: tuple[Store, ...]) -> Iterator[Finding]:
    """Uploads or databases that are tracked by git, and so are overwritten by the committed state."""
    for store in stores:
        if store.kind not in ("uploads", "sqlite") or PurePosixPath(store.path).is_absolute():
            continue
        tracked = index.under(store.path)
        if tracked and store.kind == "uploads":
            yield Finding(
                "uploads-in-git",
                "warning",
                f"{tracked:,} files of {store.path} are tracked by git.",
                "Once they are safe elsewhere: git rm -r --cached "
                f"{store.path}, and add the folder to .gitignore.",
                store.path,
            )
        elif tracked:
            yield Finding(
                "database-in-git",
                "warning",
                f"{store.path} is tracked by git: every deploy brings back the committed state, and all "
                "accounts in it are in the history.",
                f"Once the data is safe elsewhere: git rm --cached {store.path}, and add it to .gitignore.",
                store.path,
            )


def _missing_requirements(tree: Tree, command: str, folder: str) -> Iterator[tuple[str, str | None]]:
    """Requirements files that `command` (or a script it runs) installs and that are not in the tree."""
    here = tree.root / folder
    texts: list[tuple[str, str | None]] = [(command, None)]
    for script in _SCRIPT.findall(command):
        path = here / script
        if path.is_file() and path.stat().st_size < 1_000_000:
            texts.append((path.read_text(encoding="utf-8", errors="replace"), script))
    for text, where in texts:
        entered = re.findall(r"(?m)(?:^|[\s&;])cd\s+([\w./-]+)", text)
        for name in INSTALLS.findall(text):
            if "$" in name:
                continue
            if not any((base / name).is_file() for base in (here, *(here / part for part in entered))):
                yield name, where


def _finding(code: str, severity: Severity, message: str, hint: str, place: Evidence | None) -> Finding:
    return Finding(
        code, severity, message, hint, place.file if place else None, place.line if place else None
    )
