"""Opening a session on the target, and turning the server's words into errors a user can act on.

No message, event or exception that leaves this file holds the URL or its password.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
import time
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from wizard.credentials import Redactor, Secret
from wizard.errors import AshoreError, ConnectionLost, Refused, StepFailed, UsageError

ATTEMPTS = 4
# A crash recovery or a cold start takes longer than a hiccup: about 40 s in all.
STARTING_ATTEMPTS = 9
LONGEST_PAUSE = 8.0
CONNECT_SECONDS = 15
MINIMUM_VERSION = 120000

# Parameters that ORMs read from a URL and libpq refuses.
_FOREIGN_PARAMETERS = frozenset(
    (
        "schema", "pgbouncer", "connection_limit", "pool_timeout", "socket_timeout", "statement_cache_size",
        "sslaccept", "pool", "supa", "sslidentity", "conn_max_age",
    )
)  # fmt: skip
_SETTINGS = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
}
# Refusals that pass by themselves, so that a lost session is worth opening again.
PASSING = frozenset(("database-starting", "database-unreachable", "database-connections", "database-host"))
_LOCAL_ENDINGS = (".internal", ".local", ".localhost", ".flycast", ".lan")

# (what the server or libpq says, code, what happened, what to do, worth another try)
_SAYINGS: tuple[tuple[str, str, str, str, bool], ...] = (
    (
        r"password authentication failed|no password supplied|SASL authentication failed|"
        r"role .* does not exist",
        "database-password",
        "The database server refused the user name or password.",
        "Copy the connection string again from the provider's page.",
        False,
    ),
    (
        r"failed to resolve host|could not translate host name|Name or service not known",
        "database-host",
        "The database's host name is not known.",
        "Check the host in the connection string; an internal host is only known inside its platform.",
        False,
    ),
    (
        r"does not support SSL|SSL error|SSL SYSCALL|certificate verify failed|no encryption|SSL off|"
        r"server certificate|root certificate",
        "database-tls",
        "The database server and this machine could not agree on an encrypted connection.",
        "Use the provider's external URL. Only for a network you trust: add sslmode=prefer to the URL.",
        False,
    ),
    (
        r'database ".*" does not exist',
        "database-name",
        "The server has no database of that name.",
        "Check the last part of the connection string.",
        False,
    ),
    (
        r"too many (clients|connections)|remaining connection slots|max client connections",
        "database-connections",
        "The database server has no connection left for ashore.",
        "Stop something that is connected to it, then try again.",
        True,
    ),
    (
        r"no pg_hba.conf entry|not in allow list|is not permitted",
        "database-unreachable",
        "The database server does not accept connections from this address.",
        "Add this machine's address to the provider's access list.",
        False,
    ),
    (
        r"starting up|shutting down|recovery mode|not yet accepting connections|recovery state|"
        r"not accepting connections",
        "database-starting",
        "The database server is starting or recovering, and takes no connection yet.",
        "Wait until it is up, then try again.",
        True,
    ),
    (
        r"server closed the connection|Connection refused|"
        r"timeout expired|timed out|unreachable|Connection reset|No route|connection timeout|"
        r"Control plane|endpoint",
        "database-unreachable",
        "The database server cannot be reached.",
        "Check host and port, and whether the database is paused or its access list leaves this machine out.",
        True,
    ),
)


def parse(url: Secret) -> dict[str, str]:
    """The parts of `url` as libpq parameters. Raises UsageError `database-url`; the URL is not repeated."""
    text = url.reveal().strip()
    text = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", text)
    wrong = UsageError(
        "database-url",
        "The database's connection string cannot be read; it is not repeated here.",
        "It looks like postgresql://user:password@host:5432/name. Special characters in the password are "
        "percent-encoded, e.g. @ as %40 and # as %23.",
    )
    if not text.startswith("postgresql://"):
        raise wrong
    try:
        parts = urlsplit(text)
        kept = [(k, v) for k, v in parse_qsl(parts.query, True) if k not in _FOREIGN_PARAMETERS]
        text = urlunsplit(parts._replace(query=urlencode(kept)))
        found = {k: str(v) for k, v in conninfo_to_dict(text).items() if v is not None}
    except (ValueError, psycopg.ProgrammingError):
        raise wrong from None
    ports = found.get("port", "5432").split(",")
    if not found.get("host") or "#" in url.reveal() or not all(port.isdigit() for port in ports):
        raise wrong
    found.setdefault("dbname", found.get("user", "postgres"))
    if "sslmode" not in found and not _is_local(found["host"]):
        found["sslmode"] = "require"
    return found


def _is_local(host: str) -> bool:
    """A host that is reached without crossing the internet, where TLS is often absent."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_ENDINGS) or host.startswith("/")


