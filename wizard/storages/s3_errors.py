"""An S3 server's refusals in its own words, with what to do about each.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and what R2 and B2 add.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
)
from obstore.exceptions import BaseError

from wizard.errors import AshoreError, ConnectionLost, Refused, StepFailed
from wizard.storages.s3_place import Place
from wizard.storages.s3_refusals import DAMAGED, HINTS, SAME, hint_of

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
_FIELDS = ("Region", "Endpoint", "RequestTime", "ServerTime")
_UNTRUSTED = re.compile(
    r"UnknownIssuer|CERTIFICATE_VERIFY_FAILED|invalid peer certificate|InvalidCertificate"
)


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
        told = {str(k).lower(): str(v) for k, v in found.items()}
        told |= {k.lower(): v for k, v in error.response["ResponseMetadata"].get("HTTPHeaders", {}).items()}
        return explain(code_of(error), str(found.get("Message", "")), status_of(error), place, doing, told)
    if isinstance(error, BaseError | FileNotFoundError | PermissionError):
        # obstore quotes the whole answer; the signed request in it is none of our reader's business.
        text = str(error).split("Debug source")[0]
        code, message = _tag("Code", text), _tag("Message", text)
        answered = re.search(r"status code: (\d{3})", text)
        if answered is None:
            return _unreachable(place, doing, "the connection failed", str(error))
        told = {name.lower(): value for name in _FIELDS if (value := _tag(name, text))}
        return explain(code or answered.group(1), message, int(answered.group(1)), place, doing, told)
    if isinstance(error, ConnectionError | HTTPClientError):
        return _unreachable(place, doing, type(error).__name__, str(error))
    if isinstance(error, BotoCoreError):
        return Refused("storage-refused", f"{place.title}: {error} ({doing}).", "Check the answers.")
    raise error


def explain(
    code: str,
    message: str,
    status: int,
    place: Place,
    doing: str,
    told: Mapping[str, str] = MappingProxyType({}),
) -> AshoreError:
    """The error for a server's code and message; `told` are its other fields and headers, in lower case."""
    code = SAME.get(code, code)
    said = f"{place.title} says: {code}" + (f": {message.rstrip('.')}" if message else "")
    where = f"{said} (bucket {place.bucket}, {doing})."
    if code in _TRANSIENT or status >= 500:
        return ConnectionLost("storage-unavailable", where, "Wait a little, then `ashore resume`.")
    if code in DAMAGED:
        return ConnectionLost("bytes-damaged", where, "`ashore resume` sends the file again.")
    if code in HINTS:
        return Refused(HINTS[code][0], where, hint_of(code, message, doing, place.bucket, told))
    if code == "NoSuchUpload":
        return StepFailed(
            "upload-gone", where, "`ashore resume` sends the file again; something aborted its upload."
        )
    return Refused("storage-refused", where, "See the provider's page for this code, then `ashore resume`.")


def _tag(name: str, text: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return found.group(1) if found else ""


def _unreachable(place: Place, doing: str, why: str, words: str) -> AshoreError:
    if _UNTRUSTED.search(words):
        return Refused(
            "certificate-unknown",
            f"{place.title} at {place.endpoint} shows a certificate that this machine does not trust "
            f"({doing}).",
            "Where the server has an authority of its own, name the file of its certificate in SSL_CERT_FILE "
            "or AWS_CA_BUNDLE; else check the endpoint.",
        )
    return ConnectionLost(
        "storage-unreachable",
        f"{place.title} cannot be reached at {place.endpoint} ({why}, {doing}).",
        "Check the endpoint and the network, then `ashore resume`.",
    )
