"""What only the storage's own account can tell: how full it is, and how large a file may be."""

from __future__ import annotations

import time
from dataclasses import replace

from wizard.answers import Answers, StorageRule
from wizard.checks.base import Checklist, Item
from wizard.credentials import Secret, Vault
from wizard.errors import AshoreError
from wizard.providers import cloudinary, http
from wizard.providers.base import Fact


def add(checklist: Checklist, answers: Answers, vault: Vault) -> Checklist:
    """The checklist with what each cloud of Cloudinary in the answers tells. Reads only."""
    rules = {
        str(rule.options.get("cloud_name")): rule for rule in answers.storage if rule.provider == "cloudinary"
    }
    items: list[Item] = []
    for cloud, rule in rules.items():
        try:
            items += [Item(f.code, f.title, f.answer, f.why, f.hint) for f in _facts(cloud, rule, vault)]
        except AshoreError as error:
            title = f"Cloudinary tells of the cloud {cloud}"
            items.append(Item("storage-asked", title, "cannot-tell", error.message, error.hint))
    return replace(checklist, items=(*checklist.items, *items))


def _facts(cloud: str, rule: StorageRule, vault: Vault) -> tuple[Fact, ...]:
    key, secret = (vault.resolve(str(rule.options.get(name))) for name in ("api_key", "api_secret"))
    endpoint = rule.options.get("endpoint")
    provider = replace(cloudinary.PROVIDER, base=str(endpoint)) if endpoint else cloudinary.PROVIDER
    token = Secret(f"{key.reveal()}:{secret.reveal()}")
    with http.opened(provider, token, vault.redactor, time.sleep) as api:
        return cloudinary.Cloudinary(api).facts(cloud)
