"""`.env.example`."""

from __future__ import annotations

import pytest

from wizard.model import Variable
from wizard.patchers import dotenv
from wizard.patchers.base import apply_splices, assemble

URL = Variable("DATABASE_URL", "The database", True, "postgresql://user:password@host/name")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            b"", b"# The database. Example: postgresql://user:password@host/name\nDATABASE_URL=\n", id="new"
        ),
        pytest.param(
            b"# c\r\nexport A='x' # y\r\n",
            b"# c\r\nexport A='x' # y\r\n\r\n# The database. Example: postgresql://user:password@host/name\r\n"
            b"export DATABASE_URL=\r\n",
            id="CRLF and export",
        ),
        pytest.param(
            b"A=1",
            b"A=1\n\n# The database. Example: postgresql://user:password@host/name\nDATABASE_URL=",
            id="no end",
        ),
        pytest.param(b"DATABASE_URL=x\n", b"DATABASE_URL=x\n", id="there"),
        pytest.param(b"# DATABASE_URL=x\n", b"# DATABASE_URL=x\n", id="there, as a comment"),
    ],
)
def test_added_once_and_empty(before: bytes, after: bytes) -> None:
    splices = dotenv.add(before, [URL], "because")
    if splices:
        edit = assemble(".env.example", before, splices, dotenv.added_check(["DATABASE_URL"]))
        assert apply_splices(before, edit) == after
    assert dotenv.add(after, [URL], "because") == []
    assert splices or before == after
