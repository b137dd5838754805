"""Amazon S3."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from wizard.answers import StorageRule
from wizard.storages.base import NO_LIMITS, Limits
from wizard.storages.options import asked, check_endpoint, options_of, public_base
from wizard.storages.s3_family import S3Kind, S3Options, SetupOptions
from wizard.storages.s3_place import Place


@dataclass(frozen=True)
class AwsOptions(SetupOptions):
    """`endpoint` stays empty for Amazon's own; a server that takes its place is reached by path."""

    region: str = field(
        default="us-east-1",
        metadata=asked(
            "Region",
            "Requests are signed for the bucket's region.",
            "It stands in the list of buckets; one near the app keeps reading quick.",
            example="eu-west-1",
        ),
    )
    endpoint: str | None = None


class Aws(S3Kind):
    """Amazon S3, reached as https://BUCKET.s3.REGION.amazonaws.com."""

    name: ClassVar[str] = "s3"
    title: ClassVar[str] = "Amazon S3"
    Options: ClassVar[type[S3Options]] = AwsOptions
    about: ClassVar[str] = "storage and reading are billed"

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
            # https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
            limits=Limits(10_000 * (5 << 30)) if aws else NO_LIMITS,
            public_base=public_base(rule, default if aws else None),
        )
