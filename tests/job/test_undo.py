"""`ashore undo` gives back the exact bytes, needs no secret for files, and may be repeated."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.faults import world as worlds


def ashore(here: worlds.World, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "wizard", *arguments, "--state-dir", str(here.state)],
        cwd=here.project,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_verify_then_undo_then_clean(here: worlds.World) -> None:
    before = worlds.files(here)
    end = worlds.execute(here, *worlds.RUN)
    assert end.exit_code == 0, end.text
    patched = worlds.files(here)
    assert patched != before

    verified = worlds.execute_plain(here, "verify", "--json")
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["database"]["total"] == 0

    settings = here.project / "config" / "settings.py"
    ours = settings.read_bytes()
    mine = ours + b"\nMINE = 1\n"
    settings.write_bytes(mine)
    partly = ashore(here, "undo")
    assert partly.returncode == 5, "something newer stands there"
    assert "settings.py" in partly.stdout
    assert settings.read_bytes() == mine
    assert not (here.project / ".env.example").exists()

    settings.write_bytes(ours)
    for _ in range(2):
        whole = ashore(here, "undo", "--json")
        assert whole.returncode == 0, whole.stderr
        assert worlds.files(here) == before

    listed = json.loads(ashore(here, "runs", "--json").stdout)["runs"]
    assert [r["state"] for r in listed] == ["undone"]
    cleaned = worlds.execute_plain(here, "runs", "--clean", listed[0]["run"])
    assert cleaned.returncode == 0, cleaned.stderr
    assert "schemas" in worlds.outcome(here)
    assert ("ashore",) not in worlds.outcome(here)["schemas"]  # type: ignore[operator]
    assert json.loads(ashore(here, "runs", "--json").stdout)["runs"] == []
