"""Whether a bucket whose files shall be reached by signed links lets everybody read.

Files that were behind a login stay private (the answer `access: public` says otherwise).
"""

from __future__ import annotations

import httpx

from wizard.model import Check
from wizard.storages.authority import context

ANONYMOUS_S = 10.0
HINT = "Make the bucket private, or write `access: public` into the answers if everybody may read the files."


def privacy(signed: str, mark: bytes) -> Check:
    """Read the test object behind a signed address as any visitor would, without the signature.

    `mark` is what the object begins with.
    """
    what = "it cannot be read without a key"
    try:
        answer = httpx.get(signed.partition("?")[0], timeout=ANONYMOUS_S, verify=context())
    except httpx.HTTPError:
        return Check(what, True)
    if answer.status_code == 200 and answer.content.startswith(mark):
        return Check(
            what, False, "Everybody can read this bucket, and the answers ask for signed links.", HINT
        )
    return Check(what, True)
