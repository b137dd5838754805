"""Amazon S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from wizard.answers import StorageRule
from wizard.storages.options import check_endpoint, options_of, public_base
from wizard.storages.s3_family import S3Kind, S3Options
from wizard.storages.s3_place import Place


@dataclass(frozen=True)
class AwsOptions(S3Options):
    """`endpoint` stays empty for Amazon's own; a server that takes its place is reached by path."""

    region: str = "us-east-1"
    endpoint: str | None = None


class Aws(S3Kind):
    """Amazon S3, reached as https://BUCKET.s3.REGION.amazonaws.com."""

    name: ClassVar[str] = "s3"
    title: ClassVar[str] = "Amazon S3"
    Options: ClassVar[type[S3Options]] = AwsOptions

    def place(self, rule: StorageRule) -> Place:
        given = options_of(AwsOptions, self.name, rule.options)
        own = f"https://s3.{given.region}.amazonaws.com"
        aws = given.endpoint is None
        # A dot in the name breaks the certificate of a host name that begins with it.
        by_path = not aws or "." in given.bucket
        default = (
            f"{own}/{given.bucket}" if by_path else f"https://{given.bucket}.s3.{given.region}.amazonaws.com"
        )
        return Place(
            provider=self.name,
            title=self.title,
            bucket=given.bucket,
            region=given.region,
            endpoint=own if given.endpoint is None else check_endpoint(given.endpoint),
            prefix=rule.prefix,
            path_style=by_path,
            aws=aws,
            public_base=public_base(rule, default if aws else None),
        )
