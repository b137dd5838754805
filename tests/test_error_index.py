"""Every error has an entry: in `--explain`, and in the README."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from wizard import error_index
from wizard.api import explain
from wizard.scan.explain import EXPLANATIONS

README = Path(__file__).parent.parent / "README.md"
RAISED = re.compile(
    r"\b(?:UsageError|Undecided|Refused|NotAsPlanned|StepFailed|ConnectionLost)\(\s*\"([a-z-]+)\""
)


def _codes_in_the_code() -> set[str]:
    """Found by text alone, so that a fault in reading the tree cannot hide one."""
    found: set[str] = set()
    for path in error_index.ROOT.rglob("*.py"):
        if "demo" not in path.parts:
            found |= set(RAISED.findall(path.read_text(encoding="utf-8")))
    return found


def test_every_code_has_an_entry_that_says_what_happened() -> None:
    entries = error_index.entries()
    assert _codes_in_the_code() <= {entry.code for entry in entries}
    assert len(_codes_in_the_code()) > 150
    # Codes that come out of a table of a server's sayings.
    assert "user name or password" in error_index.page("database-password")
    assert error_index.page("target-not-empty").startswith("target-not-empty: exit code 2")
    assert error_index.page("no-such-thing") == ""


def test_the_readme_lists_every_code() -> None:
    text = README.read_text(encoding="utf-8")
    index = text.partition(error_index.BEGIN)[2].partition(error_index.END)[0]
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", index, re.MULTILINE))
    missing = {entry.code for entry in error_index.entries()} - listed
    assert not missing, f"renew it: python -m wizard.error_index README.md ({', '.join(sorted(missing))})"
    findings = {page.code for page in EXPLANATIONS}
    assert all(f"`{code}`" in text for code in findings), findings


def test_a_finding_comes_before_an_error_of_the_same_code() -> None:
    assert explain("unreadable-settings").startswith("The settings cannot be read")
    assert "exit code 2" in explain("undecided")


def test_messages_keep_their_words_and_lose_their_values() -> None:
    tree = ast.parse('raise UsageError("a-b", f"The file {name} is" + " gone.", "Do." if x else "Wait.")')
    assert list(error_index._in(tree)) == [error_index.Entry("a-b", 2, "The file … is gone.", "Do. / Wait.")]
