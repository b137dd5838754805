"""What all storage rules together ask of the app: which files go where, in variables that do not collide."""

from __future__ import annotations

from dataclasses import replace

from wizard.answers import Answers, StorageRule
from wizard.model import Need, Variable
from wizard.storages import LEAVE, kind
from wizard.storages.s3_family import S3Kind

EVERYTHING = "**"
# What a storage's answers call the two halves of its key where they are not called that.
_ALSO = {"access_key": "api_key", "secret_key": "api_secret"}


def reference(rule: StorageRule, role: str) -> str:
    """The reference of the rule's secret for `role`, "" where the rule has none."""
    return str(rule.options.get(role) or rule.options.get(_ALSO.get(role, "")) or "")


def needs_of(answers: Answers) -> tuple[tuple[StorageRule, Need], ...]:
    """Each rule that moves files, with its need, in the rules' order.

    A variable that an earlier rule uses for something else gets a name of its own (`S3_BUCKET_NAME_2`); the
    same key or region is asked for once. `match`, `max_size` and `source` are set where not every file
    goes to one place. Raises UsageError for answers that cannot be right.
    """
    rules = [rule for rule in answers.storage if rule.provider != LEAVE]
    held: dict[str, str] = {}
    named = [(rule, _distinct(rule, kind(rule.provider).need(rule), held, answers)) for rule in rules]
    total = any(rule.match == EVERYTHING and rule.max_size is None for rule in rules)
    if total and len({need for _, need in named}) == 1:
        return tuple(named)
    return tuple(
        (
            rule,
            replace(need, match=rule.match, max_size=rule.max_size, source=rule.source or ""),
        )
        for rule, need in named
    )


def storage_needs(answers: Answers) -> tuple[Need, ...]:
    """The needs, each once; two rules for one place stay apart where they take different files."""
    return tuple(dict.fromkeys(need for _, need in needs_of(answers)))


def _distinct(rule: StorageRule, need: Need, held: dict[str, str], answers: Answers) -> Need:
    """The need with variables that `held` (name → what it holds) knows as the same, or not at all."""
    roles = {name: role for role, name in need.roles}
    names: dict[str, str] = {}
    variables: list[Variable] = []
    for variable in need.variables:
        content = f"={variable.example}"
        if variable.secret:
            content = f"{reference(rule, roles[variable.name])}"
        number, name = 1, variable.name
        while held.setdefault(name, content) != content:
            number += 1
            name = f"{variable.name}_{number}"
        names[variable.name] = name
        variables.append(replace(variable, name=name))
    return replace(
        need,
        variables=tuple(variables),
        roles=tuple((role, names[name]) for role, name in need.roles),
    )


def holds_apps_database(answers: Answers, rule: StorageRule) -> bool:
    """Whether the rule's files stand in the database that the app itself connects to."""
    return (
        answers.database is not None and "url" in rule.options and rule.options["url"] == answers.database.url
    )


def setups(answers: Answers) -> tuple[str, ...]:
    """What will be done to the buckets themselves, for the plan."""
    told: list[str] = []
    for rule in answers.storage:
        storage = kind(rule.provider) if rule.provider != LEAVE else None
        if isinstance(storage, S3Kind):
            told.append(storage.told(rule))
        elif storage is not None and rule.create:
            told.append(f"makes the place of the files at {storage.title}, unless it is there: private")
    return tuple(dict.fromkeys(text for text in told if text))
