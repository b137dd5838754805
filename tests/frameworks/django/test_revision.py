"""The source's migrations against the code's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.frameworks.django import sample
from wizard.events import Event, Warned
from wizard.frameworks.base import Workshop
from wizard.frameworks.django.revision import revision

MakeWorkshop = Callable[..., Workshop]
CORE = [
    ("contenttypes", "0001_initial"),
    ("contenttypes", "0002_remove_content_type_name"),
    ("auth", "0001_initial"),
    *(
        ("auth", name)
        for name in (
            "0002_alter_permission_name_max_length",
            "0003_alter_user_email_max_length",
            "0004_alter_user_username_opts",
            "0005_alter_user_last_login_null",
            "0006_require_contenttypes_0002",
            "0007_alter_validators_add_error_messages",
            "0008_alter_user_username_max_length",
            "0009_alter_user_last_name_max_length",
            "0010_alter_group_name_max_length",
            "0011_update_proxy_permissions",
            "0012_alter_user_first_name_max_length",
        )
    ),
]
BLOG = [("blog", "0001_initial"), ("blog", "0002_seed")]


def test_equal(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    workshop = make_workshop()
    before = sample.fingerprint(workshop.project.root)
    found = revision(workshop, sample.make_database(tmp_path / "snapshot", CORE + BLOG))
    assert (found.missing, found.unknown) == ((), ())
    assert set(found.history or ()) == {*CORE, *BLOG}
    assert found.tables is not None
    assert {"auth_user", "auth_user_groups", "blog_post"} <= set(found.tables)
    assert sample.fingerprint(workshop.project.root) == before


def test_a_migration_that_was_not_applied(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    found = revision(make_workshop(), sample.make_database(tmp_path / "snapshot", CORE + BLOG[:1]))
    assert (found.missing, found.unknown) == (("blog.0002_seed",), ())
    assert found.command == "python manage.py migrate"


def test_a_migration_the_code_does_not_have(
    make_workshop: MakeWorkshop, tmp_path: Path, events: list[Event]
) -> None:
    applied = [*CORE, *BLOG, ("blog", "0003_from_another_branch"), ("gone", "0001_initial")]
    found = revision(make_workshop(), sample.make_database(tmp_path / "snapshot", applied))
    assert (found.missing, found.unknown) == ((), ("blog.0003_from_another_branch",))
    warned = [event for event in events if isinstance(event, Warned)]
    assert [event.code for event in warned] == ["removed-app-migrations"]
    assert "gone" in warned[0].message


def test_a_source_that_was_never_migrated(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    found = revision(make_workshop(), sample.make_database(tmp_path / "snapshot", []))
    assert len(found.missing) == len(CORE) + len(BLOG)


SQUASHED = sample.FIRST.replace(
    "    initial = True\n",
    '    initial = True\n    replaces = [("blog", "0001_initial"), ("blog", "0002_seed")]\n',
)


def test_squashed_with_all_replaced_applied(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    workshop = make_workshop({"apps/blog/migrations/0001_squashed_0002_seed.py": SQUASHED})
    found = revision(workshop, sample.make_database(tmp_path / "snapshot", CORE + BLOG))
    assert (found.missing, found.unknown) == ((), ())


def test_squashed_whose_originals_were_deleted(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    workshop = make_workshop({"apps/blog/migrations/0001_squashed_0002_seed.py": SQUASHED})
    for name in ("0001_initial.py", "0002_seed.py"):
        (workshop.project.root / "apps/blog/migrations" / name).unlink()
    found = revision(workshop, sample.make_database(tmp_path / "snapshot", CORE + BLOG))
    assert (found.missing, found.unknown) == ((), ())


def test_squashed_half_applied(make_workshop: MakeWorkshop, tmp_path: Path) -> None:
    workshop = make_workshop({"apps/blog/migrations/0001_squashed_0002_seed.py": SQUASHED})
    found = revision(workshop, sample.make_database(tmp_path / "snapshot", CORE + BLOG[:1]))
    assert found.missing == ("blog.0002_seed",)
