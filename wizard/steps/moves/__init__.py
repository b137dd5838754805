"""Databases other than a SQLite file, each behind the same protocol.

A SQLite file that moves to PostgreSQL is the steps' own work; what stands here takes the database's part of
every step over.
"""

from __future__ import annotations

from wizard.answers import Answers
from wizard.context import RunContext
from wizard.model import Project
from wizard.steps.moves.base import Move
from wizard.steps.moves.mongo import MongoKept, MongoMove
from wizard.steps.moves.postgres import PostgresKept, PostgresMove

MOVES: tuple[Move, ...] = (MongoMove(), MongoKept(), PostgresMove(), PostgresKept())


def move(project: Project, answers: Answers) -> Move | None:
    """The way that these answers ask for; None where a SQLite file moves, or nothing does."""
    return next((way for way in MOVES if way.takes(project, answers)), None)


def of(ctx: RunContext) -> Move | None:
    """`move` of a run."""
    return move(ctx.project, ctx.answers)
