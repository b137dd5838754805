"""(Project, Answers) → Plan. Reads the source and the project; writes nothing."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from wizard import answers_file
from wizard.answers import STAYS, Answers
from wizard.credentials import REFERENCE, Redactor, Vault
from wizard.databases.sqlite import schema as sqlite_schema
from wizard.databases.sqlite import snapshot
from wizard.databases.sqlite.failures import explained
from wizard.errors import UsageError
from wizard.frameworks import FRAMEWORKS
from wizard.model import (
    STEP_NAMES,
    Decision,
    Edit,
    Instruction,
    Need,
    Plan,
    Project,
    Step,
    TableCount,
    Variable,
)
from wizard.sources.local import Found, walk
from wizard.steps import app_variables, made_database, moves, platform_access
from wizard.steps.moves.base import Move, Resolve
from wizard.storages import kind
from wizard.storages.needs import setups, storage_needs

VERSION = 1
THIS_FOLDER = "this folder"
RUN_FOLDER = "the run's folder"
NOTHING = "nothing"
MONGODB = "mongodb"


def source_path(project: Project, answers: Answers) -> Path | None:
    """The SQLite file to move, absolute; None where the database stays, or is no file.

    Raises UsageError `no-database` where the answers want one moved and there is none.
    """
    if answers.database is None or not answers.moves_database:
        return None
    if answers.database.source is not None and REFERENCE.match(answers.database.source):
        return None
    if answers.database.source is not None:
        return project.root / answers.database.source
    found = [s for s in project.stores if s.kind == "sqlite"]
    if not found:
        raise UsageError(
            "no-database",
            f"No SQLite database was found in {project.root}; nothing was written.",
            "Name it with `database.source` in the answers.",
        )
    if len(found) > 1:
        raise UsageError(
            "several-databases",
            "More than one SQLite database was found: " + ", ".join(s.path for s in found) + ".",
            "Name the one to move with `database.source` in the answers.",
        )
    return project.root / found[0].path


@contextmanager
def source_schema(source: Path) -> Iterator[sqlite3.Connection]:
    """A connection to read the live source's schema and counts from.

    One that a crash left with a hot journal is read in a copy. Raises UsageError as `snapshot.take`.
    """
    with ExitStack() as stack:
        stack.enter_context(explained(source))
        try:
            connection = sqlite_schema.open_readonly(source)
        except UsageError as error:
            if error.code != "database-needs-recovery":
                raise
            copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ashore-"))) / "copy.sqlite3"
            snapshot.take(source, copy)
            connection = sqlite_schema.open_readonly(copy)
        stack.enter_context(closing(connection))
        yield connection


def upload_folders(project: Project, answers: Answers) -> tuple[Path, ...]:
    """The folders whose files move, absolute, once each."""
    default = [s.path for s in project.stores if s.kind == "uploads"]
    named: list[Path] = []
    for rule in answers.storage:
        for text in [rule.source] if rule.source is not None else default:
            named.append(project.root / text)
    if answers.storage and not named:
        raise UsageError(
            "no-uploads",
            f"No uploads folder was found in {project.root}; nothing was written.",
            "Name it with `source` in the storage answers, or write `storage: []`.",
        )
    for folder in named:
        if not folder.is_dir():
            raise UsageError(
                "uploads-missing",
                f"The uploads folder {folder} does not exist; nothing was written.",
                "ashore reads the files there: bring them to this machine. Where the app has none yet, make "
                "the empty folder; where the name is wrong, correct `source` under `storage` in the answers.",
            )
    return tuple(dict.fromkeys(named))


def needs(answers: Answers, project: Project | None = None) -> tuple[Need, ...]:
    """What the chosen targets ask of the app. `project` tells how the app calls its MongoDB's variable."""
    found: list[Need] = []
    if answers.moves_database and answers.database is not None and answers.database.provider == MONGODB:
        stores = project.stores if project is not None else ()
        variable = next((s.path for s in stores if s.kind == "mongodb"), "MONGODB_URI")
        about = "Connection string of the MongoDB database."
        example = "mongodb+srv://user:password@host/database"
        found.append(
            Need(
                kind="database",
                backend=MONGODB,
                variables=(Variable(variable, about, secret=True, example=example),),
                roles=(("url", variable),),
            )
        )
    elif answers.moves_database:
        about = "Connection string of the PostgreSQL database."
        example = "postgresql://user:password@host:5432/database"
        found.append(
            Need(
                kind="database",
                backend="postgres",
                variables=(Variable("DATABASE_URL", about, secret=True, example=example),),
                roles=(("url", "DATABASE_URL"),),
            )
        )
    return (*found, *storage_needs(answers))


