"""The same flows through Prism, which holds requests and the fakes' answers to the published specifications.

Needs Node's `prism` (npm install @stoplight/prism-cli@5; its path in ASHORE_PRISM, or on PATH) and the
specifications (in the folder ASHORE_SPECS, or ../shared/specs beside the repository); else skipped.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.providers.fake import Fake, serving
from tests.providers.flows import FLOWS

SPECS = Path(os.environ.get("ASHORE_SPECS") or Path(__file__).parents[2] / ".." / "shared" / "specs")
PRISM = os.environ.get("ASHORE_PRISM") or shutil.which("prism")
START_SECONDS = 120.0

pytestmark = [
    pytest.mark.long,
    pytest.mark.xdist_group("prism"),
    pytest.mark.skipif(PRISM is None, reason="prism is not there: npm install @stoplight/prism-cli@5"),
]


@contextmanager
def prism(spec: Path, upstream: str, log: Path) -> Iterator[str]:
    """Prism between the client and `upstream`; a violation on either side becomes an error."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(PRISM), "proxy", "--errors", "-h", "127.0.0.1", "-p", str(port), str(spec), upstream]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            ends = time.monotonic() + START_SECONDS
            while "is listening" not in log.read_text(errors="replace"):
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < ends, "prism did not start"
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.parametrize(("spec", "kind", "flow"), FLOWS)
def test_requests_and_answers_are_as_published(
    tmp_path: Path, spec: str, kind: Callable[[], Fake], flow: Callable[[Any, str], None]
) -> None:
    if not (SPECS / spec).is_file():
        pytest.skip(f"{SPECS / spec} is not there")
    fake = kind()
    log = tmp_path / "prism.log"
    with serving(fake) as upstream, prism(SPECS / spec, upstream, log) as url:
        try:
            flow(fake, url)
        except BaseException:
            print(log.read_text(errors="replace")[-6000:])
            raise
    violations = [line for line in log.read_text(errors="replace").splitlines() if "Violation" in line]
    assert violations == []
