"""Addresses as the real storage libraries spoil them, and what they were to be."""

from __future__ import annotations

import pytest

from wizard.references.cloudinary_urls import find, repair, replaced, shown
from wizard.verifying.rewrites import is_rewrite

RIGHT = "https://res.cloudinary.com/demo/image/upload/v1/logos/a.png"
OUTER = "https://res.cloudinary.com/demo/image/upload/v1/media/"


@pytest.mark.parametrize(
    ("written", "right"),
    [
        (OUTER + RIGHT, RIGHT),
        (OUTER.replace("image", "raw") + RIGHT, RIGHT),
        (OUTER.replace("image", "video") + RIGHT.replace("image", "video"), RIGHT.replace("image", "video")),
        (OUTER + RIGHT.replace("https", "http"), RIGHT.replace("https", "http")),
        (OUTER + RIGHT.replace("https://", "https:/"), RIGHT),
        ("https://res.cloudinary.com/demo/image/upload/v1/media/media/a.png",
         "https://res.cloudinary.com/demo/image/upload/v1/media/a.png"),
        ("/media/https%3A/res.cloudinary.com/demo/image/upload/v1/logos/a.png", RIGHT),
        ("/media/https%3A%2F%2Fres.cloudinary.com%2Fdemo%2Fimage%2Fupload%2Fv1%2Flogos%2Fa.png", RIGHT),
        ("https://app.example/media/https%3A/res.cloudinary.com/demo/image/upload/v1/logos/a.png", RIGHT),
        ("logos/https:/res.cloudinary.com/demo/image/upload/v1/logos/a.png", RIGHT),
        (OUTER + OUTER + RIGHT, RIGHT),
    ],
)  # fmt: skip
def test_each_form_is_mended(written: str, right: str) -> None:
    assert repair(written) == right
    assert repair(right) is None


@pytest.mark.parametrize(
    "written",
    [
        RIGHT,
        RIGHT + "?x=1",
        "https://res.cloudinary.com/demo/image/upload/w_1/v2/a/b/c.png",
        "https://example.com/media/a.png",
        "https://res.cloudinary.com/demo/image/upload/v1/media/https://evil.example/a.png",
        "",
        "/_next/image?url=https%3A%2F%2Fres.cloudinary.com%2Fdemo%2Fimage%2Fupload%2Fv1%2Fa.png",
        "https://cdn.example/fetch/w_1/https%3A%2F%2Fres.cloudinary.com%2Fdemo%2Fimage%2Fupload%2Fv1%2Fa.png",
        f"https://web.archive.org/web/2020/{RIGHT}",
        f"https://app.example/go?next={RIGHT}",
        f"https://res.cloudinary.com/demo/image/fetch/{RIGHT}",
        f"/cdn-cgi/image/width=80/{RIGHT}",
    ],
)
def test_what_is_right_or_unknown_stays(written: str) -> None:
    assert repair(written) is None
    assert find(written) == []


def test_addresses_inside_a_text_are_found() -> None:
    other = RIGHT.replace("a.png", "b.png")
    text = f'<img src="{OUTER}{RIGHT}"> ![x]({OUTER}{other}) {RIGHT} "{OUTER}{RIGHT}"'
    found = find(text)
    assert [one.repaired for one in found] == [RIGHT, other, RIGHT]
    assert [text[one.start : one.end] for one in found] == [OUTER + RIGHT, OUTER + other, OUTER + RIGHT]
    assert find(f"{RIGHT} and https://example.com/a.png") == []


def test_lists_json_and_sentences_keep_what_stands_around_an_address() -> None:
    slashed = f'{{"u": "{OUTER}{RIGHT}"}}'.replace("/", "\\/")
    comma = RIGHT.replace("v1/", "w_1,h_2/v1/")
    relative = RIGHT.replace("://", ":/")
    for text, after in (
        (slashed, f'{{"u": "{RIGHT}"}}'.replace("/", "\\/")),
        (f"{{{OUTER}{RIGHT},{OUTER}{comma},x}}", f"{{{RIGHT},{comma},x}}"),
        (f"{{logos/{relative},logos/{relative}}}", f"{{{RIGHT},{RIGHT}}}"),
        (f"See {OUTER}{RIGHT}, or {OUTER}{RIGHT}.", f"See {RIGHT}, or {RIGHT}."),
        (f"<img src={OUTER}{RIGHT}>", f"<img src={RIGHT}>"),
    ):
        right = {one.written: one.repaired for one in find(text)}
        assert replaced(text, right)[0] == after
        assert is_rewrite(text, after, ())
        assert not is_rewrite(text, after.replace("a.png", "b.png"), ())


def test_a_decoded_address_breaks_no_text_around_it() -> None:
    written = "/media/https%3A%2F%2Fres.cloudinary.com%2Fdemo%2Fimage%2Fupload%2Fv1%2Fa%20%22%2C%7B%2520.png"
    mended = repair(written)
    assert mended == "https://res.cloudinary.com/demo/image/upload/v1/a%20%22%2C%7B%20.png"
    assert is_rewrite(f'"{written}"', f'"{mended}"', ())


def test_a_long_run_of_signs_takes_no_time() -> None:
    text = "x" * 2_000_000 + OUTER + RIGHT + "y" * 2_000_000
    assert find(text) == []
    assert len(find(f"{text} {OUTER}{RIGHT}")) == 1


def test_what_is_shown_holds_no_secret() -> None:
    held = "https://user:pass@app.example/media/https%3A/res.cloudinary.com/d/image/upload/s--Ab1--/a.png?token=1"
    for part in ("user", "pass", "Ab1", "token"):
        assert part not in shown(held)
