"""Headers that tell browsers to be careful."""

from __future__ import annotations

from wizard.checks.base import Item
from wizard.checks.live.visit import Visit

CODE, TITLE = "security-headers", "Security headers are set"


def check(visit: Visit) -> Item:
    """HSTS (over HTTPS), no content sniffing, no framing by others."""
    if not visit.page.status or visit.page.status >= 400:
        return Item(CODE, TITLE, "cannot-tell", "The page did not come.")
    headers = visit.page.headers
    missing = []
    if visit.https and "strict-transport-security" not in headers:
        missing.append("Strict-Transport-Security")
    if headers.get("x-content-type-options", "").lower() != "nosniff":
        missing.append("X-Content-Type-Options: nosniff")
    policy = headers.get("content-security-policy", "")
    if "x-frame-options" not in headers and "frame-ancestors" not in policy:
        missing.append("X-Frame-Options (or frame-ancestors)")
    if missing:
        hint = "Django's SecurityMiddleware and XFrameOptionsMiddleware set them (SECURE_HSTS_SECONDS)."
        return Item(CODE, TITLE, "no", f"Missing: {', '.join(missing)}.", hint)
    return Item(CODE, TITLE, "yes", "They are.")
