"""A MongoDB database whose documents name uploaded files, and the run that makes those files public."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from tests.databases.mongo.kit import context, database
from wizard.answers import StorageRule
from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.model import Store
from wizard.sources import inventory

BASE = "https://files.example.com/"
FILES = ("a.png", "logos/b c.png", "docs/ä.pdf", "unnamed.png")
RULE = StorageRule(
    provider="s3-compatible",
    source="uploads",
    access="public",
    public_url=BASE,
    options={
        "bucket": "bucket",
        "endpoint": "http://127.0.0.1:9",
        "access_key": "env:K",
        "secret_key": "env:S",
    },
)


CLOUD = "https://res.cloudinary.com/demo/image/upload/v1/media/a.png"
OTHER = "http://x.de/uploads/logos/b%20c.png"
HTML = '<img src="{}a.png"> and <a href="/uploads/gone.png">'


def documents(count: int = 0) -> list[dict[str, Any]]:
    """Links in every form and depth; the first documents are looked at one by one."""
    found: list[dict[str, Any]] = [
        {"_id": 1, "name": "a.png", "link": "/uploads/a.png"},
        {"_id": 2, "gallery": [{"n": 1, "url": "/uploads/a.png"}, {"n": 2, "url": OTHER}]},
        {"_id": 3, "versions": [{"blocks": [{"html": HTML.format("/uploads/")}]}]},
        {"_id": 4, "json": '{"cover": "\\/uploads\\/docs\\/\\u00e4.pdf"}', "md": "![x](/uploads/a.png)"},
        {"_id": 5, "name": "logos/missing.png", "text": "nothing here"},
        {"_id": "/uploads/a.png", "text": "its key names a file, which stays"},
        {"_id": 8, "cloud": CLOUD + CLOUD},
        {"_id": 7, "elsewhere": "https://files.example.com/a.png"},
    ]  # fmt: skip
    return found + [
        {"_id": f"n{n}", "list": [{"url": "/uploads/a.png", "n": n}, {"url": "none"}]} for n in range(count)
    ]


AFTER = {
    1: {"_id": 1, "name": "a.png", "link": BASE + "a.png"},
    2: {"_id": 2, "gallery": [{"n": 1, "url": BASE + "a.png"}, {"n": 2, "url": BASE + "logos/b%20c.png"}]},
    3: {"_id": 3, "versions": [{"blocks": [{"html": HTML.format(BASE)}]}]},
    4: {
        "_id": 4,
        "json": '{"cover": "https:\\/\\/files.example.com\\/docs\\/%C3%A4.pdf"}',
        "md": f"![x]({BASE}a.png)",
    },
}
REWRITTEN = 6


def fill(url: Secret, count: int = 0) -> None:
    database(url).posts.insert_many(documents(count))


def linked(
    tmp_path: Path, source: Secret, target: Secret | None, access: str = "public", **answers: Any
) -> RunContext:
    """A run whose files are listed; `target` None: the database stays."""
    folder = tmp_path / "project" / "uploads"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    rule = dataclasses.replace(RULE, access=access)  # type: ignore[arg-type]
    ctx = context(tmp_path, source, target, storage=(rule,), **answers)
    project = dataclasses.replace(ctx.project, stores=(Store("uploads", "uploads"),))
    ctx = dataclasses.replace(ctx, project=project)
    inventory.take(ctx)
    return ctx
