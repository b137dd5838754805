"""Whole statements: INSERT with its conflicts, CREATE TABLE, PRAGMA; the rest is dialect.py's."""

from __future__ import annotations

from .dialect import Translation
from .functions import column_type
from .tokens import (
    COLUMNS,
    Catalog,
    Group,
    Item,
    NotTranslated,
    Statement,
    Token,
    parts,
    place,
    quote,
    text_of,
)

BEHIND_TYPE = (
    *("PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE"),
    *("REFERENCES", "CONSTRAINT", "GENERATED", "AS", "AUTOINCREMENT"),
)
CONSTRAINTS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")
IGNORED = ("VACUUM", "ANALYZE", "REINDEX", "PRAGMA")
ENDS = (
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "ORDER",
    "LIMIT",
)
CONTROL = ("BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE")


def translate(
    sql: str,
    catalog: Catalog,
    nulls: frozenset[int | str] = frozenset(),
    keep_times: bool = False,
) -> Statement:
    """Say `sql` in PostgreSQL's SQL. Raises NotTranslated.

    `nulls` are the places of the values that are None. With `keep_times` columns declared TIMESTAMP or
    DATE get that type, else they hold text as in SQLite.
    """
    work = Translation(sql, catalog, nulls)
    items = work.items
    verb = items[0].upper if items else ""
    second = items[1].upper if len(items) > 1 else ""
    table = None
    if verb in ("INSERT", "REPLACE"):
        return insert(work)
    if verb == "PRAGMA":
        text = pragma(items)
    elif verb in IGNORED or not items:
        text = ""
    elif verb in CONTROL:
        text = " ".join(
            i.text
            for i in items
            if i.upper not in ("IMMEDIATE", "EXCLUSIVE", "DEFERRED")
        )
    elif verb in ("ATTACH", "DETACH") or second in ("TRIGGER", "VIRTUAL", "OR"):
        raise NotTranslated(f"{verb} {second}".strip())
    elif (
        verb == "CREATE"
        and place(items, "TABLE") in (1, 2)
        and isinstance(items[-1], Group)
    ):
        text = create(work, keep_times)
    elif verb == "CREATE" and place(items, "TABLE") in (1, 2):
        end = next(n for n, i in enumerate(items) if isinstance(i, Group))
        if place(items, "AS") < 0:
            work.items = Group(items[: end + 1])
            text = create(work, keep_times)
        else:
            text = work.walk(items)
    elif verb == "CREATE" and place(items, "VIEW") >= 0:
        text = "CREATE OR REPLACE VIEW " + work.walk(items[place(items, "AS") - 1 :])
    elif verb == "CREATE":
        text = index(work)
    elif verb == "ALTER" and place(items, "ADD") >= 0:
        at = place(items, "ADD") + 1
        at += items[at].upper == "COLUMN"
        text = f"{work.walk(items[:at])} {column(work, items[at:], False, keep_times)}"
    elif verb == "UPDATE":
        text = update(work)
    else:
        text = work.walk(named(work) if verb == "SELECT" else items)
    return Statement(verb, text, work.order, table=table)


def pragma(items: list[Item]) -> str:
    """PRAGMA table_info is answered; others have no meaning here."""
    if len(items) > 2 and items[1].value.lower() in ("table_info", "table_xinfo"):
        name = items[2][0] if isinstance(items[2], Group) else items[3]
        value = text_of(name) if name.kind == "string" else name.value
        text = "'" + value.replace("'", "''") + "'"
        return COLUMNS.format(
            "'" + quote(value).replace("'", "''") + "'", text
        ).replace("%", "%%")
    return ""


def named(work: Translation) -> list[Item]:
    """A SELECT whose computed columns have the names that SQLite gives them: their own text."""
    items = list(work.items)
    start = 2 if len(items) > 1 and items[1].upper in ("DISTINCT", "ALL") else 1
    ends = [n for n, i in enumerate(items) if i.upper in ENDS]
    end = ends[0] if ends else len(items)
    out = items[:start]
    for number, part in enumerate(parts(items[start:end])):
        if number:
            out.append(Token("sign", ",", 0, 0))
        out += part
        plain = all(t.kind in ("word", "name") or t.text in (".", "*") for t in part)
        last, before = part[-1], part[-2] if len(part) > 1 else part[-1]
        alias = (
            last.kind in ("word", "name")
            and last.upper != "END"
            and (before.kind == "group" or before.upper == "END")
        )
        if place(part, "AS") >= 0 and not plain or (plain and len(part) != 2):
            continue
        if alias or (plain and len(part) == 2):
            out.insert(-1, Token("word", "AS", 0, 0))
        elif not plain:
            text = work.sql[part[0].start : last.end]
            out += [
                Token("word", "AS", 0, 0),
                Token("name", quote(text[:60].replace("%", "%%")), 0, 0),
            ]
    return out + items[end:]


