"""Fly's Machines API (https://fly.io/docs/machines/api): an app's volumes. A service is the app's name.

Secrets are neither read nor set here: Fly shows digests of them only, so that undo could not give one back.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from wizard.providers.base import Fact
from wizard.providers.http import Api, Provider

PROVIDER = Provider(
    title="Fly",
    base="https://api.machines.dev/v1",
    scopes="it must be of the app or of its organization",
    home="`fly tokens create`",
    message=lambda data: str(data["error"]),
)


class Fly:
    """Implements `Asked`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def facts(self, service: str) -> tuple[Fact, ...]:
        """One for each volume; an app without one is right where its data lies elsewhere."""
        found = self._api.items(self._api.get(f"/apps/{quote(service, safe='')}/volumes"))
        return tuple(self._fact(volume) for volume in found)

    def _fact(self, volume: Any) -> Fact:
        id, name = self._api.text(volume, "id"), self._api.text(volume, "name")
        title = f"The volume {name} ({id}) is in use and has daily snapshots"
        state, size = self._api.text(volume, "state"), volume.get("size_gb")
        snapshots, days = volume.get("auto_backup_enabled"), volume.get("snapshot_retention")
        why = f"It holds {size} GB in {volume.get('region')}, on one host; Fly calls it {state}"
        if snapshots is False:
            hint = f"`fly volumes update {id} --scheduled-snapshots=true`, and `ashore backup` beside it."
            return Fact("platform-volume", title, "no", f"{why}, and makes no snapshots of it.", hint)
        if snapshots is not True:
            return Fact("platform-volume", title, "cannot-tell", f"{why}, and does not say of snapshots.")
        kept = f" for {days} days" if isinstance(days, int) else ""
        why += f", and keeps its daily snapshots{kept}"
        if not volume.get("attached_machine_id"):
            return Fact("platform-volume", title, "cannot-tell", f"{why}; no machine has it mounted.")
        return Fact("platform-volume", title, "yes", f"{why}.")
