"""An S3 server's refusals in its own words, with what to do about each.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and what R2 and B2 add.
"""

from __future__ import annotations

import re

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
)
from obstore.exceptions import BaseError

from wizard.errors import AshoreError, ConnectionLost, Refused, StepFailed
from wizard.storages.s3_place import Place

_TRANSIENT = frozenset(
    {
        "500",
        "502",
        "503",
        "504",
        "InternalError",
        "ServiceUnavailable",
        "SlowDown",
        "RequestTimeout",
        "TooManyRequests",
        "429",
    }
)
_HINTS: dict[str, tuple[str, str]] = {
    "AccessDenied": (
        "access-denied",
        "Allow the key to read, write and delete objects in this bucket (s3:GetObject, s3:PutObject, "
        "s3:DeleteObject, s3:ListBucket, s3:AbortMultipartUpload, s3:ListMultipartUploadParts).",
    ),
    "InvalidAccessKeyId": (
        "access-key-unknown",
        "Copy the access key again; it may have been deleted, or belong to another provider.",
    ),
    "SignatureDoesNotMatch": (
        "secret-key-wrong",
        "The secret key does not belong to the access key: copy both again, without spaces around them.",
    ),
    "NoSuchBucket": (
        "bucket-missing",
        "Create the bucket, correct its name, or answer `create: true`.",
    ),
    "InvalidBucketName": (
        "bucket-name",
        "Choose 3 to 63 lower-case letters, digits and hyphens.",
    ),
    "BucketAlreadyExists": (
        "bucket-taken",
        "Bucket names are shared by everyone: choose another.",
    ),
    "PermanentRedirect": ("bucket-region", "Write the bucket's own region or endpoint into the answers."),
    "AuthorizationHeaderMalformed": (
        "bucket-region",
        "Write the bucket's own region into the answers.",
    ),
    "IllegalLocationConstraintException": (
        "bucket-region",
        "Write the bucket's own region into the answers.",
    ),
    "RequestTimeTooSkewed": ("clock-wrong", "Set this machine's clock and try again."),
    "Unauthorized": (
        "access-key-unknown",
        "On R2 the access key is the token's id and the secret key the SHA-256 of the token; check the "
        "account id, too.",
    ),
    "EntityTooLarge": ("object-too-large", "Route larger files elsewhere with `max_size`."),
    "QuotaExceeded": ("storage-full", "Enlarge the plan, or free some space."),
    "AccountProblem": ("account-problem", "Look at the provider's billing page."),
}
_SAME = {
    "403": "AccessDenied",
    "Forbidden": "AccessDenied",
    "401": "Unauthorized",
    "301": "PermanentRedirect",
    "InvalidToken": "InvalidAccessKeyId",
    "413": "EntityTooLarge",
}


def code_of(error: ClientError) -> str:
    """The server's error code, or the HTTP status where the answer had no body (HEAD)."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """The HTTP status of the answer; 0 where unknown."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_occupied(error: ClientError) -> bool:
    """Whether a create-only write was refused because something stands there."""
    return status_of(error) == 412 or code_of(error) in ("PreconditionFailed", "ConditionalRequestConflict")


def translate(error: Exception, place: Place, doing: str) -> AshoreError:
    """The error to raise for what boto3 or obstore raised while `doing` (e.g. "writing a.txt")."""
    if isinstance(error, ClientError):
        found = error.response.get("Error", {})
        status = status_of(error)
        return explain(code_of(error), str(found.get("Message", "")), status, place, doing)
    if isinstance(error, BaseError | FileNotFoundError | PermissionError):
        # obstore quotes the whole answer; the signed request in it is none of our reader's business.
        text = str(error).split("Debug source")[0]
        code, message = _tag("Code", text), _tag("Message", text)
        answered = re.search(r"status code: (\d{3})", text)
        if answered is None:
            return _unreachable(place, doing, "the connection failed")
        return explain(code or answered.group(1), message, int(answered.group(1)), place, doing)
    if isinstance(error, ConnectionError | HTTPClientError):
        return _unreachable(place, doing, type(error).__name__)
    if isinstance(error, BotoCoreError):
        return Refused("storage-refused", f"{place.title}: {error} ({doing}).", "Check the answers.")
    raise error


def explain(code: str, message: str, status: int, place: Place, doing: str) -> AshoreError:
    """The error for a server's code and message."""
    code = _SAME.get(code, code)
    said = f"{place.title} says: {code}" + (f": {message.rstrip('.')}" if message else "")
    where = f"{said} (bucket {place.bucket}, {doing})."
    if code in _TRANSIENT or status >= 500:
        return ConnectionLost("storage-unavailable", where, "Wait a little, then `ashore resume`.")
    if code in _HINTS:
        return Refused(_HINTS[code][0], where, _HINTS[code][1])
    if code == "NoSuchUpload":
        return StepFailed(
            "upload-gone", where, "`ashore resume` sends the file again; something aborted its upload."
        )
    return Refused("storage-refused", where, "See the provider's page for this code, then `ashore resume`.")


def _tag(name: str, text: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return found.group(1) if found else ""


def _unreachable(place: Place, doing: str, why: str) -> ConnectionLost:
    return ConnectionLost(
        "storage-unreachable",
        f"{place.title} cannot be reached at {place.endpoint} ({why}, {doing}).",
        "Check the endpoint and the network, then `ashore resume`.",
    )
