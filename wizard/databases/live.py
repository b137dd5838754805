"""The live test of a connection string, by the server it names: PostgreSQL, or MongoDB.

Failures are lines, not exceptions; what is made to try rights is taken away again.
"""

from __future__ import annotations

import importlib.util

from wizard.credentials import Secret
from wizard.errors import AshoreError, UsageError
from wizard.model import Check

_MONGODB = ("mongodb://", "mongodb+srv://")


def checks(url: Secret) -> tuple[Check, ...]:
    """Whether a run could write to the database behind `url`."""
    if url.reveal().startswith(_MONGODB):
        return _mongodb(url, source=False)
    from wizard.databases.postgres import probe

    return probe.checks(url)


def source_checks(url: Secret) -> tuple[Check, ...]:
    """Whether a run could read the database behind `url`. It may hold anything; nothing is written."""
    if url.reveal().startswith(_MONGODB):
        return _mongodb(url, source=True)
    return _postgres_source(url)


def _postgres_source(url: Secret) -> tuple[Check, ...]:
    from wizard.databases.postgres.connect import connect
    from wizard.databases.postgres.dumps.source import open_source, tables

    try:
        # A person waits: a server that does not answer is told sooner than a run would give up.
        connect(url, "ashore:check", attempts=2).close()
        with open_source(url, "check") as connection:
            version = connection.info.parameter_status("server_version") or ""
            found = tables(connection)
    except AshoreError as error:
        return (Check("connect", False, error.message, error.hint),)
    closed = [table.label for table in found if not table.readable]
    return (
        Check("connect", True, f"PostgreSQL {version.split()[0] if version else ''}".strip()),
        Check(
            "read its tables",
            not closed,
            f"no right to read {_listed(closed)}" if closed else _counted(len(found), "table"),
            "Use the role that owns them." if closed else "",
        ),
    )


def _mongodb(url: Secret, *, source: bool) -> tuple[Check, ...]:
    try:
        if importlib.util.find_spec("pymongo") is None:
            raise UsageError(
                "extra-missing",
                "MongoDB needs the package pymongo, which is not installed. Nothing was written.",
                "Install ashore with the extra: pip install 'ashore[mongodb]'.",
            )
        return _mongodb_source(url) if source else _mongodb_target(url)
    except AshoreError as error:
        return (Check("connect", False, error.message, error.hint),)


def _mongodb_source(url: Secret) -> tuple[Check, ...]:
    from wizard.databases.mongo import catalog
    from wizard.databases.mongo.connect import connect, explained

    server = connect(url)
    try:
        with explained():
            version = server.client.server_info()["version"]
            there = catalog.read(server)
    finally:
        server.close()
    return (
        Check("connect", True, f"MongoDB {version}, database {server.name}"),
        Check("read its collections", True, _counted(len(there), "collection")),
    )


def _mongodb_target(url: Secret) -> tuple[Check, ...]:
    """A run gives a database that the string does not name the source's name."""
    from wizard.databases.mongo import catalog
    from wizard.databases.mongo.connect import OWN, connect, explained

    unnamed = f"{OWN}unnamed"
    server = connect(url, unnamed)
    try:
        with explained():
            version = server.client.server_info()["version"]
            if server.name == unnamed:
                said = f"MongoDB {version}; no database is named, it gets the name that the source has"
                return (Check("connect", True, said),)
            there = [collection.name for collection in catalog.read(server)]
            # Its name is one that ashore never takes for the app's, should the power go in between.
            server.database[f"{OWN}probe"].insert_one({})
            server.database.drop_collection(f"{OWN}probe")
    finally:
        server.close()
    return (
        Check("connect", True, f"MongoDB {version}, database {server.name}"),
        Check("write and drop a collection", True),
        Check(
            "collections there now",
            not there,
            _listed(there) if there else "none",
            "Name an empty database, or set database.allow_nonempty where none of its collections is the "
            "app's."
            if there
            else "",
        ),
    )


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