def connect(
    url: Secret,
    application_name: str,
    attempts: int = ATTEMPTS,
    sleep: Callable[[float], None] = time.sleep,
) -> psycopg.Connection:
    """A session in autocommit mode with ashore's settings.

    A server that is out of connections or does not answer is tried `attempts` times, with 0.5 s, 1 s,
    2 s … between; one that says it is starting, up to `STARTING_ATTEMPTS` times unless `attempts` is 1.
    Raises UsageError `database-url`, Refused `database-password`, `database-host`, `database-name`,
    `database-tls`, `database-starting`, `database-unreachable`, `database-connections`,
    `database-version`.
    """
    parameters = parse(url)
    redactor = Redactor()
    redactor.learn(url)
    for attempt in itertools.count(1):
        try:
            return _open(parameters, application_name)
        except psycopg.OperationalError as error:
            refused, again = _refusal(redactor.text(str(error)))
            patient = refused.code == "database-starting" and attempts > 1
            if not again or attempt >= (STARTING_ATTEMPTS if patient else attempts):
                raise refused from None
        sleep(min(0.5 * 2 ** (attempt - 1), LONGEST_PAUSE))
    raise AssertionError("the loop ends by returning or raising")


def _open(parameters: dict[str, str], application_name: str) -> psycopg.Connection:
    given = dict(parameters)
    given.setdefault("connect_timeout", str(CONNECT_SECONDS))
    given.update(
        application_name=application_name,
        keepalives="1",
        keepalives_idle="20",
        keepalives_interval="10",
        keepalives_count="4",
    )
    connection: psycopg.Connection = psycopg.connect(
        "",
        autocommit=True,
        prepare_threshold=None,
        **given,  # type: ignore[arg-type]
    )
    if connection.info.server_version < MINIMUM_VERSION:
        version = connection.info.server_version // 10000
        connection.close()
        raise Refused(
            "database-version",
            f"The server runs PostgreSQL {version}; ashore needs 12 or newer.",
            "Create a database of a supported version.",
        )
    for name, value in _SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    return connection


def _refusal(said: str) -> tuple[Refused, bool]:
    said = " ".join(said.split())
    for pattern, code, what, hint, again in _SAYINGS:
        if re.search(pattern, said, re.IGNORECASE):
            return Refused(code, f"{what} It said: {said}", hint), again
    return Refused("database-refused", f"The database refused the connection. It said: {said}", ""), False


def is_lost(error: psycopg.Error, connection: psycopg.Connection) -> bool:
    """Whether `error` means that the session is gone (and the work may be tried again)."""
    state = error.sqlstate or ""
    return (
        connection.closed
        or connection.broken
        or state.startswith("08")
        or state in ("57P01", "57P02", "57P03")
    )


def translate(error: psycopg.Error) -> AshoreError:
    """The failure that a user sees for `error`, which happened in the middle of the work.

    The server's primary message is kept; its detail and context, which may hold rows, are not.
    """
    state = error.sqlstate or ""
    primary = error.diag.message_primary or " ".join(str(error).split())
    if state.startswith("08") or state in ("57P01", "57P02", "57P03") or not state:
        return ConnectionLost(
            "database-lost",
            f"The connection to the database was lost: {primary}.",
            "What was committed stands. `ashore resume` goes on from there.",
        )
    if state == "42501":
        return Refused(
            "database-rights",
            f"The database role lacks a right: {primary}.",
            "Use the role that owns the database, then `ashore resume`.",
        )
    if state in ("53100", "53200", "54000") or state == "25006":
        return Refused(
            "database-full",
            f"The database server takes no more data: {primary}.",
            "Free space or choose a larger plan, then `ashore resume`.",
        )
    return StepFailed(
        "database-error",
        f"The database answered with an error ({state}): {primary}.",
        "`ashore resume` tries again from here.",
    )
