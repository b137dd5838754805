"""The checks of a live address: one file each, `check(visit)` returning one item."""

from __future__ import annotations

from collections.abc import Callable

from wizard.checks.base import Checklist, Item
from wizard.checks.live import certificate, cookies, cors, debug, files, headers, https, page
from wizard.checks.live.visit import Visit, visit

CHECKS: tuple[Callable[[Visit], Item], ...] = (
    page.check,
    files.check,
    https.check,
    certificate.check,
    debug.check,
    cors.check,
    cookies.check,
    headers.check,
)


def run(address: str) -> Checklist:
    """Every check of the app at `address`, with GET requests only. Raises UsageError `bad-address`."""
    seen = visit(address)
    return Checklist(seen.address, tuple(check(seen) for check in CHECKS))
