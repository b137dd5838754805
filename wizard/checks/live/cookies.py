"""Cookies travel over HTTPS only."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.live.visit import Visit

CODE, TITLE = "cookies", "Cookies are sent over HTTPS only"


def check(visit: Visit) -> Item:
    """The cookies of the page; those of a login are not seen here."""
    if not visit.page.status or not visit.page.cookies:
        why = "The page sets no cookie." if visit.page.status else "The page did not come."
        return Item(CODE, TITLE, "cannot-tell", why, "Check the address of the login page.")
    for cookie in visit.page.cookies:
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        if "secure" not in flags:
            name = cookie.partition("=")[0].strip()
            hint = "Django: SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE."
            return Item(CODE, TITLE, "no", f"{name} lacks the flag Secure.", hint)
    return Item(CODE, TITLE, "yes", "Every cookie of the page has the flag Secure.")
