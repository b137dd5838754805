"""The needs of the usual targets, and a change applied to a project on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from wizard.frameworks.base import Change
from wizard.model import Framework, Need, Project, Variable
from wizard.patchers.base import apply_splices

PROJECTS = Path(__file__).parents[1] / "projects"
_S3 = {
    "bucket": "S3_BUCKET_NAME",
    "region": "AWS_REGION",
    "endpoint": "S3_ENDPOINT_URL",
    "access_key": "AWS_ACCESS_KEY_ID",
    "secret_key": "AWS_SECRET_ACCESS_KEY",
}
BUCKET = Need("storage", "s3", tuple(Variable(v, f"The {k}") for k, v in _S3.items()), tuple(_S3.items()))
PUBLIC = Need(
    "storage",
    "s3",
    (*BUCKET.variables, Variable("S3_PUBLIC_URL", "Where it is read")),
    (*BUCKET.roles, ("public_url", "S3_PUBLIC_URL")),
    "public",
    "files/",
)
DISK = Need("storage", "disk", (Variable("UPLOAD_PATH", "The folder"),), (("path", "UPLOAD_PATH"),))
HYBRID = Need("storage", "database", (), ())
Changer = Callable[[Project, Framework, tuple[Need, ...]], Change]


def variables(endpoint: str, bucket: str, access_key: str, secret_key: str) -> dict[str, str]:
    """The environment that a patched app needs."""
    return {
        "S3_BUCKET_NAME": bucket,
        "AWS_REGION": "us-east-1",
        "S3_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
    }


def written(folder: Path, files: dict[str, str | bytes]) -> Path:
    """`files` put below `folder`."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def copied(name: str, folder: Path) -> Path:
    """The sample project `name`, copied to `folder`."""
    return shutil.copytree(PROJECTS / name, folder, ignore=shutil.ignore_patterns("__pycache__", "uploads"))


def changed(change: Changer, root: Path, framework: str, *needs: Need) -> Change:
    """What `change` says for the app at `root`, applied to its files."""
    made = change(Project(root), Framework(framework, None, "."), needs)
    for edit in made.edits:
        file = root / edit.path
        before = file.read_bytes() if edit.before_sha256 else None
        after = apply_splices(before, edit)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(after)
    return made