def update(work: Translation) -> str:
    """UPDATE: what is said of a condition in SET is a number in SQLite."""
    items = work.items
    start = place(items, "SET") + 1
    end = place(items, "WHERE", start=start)
    end = len(items) if end < 0 else end
    terms = []
    for part in parts(items[start:end]):
        if len(part) > 2 and part[2].upper == "NOT":
            terms.append(f"{work.walk(part[:2])} ({work.walk(part[2:])})::int")
        else:
            terms.append(work.walk(part))
    return f"{work.walk(items[:start])} {', '.join(terms)} {work.walk(items[end:])}".strip()


def insert(work: Translation) -> Statement:
    items = work.items
    action = items[2].upper if items[1].upper == "OR" else ""
    if items[0].upper == "REPLACE":
        action = "REPLACE"
    at = place(items, "INTO") + 1
    table = work.table(items[at])
    rest = items[at + 1 :]
    columns = table.columns
    listed = ""
    if rest and isinstance(rest[0], Group):
        columns = [
            next(
                (c for c in table.columns if c.lower() == p[0].value.lower()),
                p[0].value,
            )
            for p in parts(rest[0])
        ]
        listed, rest = f" ({', '.join(map(quote, columns))})", rest[1:]
    where = columns.index(table.identity) if table.identity in columns else -1
    sets_id = where >= 0
    conflict = place(rest, "ON", "CONFLICT")
    returning = place(rest, "RETURNING")
    end = min([n for n in (conflict, returning) if n >= 0], default=len(rest))
    if rest and rest[0].upper == "VALUES":
        rows = []
        for row in (i for i in rest[1:end] if isinstance(i, Group)):
            given = parts(row)
            if where >= 0 and is_null(work, given[where]):
                given[where], sets_id = [], False
            rows.append(", ".join(work.walk(v) if v else "DEFAULT" for v in given))
        body = "VALUES " + ", ".join(f"({row})" for row in rows)
    else:
        body = work.walk(rest[:end])
    text = f"INSERT INTO {quote(table.name)}{listed} {body}"
    if conflict >= 0:
        text += " " + upsert(
            work,
            rest[conflict : returning if returning >= 0 else len(rest)],
            table.name,
            table.columns,
        )
    elif action == "IGNORE":
        text += " ON CONFLICT DO NOTHING"
    elif action == "REPLACE":
        text += replaced(
            table.keys, table.columns, columns, table.identity if not sets_id else None
        )
    elif action not in ("", "ABORT", "FAIL", "ROLLBACK"):
        raise NotTranslated(f"INSERT OR {action}")
    returns_id = None
    if returning >= 0:
        text += " " + work.walk(rest[returning:])
    elif table.identity is not None:
        text += f" RETURNING {quote(table.identity)}"
        returns_id = table.identity
    return Statement("INSERT", text, work.order, returns_id, table.name, sets_id)


def is_null(work: Translation, value: list[Item]) -> bool:
    """Whether a value is NULL; one that is None counts, and takes its place with it."""
    if len(value) != 1:
        return False
    if value[0].text == "?" and work.unnamed in work.nulls:
        work.unnamed += 1
        return True
    return value[0].upper == "NULL" or (
        value[0].kind == "place" and value[0].text[1:] in work.nulls
    )


def replaced(
    keys: list[list[str]], all_columns: list[str], columns: list[str], skip: str | None
) -> str:
    """INSERT OR REPLACE by the key that the new row has a value for."""
    key = next((k for k in keys if set(k) <= set(columns) - {skip}), None)
    if key is None:
        return ""
    terms = [
        f"{quote(c)} = excluded.{quote(c)}" if c in columns else f"{quote(c)} = DEFAULT"
        for c in all_columns
        if c not in key and c != skip
    ]
    what = f"DO UPDATE SET {', '.join(terms)}" if terms else "DO NOTHING"
    return f" ON CONFLICT ({', '.join(map(quote, key))}) {what}"


def upsert(work: Translation, items: list[Item], table: str, columns: list[str]) -> str:
    """ON CONFLICT … DO UPDATE SET: a column of the old row needs its table's name in front."""
    at = place(items, "SET")
    if at < 0:
        return work.walk(items)
    lower = {c.lower() for c in columns}
    out: list[str] = [work.walk(items[: at + 1])]
    terms = []
    end = place(items, "WHERE", start=at)
    end = len(items) if end < 0 else end
    for part in parts(items[at + 1 : end]):
        value = qualified(part[2:], table, lower)
        terms.append(f"{work.walk(part[:1])} = {work.walk(value)}")
    out.append(", ".join(terms))
    return " ".join([*out, work.walk(items[end:])]).strip()


