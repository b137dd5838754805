"""Derives unique constraints, indexes, CHECK constraints and foreign keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wizard.databases import derive_sql as sql
from wizard.databases import derive_types as types
from wizard.databases.derive_draft import NAME_BYTES, Draft, Left
from wizard.databases.derive_expressions import expression
from wizard.databases.sqlite import clauses, sqltext
from wizard.databases.sqlite.schema import ForeignKey, Index, quote


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that may fail by itself; `left` is what the target lacks then."""

    sql: str
    left: Left


class Names:
    """Names of tables, indexes and constraints: PostgreSQL keeps them in one place, SQLite did not."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def free(self, wanted: str) -> str:
        """`wanted`, or its beginning and a digest or number where it is too long or taken."""
        raw = wanted.encode("utf-8", "replace")
        name = wanted
        if len(raw) > NAME_BYTES:
            digest = hashlib.sha256(raw).hexdigest()[:8]
            name = raw[: NAME_BYTES - 9].decode("utf-8", "ignore") + "_" + digest
        base, number = name, 1
        while name in self._taken:
            number += 1
            end = f"_{number}"
            name = base.encode()[: NAME_BYTES - len(end)].decode("utf-8", "ignore") + end
        self._taken.add(name)
        return name


def listed(columns: Sequence[str]) -> str:
    return ", ".join(map(sql.identifier, columns))


def checks(draft: Draft, names: Names) -> Iterator[Statement]:
    """CHECK constraints that mean the same in PostgreSQL and that every row fulfils."""
    table = draft.table.name
    for check in clauses.checks(draft.table):
        shown = check.name or check.sql
        translated = expression(check.tokens, draft.expression_types(), exact=True)
        whole = f"{table}: {shown}"
        if translated is None:
            draft.leave("check", whole, f"The CHECK {shown} of {table} is not carried over.")
        elif _broken(draft, check):
            draft.leave("check", whole, f"The CHECK {shown} of {table} is not carried over: rows break it.")
        else:
            name = sql.identifier(names.free(check.name or f"{table}_check"))
            yield Statement(
                f"ALTER TABLE {sql.identifier(table)} ADD CONSTRAINT {name} CHECK ({translated})",
                Left("check", whole, f"The CHECK {shown} of {table} is not carried over."),
            )


def _broken(draft: Draft, check: clauses.Check) -> bool:
    query = f"SELECT 1 FROM {quote(draft.table.name)} WHERE NOT ({check.sql}) LIMIT 1"
    return draft.connection.execute(query).fetchone() is not None


def indexes(draft: Draft, names: Names) -> Iterator[Statement]:
    """Unique constraints and indexes. A key that folds case gets its unique index beside the primary key."""
    for index in draft.table.indexes:
        kind = "unique index" if index.unique else "index"
        why = f"The {kind} {index.name} of {draft.table.name} is not carried over."
        left = Left(kind, f"{draft.table.name}: {index.name}", why)
        statements = _index(draft, index, names)
        if statements is None:
            draft.leave(left.what, left.name, left.why)
        else:
            yield from (Statement(statement, left) for statement in statements)


def _index(draft: Draft, index: Index, names: Names) -> list[str] | None:
    """The statements of an index; None where it cannot be carried."""
    table = sql.identifier(draft.table.name)
    plain = tuple(c for c in index.columns if c is not None)
    made: list[str] = []
    if index.origin == "pk" and plain not in draft.unique:
        return []  # the table gets no primary key, which is said there
    if draft.too_long(plain) or (index.unique and draft.meets(plain)):
        return None
    held = list(zip(index.columns, index.collations, strict=True))
    strange = [c for c, rule in held if c and rule not in ("BINARY", "NOCASE") and c not in draft.folded]
    if index.unique and any(draft.type(c) == types.TEXT for c in strange):
        return None
    terms = [None if column is None else draft.term(column, collation) for column, collation in held]
    folds = terms != [None if c is None else sql.identifier(c) for c in index.columns]
    if index.origin in ("u", "pk"):
        name = f"{draft.table.name}_{'_'.join(plain)}"
        if index.origin == "u" and plain not in draft.unique:
            constraint = sql.identifier(names.free(f"{name}_key"))
            made.append(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} UNIQUE ({listed(plain)})")
            draft.unique.add(plain)
        if folds:
            lower = sql.identifier(names.free(f"{name}_lower"))
            made.append(f"CREATE UNIQUE INDEX {lower} ON {table} ({', '.join(t for t in terms if t)})")
        return made
    types_ = draft.expression_types()
    parts, where = _clauses(index)
    written = []
    for place, (term, down) in enumerate(zip(terms, index.descending, strict=True)):
        text = term
        if text is None:
            translated = expression(parts[place], types_, index.unique)
            if translated is None or any(draft.too_long([c]) for c in types_):
                return None
            text = f"({translated})"
        written.append(text + (" DESC" if down else ""))
    condition = ""
    if index.partial:
        translated = expression(where, types_, index.unique)
        if translated is None:
            return None
        condition = f" WHERE {translated}"
    if index.unique and not index.partial and not folds and None not in index.columns:
        draft.unique.add(plain)
    unique = "UNIQUE " if index.unique else ""
    name = sql.identifier(names.free(index.name))
    return [f"CREATE {unique}INDEX {name} ON {table} ({', '.join(written)}){condition}"]


def _clauses(index: Index) -> tuple[list[list[sqltext.Token]], list[sqltext.Token]]:
    """The terms of a CREATE INDEX without ASC and DESC, and its WHERE clause."""
    found = list(sqltext.tokens(index.sql or ""))
    terms = sqltext.top_level_parts(sqltext.body(index.sql or ""))
    for term in terms:
        while term and term[-1].is_word("ASC", "DESC"):
            term.pop()
    depth, where = 0, len(found)
    for place, token in enumerate(found):
        if token.kind == "symbol":
            depth += (token.text == "(") - (token.text == ")")
        elif depth == 0 and token.is_word("WHERE"):
            where = place + 1
            break
    return terms, found[where:]


def foreign_keys(draft: Draft, drafts: Mapping[str, Draft], names: Names) -> Iterator[Statement]:
    """Foreign keys with their actions, once every unique key is known."""
    for key in draft.table.foreign_keys:
        shown = f"{draft.table.name} ({', '.join(key.columns)}) → {key.target}"
        why = _obstacle(draft, key, drafts.get(key.target))
        if why:
            text = f"The foreign key {shown} is not carried over: {why}."
            draft.leave("foreign key", shown, text)
            continue
        name = names.free(f"{draft.table.name}_{'_'.join(key.columns)}_fkey")
        statement = (
            f"ALTER TABLE {sql.identifier(draft.table.name)} ADD CONSTRAINT {sql.identifier(name)} "
            f"FOREIGN KEY ({listed(key.columns)}) "
            f"REFERENCES {sql.identifier(key.target)} ({listed(key.target_columns)}) "
            f"ON DELETE {key.on_delete} ON UPDATE {key.on_update}"
        )
        if key.deferrable:
            statement += f" DEFERRABLE INITIALLY {key.deferrable.upper()}"
        text = f"The foreign key {shown} is not carried over."
        yield Statement(statement, Left("foreign key", shown, text))


def _obstacle(draft: Draft, key: ForeignKey, target: Draft | None) -> str:
    if target is None:
        return "that table does not exist"
    if len(key.columns) != len(key.target_columns) or not set(key.target_columns) <= set(target.typed):
        return "it names columns that do not exist"
    if not any(set(unique) == set(key.target_columns) for unique in target.unique):
        return "the columns it refers to are not unique"
    for column, other in zip(key.columns, key.target_columns, strict=True):
        if draft.type(column) != target.type(other):
            return f"{column} is {draft.type(column)}, {other} is {target.type(other)}"
    if any(draft.typed[c].mixed for c in key.columns) or any(
        target.typed[c].mixed for c in key.target_columns
    ):
        return "it joins values of several kinds"
    return _compared(draft, key, target)


def _compared(draft: Draft, key: ForeignKey, target: Draft) -> str:
    """The obstacle that SQLite finds a parent by another rule than PostgreSQL would."""
    rules = {target.folded.get(c, "BINARY") for c in key.target_columns}
    rules |= {draft.folded.get(c, "BINARY") for c in key.columns}
    if not rules <= clauses.BUILT_IN:
        return "it compares text by a collation of the app's own"
    if rules == {"BINARY"} or any(target.type(c) == types.CITEXT for c in key.target_columns):
        return ""
    pairs = list(zip(key.columns, key.target_columns, strict=True))
    alike = " AND ".join(f"p.{quote(p)} = c.{quote(c)}" for c, p in pairs)
    same = " AND ".join(f"p.{quote(p)} COLLATE BINARY = c.{quote(c)}" for c, p in pairs)
    parent = quote(key.target)
    query = (
        f"SELECT 1 FROM {quote(draft.table.name)} AS c "
        f"WHERE EXISTS (SELECT 1 FROM {parent} AS p WHERE {alike}) "
        f"AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {same}) LIMIT 1"
    )
    if draft.connection.execute(query).fetchone() is None:
        return ""
    return "rows refer to a text that differs in case or blanks"
