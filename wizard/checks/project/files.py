"""Uploads do not lie on the app's own disk."""

from __future__ import annotations

from collections.abc import Mapping

from wizard.checks.base import Item
from wizard.checks.project.seen import Seen

CODE, TITLE = "files-durable", "Uploaded files survive a redeploy"
CLOUD = ("s3", "gcs", "azure", "cloudinary")


def check(seen: Seen) -> Item:
    """Judged by the storage that the deployed app would use, else by the folders that the scan found."""
    if seen.production is not None:
        for name in ("STORAGES", "DEFAULT_FILE_STORAGE"):
            setting = seen.production.get(name)
            if not setting.settled:
                return Item(
                    CODE,
                    TITLE,
                    "cannot-tell",
                    "The environment decides whether files go to durable storage or to the app's disk.",
                    "See that the bucket's variables are set on the platform.",
                    setting.place,
                )
            backend = _backend(setting.value)
            if backend and not backend.endswith("FileSystemStorage"):
                return Item(CODE, TITLE, "yes", f"They go to {backend}.", place=setting.place)
    folders = [s for s in seen.project.stores if s.kind == "uploads"]
    doomed = next((s for s in folders if not s.survives_redeploy), None)
    if doomed is not None:
        place = doomed.evidence[0] if doomed.evidence else None
        count = f"{doomed.files:,} file{'' if doomed.files == 1 else 's'}"
        why = f"{doomed.path} ({count}): {doomed.why}"
        return Item(CODE, TITLE, "no", why, "Move them: `ashore` shows how.", place)
    if folders:
        return Item(CODE, TITLE, "yes", f"{folders[0].path}: {folders[0].why}")
    if any(s.kind in CLOUD for s in seen.project.stores):
        return Item(CODE, TITLE, "yes", "They lie outside the container.")
    if seen.production is not None and not seen.production.get("MEDIA_ROOT").place:
        return Item(CODE, TITLE, "yes", "The settings name no folder for uploads.")
    return Item(CODE, TITLE, "cannot-tell", "No uploads folder was found here.", "See where uploads go.")


def _backend(value: object) -> str:
    if isinstance(value, Mapping):
        default = value.get("default")
        value = default.get("BACKEND") if isinstance(default, Mapping) else None
    return value if isinstance(value, str) else ""
