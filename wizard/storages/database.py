"""Small files kept in the app's own PostgreSQL database, in a table: logos, avatars, signatures.

Type `bytea`, https://www.postgresql.org/docs/current/datatype-binary.html; a value is read and written
whole, so that only small files belong there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from wizard.answers import StorageRule
from wizard.credentials import Secret
from wizard.errors import AshoreError, Refused, UsageError
from wizard.model import Access, Check, Need, Variable
from wizard.storages.base import Address, ObjectStore
from wizard.storages.options import REFERENCE, options_of
from wizard.storages.rest_store import RestStore
from wizard.storages.table_remote import TablePlace, TableRemote

DATABASE_URL = "DATABASE_URL"


@dataclass(frozen=True)
class DatabaseOptions:
    """`url` refers to the database's connection string; without it, it is the answer `database.url`."""

    url: str | None = field(default=None, metadata=REFERENCE)


class TableStore(RestStore):
    """The table is made by the run, not asked for; a test before it leaves none, or the database would no
    longer count as empty."""

    remote: TableRemote

    def ensure(self, create: bool) -> bool:
        return super().ensure(True)

    def check(self) -> tuple[Check, ...]:
        what = "a table for files can be made"
        try:
            self.remote.reach()
        except Refused as error:
            if error.code != "bucket-missing":
                return (Check(what, False, error.message, error.hint),)
        except AshoreError as error:
            return (Check(what, False, error.message, error.hint),)
        else:
            return super().check()
        try:
            self.remote.probe()
        except AshoreError as error:
            return (Check(what, False, error.message, error.hint),)
        return (Check(what, True),)


class Database:
    """The table `stored_file` of the app's PostgreSQL database."""

    name: ClassVar[str] = "database"
    title: ClassVar[str] = "the database"
    Options: ClassVar[type] = DatabaseOptions
    offered_as: ClassVar[str] = "In the database"
    about: ClassVar[str] = "only for small files; they count against the database's size and its backups"
    accesses: ClassVar[tuple[Access, ...]] = ()

    def place(self, rule: StorageRule) -> TablePlace:
        """The table's address. Raises UsageError for answers that cannot be right."""
        given = options_of(DatabaseOptions, self.name, rule.options)
        problem = None
        if given.url is None:
            problem = "name the database with `url`, or with `url` under `database`."
        elif rule.access != "signed" or rule.public_url is not None:
            problem = "files in a database have no addresses of their own; leave access and public_url out."
        elif rule.cors:
            problem = "the app itself serves the files; leave cors out."
        elif rule.prefix and not rule.prefix.endswith("/"):
            problem = "prefix is the beginning of a path and ends in a slash."
        if problem is not None:
            raise UsageError("storage-option", f"storage: database: {problem}", "Correct the rule.")
        assert given.url is not None
        return TablePlace(self.title, given.url, rule.prefix)

    def need(self, rule: StorageRule) -> Need:
        place = self.place(rule)
        about = "Connection string of the PostgreSQL database."
        example = "postgresql://user:password@host:5432/database"
        return Need(
            kind="storage",
            backend="database",
            variables=(Variable(DATABASE_URL, about, secret=True, example=example),),
            roles=(("bucket", DATABASE_URL), ("url", DATABASE_URL)),
            access=rule.access,
            prefix=place.prefix,
        )

    def address(self, rule: StorageRule) -> Address:
        return self.place(rule)

    def open(self, rule: StorageRule, resolve: Callable[[str], Secret]) -> ObjectStore:
        place = self.place(rule)
        return TableStore(TableRemote(place, resolve(place.reference)))
