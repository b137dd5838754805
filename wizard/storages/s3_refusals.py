"""What to do about each refusal of an S3 server, with the particulars that its answer tells.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and what R2 and B2 add.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_CREATE = "Create the bucket, correct its name, or answer `create: true`."
_REGION = "Write the bucket's own region into the answers."
HINTS: Mapping[str, tuple[str, str]] = {
    "AccessDenied": ("access-denied", ""),
    "AllAccessDisabled": ("access-denied", ""),
    "InvalidAccessKeyId": (
        "access-key-unknown",
        "Copy the access key again; it may have been deleted, or belong to another provider.",
    ),
    "SignatureDoesNotMatch": (
        "secret-key-wrong",
        "The secret key does not belong to the access key: copy both again, without spaces around them.",
    ),
    "NoSuchBucket": ("bucket-missing", _CREATE),
    "InvalidBucketName": (
        "bucket-name",
        "Choose 3 to 63 lower-case letters, digits and hyphens.",
    ),
    "BucketAlreadyExists": (
        "bucket-taken",
        "The bucket belongs to someone else, and names are shared by everyone: choose another.",
    ),
    "TooManyBuckets": ("bucket-quota", "Remove a bucket that is not used, or ask the provider for more."),
    "PermanentRedirect": ("bucket-region", "Write the bucket's own region or endpoint into the answers."),
    "TemporaryRedirect": ("bucket-region", "Write the bucket's own region or endpoint into the answers."),
    "AuthorizationHeaderMalformed": ("bucket-region", _REGION),
    "IllegalLocationConstraintException": ("bucket-region", _REGION),
    "InvalidLocationConstraint": ("bucket-region", "Choose one of the provider's regions."),
    "InvalidRegionName": ("bucket-region", "R2 knows the region auto only; others, those of their list."),
    "RequestTimeTooSkewed": ("clock-wrong", "Set this machine's clock and try again."),
    "Unauthorized": (
        "access-key-unknown",
        "On R2 the access key is the token's id and the secret key the SHA-256 of the token; check the "
        "account id, too. The app's own uploads get this answer where newer boto3 adds checksums: set "
        "AWS_REQUEST_CHECKSUM_CALCULATION=when_required there.",
    ),
    "AccessControlListNotSupported": (
        "acls-disabled",
        "The bucket takes no ACLs, which is as it should be: remove them from the app (default_acl None). "
        "Files become public by the bucket's policy, with `access: public` and `open: true`.",
    ),
    "NotImplemented": (
        "storage-not-implemented",
        "This server does not know what the request asks for; it stands in the words above.",
    ),
    "EntityTooLarge": ("object-too-large", "Route larger files elsewhere with `max_size`."),
    "QuotaExceeded": ("storage-full", "Enlarge the plan, or free some space."),
    "AccountProblem": ("account-problem", "Look at the provider's billing page."),
}
SAME: Mapping[str, str] = {
    "403": "AccessDenied",
    "Forbidden": "AccessDenied",
    "401": "Unauthorized",
    "301": "PermanentRedirect",
    "307": "TemporaryRedirect",
    "InvalidToken": "InvalidAccessKeyId",
    "XAdminUserNotFound": "InvalidAccessKeyId",  # Versity's gateway
    "413": "EntityTooLarge",
}
DAMAGED = frozenset(
    {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
)
"""The bytes that arrived are not those that were sent."""
_REGIONS = (
    re.compile(r"expecting '([a-z0-9-]+)'"),
    re.compile(r"\bs3[.-]([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com"),
)
_ACTIONS = (
    ("creating the bucket", "s3:CreateBucket"),
    ("allowing other origins", "s3:GetBucketCORS and s3:PutBucketCORS"),
    ("opening the bucket", "s3:PutBucketPolicy and s3:PutBucketPublicAccessBlock"),
    ("closing the bucket", "s3:PutBucketPublicAccessBlock"),
    ("keeping versions", "s3:PutBucketVersioning"),
    ("removing unfinished uploads", "s3:PutLifecycleConfiguration"),
    ("writing", "s3:PutObject"),
    ("sending", "s3:PutObject"),
    ("reading", "s3:GetObject"),
    ("deleting", "s3:DeleteObject"),
    ("looking", "s3:GetObject and s3:ListBucket"),
)
_ALL = (
    "s3:GetObject, s3:PutObject, s3:DeleteObject, s3:ListBucket, s3:AbortMultipartUpload, "
    "s3:ListMultipartUploadParts"
)


def hint_of(code: str, message: str, doing: str, bucket: str, told: Mapping[str, str]) -> str:
    """What to do about `code`, one of HINTS. `told` are the answer's other fields and its headers, by name in
    lower case."""
    ours, general = HINTS[code]
    if ours == "bucket-region":
        region = _region(message, told)
        return f"The bucket is in {region}: write `region: {region}` into the answers." if region else general
    if ours == "clock-wrong":
        return _clock(told) + general
    if ours == "access-denied":
        return _denied(message, doing, bucket)
    return general


def _region(message: str, told: Mapping[str, str]) -> str:
    named = told.get("region") or told.get("x-amz-bucket-region")
    if named:
        return named
    text = f"{message} {told.get('endpoint', '')}"
    return next((found.group(1) for p in _REGIONS if (found := p.search(text))), "")


def _clock(told: Mapping[str, str]) -> str:
    """By how much this machine's clock differs, "" where the answer does not tell the server's time."""
    try:
        if "servertime" in told:
            theirs = datetime.fromisoformat(told["servertime"])
        elif "date" in told:
            theirs = parsedate_to_datetime(told["date"])
        else:
            return ""
        ours = datetime.now(UTC)
        if "requesttime" in told:
            ours = datetime.fromisoformat(told["requesttime"])
        seconds = round((ours - theirs).total_seconds())
    except (ValueError, TypeError):
        return ""
    way = "ahead of" if seconds > 0 else "behind"
    minutes, rest = divmod(abs(seconds), 60)
    length = f"{minutes:,} min {rest} s" if minutes else f"{rest} s"
    return f"This machine's clock is {length} {way} the server's. "


def _denied(message: str, doing: str, bucket: str) -> str:
    if "BlockPublicPolicy" in message or "public policies are" in message:
        return (
            "The account blocks public buckets as a whole: allow them in the account's settings of Block "
            "Public Access, or answer `access: signed`."
        )
    named = re.search(r"not authorized to perform: ([A-Za-z0-9]+:[A-Za-z*]+)", message)
    action = named.group(1) if named else next((a for begin, a in _ACTIONS if doing.startswith(begin)), "")
    ask = f"Allow the key {action} on this bucket" if action else "Allow the key what it needs"
    denied = " (a policy denies it explicitly: an allowance alone does not help)" * (
        "explicit deny" in message
    )
    return (
        f"{ask}{denied}; for the whole run it needs {_ALL}. If {bucket} is not yours, choose another: bucket "
        "names are shared by everyone."
    )
