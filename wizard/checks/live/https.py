"""Nobody talks to the app in clear."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.live.visit import Visit

CODE, TITLE = "https", "HTTPS, and HTTP leads to it"


def check(visit: Visit) -> Item:
    """The page ends on HTTPS, and the same host over HTTP redirects there (or does not listen)."""
    if visit.certificate.failure:
        why = f"HTTPS does not work: {visit.certificate.failure}."
        return Item(CODE, TITLE, "no", why, "See the domain's settings on the platform.")
    if not visit.page.status:
        return Item(CODE, TITLE, "cannot-tell", "The page did not come.")
    if not visit.https:
        why = "The page comes over plain HTTP: passwords and sessions can be read on the way."
        return Item(CODE, TITLE, "no", why, "Turn on HTTPS, and redirect to it.")
    plain = visit.plain
    if plain is None:
        why = "HTTPS works; on a port of its own, nothing is known of HTTP."
        return Item(CODE, TITLE, "cannot-tell", why)
    if not plain.status:
        return Item(CODE, TITLE, "yes", "HTTPS works, and nothing answers over HTTP.")
    if 300 <= plain.status < 400 and plain.headers.get("location", "").startswith("https://"):
        return Item(CODE, TITLE, "yes", f"HTTPS works, and HTTP is redirected ({plain.status}).")
    why = f"Over HTTP the app answers {plain.status} without a redirect."
    return Item(CODE, TITLE, "no", why, "Redirect it (Django: SECURE_SSL_REDIRECT).")