def qualified(items: list[Item], table: str, columns: set[str]) -> list[Item]:
    out: list[Item] = []
    for n, item in enumerate(items):
        dotted = n > 0 and items[n - 1].text == "."
        dots = n + 1 < len(items) and items[n + 1].text == "."
        if isinstance(item, Group):
            out.append(Group(qualified(item, table, columns)))
        else:
            if (
                item.kind in ("word", "name")
                and item.value.lower() in columns
                and not dotted
                and not dots
            ):
                out += [Token("name", quote(table), 0, 0), Token("sign", ".", 0, 0)]
            out.append(item)
    return out


def index(work: Translation) -> str:
    items = work.items
    at = next((n for n, i in enumerate(items) if isinstance(i, Group)), len(items))
    head, table = work.walk(items[: at - 2]), work.name(items[at - 1])
    return f"{head} ON {table} {work.walk(items[at:])}"


def create(work: Translation, keep_times: bool) -> str:
    """CREATE TABLE with PostgreSQL's types and identity."""
    items = work.items
    body = items[-1]
    assert isinstance(body, Group)
    defined = parts(body)
    for part in defined:
        if part[0].upper not in CONSTRAINTS:
            work.names[part[0].value.lower()] = part[0].value
    for n, item in enumerate(items[:-1]):
        if n and item.kind in ("word", "name") and items[n + 1] is body:
            work.names.setdefault(item.value.lower(), item.value)
    alone = [
        part[-1][0].value.lower()
        for part in defined
        if part[0].upper in ("PRIMARY", "CONSTRAINT")
        and place(part, "PRIMARY", "KEY") >= 0
        and isinstance(part[-1], Group)
        and len(parts(part[-1])) == 1
    ]
    lines = []
    for part in defined:
        if part[0].upper in CONSTRAINTS:
            lines.append(work.walk([simple(i) for i in until_conflict(part)]))
        else:
            lines.append(column(work, part, part[0].value.lower() in alone, keep_times))
    return f"{work.walk(items[:-1])} ({', '.join(lines)})"


def simple(item: Item) -> Item:
    """A key's columns without AUTOINCREMENT, ASC and DESC."""
    if not isinstance(item, Group):
        return item
    return Group(i for i in item if i.upper not in ("AUTOINCREMENT", "ASC", "DESC"))


def until_conflict(part: list[Item]) -> list[Item]:
    at = place(part, "ON", "CONFLICT")
    return part if at < 0 else part[:at] + part[at + 3 :]


def column(work: Translation, part: list[Item], alone: bool, keep_times: bool) -> str:
    """A column's definition; `alone` where it is the table's whole key by a constraint of its own."""
    part = [i for i in until_conflict(part) if i.upper != "AUTOINCREMENT"]
    stop = next(
        (n for n, i in enumerate(part) if n and i.upper in BEHIND_TYPE), len(part)
    )
    declared = " ".join(i.text for i in part[1:stop] if not isinstance(i, Group))
    rest = part[stop:]
    key = place(rest, "PRIMARY", "KEY")
    type_ = column_type(declared)
    if keep_times and declared.upper() in ("TIMESTAMP", "DATE"):
        type_ = declared.lower()
    text = f"{quote(part[0].value)} {type_}"
    if declared.upper() == "INTEGER" and (alone or key >= 0):
        text += " GENERATED BY DEFAULT AS IDENTITY"
    elif type_ == "text":
        text += ' COLLATE "C"'
    if key >= 0 and key + 2 < len(rest) and rest[key + 2].upper in ("ASC", "DESC"):
        rest = rest[: key + 2] + rest[key + 3 :]
    at = place(rest, "COLLATE")
    if at >= 0:
        rest = rest[:at] + rest[at + 2 :]
    at = place(rest, "DEFAULT")
    if at >= 0 and at + 1 < len(rest):
        value = rest[at + 1 : at + 2 + (rest[at + 1].text in ("-", "+"))]
        default = work.walk(value)
        if value[0].kind == "number" and type_ == "text":
            default = f"'{default}'"
        if type_ in ("timestamp", "date"):
            default = f"({default})::{type_}"
        rest = rest[:at] + rest[at + 1 + len(value) :]
        text += f" DEFAULT {default}"
    return f"{text} {work.walk(rest)}".strip()
