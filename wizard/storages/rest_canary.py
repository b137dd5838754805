"""The live test of a bucket behind an HTTP interface, with one small object of our own under a fixed name.

The name is fixed so that a test that was killed leaves nothing: the next one removes it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress

from wizard.errors import AshoreError, Refused
from wizard.model import Check
from wizard.storages.privacy import privacy
from wizard.storages.rest_remote import Occupied, Remote

NAME = ".ashore-canary"
MARK = b"ashore test object, may be deleted\n"
TYPE = "text/x-ashore-canary"
MOST = 1000


def key_of(remote: Remote) -> str:
    """The test object's key."""
    return remote.prefix + NAME


def look(remote: Remote) -> bytes | None:
    """What stands under the test object's key, its beginning; None where nothing does."""
    if remote.head(key_of(remote)) is None:
        return None
    data = b""
    for piece in remote.read(key_of(remote)):
        data += piece
        if len(data) >= MOST:
            break
    return data[:MOST]


def clear(remote: Remote) -> None:
    """Remove a test object that a killed test left. Raises Refused, `canary-taken` for another object."""
    with suppress(_Denied):
        _reach(remote)
    standing = look(remote)
    if standing is None:
        return
    if not standing.startswith(MARK):
        raise Refused(
            "canary-taken",
            f"An object called {key_of(remote)} that is not ashore's stands in {remote.name}.",
            "Rename it, or choose another prefix.",
        )
    remote.delete(key_of(remote))


class _Denied(Exception):
    """The bucket itself may not be looked at; writing and reading objects may still be allowed."""


def _reach(remote: Remote) -> None:
    try:
        remote.reach()
    except Refused as error:
        if error.code == "access-denied":
            raise _Denied from error
        raise


def body() -> bytes:
    """Bytes that no other test object has."""
    return MARK + secrets.token_hex(8).encode()


def honours_create_only(remote: Remote) -> bool:
    """Whether the server refuses to overwrite when asked to; leaves nothing behind.

    Two writes of different bytes under one key, then the bytes are read back: a server that ignores the
    condition holds the second.
    """
    clear(remote)
    key, first = key_of(remote), body()
    try:
        remote.put(key, first, TYPE, only_new=True)
        try:
            remote.put(key, body(), TYPE, only_new=True)
        except Occupied:
            return look(remote) == first
        return False
    except Occupied:
        return False
    finally:
        remote.delete(key)


def live_test(remote: Remote) -> tuple[Check, ...]:
    """What the credentials may do, one line each; stops at the first that makes the rest pointless."""
    checks: list[Check] = []
    key, data = key_of(remote), body()

    def attempt(what: str, work: Callable[[], bool], otherwise: str = "") -> bool:
        try:
            ok = work()
        except AshoreError as error:
            checks.append(Check(what, False, error.message, error.hint))
            return False
        checks.append(Check(what, ok, "" if ok else otherwise))
        return ok

    def cleared() -> bool:
        clear(remote)
        return True

    def written() -> bool:
        remote.put(key, data, TYPE, only_new=False)
        return True

    def described() -> bool:
        stored = remote.head(key)
        return stored is not None and stored.size == len(data) and stored.content_type in (TYPE, None)

    def deleted() -> bool:
        remote.delete(key)
        return remote.head(key) is None

    if not attempt(f"{remote.name} is there", cleared):
        return tuple(checks)
    if not attempt("an object can be written", written):
        return tuple(checks)
    attempt("its size and type come back", described, "The server tells another size or type.")
    attempt("its bytes come back unchanged", lambda: look(remote) == data, "Other bytes came back.")
    address = remote.url(key)
    if "?" in address:
        checks.append(privacy(address, MARK))
    if attempt("it can be deleted", deleted, "It is still there."):
        honoured = honours_create_only(remote)
        said = "" if honoured else "This server overwrites regardless; ashore looks before each write."
        checks.append(Check("an object is never overwritten", True, said))
    return tuple(checks)
