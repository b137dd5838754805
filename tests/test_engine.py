"""Answers are completed by the scan so that nothing it found is left behind without a word."""

from __future__ import annotations

from pathlib import Path

from wizard import engine
from wizard.answers import Answers, StorageRule
from wizard.model import Project, Store


def test_a_rule_without_a_source_speaks_of_every_uploads_folder(tmp_path: Path) -> None:
    for name in ("media", "attachments"):
        (tmp_path / name).mkdir()
    project = Project(tmp_path, stores=(Store("uploads", "media"), Store("uploads", "attachments")))
    rules = (StorageRule("leave", match="cache/**"), StorageRule("s3"), StorageRule("leave", source="media"))
    whole = engine.resolved(project, Answers(tmp_path, storage=rules))
    assert [(rule.provider, rule.source) for rule in whole.storage] == [
        ("leave", "media"),
        ("leave", "attachments"),
        ("s3", "media"),
        ("s3", "attachments"),
        ("leave", "media"),
    ]
