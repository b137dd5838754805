"""Whom to trust beside the usual authorities: a file of certificates that the environment names.

boto3 knows the first name, OpenSSL and httpx the second; obstore neither in every build. Here each name works
for all of them.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import httpx

from wizard.errors import UsageError

VARIABLES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE")


def bundle() -> Path | None:
    """The file of certificates (PEM), None where none is named. Raises UsageError `certificates-missing`."""
    name = next((name for name in VARIABLES if os.environ.get(name)), None)
    if name is None:
        return None
    file = Path(os.environ[name])
    if not file.is_file():
        raise UsageError(
            "certificates-missing",
            f"{name} names {file}, and there is no such file.",
            "Correct the variable, or unset it to trust the system's own authorities.",
        )
    return file


def context() -> ssl.SSLContext:
    """What httpx verifies certificates with."""
    file = bundle()
    return httpx.create_ssl_context() if file is None else ssl.create_default_context(cafile=str(file))
