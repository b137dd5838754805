"""Secrets come from variables, not from the code."""

from __future__ import annotations

import re
from collections.abc import Mapping

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen, place_of

CODE, TITLE = "secrets-in-variables", "No secret is written in the code"
_NAME = re.compile(
    r"(?:^|_)(?:SECRET(?:_KEY|_ACCESS_KEY)?|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_KEY)$", re.IGNORECASE
)


def check(seen: Seen) -> Item:
    """Settled texts under secret names, and a database's password. Values are never shown."""
    found = seen.finding("secret-key-committed")
    if found is not None:
        return Item(CODE, TITLE, "no", found.message, found.hint, place_of(found))
    if seen.production is None:
        return seen.blind(CODE, TITLE)
    for name, setting in seen.production.settings.items():
        # A value that a variable could change is a default of the code: judged with the secret key.
        if setting.place and setting.settled and _NAME.search(name) and _is_text(setting.value):
            why = f"{name} has its value in the code: whoever reads the repository has it."
            return Item(CODE, TITLE, "no", why, "Read it from a variable, and make a new one.", setting.place)
    databases = seen.production.get("DATABASES")
    for database in databases.value.values() if isinstance(databases.value, Mapping) else ():
        password = database.get("PASSWORD") if isinstance(database, Mapping) else None
        if _is_text(password) and databases.settled:
            why = "DATABASES holds a password: whoever reads the repository has it."
            hint = "Read the whole URL from DATABASE_URL, and change the password."
            return Item(CODE, TITLE, "no", why, hint, databases.place)
    return Item(CODE, TITLE, "yes", f"{seen.production.module} and the platform's file hold none.")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
