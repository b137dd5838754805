"""How quick the wizard feels: first picture, keys under a flood of events, a run on screen beside a headless.

    python -m tests.bench.screens [--rows 300000] [--repeat 5]

Prints medians and ratios. Ratios are what to compare: machines differ. A command, not a test.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from screens.app import WizardApp
from screens.help import Dialog
from screens.run import RunScreen
from tests.bench.rows import build
from tests.screens import double, drive
from tests.screens.double import Double
from wizard import api
from wizard.credentials import Secret
from wizard.demo import embedded
from wizard.events import Event, Progress

EVENTS = 50_000
ENTRY = "from screens.__main__ import main; main()"


class Flood(Double):
    """A run that tells EVENTS events as fast as they are taken, then `rate` a second until stopped."""

    rate: float = 10_000.0
    told: int = 0

    def watch(self, folder: Path, stop: threading.Event) -> Iterator[Event]:
        yield from double.RUNNING
        while not stop.is_set():
            for _ in range(EVENTS if not self.told else int(self.rate / 100)):
                self.told += 1
                yield Progress("copy", f"table_{self.told % 40}", self.told, 10**9, "rows", rate=1e5)
            stop.wait(0.01)


async def keys(repeat: int) -> tuple[list[float], int]:
    """Seconds from a key to its picture, and the events that came meanwhile."""
    engine = Flood(Path("/state"))
    app = drive.wizard(engine)
    taken: list[float] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        drive.answered(app)
        app.session.folder = Path("/state/run")
        app.go("run")
        await drive.step(pilot, "run")
        for _ in range(repeat):
            await asyncio.sleep(0.05)
            begun = time.perf_counter()
            app.simulate_key("f1")
            while not (isinstance(app.screen, Dialog) and "Help:" in drive.text(pilot)):
                await asyncio.sleep(0)
            taken.append(time.perf_counter() - begun)
            app.pop_screen()
            await pilot.pause()
    return taken, engine.told


def first_picture(folder: Path, repeat: int) -> list[float]:
    """Seconds from starting `ashore` in a terminal of its own to its first picture."""
    taken = []
    for _ in range(repeat):
        begun = time.perf_counter()
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "80", "LINES": "24"}
            os.execv(sys.executable, [sys.executable, "-c", ENTRY, str(folder)])
        seen = b""
        while b"redeploy does" not in seen:
            if not select.select([terminal], [], [], 20)[0]:
                raise SystemExit("no picture came")
            seen += os.read(terminal, 65536)
        taken.append(time.perf_counter() - begun)
        os.kill(pid, 15)
        while True:
            try:
                if not os.read(terminal, 65536):
                    break
            except OSError:
                break
        os.close(terminal)
        os.waitpid(pid, 0)
    return taken


def headless(folder: Path, url: Secret) -> float:
    """Seconds of `ashore run`."""
    answers = folder / "ashore.yml"
    answers.write_text("version: 1\nproject: app\ndatabase: {url: 'env:TARGET'}\nstorage: []\n")
    with tempfile.TemporaryDirectory(prefix="state-", dir=folder) as state:
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-P", "-m", "wizard", "run", "-a", str(answers), "--yes", "--state-dir", state],
            env={**os.environ, "TARGET": url.reveal()},
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - begun


async def on_screen(folder: Path, url: Secret) -> float:
    """Seconds from the start of the same run to its end, watched by the run screen."""
    with tempfile.TemporaryDirectory(prefix="state-", dir=folder) as text:
        app = WizardApp(folder / "app", api, Path(text), {"database": {"url": "env:TARGET"}, "storage": []})
        async with app.run_test(size=(80, 24)) as pilot:
            await drive.onward(pilot)
            begun = time.perf_counter()
            handle = await asyncio.to_thread(
                api.start_run, folder / "ashore.yml", {"env:TARGET": url}, Path(text)
            )
            app.session.folder = handle.folder
            app.go("run")
            while not (isinstance(app.screen, RunScreen) and app.screen.view.finished is not None):
                await asyncio.sleep(0.01)
            seconds = time.perf_counter() - begun
            assert app.screen.view.finished.status == "done"
    return seconds


def help_ratio(repeat: int) -> float:
    """`ashore --help` beside a bare `python -c pass`, with compiled files as an installation has them."""

    def once(*code: str) -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", *code], stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - begun

    pairs = [(once(ENTRY, "--help"), once("pass")) for _ in range(repeat * 4)]
    return statistics.median(a for a, _ in pairs) / statistics.median(b for _, b in pairs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ashore-bench-") as text:
        # Compiled files as an installation has them, kept out of the tree.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = f"{text}/compiled"
        folder = Path(text)
        (folder / "app").mkdir()
        build(folder / "app" / "db.sqlite3", arguments.rows)
        first_picture(folder / "app", 1)
        pictures = first_picture(folder / "app", arguments.repeat)
        print(f"first picture of `ashore`        {statistics.median(pictures):6.3f} s (goal 1)")
        help_ratio(1)
        print(f"--help / python -c pass          {help_ratio(arguments.repeat):6.2f}   (goal 3)")
        Flood.rate = 0.0
        quiet, _ = asyncio.run(keys(arguments.repeat * 4))
        Flood.rate = 1_000.0
        taken, told = asyncio.run(keys(arguments.repeat * 4))
        calm, worst = statistics.median(quiet) * 1e3, statistics.median(taken) * 1e3
        print(f"key to picture, a quiet run      {calm:6.0f} ms")
        print(f"key to picture, {told:,} events   {worst:6.0f} ms (goal 100), ratio {worst / calm:.2f}")
        with embedded.postgres() as server:
            headless(folder, server.database("warm"))
            alone, watched = [], []
            for n in range(arguments.repeat):
                alone.append(headless(folder, server.database(f"h{n}")))
                watched.append(asyncio.run(on_screen(folder, server.database(f"s{n}"))))
        a, b = statistics.median(alone), statistics.median(watched)
        print(
            f"run of {arguments.rows:,} rows: headless {a:.2f} s, on screen {b:.2f} s, "
            f"ratio {b / a:.3f} (goal 1.05)"
        )


if __name__ == "__main__":
    main()
