"""Step `deploy`: what the platform must be told.

Setting variables and following a deploy through a provider's API is not part of this version; the step
says what is left for a person, in the order that promise 8 demands, and writes nothing.
"""

from __future__ import annotations

from wizard.context import RunContext

name = "deploy"


def run(ctx: RunContext) -> str:
    """List the variables for a person to set. Never restarts or redeploys anything."""
    names = tuple(dict.fromkeys(v.name for need in ctx.plan.needs for v in need.variables))
    ctx.journal.put("deploy", "variables", list(names))
    if not names:
        return "no variables to set"
    return f"{len(names)} variables for you to set, without deploying yet: {', '.join(names)}"
