"""How much CPU a scan takes: a generated project of 100,000 files, or a folder named on the command line.

`python -m tests.bench.scan [FOLDER]` prints seconds of CPU of the best of three; the goal is 1 s for 100,000.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from wizard.scan import scan

FILES = 100_000
CODE = 3_000


def build(root: Path) -> None:
    """A Flask app: 3,000 modules of 3 KB, and uploads in 200 folders."""
    (root / "requirements.txt").write_text("flask\n")
    (root / "render.yaml").write_text(
        "services:\n- type: web\n  plan: free\n  startCommand: gunicorn app:app\n"
    )
    (root / "app.py").write_text(
        "import sqlite3\nfrom flask import request\nUPLOAD_FOLDER = 'uploads'\n"
        "sqlite3.connect('app.db')\nrequest.files\n"
    )
    body = "def view(value):\n    total = value + 1\n    return {'total': total, 'name': 'name'}\n\n\n" * 35
    for number in range(CODE):
        file = root / "pages" / f"p{number // 100}" / f"m{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(body)
    for number in range(FILES - CODE):
        file = root / "uploads" / f"f{number % 200}" / f"{number}.png"
        if number < 200:
            file.parent.mkdir(parents=True)
        file.touch()


def measure(root: Path) -> float:
    """Seconds of CPU (user and system) of the best of three scans."""
    taken = []
    for _ in range(3):
        begin = time.process_time()
        scan(root)
        taken.append(time.process_time() - begin)
    return min(taken)


def main() -> None:
    if len(sys.argv) > 1:
        print(f"{measure(Path(sys.argv[1])):.2f} s of CPU")
        return
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        print(f"{FILES:,} files, {CODE:,} of them code: {measure(Path(folder)):.2f} s of CPU")


if __name__ == "__main__":
    main()
