from __future__ import annotations

import pytest

from wizard.cli import main


def command(*arguments: str) -> int:
    """`ashore ARGUMENTS` in this process: its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(str(ended.value.code))
