"""Let web pages of given origins read a bucket's objects, beside whatever rules it already has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from wizard.storages.s3_errors import code_of, translate
from wizard.storages.s3_place import Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CORSRuleUnionTypeDef

RULE = "ashore"
MAX_AGE_S = 3600


def allow_origins(client: S3Client, place: Place, origins: tuple[str, ...]) -> None:
    """Add one rule for reading, or renew it; rules of other names stay. Raises Refused, ConnectionLost."""
    ours: CORSRuleUnionTypeDef = {
        "ID": RULE,
        "AllowedOrigins": list(origins),
        "AllowedMethods": ["GET", "HEAD"],
        "AllowedHeaders": ["*"],
        "MaxAgeSeconds": MAX_AGE_S,
    }
    try:
        others: list[CORSRuleUnionTypeDef] = []
        try:
            standing = client.get_bucket_cors(Bucket=place.bucket)["CORSRules"]
            others = [rule for rule in standing if rule.get("ID") != RULE]
        except ClientError as error:
            if code_of(error) != "NoSuchCORSConfiguration":
                raise
        client.put_bucket_cors(Bucket=place.bucket, CORSConfiguration={"CORSRules": [*others, ours]})
    except (ClientError, BotoCoreError) as error:
        raise translate(error, place, "allowing other origins to read") from error
