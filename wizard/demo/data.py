"""The demo's rows: written straight into the migrated SQLite file, in Django's own text forms.

The same `scale` always gives the same rows. Django is not imported: the engine never runs a
project's code in its own process. Among the values are those that break careless copying: CR LF, tabs,
backslashes, quotes, trailing blanks, emoji, 64-bit extremes, floats without a short decimal form,
microseconds, an identity whose highest value was deleted.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import uuid
from collections.abc import Iterable
from contextlib import closing
from datetime import date, datetime, time, timedelta
from pathlib import Path
from urllib.parse import quote

from wizard.demo import samples

SENTENCE = (
    "anchor breeze captain deck east ferry gull harbour island jetty keel lighthouse mast north oar pier "
    "quay rope sail tide utter voyage wave yacht fog storm calm net crew lantern Küste été señor лодка 船"
)
WORDS = tuple(SENTENCE.split())
FIRST = (
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Elif",
    "Fatoumata",
    "Gül",
    "Håkon",
    "Inês",
    "Jürgen",
    "Kaori",
    "Łukasz",
)
LAST = ("Aalto", "Brontë", "Čapek", "D'Arcy", "Eriksson", "Fischer", "García", "Ōno", "Şahin", "van der Meer")
HARD_TEXTS = (
    "two lines\r\nas a browser sends them",
    "a\ttab, a \\ backslash, \\N and \\. alone\n\\.\n",
    'it\'s "quoted" {braces} %percent% $dollar$',
    "  blanks at both ends  ",
    "emoji 👩‍🚀🏳️‍🌈 and ‏right to left‎ marks",
    "<script>not run</script> &amp; entity",
)
HARD_NUMBERS = (0, 2**63 - 1, -(2**63), 2**53 + 1, 2**31)
HARD_FLOATS = (0.1 + 0.2, 1e-300, 1.7976931348623157e308, -0.5, 1 / 3, 5e-324)
START = datetime(2023, 1, 1, 6, 30)
"""Without a zone: Django stores UTC so in SQLite."""


def fill(database: Path, media: Path, scale: float) -> None:
    """Fill the tables that `manage.py migrate` made, in one transaction.

    The files must lie in `media` already: attachments carry their size and SHA-256.
    """
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with connection:
            _Filler(connection, media, scale).fill()


class _Filler:
    def __init__(self, connection: sqlite3.Connection, media: Path, scale: float) -> None:
        self.connection = connection
        self.media = media
        self.files = samples.names(scale)
        self.chance = random.Random("ashore rows")  # noqa: S311  sample data
        self.users = max(6, round(400 * scale))
        self.tags = max(5, round(80 * scale))
        self.posts = max(len(self.files.covers), len(self.files.attachments), round(1600 * scale))
        self.comments = max(60, round(16_000 * scale))

    def fill(self) -> None:
        self._people()
        self._words()
        self._posts()
        self._comments()
        self._attachments()
        self._sessions()

    def _insert(self, table: str, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
        names = columns.split()
        self.connection.executemany(
            f'INSERT INTO "{table}" ({", ".join(names)}) VALUES ({", ".join("?" * len(names))})', rows
        )

    def _text(self, words: int) -> str:
        return " ".join(self.chance.choices(WORDS, k=words)).capitalize()

    def _moment(self) -> datetime:
        moment = START + timedelta(seconds=self.chance.randrange(3 * 365 * 86_400))
        # Every tenth has no fraction: Django then writes none.
        return moment.replace(
            microsecond=self.chance.randrange(1, 1_000_000) if self.chance.random() < 0.9 else 0
        )

    def _people(self) -> None:
        self._insert(
            "auth_user",
            "id password last_login is_superuser username first_name last_name email is_staff is_active "
            "date_joined",
            (
                (
                    n,
                    f"!{self.chance.getrandbits(160):040x}",
                    str(self._moment()) if n % 3 else None,
                    n == 1,
                    f"user{n}",
                    FIRST[n % len(FIRST)],
                    LAST[n % len(LAST)],
                    f"user{n}@example.org",
                    n <= 2,
                    n % 17 != 0,
                    str(self._moment()),
                )
                for n in range(1, self.users + 1)
            ),
        )
        self._insert(
            "blog_profile",
            "id user_id bio website birthday newsletter avatar",
            (
                (
                    n,
                    n,
                    HARD_TEXTS[n % len(HARD_TEXTS)] if n % 5 == 0 else self._text(12),
                    f"https://user{n}.example.org/?a=1&b=2" if n % 2 else "",
                    str(date(1940 + n % 70, 1 + n % 12, 1 + n % 28)) if n % 4 else None,
                    n % 2 == 0,
                    self.files.avatars[n - 1] if n <= len(self.files.avatars) else "",
                )
                for n in range(1, self.users + 1)
            ),
        )
        self._insert("auth_group", "id name", [(1, "editors"), (2, "writers")])
        self._insert(
            "auth_user_groups",
            "user_id group_id",
            ((n, 1 + n % 2) for n in range(1, self.users + 1, 3)),
        )
        self.connection.execute(
            "INSERT INTO auth_group_permissions (group_id, permission_id) SELECT 1, id FROM auth_permission"
        )

    def _words(self) -> None:
        # A row that the app's own migration seeded was changed, one removed, others added.
        self.connection.execute("UPDATE blog_category SET name = 'Harbour news' WHERE name = 'News'")
        self.connection.execute("DELETE FROM blog_category WHERE name = 'Recipes'")
        self._insert("blog_category", "name position", [("Kochen & Küche", 3), ("Ships", 7), ("ships", 8)])
        self._insert(
            "blog_tag", "id name", ((n, f"{WORDS[n % len(WORDS)]} {n}") for n in range(1, self.tags + 1))
        )

    def _body(self, number: int) -> str:
        parts = [f"<p>{self._text(25)}</p>"]
        if number % 3 == 0:
            cover = self.files.covers[number % len(self.files.covers)]
            parts.append(f'<p><img src="/media/{quote(cover)}" alt="{self._text(3)}"></p>')
        if number % 5 == 0:
            name = self.files.attachments[number % len(self.files.attachments)]
            parts.append(f'<p><a href="/media/{quote(name)}">{self._text(2)}</a></p>')
        if number % 11 == 0:
            parts.append(
                "<p><a href='/media/attachments/with spaces (and brackets) &amp; more.txt'>raw</a></p>"
            )
        if number == 1:
            parts.append(f'<p><a href="/media/{quote(samples.UNLISTED_NAME)}">notes</a></p>')
        if number % 7 == 0:
            parts.append(f"<pre>{HARD_TEXTS[number % len(HARD_TEXTS)]}</pre>")
        return "\r\n".join(parts)

    def _extra(self, number: int) -> str:
        value: dict[str, object] = {"layout": ["wide", "narrow", None][number % 3], "count": number}
        if number % 4 == 0:
            value["gallery"] = [f"/media/{quote(c)}" for c in self.files.covers[:3]]
            value["nested"] = {"ü": [1, 2.5, -0.125, True, {"empty": {}, "list": []}], "a\\b": 'c"d\n'}
        return json.dumps(value if number % 10 else {})

    def _posts(self) -> None:
        categories = [row[0] for row in self.connection.execute("SELECT id FROM blog_category ORDER BY id")]
        rows = []
        links = []
        for n in range(1, self.posts + 1):
            reading = timedelta(
                days=n % 40, seconds=self.chance.randrange(86_400), microseconds=n * 7 % 1_000_000
            )
            rows.append(
                (
                    n,
                    1 + (n - 1) % self.users,
                    categories[n % len(categories)] if n % 6 else None,
                    f"{self._text(4)} {n}",
                    f"{'küste' if n % 9 == 0 else 'post'}-{n}",
                    self._body(n),
                    self.files.covers[n - 1] if n <= len(self.files.covers) else "",
                    str(self._moment()),
                    n % 8 != 0,
                    n <= self.users and n % 3 == 0,
                    f"{self.chance.randrange(10**8) / 100:.2f}" if n % 2 else None,
                    HARD_FLOATS[n % len(HARD_FLOATS)]
                    if n % 13 == 0
                    else self.chance.random()
                    if n % 3
                    else None,
                    reading // timedelta(microseconds=1) * (-1 if n % 50 == 0 else 1),
                    str(date(2023 + n % 4, 1 + n % 12, 1 + n % 28)) if n % 3 == 0 else None,
                    str(time(n % 24, n % 60, n % 59, n * 31 % 1_000_000)) if n % 3 == 0 else None,
                    self._extra(n),
                    HARD_NUMBERS[n % len(HARD_NUMBERS)] if n % 20 == 0 else self.chance.randrange(10**6),
                )
            )
            links += [(n, tag) for tag in sorted(self.chance.sample(range(1, self.tags + 1), n % 5))]
        self._insert(
            "blog_post",
            "id author_id category_id title slug body cover published is_public pinned price rating "
            "reading_time event_date event_time extra views",
            rows,
        )
        self._insert("blog_post_tags", "post_id tag_id", links)

    def _comments(self) -> None:
        latest: dict[int, int] = {}
        rows = []
        for n in range(1, self.comments + 2):
            post = 1 + self.chance.randrange(self.posts)
            rows.append(
                (
                    n,
                    post,
                    1 + self.chance.randrange(self.users) if n % 4 else None,
                    latest.get(post) if n % 3 == 0 else None,
                    "" if n % 4 else f"guest {n}",
                    HARD_TEXTS[n % len(HARD_TEXTS)] if n % 25 == 0 else self._text(8 + n % 20),
                    str(self._moment()),
                    n % 30 != 0,
                )
            )
            latest[post] = n
        self._insert("blog_comment", "id post_id author_id parent_id name body created approved", rows)
        # The newest comment was deleted: its number must not be given out again.
        self.connection.execute("DELETE FROM blog_comment WHERE id = ?", (self.comments + 1,))

    def _attachments(self) -> None:
        rows = []
        for n, name in enumerate(self.files.attachments, start=1):
            content = (self.media / name).read_bytes()
            identity = uuid.UUID(int=self.chance.getrandbits(128), version=4)
            rows.append(
                (
                    identity.hex,
                    n,
                    name.rpartition("/")[2],
                    name,
                    len(content),
                    hashlib.sha256(content).digest(),
                    str(self._moment()),
                )
            )
        self._insert("blog_attachment", "id post_id title file size sha256 uploaded", rows)

    def _sessions(self) -> None:
        self._insert(
            "django_session",
            "session_key session_data expire_date",
            ((f"{self.chance.getrandbits(128):032x}", f"e30:{n}", str(self._moment())) for n in range(20)),
        )
