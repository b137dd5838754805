"""A database that the run makes at its provider: looked up by name before it is made, and its URLs in memory.

The name decides: a kill after the provider made it, or an answer that never came, finds it again. The
journal holds the id, never a URL; every process asks for the URLs once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wizard.answers import Answers
from wizard.context import RunContext
from wizard.credentials import Secret, Vault
from wizard.errors import StepFailed, UsageError

if TYPE_CHECKING:
    from wizard.providers.base import Databases

TITLES = {"render": "Render", "neon": "Neon", "supabase": "Supabase"}
# Providers that never show a password: the database is made with one that the answers refer to.
PASSWORD = ("supabase",)
# Providers whose plan is the account's, not a database's.
ACCOUNT_PLAN = ("neon", "supabase")
DATABASE = ("provision", "database")  # the fact {"provider", "id", "found"}
Wait = Callable[[float], None]


def check_answers(answers: Answers) -> None:
    """Raises UsageError `create-not-available`, `create-and-url`, `create-incomplete`; nothing is written."""
    database = answers.database
    if database is None or database.create is None:
        return
    if database.provider not in TITLES:
        raise UsageError(
            "create-not-available",
            f"database.create: not for {database.provider} in this version. Nothing has been written.",
            "Create it on the provider's page, set database.url to a reference to its connection string, and "
            "remove database.create.",
        )
    if database.url is not None or database.app_url is not None:
        raise UsageError(
            "create-and-url",
            "database.create makes a new database, and database.url or app_url names another. "
            "Nothing has been written.",
            "Remove one of them; the URLs of a database that is made come from its provider.",
        )
    title = TITLES[database.provider]
    if database.provider in ACCOUNT_PLAN and database.create.plan is not None:
        raise UsageError(
            "create-not-available",
            f"database.create.plan: {title}'s plan is the account's. Nothing has been written.",
            "Remove it.",
        )
    wants_password = database.provider in PASSWORD
    if wants_password != (database.create.password is not None):
        raise UsageError(
            "create-incomplete",
            f"database.create.password: {title} "
            + (
                "never shows a password, so that the answers must refer to one."
                if wants_password
                else "makes the password itself."
            )
            + " Nothing has been written.",
            "Write a reference to a new, long password, such as keyring:supabase/password."
            if wants_password
            else "Remove it.",
        )
    if token_reference(answers) is None:
        raise UsageError(
            "create-incomplete",
            "database.create needs a token of the provider. Nothing has been written.",
            f"Write database.create.token, a reference such as keyring:{database.provider}/token.",
        )


def token_reference(answers: Answers) -> str | None:
    """The reference to the provider's token: its own, or on Render that of the app's platform."""
    database, deploy = answers.database, answers.deploy
    if database is None or database.create is None:
        return None
    if database.create.token is None and deploy is not None and deploy.platform == database.provider:
        return deploy.token
    return database.create.token


def make(ctx: RunContext) -> str:
    """Make the database, or find it, and wait until it is ready. Returns what was done, in words."""
    database = ctx.answers.database
    assert database is not None
    assert database.create is not None
    fact = ctx.journal.get(*DATABASE)
    if fact is None:
        with _opened(ctx.answers, ctx.vault, ctx.cancel.wait) as client:
            made = client.make(database.create)
        fact = {"provider": database.provider, "id": made.id, "found": made.found}
        ctx.journal.put(*DATABASE, fact)
    ctx.database_url()
    verb = "was there already" if fact["found"] else "was made"
    return f"the database {database.create.name} {verb} at {TITLES[database.provider]} ({fact['id']})"


class Created:
    """Implements `CreatedUrls`: asks the provider once a process."""

    def __init__(self) -> None:
        self._urls: tuple[Secret, Secret] | None = None

    def __call__(self, ctx: RunContext) -> tuple[Secret, Secret]:
        """(the wizard's URL, the app's). Raises StepFailed `not-made`, and what the provider's API raises."""
        if self._urls is None:
            self._urls = urls(ctx.answers, ctx.vault, ctx.journal.get(*DATABASE), ctx.cancel.wait)
        return self._urls


def urls(answers: Answers, vault: Vault, fact: Mapping[str, Any] | None, wait: Wait) -> tuple[Secret, Secret]:
    """(the wizard's URL, the app's) of the database that `fact` names, once it is ready."""
    if fact is None:
        raise StepFailed("not-made", "The run has not made its database yet.", "`ashore resume` goes on.")
    deploy = answers.deploy
    with _opened(answers, vault, wait) as client:
        found = client.urls(str(fact["id"]))
        service = deploy.service if deploy is not None and deploy.platform == fact["provider"] else None
        return found.wizard, found.app if client.reached_by(str(fact["id"]), service) else found.wizard


@contextmanager
def _opened(answers: Answers, vault: Vault, wait: Wait) -> Iterator[Databases]:
    # Not at import: a scan needs no HTTP client.
    from wizard.providers import managed

    database = answers.database
    assert database is not None
    assert database.create is not None
    token = vault.resolve(str(token_reference(answers)))
    given = database.create.password
    password = vault.resolve(given) if given is not None else Secret("")
    with managed.opened(database.provider, token, password, vault.redactor, wait) as client:
        yield client
