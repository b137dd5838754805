"""Replies to answers and back: `fold` and `unfold`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wizard.model import Project
from wizard.question import Replies
from wizard.questions import access, storage
from wizard.questions.database import database_stores, moves_database, source_store
from wizard.storages import LEAVE

_STORAGE_QUESTIONS = (*access.QUESTIONS, *storage.KEYS)


def fold(
    project: Project,
    replies: Replies,
    decisions: Mapping[str, Mapping[str, str]] | None = None,
    skip_edits: Iterable[str] = (),
    base: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The answers mapping (INTERFACE, "Answers file") of these replies; holds references, never secrets.

    `base` are answers that were proposed; keys that no question asks for are kept from it. `project` is
    written as the absolute folder: whoever saves the file elsewhere may make it relative.
    """
    answers: dict[str, object] = {"version": 1, **(base or {}), "project": str(project.root)}
    if database_stores(project) and replies.get("database.provider"):
        answers["database"] = _database(project, replies, decisions or {}, _mapping(answers.get("database")))
    if replies.get("storage.provider"):
        answers["storage"] = _rules(project, replies, answers.get("storage"))
    elif not storage.upload_stores(project):
        answers["storage"] = []
    skipped = sorted(skip_edits)
    if skipped or "skip_edits" in answers:
        answers["skip_edits"] = skipped
    return answers


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _database(
    project: Project, replies: Replies, decisions: Mapping[str, Mapping[str, str]], base: dict[str, object]
) -> dict[str, object]:
    result = dict(base)
    store = source_store(project, replies)
    assert store is not None
    if store.kind != "sqlite":
        result["source"] = replies.get("database.source") or f"env:{store.path}"
    elif replies.get("database.from") == store.path:
        result["source"] = store.path
    else:
        result.setdefault("source", store.path)
    result["provider"] = replies["database.provider"]
    if not moves_database(project, replies):
        result.pop("url", None)
    elif replies.get("database.url"):
        result["url"] = replies["database.url"]
    if decisions:
        result["decisions"] = {subject: dict(chosen) for subject, chosen in decisions.items()}
    return result


def _rules(project: Project, replies: Replies, base: object) -> list[dict[str, object]]:
    provider = replies["storage.provider"]
    if provider not in storage.MOVING:
        return []
    said: dict[str, object] = {"provider": provider}
    asked_keys = set()
    for question in _STORAGE_QUESTIONS:
        if not question.when(project, replies):
            continue
        name = question.key.removeprefix("storage.")
        asked_keys.add(name)
        value = question.reply(project, replies)
        if value not in (None, ""):
            said[name] = value
    rules = [_mapping(rule) for rule in base] if isinstance(base, list | tuple) else []
    if any(rule.get("provider") == provider for rule in rules):
        return [
            {**{k: v for k, v in rule.items() if k not in asked_keys}, **said}
            if rule.get("provider") == provider
            else rule
            for rule in rules
        ]
    stores = storage.upload_stores(project)
    # Two folders in one bucket must not overwrite each other: each gets its own prefix.
    return [
        {"source": store.path, **said, **({"prefix": f"{store.path.strip('/')}/"} if len(stores) > 1 else {})}
        for store in stores
    ]


def unfold(answers: Mapping[str, object]) -> dict[str, object]:
    """The replies that these answers amount to: the way back from `fold`, for a draft or a proposal."""
    replies: dict[str, object] = {}
    database = _mapping(answers.get("database"))
    for key in ("provider", "url"):
        if database.get(key):
            replies[f"database.{key}"] = database[key]
    source = str(database.get("source") or "")
    if source.startswith(("env:", "keyring:", "file:")):
        replies["database.source"] = source
    elif source:
        replies["database.from"] = source
    rules = answers.get("storage")
    if isinstance(rules, list | tuple):
        first = next((_mapping(r) for r in rules if _mapping(r).get("provider") in storage.MOVING), None)
        if first is None:
            replies["storage.provider"] = LEAVE
        else:
            known = {q.key.removeprefix("storage.") for q in _STORAGE_QUESTIONS} | {"provider"}
            replies |= {f"storage.{k}": v for k, v in first.items() if k in known and v not in (None, "")}
    return replies


def decisions_of(answers: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """The decisions that an answers mapping already holds."""
    found = _mapping(_mapping(answers.get("database")).get("decisions"))
    return {
        subject: {str(k): str(v) for k, v in _mapping(chosen).items()} for subject, chosen in found.items()
    }
