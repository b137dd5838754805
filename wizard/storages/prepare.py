"""Make the buckets that the answers ask for, and prove that every bucket can be used."""

from __future__ import annotations

from wizard.context import RunContext
from wizard.storages import LEAVE, open_store


def prepare(ctx: RunContext) -> None:
    """Create missing buckets where `create` says so, test every one, allow the answers' origins; repeatable.

    What was made is a journal fact (`bucket`, identity). Raises Refused (`bucket-missing`,
    `access-denied`, …), ConnectionLost, UsageError.
    """
    tested: set[tuple[str, str]] = set()
    for rule in ctx.answers.storage:
        if rule.provider == LEAVE:
            continue
        ctx.cancel.check()
        store = open_store(rule, ctx.vault.resolve)
        if (store.identity, rule.prefix) not in tested:
            tested.add((store.identity, rule.prefix))
            if store.ensure(rule.create):
                ctx.journal.put("bucket", store.identity, {"name": store.name, "made": True})
        if rule.cors:
            store.allow_origins(rule.cors)
