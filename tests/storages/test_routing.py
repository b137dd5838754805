"""Which rule takes a file."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from wizard.answers import StorageRule
from wizard.storages.routing import route


@dataclass(frozen=True)
class File:
    path: str
    size: int = 1


def _matches(pattern: str, path: str) -> bool:
    return route((StorageRule("s3", match=pattern),), "media", File(path)) is not None


@pytest.mark.parametrize(
    ("pattern", "taken", "refused"),
    [
        ("**", ["a", "a/b/c.txt", "new\nline"], []),
        ("logos/**", ["logos/a.png", "logos/x/y.png"], ["logos", "other/logos/a.png", "logosx/a"]),
        ("**/*.png", ["a.png", "x/y/a.png"], ["a.jpg", "a.png/b"]),
        ("*.png", ["a.png"], ["x/a.png", "a.PNG"]),
        ("img?.[jp]*", ["img1.jpg", "img2.png"], ["img/.jpg", "img1.gif"]),
        ("[!a]*", ["b"], ["a1", "/x"]),
        ("a.b+c(1).txt", ["a.b+c(1).txt"], ["axb+c(1).txt"]),
        ("x/**/y", ["x/y", "x/1/y", "x/1/2/y"], ["xy"]),
    ],
)
def test_patterns(pattern: str, taken: list[str], refused: list[str]) -> None:
    assert [path for path in taken if not _matches(pattern, path)] == []
    assert [path for path in refused if _matches(pattern, path)] == []


def test_the_first_rule_that_fits_takes_the_file() -> None:
    rules = (
        StorageRule("s3", source="other", match="**", prefix="other/"),
        StorageRule("database", source="media", match="logos/**", max_size=100, prefix="l/"),
        StorageRule("leave", source="media", match="tmp/**"),
        StorageRule("s3", source="./media/", match="**/*.png", prefix="p/"),
    )
    assert route(rules, "media", File("logos/a.png", 100)) == (1, "l/logos/a.png")
    assert route(rules, "media", File("logos/a.png", 101)) == (3, "p/logos/a.png")
    assert route(rules, "media", File("tmp/x.png")) == (2, "tmp/x.png")
    assert route(rules, "media", File("a.txt")) is None
    assert route(rules, "other", File("a.txt")) == (0, "other/a.txt")
