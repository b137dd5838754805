"""Where an S3 bucket is and what its server is known to do: facts, no connection."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wizard.errors import UsageError
from wizard.storages.base import NO_LIMITS, Limits

_STRICT = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_LENIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
KEY_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """One bucket's address. `endpoint` is a full URL without the bucket; `public_base` the address under
    which a browser would read public objects, or None where there is none.

    `path_style`: the bucket stands in the path, not in the host name. `ascii_keys`: the server refuses
    other keys. `strict_names`: bucket names follow AWS's rules.
    """

    provider: str
    title: str
    bucket: str
    region: str
    endpoint: str
    prefix: str = ""
    path_style: bool = True
    aws: bool = False
    strict_names: bool = True
    ascii_keys: bool = False
    public_base: str | None = None
    limits: Limits = NO_LIMITS

    @property
    def identity(self) -> str:
        """Tells this bucket from every other."""
        return f"{self.endpoint}/{self.bucket}"

    def key_problem(self, key: str) -> str | None:
        """Why no object in this bucket can have `key`, or None."""
        size = len(key.encode("utf-8"))
        if not key:
            return "the key is empty"
        if size > KEY_BYTES:
            return f"the key is {size} bytes long, and {KEY_BYTES} is the most"
        if self.ascii_keys and not key.isascii():
            return f"{self.title} accepts only ASCII characters in keys"
        return None


def check_bucket_name(place: Place) -> None:
    """Raises UsageError `bucket-name` for a name that no server of this kind accepts.

    Rules: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    name = place.bucket
    pattern = _STRICT if place.strict_names else _LENIENT
    bad = pattern.fullmatch(name) is None or ".." in name
    if place.strict_names:
        bad = bad or _ADDRESS.fullmatch(name) is not None or name.startswith(("xn--", "sthree-"))
        bad = bad or name.endswith(("-s3alias", "--ol-s3")) or ".-" in name or "-." in name
    if bad:
        raise UsageError(
            "bucket-name",
            f"{name!r} cannot be the name of a bucket at {place.title}.",
            "Choose 3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.",
        )


def is_odd(key: str) -> bool:
    """Whether obstore would rewrite or refuse `key` (empty, `.` or `..` segments, control characters)."""
    return any(segment in ("", ".", "..") for segment in key.split("/")) or any(
        ord(char) < 0x20 or ord(char) == 0x7F for char in key
    )
