"""A small migration of files alone: a project with an uploads folder, and a run to move it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from wizard.answers import Answers, StorageRule
from wizard.context import Cancel, RunContext
from wizard.credentials import Redactor, Vault
from wizard.demo import embedded
from wizard.errors import AshoreError
from wizard.events import Event
from wizard.journal import Journal
from wizard.model import Plan, Project, Store
from wizard.state import RunFolder, State


@dataclass
class Kit:
    """`media` is the uploads folder; `client` an independent view of the bucket."""

    root: Path
    folder: RunFolder
    journal: Journal
    s3: embedded.S3
    bucket: str
    client: Any
    events: list[Event] = field(default_factory=list)

    @property
    def media(self) -> Path:
        return self.root / "media"

    def write(self, path: str, data: bytes) -> Path:
        file = self.media / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def rule(self, **changes: Any) -> StorageRule:
        options = {
            "bucket": self.bucket,
            "endpoint": self.s3.endpoint,
            "access_key": "env:KEY",
            "secret_key": "env:SECRET",
        }
        return replace(StorageRule(provider="s3-compatible", source="media", options=options), **changes)

    def ctx(self, *rules: StorageRule, cancel: Cancel | None = None, **answers: Any) -> RunContext:
        """A context as the runner makes it; a second one on the same kit is a resume."""
        redactor = Redactor()
        environ = {"KEY": self.s3.access_key.reveal(), "SECRET": self.s3.secret_key.reveal()}
        return RunContext(
            project=Project(self.root, stores=(Store("uploads", "media"),)),
            answers=Answers(project=self.root, storage=rules or (self.rule(),), **answers),
            plan=Plan(1, str(self.root), "", "", ()),
            folder=self.folder,
            journal=self.journal,
            vault=Vault(redactor, environ=environ),
            redactor=redactor,
            emit=self.events.append,
            cancel=cancel or Cancel(),
        )

    def objects(self) -> dict[str, bytes]:
        """Everything in the bucket."""
        found = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {
            o["Key"]: self.client.get_object(Bucket=self.bucket, Key=o["Key"])["Body"].read() for o in found
        }

    def open_uploads(self) -> list[str]:
        """Keys of uploads in parts that were neither completed nor aborted."""
        found = self.client.list_multipart_uploads(Bucket=self.bucket)
        return [upload["Key"] for upload in found.get("Uploads", [])]

    def warnings(self) -> list[str]:
        return [getattr(event, "code", "") for event in self.events if event.type == "warning"]


def new_kit(tmp_path: Path, s3: embedded.S3, bucket: str, endpoint: str | None = None) -> Kit:
    root = tmp_path / "project"
    (root / "media").mkdir(parents=True)
    folder = State(tmp_path / "state").new_run(root)
    client = boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        aws_access_key_id=s3.access_key.reveal(),
        aws_secret_access_key=s3.secret_key.reveal(),
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    seen = s3 if endpoint is None else embedded.S3(endpoint, s3.access_key, s3.secret_key)
    return Kit(root, folder, Journal(folder.journal), seen, bucket, client)


def failure(work: Callable[[], object]) -> AshoreError:
    """The expected failure of `work`."""
    try:
        work()
    except AshoreError as error:
        return error
    raise AssertionError("it was expected to fail")
