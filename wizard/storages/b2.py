"""Backblaze B2. https://www.backblaze.com/docs/cloud-storage-s3-compatible-api"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from wizard.answers import StorageRule
from wizard.errors import UsageError
from wizard.storages.base import Limits
from wizard.storages.options import asked, check_endpoint, options_of, public_base
from wizard.storages.s3_family import S3Kind, S3Options
from wizard.storages.s3_place import Place


@dataclass(frozen=True)
class B2Options(S3Options):
    """`region` is the part of the bucket's endpoint between `s3.` and `.backblazeb2.com`."""

    region: str | None = field(
        default=None,
        metadata=asked(
            "Region",
            "It names the server, and requests are signed for it.",
            "The part of the bucket's endpoint between s3. and .backblazeb2.com.",
            example="eu-central-003",
        ),
    )


class B2(S3Kind):
    """B2: whether objects are public is a property of the bucket."""

    name: ClassVar[str] = "b2"
    title: ClassVar[str] = "Backblaze B2"
    Options: ClassVar[type[S3Options]] = B2Options

    def place(self, rule: StorageRule) -> Place:
        given = options_of(B2Options, self.name, rule.options)
        if given.region is None:
            raise UsageError(
                "storage-option",
                "storage: b2 needs region.",
                "It stands in the bucket's endpoint: s3.REGION.backblazeb2.com.",
            )
        return Place(
            provider=self.name,
            title=self.title,
            bucket=given.bucket,
            region=given.region,
            endpoint=check_endpoint(f"https://s3.{given.region}.backblazeb2.com"),
            prefix=rule.prefix,
            # https://www.backblaze.com/docs/cloud-storage-large-files
            limits=Limits(10 * 10**12),
            public_base=public_base(rule, f"https://{given.bucket}.s3.{given.region}.backblazeb2.com"),
        )
