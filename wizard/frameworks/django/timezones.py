"""In which zone a Django project's database means a time that stands there without an offset.

Rules of `BaseDatabaseWrapper.timezone_name`: TIME_ZONE with USE_TZ off; else UTC, or what the database's own
TIME_ZONE says. Defaults of `global_settings`: America/Chicago, and USE_TZ off before Django 5.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wizard.frameworks.django.values import Unknown

DEFAULT_ZONE = "America/Chicago"
_AWARE_SINCE = (5, 0)


def naive_zone(
    values: Mapping[str, Any],
    database: Mapping[str, Any] | None,
    version: tuple[tuple[int, ...] | None, bool],
) -> str | None:
    """The zone's name, or None where the settings' code alone does not say.

    `values` are the settings read, `database` the default one's, `version` Django's with whether it is exact.
    """
    local = _name(values.get("TIME_ZONE", DEFAULT_ZONE))
    own = (database or {}).get("TIME_ZONE")
    stored = "UTC" if own is None else _name(own)
    use_tz = values["USE_TZ"] if "USE_TZ" in values else _default_use_tz(*version)
    if use_tz is None or isinstance(use_tz, Unknown):
        return local if local == stored else None
    return stored if use_tz else local


def _default_use_tz(version: tuple[int, ...] | None, exact: bool) -> bool | None:
    """What Django takes where USE_TZ is not set; None where its version leaves that open."""
    if version is None or (not exact and version[:2] < _AWARE_SINCE):
        return None
    return version[:2] >= _AWARE_SINCE


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
