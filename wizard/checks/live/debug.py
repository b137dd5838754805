"""Error pages tell visitors nothing."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.live.visit import Visit

CODE, TITLE = "debug-off", "Error pages tell visitors nothing"
# What the debug pages of frameworks say of themselves.
_MARKS = (
    ("DEBUG = True", "Django"),
    ("Werkzeug Debugger", "Flask"),
    ("__debugger__", "Flask"),
    ("Traceback (most recent call last)", "Python"),
    ("Whoops! There was an error", "Laravel"),
    ("Action Controller: Exception caught", "Rails"),
    ("at Layer.handle [as handle_request]", "Express"),
)


def check(visit: Visit) -> Item:
    """A page that no app has is asked for, and what comes is read."""
    if not visit.nowhere.status:
        why = "The page did not come." if not visit.page.status else f"{visit.nowhere.failure}."
        return Item(CODE, TITLE, "cannot-tell", why)
    for page in (visit.nowhere, visit.page):
        for mark, framework in _MARKS:
            if mark in page.text and page.status >= 400:
                why = f"An answer {page.status} is {framework}'s own debug page: it shows code and settings."
                return Item(CODE, TITLE, "no", why, "Turn DEBUG off on the platform.")
    why = f"A page that is not there answers {visit.nowhere.status}, without a word of the code."
    return Item(CODE, TITLE, "yes", why)
