"""The key that signs sessions is strong and known to nobody."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen

CODE, TITLE = "secret-key-strong", "SECRET_KEY is strong and secret"
_NEW = (
    'Make one with: python -c "import secrets; print(secrets.token_urlsafe(50))", set it as a variable '
    "on the platform, and let the code read it without a default."
)


def check(seen: Seen) -> Item:
    """Django's own measure (security.W009): 50 characters, 5 different, no `django-insecure-`."""
    if seen.production is None:
        return seen.blind(CODE, TITLE)
    setting = seen.production.get("SECRET_KEY")
    value = setting.value
    if setting.settled and isinstance(value, str) and value:
        weak = len(value) < 50 or len(set(value)) < 5 or value.startswith("django-insecure-")
        why = "It stands in the code" + (", and is weak: short, or a generated placeholder." if weak else ".")
        return Item(CODE, TITLE, "no", why, _NEW, setting.place)
    if setting.place is None or (setting.settled and not value):
        return Item(CODE, TITLE, "cannot-tell", "The settings of the project do not assign it.", _NEW)
    if isinstance(value, str) and value:
        why = "It comes from a variable, but the code has a default that is used where that is missing."
        return Item(CODE, TITLE, "cannot-tell", why, _NEW, setting.place)
    return Item(CODE, TITLE, "yes", "It comes from a variable; the code has no default.", place=setting.place)
