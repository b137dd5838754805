"""A client for a MongoDB server, and its errors in words.

Every write waits for the majority of a replica set; reads go to the primary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, errors
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.uri_parser import parse_uri

from wizard.credentials import Secret
from wizard.databases.mongo.raw import Damaged
from wizard.errors import AshoreError, ConnectionLost, NotAsPlanned, Refused, StepFailed, UsageError

SELECT_MS = 15_000
CONNECT_MS = 10_000
CONFIRM_MS = 120_000
RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
_PLAIN: CodecOptions[dict[str, Any]] = CodecOptions(
    document_class=dict, datetime_conversion=DatetimeConversion.DATETIME_MS
)
OWN = "ashore_"
_SYSTEM = ("admin", "local", "config")
_NO_RIGHT = (13,)  # Atlas says 8000 for whatever it refuses: its words decide
_BAD_LOGIN = (18, 11)
_FULL = (14031,)


@dataclass(frozen=True)
class Server:
    """An open database. Close it with `close`."""

    client: MongoClient[dict[str, Any]]
    name: str
    hosts: tuple[str, ...]  # host:port of the members

    @property
    def database(self) -> Database[dict[str, Any]]:
        return self.client.get_database(self.name, codec_options=_PLAIN)

    def raw(self, collection: str) -> Collection[RawBSONDocument]:
        """The collection, its documents as bytes."""
        return self.database.get_collection(collection, codec_options=RAW)  # type: ignore[return-value]

    @property
    def is_atlas(self) -> bool:
        return any(host.partition(":")[0].endswith(".mongodb.net") for host in self.hosts)

    def close(self) -> None:
        self.client.close()


def is_mongodb(url: str) -> bool:
    """Whether a connection string is one of MongoDB's."""
    return url.startswith(("mongodb://", "mongodb+srv://"))


def connect(url: Secret, database: str | None = None) -> Server:
    """Open the database that the URL names; else `database`; else the only one the server has.

    Raises UsageError `mongodb-url`, `mongodb-database`, and what `explained` makes of the driver's errors.
    """
    text = url.reveal()
    if not is_mongodb(text):
        raise UsageError(
            "mongodb-url",
            "The connection string is none of MongoDB's.",
            "It begins with mongodb:// or mongodb+srv://; Atlas shows it under Connect, Drivers.",
        )
    with explained():
        client: MongoClient[dict[str, Any]] = MongoClient(
            text,
            appname="ashore",
            document_class=dict,
            w="majority",
            wTimeoutMS=CONFIRM_MS,
            readPreference="primary",
            serverSelectionTimeoutMS=SELECT_MS,
            connectTimeoutMS=CONNECT_MS,
        )
    try:
        with explained():
            hello = client.admin.command("hello")
            named = _named(text)
            name = named or database or _only(client)
            hosts = tuple(str(host) for host in hello.get("hosts", ())) or _addresses(client)
    except BaseException:
        client.close()
        raise
    return Server(client, name, hosts)


