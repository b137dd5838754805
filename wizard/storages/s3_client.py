"""The two connections to an S3 server: boto3 for control, heads, reads and parts; obstore for small objects.

Neither looks at this machine's AWS configuration: what counts is in the answers. Only whom to trust is the
machine's own matter: see `authority`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader
from obstore.store import S3Store as SmallStore

from wizard.credentials import Secret
from wizard.storages.authority import bundle
from wizard.storages.s3_place import Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from obstore.store import ClientConfig, S3Config, S3Credential

ATTEMPTS = 6
CONNECT_S = 10
READ_S = 60
CONNECTIONS = 48


@dataclass(frozen=True, slots=True)
class Keys:
    """A pair of keys."""

    access: Secret
    secret: Secret


def open_client(place: Place, keys: Keys, attempts: int = ATTEMPTS) -> S3Client:
    """A boto3 client; safe to share between threads.

    Checksums only where required: servers other than AWS refuse the trailing ones, or store them
    inside the file. Every body goes out with Content-MD5 and a signed payload instead.
    """
    unset = (None, None, None, None)
    core = botocore.session.Session(
        session_vars={
            "profile": unset,
            "config_file": unset,
            "credentials_file": unset,
            "ignore_configured_endpoint_urls": ("", None, True, None),
        }
    )
    core.register_component("data_loader", _descriptions())
    config = Config(
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": attempts},
        s3={
            "addressing_style": "path" if place.path_style else "virtual",
            "payload_signing_enabled": True,
        },
    )
    return boto3.session.Session(botocore_session=core).client(
        "s3",
        endpoint_url=place.endpoint,
        region_name=place.region,
        aws_access_key_id=keys.access.reveal(),
        aws_secret_access_key=keys.secret.reveal(),
        verify=str(authorities) if (authorities := bundle()) is not None else None,
        config=config,
    )


@cache
def _descriptions() -> Loader:
    """Amazon's description of S3, read from disk once a process: it takes longer than a request."""
    return create_loader()


def open_small(place: Place, keys: Keys) -> SmallStore:
    """An obstore client.

    Keys come through a provider, and every switch is set: obstore otherwise adds AWS_SESSION_TOKEN and
    others from the environment to keys that they do not belong to (seen).
    """
    host = place.endpoint
    if not place.path_style:
        scheme, _, rest = host.partition("://")
        host = f"{scheme}://{place.bucket}.{rest}"

    def credential() -> S3Credential:
        return {
            "access_key_id": keys.access.reveal(),
            "secret_access_key": keys.secret.reveal(),
            "token": None,
            "expires_at": None,
        }

    # AWS then keeps the checksum and tells it in HEAD, also where KMS makes the ETag no MD5.
    checksums: S3Config | None = {"checksum_algorithm": "SHA256"} if place.aws else None
    options: ClientConfig = {
        "allow_http": place.endpoint.startswith("http://"),
        "connect_timeout": timedelta(seconds=CONNECT_S),
        "timeout": timedelta(seconds=READ_S),
    }
    if (authorities := bundle()) is not None:
        options["root_certificate"] = authorities.read_bytes()
    return SmallStore(
        place.bucket,
        config=checksums,
        endpoint=host,
        aws_endpoint_url_s3=host,
        region=place.region,
        virtual_hosted_style_request=not place.path_style,
        conditional_put="etag",
        skip_signature=False,
        unsigned_payload=False,
        request_payer=False,
        s3_express=False,
        client_options=options,
        retry_config={
            "max_retries": ATTEMPTS,
            "retry_timeout": timedelta(seconds=120),
            "backoff": {
                "init_backoff": timedelta(milliseconds=200),
                "max_backoff": timedelta(seconds=10),
                "base": 2,
            },
        },
        credential_provider=credential,
    )
