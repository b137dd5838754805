"""Run in the project's interpreter, in a copy of the project: its tables, made by Alembic or by its models.

Every engine that the project makes for SQLite or PostgreSQL is one of ours: the target, or an empty database
in memory. No file outside of the copy is opened as a SQLite database. It ends with the engine, however
that dies: the engine holds the other end of stdin. Lines that begin with MARK are messages to it.
"""

# mypy: disable-error-code="import-untyped,import-not-found,attr-defined,assignment,method-assign"

from __future__ import annotations

import importlib
import json
import os
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

MARK = "\x1eashore "
PLACEHOLDER = "postgresql://ashore@localhost/ashore"
KEPT = ("echo", "future", "_is_async", "json_serializer", "json_deserializer", "enable_from_linting")


def say(**message: object) -> None:
    sys.stdout.write(MARK + json.dumps(message) + "\n")
    sys.stdout.flush()


def die_with_parent() -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would abort the interpreter's shutdown
        pass
    os._exit(1)


def keep_files_out(copy: str) -> None:
    """Code that opens SQLite itself gets a database in memory in place of any file outside of the copy."""
    connect = sqlite3.connect

    def ours(database: Any, *rest: Any, **options: Any) -> sqlite3.Connection:
        name = os.fspath(database)
        name = name.decode() if isinstance(name, bytes) else name
        file = name[5:].partition("?")[0] if name.startswith("file:") else name
        if name != ":memory:" and not os.path.realpath(file).startswith(os.path.realpath(copy) + os.sep):
            database = ":memory:"
        connection: sqlite3.Connection = connect(database, *rest, **options)
        return connection

    sqlite3.connect = ours
    sqlite3.dbapi2.connect = ours


def redirect(target: str) -> Any:
    """Make every engine one for `target`; the engine itself is returned, not connected yet."""
    import sqlalchemy
    from sqlalchemy import engine as package
    from sqlalchemy.engine import create
    from sqlalchemy.engine.url import make_url
    from sqlalchemy.pool import NullPool, StaticPool

    make = create.create_engine
    memory = target.startswith("sqlite")

    def ours(url: Any, **options: Any) -> Any:
        if make_url(url).get_backend_name() not in ("sqlite", "postgresql"):
            return make(url, **options)
        kept = {name: options[name] for name in KEPT if name in options}
        if memory:
            if kept.get("_is_async"):
                return make("sqlite+aiosqlite://", poolclass=StaticPool, **kept)
            return make(target, poolclass=StaticPool, connect_args={"check_same_thread": False}, **kept)
        return make(target, poolclass=NullPool, **kept)

    for place in (create, package, sqlalchemy):
        place.create_engine = ours
    return ours(PLACEHOLDER)


def hold_back() -> tuple[Any, list[Any]]:
    """Keep the project from making or dropping tables while it is imported.

    Returns (the real create_all, every MetaData made from now on).
    """
    from sqlalchemy import MetaData

    seen: list[Any] = []
    begin, create_all = MetaData.__init__, MetaData.create_all

    def ours(self: Any, *rest: Any, **options: Any) -> None:
        begin(self, *rest, **options)
        seen.append(self)

    MetaData.__init__ = ours
    MetaData.create_all = lambda self, *rest, **options: None
    MetaData.drop_all = lambda self, *rest, **options: None
    return create_all, seen


def script(job: dict[str, Any]) -> Any:
    """Alembic's configuration of the project, as its own command reads it."""
    from alembic.config import Config

    app = Path(job["app"])
    folder, ini = app / job["folder"], app / job["ini"] if job["ini"] else None
    beside = ini is None or ini.parent.samefile(folder)
    os.chdir(app if ini is None or beside else ini.parent)
    config = Config(str(ini)) if ini else Config()
    if beside or config.get_main_option("script_location") is None:
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", PLACEHOLDER)
    return config


def revision(job: dict[str, Any]) -> None:
    """The code's heads, what is missing of them, and what the code does not know."""
    from alembic.script import ScriptDirectory

    say(phase="revision")
    directory = ScriptDirectory.from_config(script(job))
    every = {found.revision: found for found in directory.walk_revisions()}
    applied = [name for name in job["applied"] if name in every]
    there = set()
    todo = list(applied)
    while todo:
        name = todo.pop()
        if name in there:
            continue
        there.add(name)
        found = every[name]
        for more in (found.down_revision, found.dependencies):
            for other in (more,) if isinstance(more, str) else more or ():
                todo += [one for one in every if one == other or other in every[one].branch_labels]
    say(
        heads=sorted(directory.get_heads()),
        missing=[name for name in reversed(list(every)) if name not in there],
        unknown=[name for name in job["applied"] if name not in every],
    )


def flask_app(job: dict[str, Any]) -> Any:
    """The project's Flask app, found as the command `flask` does, else in the modules that make one."""
    from flask.cli import ScriptInfo, load_dotenv

    load_dotenv()
    tried = []
    for path in [os.environ.get("FLASK_APP"), *job["makers"]]:
        try:
            return ScriptInfo(app_import_path=path).load_app()
        except Exception as error:  # noqa: BLE001 (the next candidate may work; the first error is told)
            tried.append(error)
    raise tried[-1] if os.environ.get("FLASK_APP") is None and job["makers"] else tried[0]


def migrate(job: dict[str, Any], engine: Any) -> None:
    from alembic import command
    from sqlalchemy import MetaData

    create_all, _ = hold_back()
    if job["flask"]:
        say(phase="imports")
        context = flask_app(job).app_context()
        context.push()
    connect(engine)
    say(phase="migrate")
    config = script(job)
    if job["flask"]:
        folder = Path(job["app"]) / job["folder"]
        config = context.app.extensions["migrate"].migrate.get_config(str(folder))
    MetaData.create_all = create_all  # a migration may call it
    command.upgrade(config, "heads")


def connect(engine: Any) -> None:
    say(phase="connect")
    with engine.connect():
        pass


def metadata(job: dict[str, Any]) -> tuple[Any, list[Any]]:
    """(the real create_all, the collections of tables that the project's models make)."""
    say(phase="imports")
    create_all, seen = hold_back()
    try:
        from sqlmodel import SQLModel

        seen.append(SQLModel.metadata)
    except ImportError:
        pass
    for name in job["models"]:
        importlib.import_module(name)
    found = [one for number, one in enumerate(seen) if one.tables and one not in seen[:number]]
    if not found:
        raise SystemExit("no table is defined in " + ", ".join(job["models"]))
    return create_all, found


def main() -> None:
    threading.Thread(target=die_with_parent, daemon=True).start()
    job = json.loads(os.environ.pop("ASHORE_JOB"))
    url = os.environ.pop("ASHORE_DATABASE_URL", None)
    here = str(Path(__file__).resolve().parent)
    sys.path[:] = [p for p in sys.path if str(Path(p).resolve()) != here]
    sys.path[:0] = job["paths"]
    if job["driver"]:
        sys.path.append(job["driver"])
    keep_files_out(job["copy"])
    engine = redirect(url or "sqlite://")
    if job["task"] == "revision":
        revision(job)
    elif job["task"] == "migrate":
        migrate(job, engine)
    else:
        create_all, found = metadata(job)
        if job["task"] == "create":
            connect(engine)
            say(phase="create")
            with engine.begin() as connection:
                for one in found:
                    create_all(one, connection)
        say(tables=sorted({table.name for one in found for table in one.tables.values()}))
    say(phase="done")


main()
