"""Supabase Storage through its S3 interface. https://supabase.com/docs/guides/storage/s3/authentication"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

from wizard.answers import StorageRule
from wizard.errors import UsageError
from wizard.storages.base import Limits
from wizard.storages.options import asked, check_endpoint, options_of, public_base
from wizard.storages.s3_family import S3Kind, S3Options
from wizard.storages.s3_place import Place


@dataclass(frozen=True)
class SupabaseOptions(S3Options):
    """`ref` is the project's reference (twenty letters), `region` the project's."""

    ref: str | None = field(
        default=None,
        metadata=asked(
            "Project reference",
            "The twenty letters that name the Supabase project.",
            "It is the first part of the project's address.",
            example="abcdefghijklmnopqrst",
        ),
    )
    region: str | None = field(
        default=None,
        metadata=asked(
            "Region",
            "Requests are signed for the project's region.",
            "It stands in the dashboard under Storage, S3 connection.",
            example="eu-west-1",
        ),
    )


class Supabase(S3Kind):
    """Supabase Storage: S3 keys come from the dashboard only; object keys are ASCII."""

    name: ClassVar[str] = "supabase"
    title: ClassVar[str] = "Supabase Storage"
    Options: ClassVar[type[S3Options]] = SupabaseOptions
    about: ClassVar[str] = "beside a database there"

    def place(self, rule: StorageRule) -> Place:
        given = options_of(SupabaseOptions, self.name, rule.options)
        if given.ref is None or given.region is None or not re.fullmatch(r"[a-z0-9]+", given.ref):
            raise UsageError(
                "storage-option",
                "storage: supabase needs ref and region.",
                "Both stand in the dashboard under Storage, S3 connection.",
            )
        return Place(
            provider=self.name,
            title=self.title,
            bucket=given.bucket,
            region=given.region,
            endpoint=check_endpoint(f"https://{given.ref}.storage.supabase.co/storage/v1/s3"),
            prefix=rule.prefix,
            strict_names=False,
            ascii_keys=True,
            # https://supabase.com/docs/guides/storage/uploads/file-limits
            limits=Limits(500 * 10**9, free=50 << 20),
            public_base=public_base(
                rule, f"https://{given.ref}.supabase.co/storage/v1/object/public/{given.bucket}"
            ),
        )
