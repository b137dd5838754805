"""The certificate is valid, and stays so for a while."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.live.visit import Visit

CODE, TITLE = "certificate", "The TLS certificate is valid for more than 14 days"
# Platforms renew 30 days before the end; two weeks before it, renewal has failed.
LEAST_DAYS = 14


def check(visit: Visit) -> Item:
    """Judged with the system's own certificates."""
    found = visit.certificate
    if found.failure:
        return Item(CODE, TITLE, "no", f"{found.failure[:1].upper()}{found.failure[1:]}.", "Renew it.")
    if found.days is None:
        return Item(CODE, TITLE, "cannot-tell", "There was no TLS to look at.")
    said = f"{found.days} days are left."
    if found.days <= LEAST_DAYS:
        return Item(CODE, TITLE, "no", said, "See why the platform did not renew it: often the DNS record.")
    return Item(CODE, TITLE, "yes", said)
