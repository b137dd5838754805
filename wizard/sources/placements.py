"""Which file goes where, what is about to be sent there, and what has been confirmed: three tables of the
inventory's file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wizard.sources.inventory_file import PAGE, Entry, Inventory, StoreProblem


@dataclass(frozen=True, slots=True)
class Placement:
    """A file's place: `rule` is the index of the answers' storage rule, `target` the bucket's identity."""

    store: str
    path: str
    rule: int
    target: str
    key: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the server confirmed to hold under `key`, and the digest of the bytes that it was sent.

    `status` is sent, already, or kept (other bytes stood there and stay, by an answer). `part_size` is
    0 for an object sent in one piece.
    """

    target: str
    key: str
    store: str
    path: str
    status: str
    size: int
    sha256: bytes
    etag: str
    part_size: int


@dataclass(frozen=True, slots=True)
class Intent:
    """Bytes that were about to be sent under `key`: what stands there with these digests is this run's own,
    also where a kill came before the server's answer was recorded."""

    target: str
    key: str
    sha256: bytes
    md5: bytes
    size: int


class Placements:
    """The three tables, through the inventory that holds them."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def clear(self) -> None:
        """Forget all placements, to route anew. Confirmations stay."""
        self._inventory.many([("DELETE FROM placement", ())])

    def place(self, placements: Sequence[Placement]) -> None:
        self._inventory.many(
            (
                "INSERT OR REPLACE INTO placement (store, path, rule, target, key, folded) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (p.store, p.path, p.rule, p.target, p.key, p.key.casefold()),
            )
            for p in placements
        )

    def collisions(self, limit: int) -> list[tuple[str, int]]:
        """(key, files) of keys that several files of one target map to; at most `limit`."""
        return self._inventory.rows(
            "SELECT key, count(*) FROM placement GROUP BY target, folded, key HAVING count(*) > 1 LIMIT ?",
            (limit,),
        )

    def twins(self, limit: int) -> list[tuple[str, str]]:
        """Two keys of one target that differ in upper and lower case only; at most `limit` pairs."""
        return self._inventory.rows(
            "SELECT min(key), max(key) FROM placement GROUP BY target, folded "
            "HAVING count(DISTINCT key) > 1 LIMIT ?",
            (limit,),
        )

    def unplaced(self, limit: int) -> list[tuple[str, str]]:
        """(store, path) of files in the inventory that no rule has taken; at most `limit`."""
        return self._inventory.rows(
            "SELECT f.store, f.path FROM file f LEFT JOIN placement p ON p.store = f.store "
            "AND p.path = f.path WHERE p.path IS NULL ORDER BY 1, 2 LIMIT ?",
            (limit,),
        )

    def unmoved(self) -> tuple[StoreProblem, ...]:
        """What could not be carried and has no object of this run, by store and path."""
        rows = self._inventory.rows(
            "SELECT p.store, p.path, p.code, p.message FROM problem p LEFT JOIN confirmed c "
            "ON c.store = p.store AND c.path = p.path WHERE c.path IS NULL ORDER BY 1, 2"
        )
        return tuple(StoreProblem(*row) for row in rows)

    def settled(self) -> dict[str, tuple[int, int]]:
        """Status → (files, bytes) of the placed files whose present bytes are confirmed."""
        rows = self._inventory.rows(
            "SELECT c.status, count(*), sum(f.size) FROM placement p JOIN file f USING (store, path) "
            "JOIN confirmed c ON c.target = p.target AND c.key = p.key AND c.sha256 = f.sha256 GROUP BY 1"
        )
        return {status: (files, size) for status, files, size in rows}

    def count(self, rule: int) -> tuple[int, int]:
        """Files and bytes routed by one rule."""
        found: tuple[int, int] = self._inventory.rows(
            "SELECT count(*), coalesce(sum(size), 0) FROM placement JOIN file USING (store, path) "
            "WHERE rule = ?",
            (rule,),
        )[0]
        return found

    def largest(self, rule: int) -> tuple[str, int] | None:
        """(store/path, bytes) of the largest file routed by one rule; None where it has none."""
        rows = self._inventory.rows(
            "SELECT store || '/' || path, size FROM placement JOIN file USING (store, path) "
            "WHERE rule = ? ORDER BY size DESC LIMIT 1",
            (rule,),
        )
        return rows[0] if rows else None

    def all(self, rule: int) -> Iterator[tuple[Placement, Entry, Confirmed | None]]:
        """Every file of one rule with what was confirmed under its key, by store and path, in pages."""
        at = ("", "")
        while page := self._inventory.rows(
            "SELECT p.store, p.path, p.rule, p.target, p.key, f.size, f.sha256, f.md5, f.content_type, "
            "f.mtime_ns, c.target, c.key, c.store, c.path, c.status, c.size, c.sha256, c.etag, c.part_size "
            "FROM placement p JOIN file f ON f.store = p.store AND f.path = p.path "
            "LEFT JOIN confirmed c ON c.target = p.target AND c.key = p.key "
            "WHERE (p.store, p.path) > (?, ?) AND p.rule = ? AND f.sha256 IS NOT NULL "
            "ORDER BY p.store, p.path LIMIT ?",
            (*at, rule, PAGE),
        ):
            for row in page:
                yield (
                    Placement(*row[:5]),
                    Entry(row[1], *row[5:10]),
                    Confirmed(*row[10:]) if row[10] is not None else None,
                )
            at = (page[-1][0], page[-1][1])

    def intend(self, intents: Sequence[Intent]) -> None:
        """Record what is about to be sent, before the first byte of it is."""
        self._inventory.many(
            (
                "INSERT OR REPLACE INTO intent (target, key, sha256, md5, size) VALUES (?, ?, ?, ?, ?)",
                (i.target, i.key, i.sha256, i.md5, i.size),
            )
            for i in intents
        )

    def intents(self, target: str) -> dict[str, tuple[Intent, ...]]:
        """Key → what was about to be sent there and never confirmed; a few batches at most."""
        found: dict[str, tuple[Intent, ...]] = {}
        for row in self._inventory.rows(
            "SELECT target, key, sha256, md5, size FROM intent WHERE target = ?", (target,)
        ):
            found[row[1]] = (*found.get(row[1], ()), Intent(*row))
        return found

    def confirm(self, confirmed: Sequence[Confirmed]) -> None:
        """Record what the server holds, all or nothing; what was intended for these keys is settled."""
        self._inventory.many(
            statement
            for c in confirmed
            for statement in (
                (
                    "INSERT OR REPLACE INTO confirmed (target, key, store, path, status, size, sha256, etag, "
                    "part_size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (c.target, c.key, c.store, c.path, c.status, c.size, c.sha256, c.etag, c.part_size),
                ),
                ("DELETE FROM intent WHERE target = ? AND key = ?", (c.target, c.key)),
            )
        )

    def orphans(self, limit: int) -> list[tuple[str, str, str, str]]:
        """(target, key, store, path) of confirmed objects whose file is no longer in the inventory."""
        return self._inventory.rows(
            "SELECT c.target, c.key, c.store, c.path FROM confirmed c LEFT JOIN file f "
            "ON f.store = c.store AND f.path = c.path WHERE f.path IS NULL ORDER BY 1, 2 LIMIT ?",
            (limit,),
        )
