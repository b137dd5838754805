"""The app after its move: rows in PostgreSQL, files in a bucket; backed up by the answers that moved it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.backup.kit import ashore, tree
from wizard import answers_file, engine
from wizard.context import Cancel
from wizard.demo import app_writer, story


@pytest.mark.long
def test_the_answers_say_where_the_data_lies_now(tmp_path: Path) -> None:
    app = app_writer.prepare(tmp_path / story.PROJECT, 0.01)
    with ExitStack() as stack:
        servers = story.start_servers(stack)
        answers = tmp_path / "ashore.yml"
        answers.write_text(story.answers_text(servers.endpoint))
        environ = {k: v if isinstance(v, str) else v.reveal() for k, v in servers.variables.items()}
        early = ashore("backup", "-a", str(answers), "--to", "early", cwd=tmp_path, environ=environ)
        assert early.returncode == 1 and "holds no table" in early.stderr
        assert not (tmp_path / "early").exists()
        code = engine.execute(
            answers_file.load(answers), servers.secrets, tmp_path / "state", Cancel(), lambda event: None
        )
        assert code == 0
        done = ashore("backup", "-a", str(answers), "--to", "here", "--json", cwd=tmp_path, environ=environ)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["files"] == app.files
        tested = ashore("restore", "here", "--test", cwd=tmp_path)
        assert tested.returncode == 0, tested.stderr
        back = ashore("restore", "here", "--files-to", "media", cwd=tmp_path)
        assert back.returncode == 0, back.stderr
        assert tree(tmp_path / "media") == tree(app.path / "media")
        url = servers.secrets[story.DATABASE_REFERENCE].reveal()
        assert url not in done.stdout + done.stderr + tested.stderr
        schedule = ashore(
            *("backup", "-a", str(answers), "--to", f"s3://{story.BUCKET}-backups", "--schedule", "github"),
            cwd=tmp_path,
        )
        assert schedule.returncode == 0, schedule.stderr
        assert f"s3://{story.BUCKET}?provider=s3-compatible" in schedule.stdout
