"""A Flask project with Flask-Migrate and a FastAPI project with SQLModel, as their authors leave them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

APP = """\
import os

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
migrate = Migrate()


def create_app():
    app = Flask(__name__)
    url = os.environ.get("DATABASE_URL", "sqlite:///shop.db").replace("postgres://", "postgresql://")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(app)
    migrate.init_app(app, db, render_as_batch=True)
    from shop import models

    with app.app_context():
        db.create_all()
    return app
"""
MODELS = """\
import enum
from datetime import datetime

from shop import db


class Kind(enum.Enum):
    basic = 1
    full = 2


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80), nullable=False)
    active = db.Column(db.Boolean, nullable=False, default=True)
    kind = db.Column(db.Enum(Kind))
    joined = db.Column(db.DateTime)
    seen = db.Column(db.DateTime(timezone=True))
    price = db.Column(db.Numeric(8, 2))
    photo = db.Column(db.LargeBinary)


class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.ForeignKey("user.id"))
    body = db.Column(db.Text)
"""
ENV = """\
from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db


def run():
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
"""
FIRST = """\
import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade():
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.Enum("basic", "full", name="kind"), nullable=True),
        sa.Column("joined", sa.DateTime(), nullable=True),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("price", sa.Numeric(precision=8, scale=2), nullable=True),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
"""
SECOND = """\
import sqlalchemy as sa
from alembic import op

revision = "b2"
down_revision = "a1"


def upgrade():
    op.create_table(
        "post",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("user") as batch:
        batch.alter_column(
            "name", existing_type=sa.String(length=60), type_=sa.String(length=80), nullable=False
        )
    with op.batch_alter_table("post") as batch:
        batch.create_foreign_key("fk_post_user", "user", ["user_id"], ["id"])
"""
THIRD = """\
from alembic import op

revision = "{name}"
down_revision = "{after}"


def upgrade():
    op.create_index("ix_{name}", "post", ["body"])
"""
FILL = """\
from datetime import datetime, timezone
from shop import create_app, db
from shop.models import Kind, Post, User

with create_app().app_context():
    for n in range(30):
        user = User(
            name=f"u{n}", active=n % 2 == 0, kind=Kind.full, joined=datetime(2024, 7, 1, 12, 0, n, 123456),
            seen=datetime(2024, 7, 1, 10, n, tzinfo=timezone.utc), price=n / 4, photo=bytes([0, n]),
        )
        db.session.add(user)
        db.session.flush()
        db.session.add(Post(user_id=user.id, body="text"))
    db.session.commit()
"""
HEROES = """\
from datetime import date

from sqlmodel import Field, SQLModel


class Team(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)


class Hero(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)
    born: date | None = None
    strong: bool = False
    team_id: int | None = Field(default=None, foreign_key="team.id")
"""
DATABASE = """\
import os

from sqlmodel import Session, SQLModel, create_engine

url = os.environ.get("DATABASE_URL", "sqlite:///heroes.db")
engine = create_engine(url, connect_args={"check_same_thread": False})


def init():
    SQLModel.metadata.create_all(engine)
"""
MAIN = """\
from fastapi import FastAPI

from app.database import init
from app.models import Hero, Team

app = FastAPI()
init()
"""
FILL_HEROES = """\
from datetime import date
from sqlmodel import Session
from app.main import Hero, Team
from app.database import engine

with Session(engine) as session:
    session.add(Team(id=7, name="blue"))
    session.commit()
    for n in range(25):
        session.add(Hero(name=f"h{n}", born=date(1990, 1, n + 1), strong=n % 2 == 0, team_id=7))
    session.commit()
"""


def flask(root: Path) -> Path:
    """The Flask project in `root`, its database filled by the app itself at revision b2."""
    _write(root, {
        "requirements.txt": "flask\nflask-sqlalchemy\nflask-migrate\n",
        "shop/__init__.py": APP,
        "shop/models.py": MODELS,
        "migrations/env.py": ENV,
        "migrations/alembic.ini": "[alembic]\n",
        "migrations/script.py.mako": "",
        "migrations/versions/a1_first.py": FIRST,
        "migrations/versions/b2_second.py": SECOND,
    })  # fmt: skip
    (root / "migrations" / "README").write_text("")
    upgrade = (
        "from shop import create_app, db\nimport flask_migrate\napp = create_app()\n"
        "with app.app_context():\n    db.drop_all()\n    flask_migrate.upgrade()\n"
    )
    run(root, upgrade)
    run(root, FILL)
    return root


def fastapi(root: Path) -> Path:
    """The FastAPI project in `root`, without migrations, its database filled by the app itself."""
    _write(root, {
        "requirements.txt": "fastapi\nsqlmodel\n",
        "app/database.py": DATABASE,
        "app/models.py": HEROES,
        "app/main.py": MAIN,
    })  # fmt: skip
    run(root, FILL_HEROES)
    return root


def run(root: Path, code: str) -> None:
    """Python code, as the project's author runs it in the project's folder."""
    subprocess.run(
        [sys.executable, "-c", code], cwd=root, check=True, capture_output=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(root)},
    )  # fmt: skip


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
