"""Addresses of stored files are found in every form apps write them, and nothing else changes."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from wizard.references.locate import MediaUrl, locate
from wizard.references.rewrite import rewrite

FILES = {
    "a.jpg",
    "docs/my file (1) & more.txt",
    "docs/it's.pdf",
    "uploads/größe.png",
    "photos/日本.png",
    "100%.txt",
    "dir/a b.jpg",
    "a",
}
BASE = "https://cdn.example.com/app/"
MEDIA = MediaUrl("/media/")


def new(path: str) -> str:
    return BASE + quote(path, safe="/")


def run(text: str, media: MediaUrl = MEDIA) -> str:
    return rewrite(text, media, FILES.__contains__, new, (BASE,))[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/media/a.jpg", new("a.jpg")),
        ("https://my-app.onrender.com/media/a.jpg", new("a.jpg")),
        ("http://localhost:8000/media/a.jpg?v=2#top", new("a.jpg") + "?v=2#top"),
        ("//host/media/a.jpg", new("a.jpg")),
        ('<img src="/media/a.jpg" alt="x">', f'<img src="{new("a.jpg")}" alt="x">'),
        ("<img src='/media/docs/it&#x27;s.pdf'>", f"<img src='{BASE}docs/it%27s.pdf'>"),
        ("<img src=/media/a.jpg>", f"<img src={new('a.jpg')}>"),
        ("![x](/media/a.jpg) [y](</media/dir/a b.jpg>)", f"![x]({new('a.jpg')}) [y](<{new('dir/a b.jpg')}>)"),
        ("url(/media/a.jpg);", f"url({new('a.jpg')});"),
        ("See /media/a.jpg. Then", f"See {new('a.jpg')}. Then"),
        ("/media/a.jpg, /media/a.jpg", f"{new('a.jpg')}, {new('a.jpg')}"),
        (
            '<source srcset="/media/a.jpg 1x, /media/dir/a%20b.jpg 2x">',
            f'<source srcset="{new("a.jpg")} 1x, {new("dir/a b.jpg")} 2x">',
        ),
        ("/media/docs/my%20file%20%281%29%20%26%20more.txt", new("docs/my file (1) & more.txt")),
        ('"/media/docs/my file (1) &amp; more.txt"x', f'"{new("docs/my file (1) & more.txt")}"x'),
        ("/media/uploads/gr%C3%B6%C3%9Fe.png", new("uploads/größe.png")),
        ("/media/uploads/gro\u0308ße.png", new("uploads/größe.png")),
        ("/media/photos/日本.png。", new("photos/日本.png") + "。"),
        ("/media/100%.txt", new("100%.txt")),
        ("/media/100%25.txt", new("100%.txt")),
        ("one\r\n/media/a.jpg\r\ntwo\t", f"one\r\n{new('a.jpg')}\r\ntwo\t"),
    ],
)  # fmt: skip
def test_known_forms(before: str, after: str) -> None:
    assert run(before) == after
    assert run(after) == after  # a second time changes nothing


@pytest.mark.parametrize(
    "text",
    [
        "/media/gone.jpg",
        "/media/a.jpg.bak",
        "/static/media/a.jpg",
        "https://host/other/media/a.jpg",
        "media/a.jpg",
        "a.jpg",
        "/media/",
        "/media/../a.jpg",
        "/mediathek/a.jpg",
        "/login?next=/media/a.jpg",
        BASE + "media/a.jpg",
        "/media/A.JPG",
        "",
    ],
)
def test_what_is_no_reference_stays(text: str) -> None:
    assert run(text) == text


def test_the_longest_stored_name_wins() -> None:
    assert (
        run("/media/docs/my file (1) & more.txt is here") == new("docs/my file (1) & more.txt") + " is here"
    )


def test_json_keeps_its_bytes_but_for_the_address() -> None:
    before = (
        '{ "html": "<a href=\\"/media/a.jpg\\">\\n/media/dir/a b.jpg</a>", "esc": "\\/media\\/a.jpg",\n'
        '  "uni": "\\ud83d\\ude00 /media/uploads/gr\\u00f6\\u00dfe.png \\u00e9", "n": 1.0, "k": [ null ] }'
    )
    after = run(before)
    assert after == (
        f'{{ "html": "<a href=\\"{new("a.jpg")}\\">\\n{new("dir/a b.jpg")}</a>", '
        f'"esc": "{new("a.jpg").replace("/", chr(92) + "/")}",\n'
        f'  "uni": "\\ud83d\\ude00 {new("uploads/größe.png")} \\u00e9", "n": 1.0, "k": [ null ] }}'
    )
    assert json.loads(after)["esc"] == new("a.jpg")
    assert run('"/media/a.jpg"') == f'"{new("a.jpg")}"'
    assert run('[not json "/media/a.jpg"') == f'[not json "{new("a.jpg")}"'


def test_files_without_a_new_address_keep_the_old_one() -> None:
    text = "/media/a.jpg /media/dir/a%20b.jpg"
    after, count = rewrite(
        text, MEDIA, FILES.__contains__, lambda path: new(path) if path == "a.jpg" else None, ()
    )
    assert (after, count) == (f"{new('a.jpg')} /media/dir/a%20b.jpg", 1)


def test_dangling_names_are_told_as_written() -> None:
    found = locate('<img src="/media/gone%20now.jpg"> (/media/lost.png), x', MEDIA, FILES.__contains__)
    assert [(r.path, r.written) for r in found] == [(None, "gone%20now.jpg"), (None, "lost.png")]
    hosts = locate("https://h.example:1/media/a.jpg /media/a.jpg", MEDIA, FILES.__contains__)
    assert [r.host for r in hosts] == ["h.example:1", ""]


def test_media_urls() -> None:
    assert MediaUrl.parse("media/") == MediaUrl("/media/")
    assert MediaUrl.parse("https://cdn.example.com/up/loads") == MediaUrl("/up/loads/")
    assert MediaUrl.parse("/") is None
    assert MediaUrl.parse("https://cdn.example.com") is None
    assert run("/up.loads/a.jpg", MediaUrl("/up.loads/")) == new("a.jpg")
    assert run("/upXloads/a.jpg", MediaUrl("/up.loads/")) == "/upXloads/a.jpg"


def test_near_misses_cost_a_bounded_number_of_looks() -> None:
    looks = 0

    def known(_name: str) -> bool:
        nonlocal looks
        looks += 1
        return False

    text = "/media/x y z (1), 2 - 3; " * 1000
    assert rewrite(text, MEDIA, known, new)[0] == text
    assert looks <= 1000 * 24 * 4
