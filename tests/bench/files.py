"""How fast files travel: the whole engine on N small files and one large one, beside other tools.

    python -m tests.bench.files [--files 20000] [--large 2000] [--repeat 3]

The server is versitygw over TLS, on the same machine; the peers are s5cmd, rclone and aws, where installed.
The engine hashes, journals and proves every byte, the peers do not. Prints medians in seconds, their
ratios, and the engine's greatest memory. Ratios are what to compare: machines differ. A command, not a test.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3

from tests import strict_s3
from tests.bench.rows import CHILD

PROGRAMS = Path(tempfile.gettempdir()) / "ashore-bench-programs"
PROVING = ("snapshot", "upload")
"""The steps that do what a peer does: hash what is sent (none of them does), and send it."""


@dataclass(frozen=True)
class Run:
    """One `ashore run`: seconds in all and a step, peak memory in kB."""

    seconds: float
    steps: Mapping[str, float]
    peak: int

    @property
    def sending(self) -> float:
        return sum(self.steps[step] for step in PROVING)


def build(folder: Path, files: int, large: int) -> None:
    """`small/` with files of 2 to 40 KB in folders of 500, `large/` with one of `large` MB; random bytes."""
    chance = random.Random(7)
    for number in range(files):
        file = folder / "small" / str(number // 500) / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(chance.randbytes(chance.randint(2_000, 40_000)))
    (folder / "large").mkdir(parents=True)
    with (folder / "large" / "large.bin").open("wb") as out:
        for _ in range(large):
            out.write(chance.randbytes(1_000_000))


def engine(folder: Path, source: str, server: strict_s3.Strict, bucket: str, environ: dict[str, str]) -> Run:
    """`ashore run` of one of the two folders; the files are proven, and not backed up locally."""
    answers = folder / "ashore.yml"
    answers.write_text(
        "version: 1\nproject: .\nbackup: database\npatch: skip\nstorage:\n"
        f"  - {{source: {source}, provider: s3-compatible, bucket: {bucket}, endpoint: '{server.endpoint}',\n"
        "     access_key: 'env:AWS_ACCESS_KEY_ID', secret_key: 'env:AWS_SECRET_ACCESS_KEY'}\n"
    )
    with tempfile.TemporaryDirectory(prefix="ashore-state-") as state:
        begun = time.perf_counter()
        done = subprocess.run(
            [
                *(sys.executable, "-P", "-c", CHILD, "run", "-a", str(answers)),
                *("--yes", "--events", "--state-dir", state),
            ],
            env=environ,
            capture_output=True,
            text=True,
        )
        seconds = time.perf_counter() - begun
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    steps = {e["step"]: e["seconds"] for e in events if e["type"] == "step_finished"}
    return Run(seconds, steps, int(done.stderr.rsplit("peak ", 1)[1]))


def peers(folder: Path, server: strict_s3.Strict) -> dict[str, list[str]]:
    """The command of each tool that is installed, up to the bucket to copy to."""
    commands = {
        "s5cmd": ["s5cmd", "--endpoint-url", server.endpoint, "cp", f"{folder}/"],
        "rclone": [
            *(
                "rclone",
                "copy",
                "--ca-cert",
                str(server.authority),
                "--config",
                os.devnull,
                "--no-check-dest",
            ),
            *("--transfers", "32", "--s3-provider", "Other", "--s3-env-auth", "--s3-no-check-bucket"),
            *("--s3-endpoint", server.endpoint, "--s3-region", "us-east-1", f"{folder}/"),
        ],
        "aws": [
            *("aws", "--endpoint-url", server.endpoint, "--region", "us-east-1"),
            *("s3", "cp", "--recursive", "--quiet", f"{folder}/"),
        ],
    }
    return {name: command for name, command in commands.items() if shutil.which(name)}


def peer(command: list[str], bucket: str, environ: dict[str, str]) -> float:
    """Seconds of one copy."""
    place = f":s3:{bucket}" if command[0] == "rclone" else f"s3://{bucket}/"
    if command[0] == "rclone":  # takes the authority as an argument, and stumbles over the variable
        environ = {name: value for name, value in environ.items() if name != "AWS_CA_BUNDLE"}
    begun = time.perf_counter()
    subprocess.run([*command, place], env=environ, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--large", type=int, default=2_000, help="MB")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    if reason := strict_s3.missing():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory(prefix="ashore-bench-") as text:
        folder = Path(text)
        app = folder / "app"
        build(app, arguments.files, arguments.large)
        with strict_s3.running(strict_s3.install(PROGRAMS), folder / "server") as server:
            for source, what in (
                ("small", f"{arguments.files:,} files of 2 to 40 KB"),
                ("large", f"one file of {arguments.large:,} MB"),
            ):
                print(f"{what}, versitygw {strict_s3.VERSION} over TLS on the same machine")
                measure(app, source, server, arguments.repeat)


def measure(app: Path, source: str, server: strict_s3.Strict, repeat: int) -> None:
    """Copy one folder with each tool in turn, `repeat` times, each time into a new bucket; print."""
    environ = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": strict_s3.ACCESS,
        "AWS_SECRET_ACCESS_KEY": strict_s3.SECRET,
        "AWS_CA_BUNDLE": str(server.authority),
    }
    client = boto3.client(
        "s3", endpoint_url=server.endpoint, region_name="us-east-1", verify=str(server.authority),
        aws_access_key_id=strict_s3.ACCESS, aws_secret_access_key=strict_s3.SECRET,
    )  # fmt: skip
    runs: list[Run] = []
    others: dict[str, list[float]] = {}
    for turn in range(repeat):
        bucket = f"{source}-ashore-{turn}"
        client.create_bucket(Bucket=bucket)
        runs.append(engine(app, source, server, bucket, environ))
        for name, command in peers(app / source, server).items():
            client.create_bucket(Bucket=f"{source}-{name}-{turn}")
            others.setdefault(name, []).append(peer(command, f"{source}-{name}-{turn}", environ))
    print(f"ashore run in all      {statistics.median(r.seconds for r in runs):7.2f} s   ", end="")
    print(f"peak memory {max(r.peak for r in runs) // 1024} MB")
    for step in runs[0].steps:
        print(f"  {step:<20} {statistics.median(r.steps[step] for r in runs):7.2f} s")
    sending = statistics.median(r.sending for r in runs)
    upload = statistics.median(r.steps["upload"] for r in runs)
    for name, seconds in others.items():
        middle = statistics.median(seconds)
        print(f"{name:<22} {middle:7.2f} s   upload / {name} {upload / middle:.2f}, ", end="")
        print(f"hashing and upload / {name} {sending / middle:.2f}")


if __name__ == "__main__":
    main()
