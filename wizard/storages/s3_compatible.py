"""Any other server that speaks S3: MinIO, Garage, Ceph, Hetzner, DigitalOcean and so on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from wizard.answers import StorageRule
from wizard.errors import UsageError
from wizard.storages.options import check_endpoint, options_of, public_base
from wizard.storages.s3_family import S3Kind, S3Options
from wizard.storages.s3_place import Place


@dataclass(frozen=True)
class CompatibleOptions(S3Options):
    """`endpoint` is the server's address without the bucket; most servers ignore the region."""

    endpoint: str | None = None
    region: str = "us-east-1"


class Compatible(S3Kind):
    """A server reached by its endpoint, with the bucket in the path."""

    name: ClassVar[str] = "s3-compatible"
    title: ClassVar[str] = "the S3 server"
    Options: ClassVar[type[S3Options]] = CompatibleOptions

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