def _addresses(client: MongoClient[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(f"{host}:{port}" for host, port in sorted(client.nodes))


def _named(text: str) -> str | None:
    """The database in the URL's path. The server was reached with it, so that it can be parsed."""
    if text.startswith("mongodb+srv://"):  # parsing such a one asks the name service again
        path = text.removeprefix("mongodb+srv://").partition("?")[0].partition("/")[2]
        return path or None
    name = parse_uri(text)["database"]
    return None if name is None else str(name)


def _only(client: MongoClient[dict[str, Any]]) -> str:
    names = [name for name in client.list_database_names() if name not in _SYSTEM]
    if len(names) == 1:
        return names[0]
    raise UsageError(
        "mongodb-database",
        "The connection string names no database, and the server holds "
        + (", ".join(names[:8]) if names else "none")
        + ".",
        "Write its name behind the host: mongodb+srv://USER:PASSWORD@HOST/NAME.",
    )


@contextmanager
def explained() -> Iterator[None]:
    """Turns the driver's errors into AshoreError."""
    try:
        yield
    except errors.PyMongoError as error:
        raise translate(error) from error
    except Damaged as error:
        raise NotAsPlanned(
            "bson-damaged", f"A document cannot be read: {error}.", "Start a new run."
        ) from error
    except BSONError as error:
        raise StepFailed(
            "bson-unreadable", f"A document cannot be read: {error}.", "Mend it at the source."
        ) from error


def translate(error: errors.PyMongoError) -> AshoreError:
    """The driver's error in words. Never holds the connection string."""
    if isinstance(error, errors.ServerSelectionTimeoutError):
        return _unreachable(str(error))
    if isinstance(error, errors.BulkWriteError):
        return _bulk(error)
    if isinstance(error, errors.WTimeoutError | errors.WriteConcernError):
        return StepFailed(
            "write-not-confirmed",
            "The majority of the replica set did not confirm a write in time.",
            "See whether all members of the cluster are well, then `ashore resume`.",
        )
    if isinstance(error, errors.OperationFailure):
        return _operation(error.code or 0, str((error.details or {}).get("errmsg") or ""))
    if isinstance(error, errors.AutoReconnect | errors.ConnectionFailure):
        return ConnectionLost(
            "connection-lost",
            "The connection to MongoDB was lost.",
            "`ashore resume` goes on from what the target confirmed.",
        )
    if isinstance(error, errors.ConfigurationError):
        return _configuration(str(error))
    if isinstance(error, errors.DocumentTooLarge):
        return StepFailed(
            "document-too-large", "A document is larger than the server takes.", "The limit is 16 MB."
        )
    return StepFailed("mongodb-error", f"MongoDB's driver says: {error}.", "`ashore resume` tries again.")


def _configuration(said: str) -> AshoreError:
    if "DNS" in said or "resolv" in said.lower():
        return Refused(
            "mongodb-host-unknown",
            "The name service knows no such MongoDB cluster.",
            "Compare the host with what the provider shows. A paused or deleted cluster has no name.",
        )
    return UsageError(
        "mongodb-url",
        "The connection string cannot be understood.",
        "Take it anew from the provider. In the password, marks such as @ : / % are written as %40 %3A %2F "
        "%25.",
    )


def _unreachable(said: str) -> AshoreError:
    lower = said.lower()
    if "certificate verify failed" in lower or "certificate_verify_failed" in lower:
        return Refused(
            "tls-not-trusted",
            "The server's TLS certificate is not trusted here.",
            "Name the authority that signed it with tlsCAFile in the connection string.",
        )
    if "tlsv1_alert_internal_error" in lower or "tlsv1 alert internal error" in lower:
        return _access_list()
    if "ssl" in lower or "tls" in lower:
        return Refused(
            "tls-refused",
            "No TLS connection to MongoDB came about.",
            "Atlas demands TLS, a server of your own may not speak it: add or remove tls=true.",
        )
    if ".mongodb.net" in lower:
        return _access_list()
    return Refused(
        "mongodb-unreachable",
        "No MongoDB server answered at this address.",
        "See that it runs, that host and port are right, and that this machine may reach it; then "
        "`ashore resume`.",
    )


def _access_list() -> AshoreError:
    return Refused(
        "access-list",
        "Atlas does not let this machine in: its address is not in the project's IP access list, or the "
        "cluster is paused.",
        "Add this machine's address under Network Access in Atlas (for the app's host, too), wait until it "
        "is active, then try again.",
    )


def _operation(code: int, said: str) -> AshoreError:
    if code in _BAD_LOGIN or "bad auth" in said or "Authentication failed" in said:
        return Refused(
            "credentials-refused",
            "MongoDB refused the user name or the password.",
            "They are those of a database user, not of the Atlas account; authSource must be the database "
            "that knows the user. Marks such as @ or / in a password are percent-encoded.",
        )
    if code in _NO_RIGHT or "not authorized" in said or "not allowed to do action" in said:
        return Refused(
            "permission-missing",
            f"The database user lacks a right: {said}.",
            "It needs readWrite and dbAdmin on this database (Atlas: readWriteAnyDatabase or Atlas admin).",
        )
    if code in _FULL or "space quota" in said:
        return Refused(
            "quota-full",
            "The target's storage is full.",
            "An Atlas M0 cluster holds 512 MB, indexes included. Take a larger one, then `ashore resume`.",
        )
    return StepFailed("mongodb-error", f"MongoDB says: {said} (code {code}).", "`ashore resume` tries again.")


def _bulk(error: errors.BulkWriteError) -> AshoreError:
    details: Mapping[str, Any] = error.details or {}
    failed = details.get("writeErrors") or []
    if failed:
        return _operation(int(failed[0].get("code") or 0), str(failed[0].get("errmsg") or ""))
    return StepFailed(
        "write-not-confirmed",
        "The majority of the replica set did not confirm a write.",
        "See whether all members of the cluster are well, then `ashore resume`.",
    )
