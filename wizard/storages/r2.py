"""Cloudflare R2. https://developers.cloudflare.com/r2/api/s3/api/"""

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
class R2Options(S3Options):
    """`account_id` and, where the bucket has one, `jurisdiction` (eu, fedramp); or the whole `endpoint`."""

    account_id: str | None = None
    jurisdiction: str | None = None
    endpoint: str | None = field(
        default=None,
        metadata=asked(
            "Endpoint",
            "The address of the account's S3 interface, without the bucket.",
            "R2 shows it as the S3 API address: https://ACCOUNT.r2.cloudflarestorage.com",
            example="https://ACCOUNT.r2.cloudflarestorage.com",
        ),
    )


class R2(S3Kind):
    """R2: region `auto`; public only through r2.dev or a domain of one's own (`public_url`)."""

    name: ClassVar[str] = "r2"
    title: ClassVar[str] = "Cloudflare R2"
    Options: ClassVar[type[S3Options]] = R2Options
    about: ClassVar[str] = "S3-compatible, no charge for reading"

    def place(self, rule: StorageRule) -> Place:
        given = options_of(R2Options, self.name, rule.options)
        if given.endpoint is not None:
            endpoint = check_endpoint(given.endpoint)
        elif given.account_id is not None:
            inner = f".{given.jurisdiction}" if given.jurisdiction else ""
            endpoint = check_endpoint(f"https://{given.account_id}{inner}.r2.cloudflarestorage.com")
        else:
            raise UsageError(
                "storage-option",
                "storage: r2 needs account_id or endpoint.",
                "Both stand on the bucket's settings page, under S3 API.",
            )
        return Place(
            provider=self.name,
            title=self.title,
            bucket=given.bucket,
            region="auto",
            endpoint=endpoint,
            prefix=rule.prefix,
            # https://developers.cloudflare.com/r2/platform/limits/
            limits=Limits(5114 << 30),
            public_base=public_base(rule, None),
        )
