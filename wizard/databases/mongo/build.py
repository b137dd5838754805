"""Makes collections, indexes and views in the target as the source has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pymongo import errors

from wizard.databases.mongo import catalog
from wizard.databases.mongo.connect import translate
from wizard.databases.mongo.record import Target
from wizard.errors import Refused, StepFailed

_EXISTS, _GONE = 48, 27


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the target's server would not take. `index` is "" for the collection or view itself."""

    collection: str
    index: str
    said: str

    @property
    def subject(self) -> str:
        return f"{self.collection}.{self.index}" if self.index else self.collection


def make(target: Target, collection: catalog.Collection) -> Refusal | None:
    """Create one collection or view, noted before; one that stands already stays."""
    target.made(collection.name)
    options = catalog.loads(collection.options)
    try:
        target.server.database.command("create", collection.name, **options)
    except errors.OperationFailure as error:
        if error.code == _EXISTS:
            return None
        return Refusal(collection.name, "", _words(error))
    return None


def make_index(target: Target, collection: str, index: catalog.Index) -> Refusal | None:
    """Create one index; one that stands already, defined alike, stays."""
    try:
        target.server.database.command("createIndexes", collection, indexes=[index.definition])
    except errors.OperationFailure as error:
        return Refusal(collection, index.name, _words(error))
    return None


def try_index(target: Target, collection: str, index: catalog.Index) -> Refusal | None:
    """Whether the server takes an index, on a collection that is still empty: made and dropped again.

    So are those that delete documents tried, which are made for good only when all is proven.
    """
    refusal = make_index(target, collection, index)
    if refusal is None:
        drop_index(target, collection, index.name)
    return refusal


def drop_index(target: Target, collection: str, name: str) -> None:
    """Drop one of the run's own indexes, where it stands."""
    try:
        target.server.database.command("dropIndexes", collection, index=name)
    except errors.OperationFailure as error:
        if error.code != _GONE:
            raise


def drop_made(target: Target, names: Iterable[str]) -> None:
    """Drop collections that the record says a lost execution of the same job has made."""
    for name in names:
        target.server.database.drop_collection(name)


def _words(error: errors.OperationFailure) -> str:
    """What the server says of options it does not take. Raises where it says something else: no connection,
    no right, no space."""
    known = translate(error)
    if isinstance(known, Refused) or not isinstance(known, StepFailed) or known.code != "mongodb-error":
        raise known from error
    return str((error.details or {}).get("errmsg") or error)
