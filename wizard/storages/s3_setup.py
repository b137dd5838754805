"""How a bucket is set up: closed or opened by a policy, versions kept, unfinished uploads removed.

Each only by an answer, or on a bucket that this run made. ACLs are never used: AWS disables them on new
buckets. https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from wizard.errors import Refused
from wizard.storages.s3_errors import code_of, translate
from wizard.storages.s3_place import Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

POLICY = "AshorePublicRead"
RULE = "ashore-unfinished-uploads"
DAYS = 7
# What servers other than AWS say to what they do not have.
_UNKNOWN = frozenset({"NotImplemented", "MethodNotAllowed", "501", "405"})


@dataclass(frozen=True, slots=True)
class Setup:
    """The answers of one bucket. `public` is whether its files shall be public at all."""

    public: bool = False
    make_public: bool | None = None
    versioning: bool | None = None
    expire_parts: bool | None = None

    def opens(self, made: bool) -> bool:
        """Whether the bucket is opened by a policy; `made`: this run made it."""
        return self.public and _wanted(self.make_public, made)


AS_IT_IS = Setup(False, False, False, False)
"""Nothing is set but what keeps a bucket made here closed."""


def words(setup: Setup, made: bool) -> tuple[str, ...]:
    """What `set_up` will do, for the plan."""
    said = ["blocks public access"] * (made and not setup.opens(made))
    said += ["lets everybody read by a bucket policy"] * setup.opens(made)
    said += ["keeps versions"] * _wanted(setup.versioning, made)
    said += [f"removes unfinished uploads after {DAYS} days"] * _wanted(setup.expire_parts, made)
    return tuple(said)


def set_up(client: S3Client, place: Place, setup: Setup, made: bool) -> None:
    """Do what the answers ask for; repeatable, and what others set beside it stays.

    What is done for a bucket just made without being asked for is left out where the server does not know
    it. Raises Refused, ConnectionLost.
    """
    if setup.opens(made):
        _attempt(place, "opening the bucket", lambda: _open(client, place), asked=setup.make_public is True)
    elif made:
        _attempt(place, "closing the bucket", lambda: _block(client, place, policies=True), asked=False)
    if _wanted(setup.versioning, made):
        on: Any = {"Status": "Enabled"}
        _attempt(
            place,
            "keeping versions",
            lambda: client.put_bucket_versioning(Bucket=place.bucket, VersioningConfiguration=on),
            asked=setup.versioning is True,
        )
    if _wanted(setup.expire_parts, made):
        _attempt(
            place, "removing unfinished uploads", lambda: _expire(client, place),
            asked=setup.expire_parts is True,
        )  # fmt: skip


def _wanted(answer: bool | None, made: bool) -> bool:
    return made if answer is None else answer


def _attempt(place: Place, doing: str, work: Any, asked: bool) -> None:
    try:
        work()
    except ClientError as error:
        if code_of(error) in _UNKNOWN and not place.aws:
            if not asked:
                return
            raise Refused(
                "storage-not-implemented",
                f"{place.title} has no way of {doing} (bucket {place.bucket}).",
                "Set it up on the provider's page, and leave the answer out.",
            ) from error
        raise translate(error, place, doing) from error
    except BotoCoreError as error:
        raise translate(error, place, doing) from error


def _block(client: S3Client, place: Place, policies: bool) -> None:
    """Public ACLs are blocked in any case; `policies`: public policies too."""
    client.put_public_access_block(
        Bucket=place.bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": policies,
            "RestrictPublicBuckets": policies,
        },
    )


def _open(client: S3Client, place: Place) -> None:
    try:
        _block(client, place, policies=False)
    except ClientError as error:
        if code_of(error) not in _UNKNOWN or place.aws:
            raise
    statement = {
        "Sid": POLICY,
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{place.bucket}/{place.prefix}*",
    }
    policy: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    try:
        policy = json.loads(client.get_bucket_policy(Bucket=place.bucket)["Policy"])
    except ClientError as error:
        if code_of(error) != "NoSuchBucketPolicy":
            raise
    standing = policy["Statement"]
    others = standing if isinstance(standing, list) else [standing]
    # Two prefixes of one bucket are two statements.
    same = [s for s in others if s.get("Resource") == statement["Resource"] and s.get("Effect") == "Allow"]
    if any(s.get("Principal") in ("*", {"AWS": "*"}) and s.get("Action") == "s3:GetObject" for s in same):
        return
    count = sum(str(s.get("Sid", "")).startswith(POLICY) for s in others)
    statement["Sid"] = f"{POLICY}{count + 1}" if count else POLICY
    policy["Statement"] = [*others, statement]
    client.put_bucket_policy(Bucket=place.bucket, Policy=json.dumps(policy))


def _expire(client: S3Client, place: Place) -> None:
    ours: Any = {
        "ID": RULE,
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": DAYS},
    }
    others: list[Any] = []
    try:
        standing = client.get_bucket_lifecycle_configuration(Bucket=place.bucket)["Rules"]
        others = [rule for rule in standing if rule.get("ID") != RULE]
    except ClientError as error:
        if code_of(error) != "NoSuchLifecycleConfiguration":
            raise
    client.put_bucket_lifecycle_configuration(
        Bucket=place.bucket, LifecycleConfiguration={"Rules": [*others, ours]}
    )
