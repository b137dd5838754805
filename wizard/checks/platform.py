"""What only the app's platform can tell: its database add-ons, its volumes."""

from __future__ import annotations

import time
from dataclasses import replace

from wizard.answers import Answers
from wizard.checks.base import Checklist, Item
from wizard.credentials import Vault
from wizard.errors import AshoreError
from wizard.providers import http, platforms

CODE = "platform-asked"


def add(checklist: Checklist, answers: Answers, vault: Vault) -> Checklist:
    """The checklist with what the platform of the answers tells of the service. Reads only.

    Unchanged where the answers name no platform that tells more, or no service and token.
    """
    deploy = answers.deploy
    teller = next((t for t in platforms.TELLERS if deploy is not None and t.name == deploy.platform), None)
    if teller is None or deploy is None or deploy.service is None or deploy.token is None:
        return checklist
    try:
        token = vault.resolve(deploy.token)
        with http.opened(teller.module.PROVIDER, token, vault.redactor, time.sleep) as api:
            facts = teller.client(api).facts(deploy.service)
    except AshoreError as error:
        asked = Item(
            CODE, f"{teller.title} tells of the app's data", "cannot-tell", error.message, error.hint
        )
        return replace(checklist, items=(*checklist.items, asked))
    found = tuple(Item(f.code, f.title, f.answer, f.why, f.hint) for f in facts)
    return replace(checklist, items=(*checklist.items, *found))
