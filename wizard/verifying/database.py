"""Compare the snapshot and the target database, every value of every row of every table."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from wizard.context import Cancel
from wizard.errors import ConnectionLost, NotAsPlanned
from wizard.events import Event
from wizard.sources.progress import Meter
from wizard.state import disk_full
from wizard.verifying import source_reader, target_reader
from wizard.verifying.compare import compare_table
from wizard.verifying.differences import Difference, Tally
from wizard.verifying.naming import Subject, Tools
from wizard.verifying.orphans import OrphanRules
from wizard.verifying.schema_facts import schema_differences
from wizard.verifying.scratch import Scratch, open_scratch
from wizard.verifying.source_reader import Orphans, SourceTable
from wizard.verifying.target_reader import TargetTable, form_for

Decisions = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class DatabaseComparison:
    """What was compared and what differed. `differences` holds the first 1000, `total` counts all."""

    tables: int
    rows: int
    values: int
    differences: tuple[Difference, ...]
    total: int
    notes: tuple[str, ...]


def compare_database(
    snapshot: Path,
    connection: target_reader.Connection,
    schema: str,
    *,
    decisions: Decisions,
    skip_tables: Collection[str],
    run: str | None,
    scratch: Path,
    naive_zone: str,
    emit: Callable[[Event], None],
    cancel: Cancel,
    public_bases: tuple[str, ...] = (),
) -> DatabaseComparison:
    """Compare every table of `snapshot` with its namesake in `schema`. Writes nothing but scratch files.

    `skip_tables` are the framework's bookkeeping, which the target owns; nothing else is passed over.
    `run` names the run whose before-images and saved objects count. `public_bases` are the public
    addresses (with prefix) that rewritten references may point to. `naive_zone` is the one in which the
    app means times without an offset (`UTC`, or an IANA name). Raises NotAsPlanned `zone-unknown`,
    `snapshot-unreadable`, UsageError `state-full`, ConnectionLost, Stopped.
    """
    try:
        with source_reader.open_snapshot(snapshot) as source, open_scratch(scratch) as store:
            target_reader.prepare(connection, naive_zone)
            return _Databases(
                source, connection, schema, decisions, frozenset(skip_tables), run, store,
                emit, cancel, public_bases, naive_zone,
            ).compare()  # fmt: skip
    except sqlite3.DatabaseError as error:
        if full := disk_full(error, scratch):
            raise full from error
        raise NotAsPlanned(
            "snapshot-unreadable",
            f"The snapshot {snapshot.name} cannot be read: {error}.",
            "Nothing was written. Start a new run, which takes a new snapshot.",
        ) from error
    except psycopg.OperationalError as error:
        raise ConnectionLost(
            "connection-lost",
            f"The target database went away while it was compared: {str(error).strip()}.",
            "Nothing was written by the comparison. `ashore resume` compares again.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Databases:
    source: sqlite3.Connection
    target: target_reader.Connection
    schema: str
    decisions: Decisions
    skipped: frozenset[str]
    run: str | None
    scratch: Scratch
    emit: Callable[[Event], None]
    cancel: Cancel
    public_bases: tuple[str, ...]
    naive_zone: str

    def compare(self) -> DatabaseComparison:
        there = target_reader.tables(self.target, self.schema)
        found = source_reader.tables(self.source)
        if self.run is not None:
            self.scratch.load_images(self.target, self.run)
        rules = OrphanRules(
            self.source, found, self.decisions, {name: t.foreign_keys for name, t in there.items()}
        )
        tally = Tally()
        notes: list[str] = []
        wanted = [t for t in found if t.name not in self.skipped]
        for table in wanted:
            self.cancel.check()
            tally.absorb(self._table(table, there.get(table.name), rules.of(table), notes))
        for name in self.scratch.image_tables():
            if name not in {t.name for t in wanted}:
                detail = "rewrites of references are recorded for a table that is not compared"
                tally.add(Difference("rewrite", name, detail=detail))
        names = {t.name for t in found}
        for name in there:
            if name not in names and name not in self.skipped:
                rows = target_reader.count_rows(self.target, self.schema, name)
                if rows:
                    notes.append(
                        f"{name}: a table of the target with {rows} rows that the source does not have"
                    )
        target_reader.prepare(self.target, "UTC")  # definitions may hold moments, saved as UTC prints them
        # Where the rows are the target's own, so is the highest number that it gave out.
        own = self.skipped | {t for t, chosen in self.decisions.items() if "other_columns" in chosen}
        floors = {t: n for t, n in source_reader.sequence_floor(self.source).items() if t not in own}
        for difference in schema_differences(self.target, self.schema, self.run, floors):
            tally.add(difference)
        return DatabaseComparison(
            sum(table.name in there for table in wanted),
            tally.rows,
            tally.values,
            tuple(tally.kept),
            tally.total,
            tuple(notes),
        )

    def _table(
        self, table: SourceTable, there: TargetTable | None, orphans: Orphans, notes: list[str]
    ) -> Tally:
        tally = Tally()
        if self.decisions.get(table.name, {}).get("other_columns") == "leave":
            notes.append(f"{table.name}: not carried over, as decided; the app must build it again")
            return tally
        expected = source_reader.count_rows(self.source, table, orphans)
        if there is None:
            if self.decisions.get(table.name, {}).get("missing_table") == "leave":
                notes.append(f"{table.name}: stays at the source with its {expected} rows, as decided")
                return tally
            detail = f"the target has no such table; the source's holds {expected} rows"
            tally.add(Difference("table", table.name, detail=detail))
            return tally
        forms = []
        for name in table.columns:
            column = there.column(name)
            if column is not None:
                chosen = self.decisions.get(f"{table.name}.{name}", {})
                forms.append(form_for(column, chosen, self.naive_zone))
            elif name in table.generated:
                notes.append(f"{table.name}.{name}: computed by the source; the target has no such column")
            else:
                detail = "the target has no such column"
                tally.add(Difference("column", table.name, column=name, detail=detail))
        more = [c.name for c in there.columns if c.name not in table.columns]
        if more:
            notes.append(f"{table.name}: only the target has {', '.join(more)}")
        names = [f.target.name for f in forms]
        # The target's key is enforced there; the source's may be a promise that SQLite did not keep.
        key = there.key if there.key and set(there.key) <= set(names) else table.key
        places = tuple(names.index(c) for c in key) if set(key) <= set(names) else ()
        subject = Subject(table, self.schema, tuple(forms), places, orphans)
        meter = Meter(self.emit, "verify", table.name, "rows", expected)
        tools = Tools(self.source, self.target, self.scratch, self.public_bases, meter.at, self.cancel)
        if forms:
            tally.absorb(compare_table(subject, tools))
        meter.at(tally.rows)
        meter.close()
        return tally
