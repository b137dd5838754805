"""Cloudinary's Admin API (https://cloudinary.com/documentation/admin_api): usage and limits of a cloud.

The token is `API key:API secret`. Files go by `wizard.storages.cloudinary`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from wizard.providers.base import Fact
from wizard.providers.http import Api, Provider

PROVIDER = Provider(
    title="Cloudinary",
    base="https://api.cloudinary.com",
    scopes="the API key must be of that cloud, and active",
    home="Settings, API Keys",
    message=lambda data: str(data["error"]["message"]),
    basic=True,
)
FULL_PERCENT = 80.0


class Cloudinary:
    """Implements `Asked`; a service is the cloud's name."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def facts(self, service: str) -> tuple[Fact, ...]:
        usage = self._api.get(f"/v1_1/{quote(service, safe='')}/usage")
        if not isinstance(usage, dict):
            raise self._api.garbage("the usage is none")
        return (self._room(usage), *_uploads(usage))

    def _room(self, usage: dict[str, Any]) -> Fact:
        title = "Cloudinary has room for more files"
        plan = self._api.text(usage, "plan")
        used, limit = _number(usage, "storage", "usage"), _number(usage, "storage", "limit")
        if used is None:
            return Fact("storage-room", title, "cannot-tell", f"The plan {plan} does not say what is stored.")
        if not limit:
            why = f"{used / 1e9:,.2f} GB are stored; the plan {plan} names no limit of its own for that."
            return Fact(
                "storage-room", title, "cannot-tell", why, "Look at the dashboard: credits count too."
            )
        percent = 100 * used / limit
        why = f"{used / 1e9:,.2f} GB of the {limit / 1e9:,.2f} GB of the plan {plan} are used."
        if percent > FULL_PERCENT:
            return Fact("storage-room", title, "no", why, "Choose the next plan before it is full.")
        return Fact("storage-room", title, "yes", why)


def _uploads(usage: dict[str, Any]) -> tuple[Fact, ...]:
    """How large one file may be, as far as it is said; which files will come is not known here."""
    sizes = [
        (kind, _number(usage, "media_limits", f"{kind}_max_size_bytes")) for kind in ("image", "video", "raw")
    ]
    said = [f"{kind} {size / 1e6:,.0f} MB" for kind, size in sizes if size]
    if not said:
        return ()
    title = "The app refuses larger files than Cloudinary takes"
    why = f"One file may have at most: {', '.join(said)}. What the app lets through is not known."
    return (
        Fact("storage-upload-limits", title, "cannot-tell", why, "Set the same limits in the app's forms."),
    )


def _number(data: dict[str, Any], *way: str) -> float | None:
    found: Any = data
    for step in way:
        found = found.get(step) if isinstance(found, dict) else None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