def make_plan(
    project: Project,
    answers: Answers,
    decisions: Sequence[Decision] = (),
    resolve: Resolve | None = None,
) -> Plan:
    """The whole plan. `decisions` are the preflight's, where it ran; `resolve` gives the secret behind a
    reference, which a source on a server needs.

    Raises UsageError for a source that is missing or cannot be read, and what reaching a server raises.
    """
    way = moves.move(project, answers)
    source = None if way is not None else source_path(project, answers)
    tables: tuple[TableCount, ...] = ()
    fingerprint = ""
    if way is not None:
        vault = Vault(Redactor(), base=project.root)
        fingerprint, tables = way.describe(project, answers, resolve or vault.resolve)
    elif source is not None:
        with source_schema(source) as connection:
            fingerprint = sqlite_schema.fingerprint(connection)
            tables = tuple(TableCount(*row) for row in sqlite_schema.row_counts(connection))
    files, file_bytes = 0, 0
    for folder in upload_folders(project, answers):
        for found in walk(folder):
            if isinstance(found, Found):
                files, file_bytes = files + 1, file_bytes + found.size
    made_database.check_answers(answers)
    required = needs(answers, project)
    edits, instructions = _changes(project, answers, required)
    steps = _steps(answers, way, source, tables, files, file_bytes, edits, required)
    return Plan(
        version=VERSION,
        root=str(project.root),
        answers_digest=answers_file.digest(answers),
        source_fingerprint=fingerprint,
        steps=steps,
        tables=tables,
        files=files,
        file_bytes=file_bytes,
        decisions=tuple(decisions),
        edits=edits,
        instructions=instructions,
        needs=required,
    )


def _changes(
    project: Project, answers: Answers, required: tuple[Need, ...]
) -> tuple[tuple[Edit, ...], tuple[Instruction, ...]]:
    if answers.patch == "skip" or not required:
        return (), ()
    edits: list[Edit] = []
    instructions: list[Instruction] = []
    kinds = {k.name: k for k in FRAMEWORKS}
    for framework in project.frameworks:
        if framework.name in kinds:
            change = kinds[framework.name].change(project, framework, required)
            edits += [e for e in change.edits if e.path not in answers.skip_edits]
            instructions += change.instructions
    return tuple({e.path: e for e in edits}.values()), tuple(instructions)


