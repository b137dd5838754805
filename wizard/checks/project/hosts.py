"""The app answers to its own names, and to no others."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen

CODE, TITLE = "hosts", "ALLOWED_HOSTS names the app's own hosts"
_LOCAL = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "testserver")  # noqa: S104 (a name, not a bind)


def check(seen: Seen) -> Item:
    """`*` lets forged Host headers into links of password mails; none or local ones let nobody in."""
    if seen.production is None:
        return seen.blind(CODE, TITLE)
    setting = seen.production.get("ALLOWED_HOSTS")
    hint = "Name the app's hosts, read from a variable."
    if not setting.settled:
        why = "A variable decides."
        return Item(CODE, TITLE, "cannot-tell", why, "See its value on the platform.", setting.place)
    hosts = [str(host) for host in setting.value or ()]
    if "*" in hosts:
        why = "It holds `*`: a forged Host header gets into the links that the app sends."
        return Item(CODE, TITLE, "no", why, hint, setting.place)
    if not any(host and host not in _LOCAL for host in hosts):
        why = "It names no public host: with DEBUG off every visitor gets an error 400."
        return Item(CODE, TITLE, "no", why, hint, setting.place)
    return Item(CODE, TITLE, "yes", f"It names {', '.join(hosts)}.", place=setting.place)
