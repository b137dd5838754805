"""Any other server that speaks S3: MinIO, Garage, Ceph, Hetzner, DigitalOcean and so on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from wizard.answers import StorageRule
from wizard.errors import UsageError
from wizard.storages.options import asked, check_endpoint, options_of, public_base
from wizard.storages.s3_family import S3Kind, S3Options, SetupOptions
from wizard.storages.s3_place import Place


@dataclass(frozen=True)
class CompatibleOptions(SetupOptions):
    """`endpoint` is the server's address without the bucket; most servers ignore the region."""

    endpoint: str | None = field(
        default=None,
        metadata=asked(
            "Endpoint",
            "The address of the server, without the bucket.",
            "MinIO, Garage, Ceph, Hetzner, DigitalOcean and others show it beside the keys.",
            example="https://s3.example.com",
        ),
    )
    region: str = field(
        default="us-east-1",
        metadata=asked(
            "Region",
            "Requests are signed for a region.",
            "Most servers take any; keep what stands here unless yours names one.",
            example="us-east-1",
        ),
    )


class Compatible(S3Kind):
    """A server reached by its endpoint, with the bucket in the path."""

    name: ClassVar[str] = "s3-compatible"
    title: ClassVar[str] = "the S3 server"
    Options: ClassVar[type[S3Options]] = CompatibleOptions
    offered_as: ClassVar[str] = "Another S3-compatible"
    about: ClassVar[str] = "I have an endpoint"

    def place(self, rule: StorageRule) -> Place:
        given = options_of(CompatibleOptions, self.name, rule.options)
        if given.endpoint is None:
            raise UsageError(
                "storage-option", "storage: s3-compatible needs endpoint.", "Add the server's address."
            )
        return Place(
            provider=self.name,
            title=self.title,
            bucket=given.bucket,
            region=given.region,
            endpoint=check_endpoint(given.endpoint),
            prefix=rule.prefix,
            strict_names=False,
            public_base=public_base(rule, None),
        )
