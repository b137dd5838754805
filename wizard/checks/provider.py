"""What only the database's provider and the database itself can tell: backups, end date, size."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg

from wizard.answers import Answers
from wizard.checks.base import Checklist, Item
from wizard.checks.project import backups, expiry
from wizard.credentials import Secret, Vault
from wizard.databases.postgres.connect import connect
from wizard.errors import AshoreError
from wizard.providers import catalogue, managed
from wizard.providers.base import Kept

SIZE_CODE, SIZE_TITLE = "database-size", "The database fits its plan, with room to grow"
# A backup that is older than this was missed at least once, where they are made daily.
RECENT = timedelta(hours=36)
FULL = 0.8


def add(
    checklist: Checklist, answers: Answers, vault: Vault, token: str | None, name: str | None
) -> Checklist:
    """The checklist with what was asked. Reads only; what cannot be asked is `cannot-tell`, with the reason.

    `token` is the reference to the provider's token, `name` the database's name there.
    """
    kept, why = _ask(answers, vault, token, name)
    size, blind = _size(answers, vault)
    asked = {backups.CODE: _backups(kept, why), expiry.CODE: _expiry(kept, why)}
    items = [
        asked[item.code] if item.code in asked and (kept is not None or item.answer != "no") else item
        for item in checklist.items
    ]
    return replace(checklist, items=(*items, _fits(kept, size, blind, answers)))


def _ask(answers: Answers, vault: Vault, token: str | None, name: str | None) -> tuple[Kept | None, str]:
    provider = answers.database.provider if answers.database is not None else ""
    if provider not in {m.name for m in managed.MANAGED}:
        return None, "The answers name no provider whose API ashore knows."
    if token is None or name is None:
        return None, "The answers hold no database.create with a name and a token, so nobody can be asked."
    try:
        with managed.opened(provider, vault.resolve(token), Secret(""), vault.redactor, time.sleep) as client:
            found = client.kept(name)
    except AshoreError as error:
        return None, error.message
    return found, "" if found is not None else f"{provider} has no database {name} that this token reaches."


def _backups(kept: Kept | None, why: str) -> Item:
    code, title = backups.CODE, "The database is backed up, and lately"
    if kept is None:
        return Item(code, title, "cannot-tell", why, "Look at the database's page.")
    hint = "Choose a plan with backups, or run `ashore backup` daily."
    if kept.backups == "off":
        return Item(code, title, "no", kept.said, hint)
    if kept.backups == "not-yet":
        return Item(code, title, "cannot-tell", kept.said, "Check again tomorrow.")
    newest = _moment(kept.newest)
    if newest is not None and datetime.now(UTC) - newest > RECENT:
        return Item(code, title, "no", f"The newest is of {newest:%Y-%m-%d %H:%M} UTC.", hint)
    return Item(code, title, "yes", kept.said)


def _expiry(kept: Kept | None, why: str) -> Item:
    code, title = expiry.CODE, expiry.TITLE
    if kept is None:
        return Item(code, title, "cannot-tell", why, "Look at the database's page.")
    ends = _moment(kept.expires)
    if ends is None:
        return Item(code, title, "yes", "Its provider names no end date.")
    left = ends - datetime.now(UTC)
    said = f"It ends on {ends:%Y-%m-%d}, in {max(0, left.days)} days."
    return Item(code, title, "no", said, "Put it on a paid plan, or move it before that day.")


def _size(answers: Answers, vault: Vault) -> tuple[int | None, str]:
    database = answers.database
    if database is None or database.url is None:
        return None, "The answers hold no database.url, so that its size cannot be asked."
    try:
        with connect(vault.resolve(database.url), "ashore:check") as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    except AshoreError as error:
        return None, error.message
    except psycopg.Error:
        return None, "The database could not be asked for its size."
    return (int(row[0]), "") if row is not None else (None, "The database did not say its size.")


def _fits(kept: Kept | None, size: int | None, why: str, answers: Answers) -> Item:
    if size is None:
        return Item(SIZE_CODE, SIZE_TITLE, "cannot-tell", why)
    limit, of = kept.limit if kept is not None else None, "its plan"
    if limit is None:
        provider = answers.database.provider if answers.database is not None else ""
        free = [
            p for p in catalogue.products() if p.provider == provider and p.kind == "database" and p.max_gb
        ]
        if not free:
            why = f"It holds {size / 1e9:,.2f} GB; what its plan allows is not known."
            return Item(SIZE_CODE, SIZE_TITLE, "cannot-tell", why, "Look at the plan's page.")
        limit, of = int((free[0].max_gb or 0) * 1e9), f"the free plan of {free[0].as_of}"
    said = f"It holds {size / 1e9:,.2f} GB of the {limit / 1e9:,.2f} GB of {of}."
    if size > FULL * limit:
        if of != "its plan":
            return Item(SIZE_CODE, SIZE_TITLE, "cannot-tell", said, "See which plan it is on.")
        return Item(SIZE_CODE, SIZE_TITLE, "no", said, "Choose the next plan before it is full.")
    return Item(SIZE_CODE, SIZE_TITLE, "yes", said)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
