"""An edit is made to the very file it was planned for, and leads to the very file it promised."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wizard.model import Edit, Splice
from wizard.patchers.base import apply_splices, sha256

BEFORE, AFTER = b"URL = 'old'\n", b"URL = 'new'\n"
EDIT = Edit("a.py", sha256(BEFORE), sha256(AFTER), (Splice(7, 10, "new", "why"),), 1, 1)


def test_the_planned_file_becomes_the_promised_one() -> None:
    assert apply_splices(BEFORE, EDIT) == AFTER


@pytest.mark.parametrize("other", [b"URL = 'odd'\n", b"url = 'old'\n", None])
def test_another_file_is_refused_even_where_only_the_replaced_bytes_differ(other: bytes | None) -> None:
    with pytest.raises(ValueError, match="not the file"):
        apply_splices(other, EDIT)


def test_an_edit_that_leads_elsewhere_is_refused() -> None:
    with pytest.raises(ValueError, match="own digest"):
        apply_splices(BEFORE, replace(EDIT, splices=(Splice(7, 10, "bad", "why"),)))
