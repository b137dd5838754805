"""One PUT held in memory: obstore, or boto3 for the keys that obstore would rewrite."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import obstore
from botocore.exceptions import BotoCoreError, ClientError
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from wizard.storages.s3_errors import is_occupied, translate
from wizard.storages.s3_place import Place, is_odd

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from obstore.store import S3Store as SmallStore


class Occupied(Exception):
    """A create-only write found something under the key; nothing was written."""


def put(
    client: S3Client,
    small: SmallStore,
    place: Place,
    key: str,
    data: bytes,
    content_type: str,
    create_only: bool,
) -> str:
    """Write `data` under `key`; returns the server's ETag without quotes.

    The signed payload (and Content-MD5) lets the server refuse bytes damaged on the way. Raises
    Occupied where `create_only` and something stands there.
    """
    if is_odd(key):
        return _put_boto(client, place, key, data, content_type, create_only)
    try:
        done = obstore.put(
            small,
            key,
            data,
            attributes={"Content-Type": content_type},
            mode="create" if create_only else "overwrite",
            use_multipart=False,
        )
    except (AlreadyExistsError, PreconditionError) as error:
        raise Occupied from error
    except (BaseError, FileNotFoundError, PermissionError) as error:
        raise translate(error, place, f"writing {key}") from error
    return (done["e_tag"] or "").strip('"')


def _put_boto(
    client: S3Client, place: Place, key: str, data: bytes, content_type: str, create_only: bool
) -> str:
    md5 = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    try:
        if create_only:
            done = client.put_object(
                Bucket=place.bucket,
                Key=key,
                Body=data,
                ContentType=content_type,
                ContentMD5=md5,
                IfNoneMatch="*",
            )
        else:
            done = client.put_object(
                Bucket=place.bucket, Key=key, Body=data, ContentType=content_type, ContentMD5=md5
            )
    except ClientError as error:
        if create_only and is_occupied(error):
            raise Occupied from error
        raise translate(error, place, f"writing {key}") from error
    except BotoCoreError as error:
        raise translate(error, place, f"writing {key}") from error
    return done["ETag"].strip('"')
