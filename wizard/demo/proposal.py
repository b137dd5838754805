"""What the wizard starts from when the demo opens it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from wizard.credentials import Reference, Secret


def proposed(answers: Path, secrets: Mapping[str, Secret]) -> dict[str, object]:
    """The demo's answers as the wizard takes them: a mapping, with the project's folder absolute.

    The wizard looks for an `env:` reference in its own environment, as for any user who set the variable;
    so the demo's throw-away secrets are set there, in this process's memory only.
    """
    for text, secret in secrets.items():
        reference = Reference.parse(text)
        if reference.scheme == "env":
            os.environ[reference.name] = secret.reveal()
    data: dict[str, object] = yaml.safe_load(answers.read_text(encoding="utf-8"))
    return {**data, "project": str((answers.parent / str(data["project"])).resolve())}