def _steps(
    answers: Answers,
    way: Move | None,
    source: Path | None,
    tables: tuple[TableCount, ...],
    files: int,
    file_bytes: int,
    edits: tuple[Edit, ...],
    required: tuple[Need, ...],
) -> tuple[Step, ...]:
    moves_database = source is not None or (way is not None and answers.moves_database)
    # The steps in which the database has a part: of a SQLite file in all of them.
    parts = way.steps(answers) if way is not None else frozenset(STEP_NAMES if moves_database else ())
    moves_files = any(rule.provider != answers_file.LEAVE for rule in answers.storage)
    database = _database_title(answers)
    storage = _storage_title(answers)
    mongo = answers.database is not None and answers.database.provider == MONGODB
    unit, units = ("collections", "documents") if mongo else ("tables", "rows")
    rows = f"{len(tables)} {unit}, {sum(t.rows for t in tables):,} {units}"
    what = ", ".join(
        part
        for part in (
            source.name if source is not None else rows if way is not None else "",
            f"{files:,} files, {human_bytes(file_bytes)}" if moves_files else "",
        )
        if part
    )
    private = "private (signed links)" if _signed(answers) else "public"
    targets = " and ".join(t for t in (database if parts else "", storage if moves_files else "") if t)
    lines: list[Step] = [
        Step("snapshot", "Freeze a copy", RUN_FOLDER, what),
        Step("preflight", "Look for what cannot be carried exactly", NOTHING),
    ]
    if moves_files:
        lines.append(Step("backup", "Back up", RUN_FOLDER, what))
    create = answers.database.create if answers.database is not None and moves_database else None
    made = f"makes the database {create.name}, unless it is there" if create is not None else ""
    made = "; ".join([*([made] if made else []), *setups(answers)])
    lines.append(Step("provision", "Prepare the targets", targets or NOTHING, made))
    of_database = [
        Step("schema", f"Build the {unit}", database, f"{len(tables)} {unit}"),
        Step("recheck", "Check every value against the real column types", NOTHING),
        Step("copy", f"Copy the {units}", database, rows),
    ]
    lines += [line for line in of_database if line.name in parts]
    if moves_files:
        lines.append(Step("upload", "Upload the files", storage, f"{files:,} files, {private}"))
    of_database = [
        Step("references", "Rewrite references to files", database, "undo kept"),
        Step("constraints", "Restore keys, indexes and sequences", database),
    ]
    lines += [line for line in of_database if line.name in parts]
    record = "the run's record" if moves_database else RUN_FOLDER
    lines.append(Step("verify", "Compare every value and every byte", record))
    lines.append(Step("cutover", "Carry over what changed meanwhile", targets or NOTHING))
    if answers.patch != "skip" and edits:
        writes = THIS_FOLDER if answers.patch == "apply" else RUN_FOLDER
        lines.append(
            Step("patch", "Change the app's files", writes, f"{len(edits)} files, once all is proven")
        )
    platform = platform_access.platform(answers)
    names = ", ".join(app_variables.names(required))
    if platform_access.waits(answers.deploy) and answers.deploy is not None:
        title = platform_access.TITLES[answers.deploy.platform]
        says = "Wait for your push, look at the live app" + (
            ", redeploy once" if answers.deploy.trigger else ""
        )
        if platform is not None and platform_access.restarts(answers):
            says = "Set the variables (the app restarts), w" + says[1:]
        writes = title if platform is not None or answers.deploy.trigger else NOTHING
        lines.append(Step("deploy", says, writes, names if platform is not None else ""))
    elif required and platform is not None:
        how = "in one change; the app restarts" if platform_access.restarts(answers) else "without deploying"
        lines.append(Step("deploy", f"Set the variables, {how}", platform, names))
    elif required:
        lines.append(Step("deploy", "List what the platform must be told", NOTHING))
    lines.append(
        Step("report", "Write the report", f"{RUN_FOLDER}, the record" if moves_database else RUN_FOLDER)
    )
    return tuple(lines)


def _signed(answers: Answers) -> bool:
    return all(rule.access == "signed" for rule in answers.storage if rule.provider != answers_file.LEAVE)


def _database_title(answers: Answers) -> str:
    titles = {
        "render": "Render Postgres",
        "neon": "Neon",
        "supabase": "Supabase",
        MONGODB: "MongoDB",
        **dict.fromkeys(STAYS, "the database that stays"),
    }
    provider = answers.database.provider if answers.database else "postgres"
    return titles.get(provider, "PostgreSQL")


def _storage_title(answers: Answers) -> str:
    names = [
        str(rule.options.get("bucket") or kind(rule.provider).title)
        for rule in answers.storage
        if rule.provider != answers_file.LEAVE
    ]
    return ", ".join(dict.fromkeys(names))


def human_bytes(count: int) -> str:
    """`61.0 MB`; units of 1000."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{int(size)} {unit}" if unit == "B" else f"{size:.1f} {unit}"
