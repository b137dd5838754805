"""The environment variables that the patched app reads, with their values: made in memory, kept nowhere."""

from __future__ import annotations

from wizard.context import RunContext
from wizard.credentials import Secret
from wizard.errors import UsageError
from wizard.model import Need
from wizard.storages.needs import holds_apps_database, needs_of, reference


def names(needs: tuple[Need, ...]) -> tuple[str, ...]:
    """Every variable that these needs ask for, once."""
    return tuple(dict.fromkeys(v.name for need in needs for v in need.variables))


def values(ctx: RunContext) -> dict[str, Secret]:
    """The value of each variable of the plan's needs, by name.

    Raises UsageError `variable-unknown` where the answers do not hold it, `variables-conflict` where two
    targets want one variable to be two things, and what resolving a reference raises.
    """
    found: dict[str, Secret] = {}
    for need in ctx.plan.needs:
        if need.kind == "database":
            _put(found, need.variable("url"), _app_url(ctx))
    for rule, need in needs_of(ctx.answers):
        roles = {name: role for role, name in need.roles}
        for variable in need.variables:
            if not variable.secret:
                # What is no secret stands in the need itself: the bucket's own name and place.
                value = Secret(variable.example)
            else:
                if variable.name in found and holds_apps_database(ctx.answers, rule):
                    continue  # the database's own need has told it, as the app shall reach it
                known = reference(rule, roles[variable.name])
                value = ctx.vault.resolve(known) if known else Secret("")
            _put(found, variable.name, value)
    missing = [name for name in names(ctx.plan.needs) if not found.get(name)]
    if missing:
        raise UsageError(
            "variable-unknown",
            f"The answers do not hold the value of {', '.join(missing)}; no variable was set.",
            "Set them on the platform yourself, with deploy.set_variables: false.",
        )
    return found


def _app_url(ctx: RunContext) -> Secret:
    """What the app shall connect to. `postgres://` is refused by SQLAlchemy from 1.4 on."""
    database = ctx.answers.database
    if database is not None and database.create is not None and ctx.created_urls is not None:
        return ctx.created_urls(ctx)[1]
    chosen = database.app_url if database is not None else None
    text = (ctx.vault.resolve(chosen) if chosen else ctx.database_url()).reveal()
    if text.startswith("postgres://"):
        text = "postgresql://" + text.removeprefix("postgres://")
    return ctx.redactor.learn(Secret(text))


def _put(found: dict[str, Secret], name: str | None, value: Secret) -> None:
    if name is None:
        return
    if found.setdefault(name, value) != value:
        raise UsageError(
            "variables-conflict",
            f"Two targets want {name} to be two different things; no variable was set.",
            "Set the variables on the platform yourself, with deploy.set_variables: false.",
        )
