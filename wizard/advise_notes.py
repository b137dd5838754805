"""What a table of prices leaves out: what old guides say wrongly, hosts that cannot serve, the whole bill."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """One line beside the comparison. `about`: correction, declined, bill, capacity."""

    about: str
    text: str


NOTES: tuple[Note, ...] = (
    Note("correction", "A free PostgreSQL of Render does not lose its data on a deploy: it expires."),
    Note(
        "correction",
        "It expires after 30 days, not 90, and is deleted 14 days later.",
    ),
    Note("correction", "A disk of Render is about $0.25 to $0.30 a GB, not $1, on a paid web service."),
    Note(
        "declined",
        "Imgur and hosts like it take no files of an app: their terms forbid serving a site from them, files "
        "may be deleted, recompressed and shown to everybody, and nothing proves that they are whole.",
    ),
    Note(
        "declined",
        "Google Drive and Dropbox are no storage of an app: links change and reading is throttled.",
    ),
    Note(
        "bill",
        "The whole bill counts the web service too: a disk requires a paid one; one that sleeps is slow. "
        "A cache and monitoring cost nothing at first, and are not counted here.",
    ),
)
# By the guides that people follow; nothing of it was measured on this app.
CAPACITY: tuple[tuple[int, str], ...] = (
    (100, "a free plan of any of these does, if it does not expire"),
    (1_000, "0.5 to 1 GB and 20 connections do; one that sleeps is felt by the first visitor"),
    (10_000, "a paid plan, pooled connections, and files read from a bucket or a CDN, not through the app"),
    (100_000, "several instances, so no disk; a larger database, a cache, and alerts on its size"),
)
BEYOND = "measure first: replicas, partitions and queues are chosen by what is slow"


def notes(users: int) -> tuple[Note, ...]:
    """Every note, the last of them the rule of thumb for this number of people a month."""
    says = next((text for most, text in CAPACITY if users <= most), BEYOND)
    return (*NOTES, Note("capacity", f"Rule of thumb for {users:,} people a month, not measured: {says}."))
