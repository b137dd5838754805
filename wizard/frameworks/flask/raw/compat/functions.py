"""SQLite's functions said in PostgreSQL's."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable

from .tokens import Group, Item, NotTranslated, Token, parts, place, text_of

UTC = "(now() AT TIME ZONE 'UTC')"
STAMP, DAY, CLOCK = "YYYY-MM-DD HH24:MI:SS", "YYYY-MM-DD", "HH24:MI:SS"
FORMATS = {
    "Y": "YYYY",
    "m": "MM",
    "d": "DD",
    "H": "HH24",
    "M": "MI",
    "S": "SS",
    "j": "DDD",
}
SHIFT = re.compile(
    r"[+-]?\d+(\.\d+)? (second|minute|hour|day|month|year)s?", re.IGNORECASE
)
START = re.compile(r"start of (day|month|year)", re.IGNORECASE)
TYPEOF = """CASE WHEN {0} IS NULL THEN 'null' ELSE CASE pg_typeof({0})::text
 WHEN 'bigint' THEN 'integer' WHEN 'integer' THEN 'integer' WHEN 'numeric' THEN 'real'
 WHEN 'double precision' THEN 'real' WHEN 'bytea' THEN 'blob' ELSE 'text' END END"""


class Functions:
    """The part of a translation that calls functions."""

    names: dict[str, str]

    @abstractmethod
    def walk(self, items: list[Item]) -> str:
        """The items as SQL of PostgreSQL."""

    def call(self, word: str, item: Token, group: Group) -> tuple[str, str]:
        """A function, and the cast that belongs behind it."""
        if word in ("STRFTIME", "DATETIME", "DATE", "TIME", "JULIANDAY", "UNIXEPOCH"):
            return self.moment(word, parts(group)), ""
        if word == "CAST":
            return self.cast(group), ""
        if word in ("LAST_INSERT_ROWID", "CHANGES", "TOTAL_CHANGES"):
            raise NotTranslated(f"{word.lower()}()")
        if word == "GROUP_CONCAT" or word == "STRING_AGG":
            return self.concat(group), ""
        if (
            word in ("SUM", "AVG", "TOTAL")
            and any(
                t.text in ("=", "==", "<", ">", "<=", ">=", "<>", "!=")
                or t.upper in ("IS", "IN", "LIKE")
                for t in group
            )
            and place(group, "CASE") < 0
        ):
            return (
                f"{'SUM' if word == 'TOTAL' else word}(({self.walk(group)})::int)",
                "::double precision" * (word != "SUM"),
            )
        given = [self.walk(p) for p in parts(group)]
        if word in ("MIN", "MAX") and len(given) > 1:
            return f"{'LEAST' if word == 'MIN' else 'GREATEST'}({', '.join(given)})", ""
        if word == "ROUND":
            digits = f", ({given[1]})::int" if len(given) > 1 else ""
            return f"round(({given[0]})::numeric{digits})", "::double precision"
        if word == "SUBSTR" and len(given) == 2 and parts(group)[1][0].text == "-":
            return f"right(({given[0]})::text, {given[1].lstrip('- ')})", ""
        if word in ("SUBSTR", "SUBSTRING"):
            return (
                f"substr(({given[0]})::text, {', '.join(f'({g})::int' for g in given[1:])})",
                "",
            )
        made = FUNCTIONS.get(word)
        if made is not None:
            return made(given)
        if (
            word not in SAME
            and word not in ("VALUES",)
            and item.value.lower() not in self.names
        ):
            raise NotTranslated(f"{word.lower()}()")
        return f"{item.text}({self.walk(group)})", ""

    def cast(self, group: Group) -> str:
        at = place(group, "AS")
        value = self.walk(group[:at])
        kind = " ".join(t.upper for t in group[at + 1 :] if isinstance(t, Token))
        type_ = column_type(kind)
        if type_ == "bigint":
            return f"trunc(({value})::numeric)::bigint"
        return f"({value})::{type_}"

    def concat(self, group: Group) -> str:
        at = place(group, "ORDER", "BY")
        order = f" {self.walk(group[at:])}" if at >= 0 else ""
        given = parts(group[:at] if at >= 0 else group)
        distinct = given[0][0].upper == "DISTINCT"
        first = self.walk(given[0][1:] if distinct else given[0])
        separator = self.walk(given[1]) if len(given) > 1 else "','"
        return (
            f"string_agg({'DISTINCT ' * distinct}({first})::text, {separator}{order})"
        )

    def moment(self, word: str, given: list[list[Item]]) -> str:
        """A date function: SQLite's clock is UTC, and so is PostgreSQL's here."""
        pattern = {"DATETIME": STAMP, "DATE": DAY, "TIME": CLOCK}.get(word, "")
        if word == "STRFTIME":
            if len(given[0]) != 1 or given[0][0].kind not in ("string", "name"):
                raise NotTranslated("strftime() with a format that is no plain string")
            pattern, given = text_of(given[0][0]), given[1:]
        shifts = given[1:]
        known = [
            text_of(s[0]).lower() if len(s) == 1 and s[0].kind == "string" else ""
            for s in shifts
        ]
        if not given or (len(given[0]) == 1 and given[0][0].text.lower() == "'now'"):
            moment = UTC
        elif "unixepoch" in known:
            moment = f"(to_timestamp(({self.walk(given[0])})::double precision) AT TIME ZONE 'UTC')"
        else:
            moment = f"NULLIF(({self.walk(given[0])})::text, '')::timestamp"
        for shift, text in zip(shifts, known):
            start = START.fullmatch(text)
            if text in ("localtime", "utc", "unixepoch"):
                continue
            if start:
                moment = f"date_trunc('{start[1]}', {moment})"
            elif SHIFT.fullmatch(text):
                moment = f"({moment} + interval '{text}')"
            elif text:
                raise NotTranslated(f"the date modifier '{text}'")
            else:
                moment = f"({moment} + ({self.walk(shift)})::interval)"
        epoch = f"extract(epoch FROM {moment})"
        if word == "JULIANDAY":
            return f"({epoch} / 86400.0 + 2440587.5)::double precision"
        if word == "UNIXEPOCH":
            return f"floor({epoch})::bigint"
        if pattern in ("%s", "%w"):
            return (
                f"floor({epoch})::bigint::text"
                if pattern == "%s"
                else f"extract(dow FROM {moment})::int::text"
            )
        return f"to_char({moment}, {stamp_format(pattern) if word == 'STRFTIME' else repr(pattern)})"


def stamp_format(pattern: str) -> str:
    """strftime's format as to_char's, in quotes."""
    out = ""
    for match in re.finditer(r"%(.)|([^%]+)", pattern):
        if match[2]:
            out += '"' + match[2].replace('"', "") + '"'
        elif match[1] in ("f", "%", "F", "T", "R"):
            out += {"f": "SS.MS", "%": '"%%"', "F": DAY, "T": CLOCK, "R": "HH24:MI"}[
                match[1]
            ]
        elif match[1] in FORMATS:
            out += FORMATS[match[1]]
        else:
            raise NotTranslated(f"strftime's %{match[1]}")
    return "'" + out.replace("'", "''") + "'"


def column_type(declared: str) -> str:
    """The PostgreSQL type that holds what SQLite keeps in a column declared so."""
    upper = declared.upper()
    if "INT" in upper or upper.startswith("BOOL"):
        return "bigint"
    if (
        any(
            part in upper
            for part in ("CHAR", "CLOB", "TEXT", "DATE", "TIME", "JSON", "UUID")
        )
        or not upper
    ):
        return "text"
    if "BLOB" in upper:
        return "bytea"
    if any(part in upper for part in ("REAL", "FLOA", "DOUB")):
        return "double precision"
    return "numeric"


Made = Callable[[list[str]], tuple[str, str]]
FUNCTIONS: dict[str, Made] = {
    "IFNULL": lambda a: (f"COALESCE({', '.join(a)})", ""),
    "IIF": lambda a: (
        f"CASE WHEN {a[0]} THEN {a[1]} ELSE {a[2] if len(a) > 2 else 'NULL'} END",
        "",
    ),
    "INSTR": lambda a: (f"strpos({a[0]}, {a[1]})", ""),
    "AVG": lambda a: (f"AVG({a[0]})", "::double precision"),
    "TOTAL": lambda a: (f"COALESCE(SUM({a[0]}), 0)", "::double precision"),
    "TYPEOF": lambda a: (TYPEOF.format(a[0]), ""),
    "LENGTH": lambda a: (f"length({a[0]})", ""),
    "HEX": lambda a: (f"upper(encode({a[0]}, 'hex'))", ""),
}
SAME = frozenset(
    re.findall(
        r"\w+",
        """ABS COALESCE COUNT LOWER UPPER TRIM LTRIM RTRIM REPLACE NULLIF MIN MAX
        SUM RANDOM CEIL FLOOR SIGN ROW_NUMBER RANK DENSE_RANK LAG LEAD NTILE
        FIRST_VALUE LAST_VALUE NTH_VALUE CONCAT CONCAT_WS SQRT POWER POW EXP
        LN MOD EXISTS IN VALUES KEY""",
    )
)
