"""The steps of a run, in the order of INTERFACE: one module each, with `name` and `run(ctx)`."""

from __future__ import annotations

from wizard.context import StepModule
from wizard.steps import (
    backup,
    constraints,
    copy,
    cutover,
    deploy,
    patch,
    preflight,
    provision,
    recheck,
    references,
    report,
    schema,
    snapshot,
    upload,
    verify,
)

STEPS: tuple[StepModule, ...] = (
    snapshot,
    preflight,
    backup,
    provision,
    schema,
    recheck,
    copy,
    upload,
    references,
    constraints,
    verify,
    cutover,
    patch,
    deploy,
    report,
)
