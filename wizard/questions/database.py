"""What is asked about the database: which one moves, where to, and how to reach it."""

from __future__ import annotations

from wizard.model import Project, Store, StoreKind
from wizard.question import Option, Question, Replies
from wizard.steps.moves import MOVES
from wizard.steps.moves.base import Offered

NO_MOVE = ("stay-with-backups", "keep")
DATABASE_OPTIONS: tuple[Option, ...] = (
    Option("neon", "Neon", "managed PostgreSQL"),
    Option("render", "Render", "PostgreSQL beside the app"),
    Option("supabase", "Supabase", "managed PostgreSQL"),
    Option("postgres", "Another PostgreSQL", "I have a URL"),
    Option("stay-with-backups", "Stay on SQLite with backups", "one writer, a disk is still needed"),
)
_KEPT = "It goes to the keyring, or stays in memory for this run; it is written to no file."


def ways() -> tuple[Offered, ...]:
    """The ways of moving a database other than a SQLite file that the wizard offers."""
    return tuple(way for way in MOVES if isinstance(way, Offered))


def held_kinds() -> tuple[str, ...]:
    """The kinds of stores whose database can be moved."""
    return ("sqlite", *(way.store_kind for way in ways()))


def sqlite_stores(project: Project) -> tuple[Store, ...]:
    """The SQLite files that the scan saw."""
    return tuple(s for s in project.stores if s.kind == "sqlite")


def database_stores(project: Project) -> tuple[Store, ...]:
    """The databases that can move: SQLite files first, then servers in the scan's order."""
    kinds = held_kinds()
    return sqlite_stores(project) + tuple(s for s in project.stores if s.kind in kinds and s.kind != "sqlite")


def source_store(project: Project, replies: Replies) -> Store | None:
    """The database that moves: the one named, else the first."""
    stores = database_stores(project)
    named = replies.get("database.from")
    return next((s for s in stores if s.path == named), stores[0] if stores else None)


def moves_database(project: Project, replies: Replies) -> bool:
    """Whether the replies so far move the database."""
    provider = replies.get("database.provider")
    return bool(database_stores(project)) and provider is not None and provider not in NO_MOVE


def _to_mongodb(project: Project, replies: Replies) -> bool:
    return moves_database(project, replies) and replies.get("database.provider") == "mongodb"


def _to_postgres(project: Project, replies: Replies) -> bool:
    return moves_database(project, replies) and replies.get("database.provider") != "mongodb"


def _source_question(kind: StoreKind, stays: bool) -> Question:
    """How a server that the data leaves, or that stays, is reached. The reference's name holds the kind: the
    answers are read without the scan's help, too."""

    def when(project: Project, replies: Replies) -> bool:
        store = source_store(project, replies)
        if store is None or store.kind != kind:
            return False
        return replies.get("database.provider") == "keep" if stays else moves_database(project, replies)

    mongodb = kind == "mongodb"
    return Question(
        "database.source",
        "credentials",
        "secret",
        "Database URL" if stays else "Old database URL",
        "ashore looks for links to the files in it, and rewrites them only where the files become public."
        if stays
        else "ashore reads the data from there and compares it afterwards; it never writes to it.",
        f"{'' if mongodb else 'Take the direct host, not a pooled one. '}{_KEPT}",
        when=when,
        variable="SOURCE_MONGODB_URL" if mongodb else "SOURCE_DATABASE_URL",
        slug="mongodb-source-url" if mongodb else "source-url",
    )


def _sources(project: Project, replies: Replies) -> tuple[Option, ...]:
    return tuple(
        Option(s.path, s.path, f"{s.tables:,} tables, {s.rows:,} rows" if s.tables else s.kind)
        for s in database_stores(project)
    )


def _targets(project: Project, replies: Replies) -> tuple[Option, ...]:
    store = source_store(project, replies)
    way = next((w for w in ways() if store is not None and w.store_kind == store.kind), None)
    return DATABASE_OPTIONS if way is None else way.targets


def _stays_by_itself(project: Project, replies: Replies) -> object:
    """A server of its own survives redeploys: it stays unless the user says otherwise."""
    store = source_store(project, replies)
    return "keep" if store is not None and store.kind != "sqlite" else None


def _first(project: Project, replies: Replies) -> object:
    stores = database_stores(project)
    return stores[0].path if stores else None


QUESTIONS: tuple[Question, ...] = (
    Question(
        "database.from", "database", "choice", "Which database moves?",
        "The scan found more than one; a run moves one of them.",
        "The others stay where they are; move them by a run of their own, to a database of their own.",
        choices=_sources, default=_first, when=lambda project, replies: len(database_stores(project)) > 1,
    ),
    Question(
        "database.provider", "database", "choice", "Where should the database live?",
        "A database on the app's own disk is gone with the next deploy; a managed one is not.",
        "Prices carry the date they were read; * marks a figure that is not from the provider itself. "
        "Nothing is bought by choosing, and the choice can be changed until the run starts.",
        options=DATABASE_OPTIONS, choices=_targets, default=_stays_by_itself,
        when=lambda project, replies: bool(database_stores(project)),
    ),
    _source_question("postgres", stays=False), _source_question("postgres", stays=True),
    _source_question("mongodb", stays=False), _source_question("mongodb", stays=True),
    Question(
        "database.url", "credentials", "secret", "Connection string",
        "ashore connects with it to create the tables, load the rows and compare them.",
        f"Take the direct host, not the pooled one; it starts with postgresql://. {_KEPT}",
        when=_to_postgres, variable="DATABASE_URL", slug="database-url",
        example="postgresql://user:…@host/db",
    ),
    Question(
        "database.url", "credentials", "secret", "New MongoDB URL",
        "ashore connects with it to create the collections, load the documents and compare them.",
        f"It starts with mongodb:// or mongodb+srv://; Atlas shows it under Connect, Drivers. {_KEPT}",
        when=_to_mongodb, variable="MONGODB_URL", slug="mongodb-url",
        example="mongodb+srv://user:…@host/db",
    ),
)  # fmt: skip
