"""Make the buckets that the answers ask for, and prove that every bucket can be used."""

from __future__ import annotations

from wizard.context import RunContext
from wizard.errors import Refused
from wizard.storages import LEAVE, open_store
from wizard.storages.base import ObjectStore


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
            made = _stand(ctx, store, rule.create)
            store.set_up(made)
            if made:
                ctx.journal.put("bucket", store.identity, {"name": store.name, "made": True})
        if rule.cors:
            store.allow_origins(rule.cors)


def _stand(ctx: RunContext, store: ObjectStore, create: bool) -> bool:
    """Whether the bucket, which now stands and can be used, was made by this run: also where a kill came
    between making it and noting that."""
    try:
        store.ensure(False)
    except Refused as error:
        if error.code != "bucket-missing" or not create:
            raise
        ctx.journal.put("bucket-missing", store.identity, True)
        store.ensure(True)
    return ctx.journal.get("bucket-missing", store.identity) is not None
