"""From the first screen to the report, with keys alone; and back again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from screens.widgets.provider_table import ProviderTable
from screens.widgets.secret_input import SecretInput
from tests.screens import double, drive
from tests.screens.double import DECISION, Double
from wizard.credentials import Secret
from wizard.errors import UsageError

STATE = Path("/state")
NARROW = (60, 20)


async def test_the_whole_path_with_keys_alone() -> None:
    engine = Double(STATE)
    app = drive.wizard(engine)
    screens: list[str] = []

    async def look(pilot: Pilot[Any]) -> None:
        screens.append(drive.text(pilot) + app.export_screenshot())

    async with app.run_test(size=NARROW) as pilot:
        await drive.to_credentials(pilot)
        await drive.fill_credentials(pilot)
        await look(pilot)
        await drive.to_review(pilot)
        await look(pilot)
        await drive.to_run(pilot)
        await look(pilot)
        engine.go.set()
        await drive.says(pilot, "Done, and verified")
        await pilot.press("enter")
        await drive.step(pilot, "report")
        await drive.says(pilot, "Everything arrived")
        await look(pilot)
        await pilot.press("ctrl+q")
    assert app.exit_code == 0

    answers = engine.saved["draft.yml"]
    assert answers["database"] == {
        "source": "db.sqlite3",
        "provider": "neon",
        "url": "keyring:backend/database-url",
        "decisions": {"taggit_tag.name": {"nul_bytes": "strip"}},
    }
    assert answers["storage"] == [
        {
            "source": "media",
            "provider": "r2",
            "access": "signed",
            "bucket": "my-app-media",
            "endpoint": "https://a.example.com",
            "access_key": "keyring:backend/access-key",
            "secret_key": "keyring:backend/secret-key",
        }
    ]
    # The run is handed the secrets in memory, and the keyring has them; nothing else does.
    assert engine.handed[0]["keyring:backend/database-url"].reveal() == double.GOOD_URL
    assert engine.stored["backend/secret-key"].reveal() == double.GOOD_SECRET
    for secret in double.SECRETS:
        assert secret not in repr(engine.saved)
        assert not any(secret in screen for screen in screens)


@pytest.mark.long
async def test_back_keeps_every_answer() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.to_credentials(pilot)
        await drive.fill_credentials(pilot)
        await drive.to_review(pilot)
        for name in ("decisions", "credentials", "files", "database", "at_risk"):
            await pilot.press("escape")
            await drive.step(pilot, name)
            await drive.onward(pilot)
        assert app.session.choice(DECISION) == "strip"
        await pilot.press("escape")
        assert app.screen.step == "at_risk"  # type: ignore[attr-defined]
        await pilot.press("enter")
        await drive.step(pilot, "database")
        await drive.says(pilot, "▸● Neon free")
        await pilot.press("enter")
        await drive.step(pilot, "files")
        await drive.says(pilot, "▸● Cloudflare R2")
        await pilot.press("enter")
        await drive.step(pilot, "credentials")
        # The tests that passed are remembered too, since nothing changed.
        await drive.says(pilot, "✓ connected")
        held = app.screen.query_one("#field-database-url", SecretInput).secret
        assert held is not None and held.reveal() == double.GOOD_URL
        assert app.screen.query_one("#field-storage-bucket", Input).value == "my-app-media"


async def test_another_choice_asks_for_other_fields() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        await pilot.press("enter")
        await drive.step(pilot, "database")
        await drive.says(pilot, "Recommended")
        rows = app.screen.query_one(ProviderTable).rows
        await pilot.press(*["down"] * [row.name for row in rows].index("stay-with-backups"), "enter")
        await drive.step(pilot, "files")
        await drive.says(pilot, "Recommended")
        rows = app.screen.query_one(ProviderTable).rows
        await pilot.press(*["down"] * [row.name for row in rows].index("s3"), "enter")
        await drive.step(pilot, "credentials")
        fields = {field.id for field in app.screen.query(Input)}
        assert fields == {
            "field-storage-bucket",
            "field-storage-region",
            "field-storage-access-key",
            "field-storage-secret-key",
        }
        assert app.session.answers()["database"] == {"source": "db.sqlite3", "provider": "stay-with-backups"}


async def test_people_and_budget_change_the_advice() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(120, 40)) as pilot:
        await drive.onward(pilot)
        await pilot.press("enter")
        await drive.step(pilot, "database")
        await drive.says(pilot, "$5.30")
        await pilot.press("shift+tab", "shift+tab", "home", "1")  # people a month: 11000
        await drive.says(pilot, "$58.30")


async def test_a_wrong_secret_is_answered_in_place_and_holds_the_way() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.credentials(pilot)
        await drive.paste(pilot, double.BAD_URL)
        await pilot.press("enter")
        await drive.says(pilot, "✗ db.example.com says: password authentication failed")
        await drive.says(pilot, "Nothing has been written.")
        await drive.says(pilot, "Copy the connection string again")
        await pilot.click("#next")
        await pilot.pause(0.2)
        assert app.screen.step == "credentials"  # type: ignore[attr-defined]
        assert "wr0ng" not in app.export_screenshot()


async def test_a_key_without_rights_says_what_to_do() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.at(pilot, "credentials")
        await pilot.press("ctrl+t")
        await drive.says(pilot, "✓ put, read and delete")
        app.screen.query_one("#field-storage-secret-key").focus()
        await pilot.pause()
        await drive.paste(pilot, "other")
        await drive.says(pilot, "changed since the last test")
        await pilot.press("enter")
        await drive.says(pilot, "✗ put an object: AccessDenied")
        await drive.says(pilot, "The key may not write here")


@pytest.mark.parametrize("refuses", [False, True])
async def test_without_a_keyring_secrets_stay_in_memory(refuses: bool) -> None:
    engine = Double(STATE, keyring_usable=refuses, keyring_refuses=refuses, decisions=())
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.credentials(pilot)
        if not refuses:
            await drive.says(pilot, "stays in memory for this run")
        await drive.fill_credentials(pilot)
        await pilot.press("enter")
        if refuses:
            await drive.says(pilot, "The keyring refused the value.")
            await pilot.click("#next")
        await drive.step(pilot, "review")
        await drive.onward(pilot)
        await pilot.press("enter")
        await drive.step(pilot, "run")
    assert engine.stored == {}
    assert engine.saved["draft.yml"]["database"]["url"] == "env:DATABASE_URL"  # type: ignore[index]
    assert engine.handed[0]["env:DATABASE_URL"].reveal() == double.GOOD_URL


@pytest.mark.long
async def test_without_anything_to_decide_both_ways_pass_the_decisions_by() -> None:
    app = drive.wizard(Double(STATE, decisions=()))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.at(pilot, "credentials")
        pilot.app.screen.query_one("#next").focus()
        await pilot.press("enter")
        await drive.step(pilot, "review")
        await drive.onward(pilot)
        await pilot.press("escape")
        await drive.step(pilot, "credentials")


@pytest.mark.long
async def test_what_cannot_be_carried_at_all_holds_the_way() -> None:
    stuck = double.Decision("v", "virtual_table", "is a virtual table", 1, (), ())
    app = drive.wizard(Double(STATE, decisions=(stuck,)))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        drive.answered(app)
        app.session.found = None
        app.go("decisions")
        await drive.step(pilot, "decisions")
        await drive.says(pilot, "no way to carry this")
        await drive.says(pilot, "1 to decide")
        assert app.screen.query_one("#next").disabled


async def test_a_file_can_be_skipped_and_taken_back() -> None:
    engine = Double(STATE)
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.at(pilot, "review")
        await drive.onward(pilot)
        app.screen.query_one("#edits").focus()
        await pilot.press("down", "space")
        await drive.says(pilot, "[ ] render.yaml")
        await drive.says(pilot, "+ - key: DATABASE_URL")
        await pilot.press("s")
        await pilot.press("enter")
        await drive.until(pilot, lambda: "ashore.yml" in engine.saved)
    assert engine.saved["ashore.yml"]["skip_edits"] == ["render.yaml"]


async def test_saving_plan_and_answers(tmp_path: Path) -> None:
    engine = Double(STATE)
    app = drive.wizard(engine)
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.at(pilot, "review")
        await drive.onward(pilot)
        await pilot.press("s")
        await pilot.press("ctrl+u")
        (tmp_path / "mine.yml").touch()
        await drive.paste(pilot, str(tmp_path / "mine.yml"))
        await pilot.press("enter")
        await drive.says(pilot, "already. Enter again replaces it")
        await pilot.press("enter")
        await drive.says(pilot, "✓ saved")
        await drive.says(pilot, "mine.yml and mine.plan.json have been written, nothing else.")
    assert engine.saved["mine.plan.json"] == {"plan": double.PLAN}
    assert not any(secret in repr(engine.saved) for secret in double.SECRETS)


async def test_a_secret_kept_before_is_tested_again_and_never_shown() -> None:
    reference = "keyring:backend/database-url"
    engine = Double(STATE, kept={reference: Secret(double.BAD_URL)})
    app = drive.wizard(engine, {"database": {"provider": "neon", "url": reference}, "storage": []})
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        app.go("credentials")
        await drive.step(pilot, "credentials")
        await drive.says(pilot, f"kept as {reference}")
        await pilot.press("ctrl+t")
        await drive.says(pilot, "✗ db.example.com says: password authentication failed")
        engine.kept[reference] = Secret(double.GOOD_URL)
        await pilot.press("ctrl+t")
        await drive.says(pilot, "✓ connected")
        assert not any(secret in app.export_screenshot() for secret in double.SECRETS)


async def test_a_project_that_cannot_be_read_says_so() -> None:
    failure = UsageError("no-project", "There is no folder here.", "Name the app's folder.")
    app = drive.wizard(Double(STATE, scan_fails=failure))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.says(pilot, "✗ There is no folder here.")
        await drive.says(pilot, "Name the app's folder.")


async def test_an_unexpected_error_names_its_place_and_no_value() -> None:
    app = drive.wizard(Double(STATE, scan_fails=KeyError("c4n4ry-password")))
    async with app.run_test(size=(70, 24)) as pilot:
        await drive.says(pilot, "(KeyError at double.py:")
        assert "c4n4ry" not in drive.text(pilot)


async def test_a_project_without_data_has_nothing_to_move() -> None:
    app = drive.wizard(Double(STATE, project=double.Project(root=double.ROOT)))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.says(pilot, "No SQLite file and no uploads folder")
        assert app.screen.query_one("#next").disabled


async def test_enter_on_a_finding_shows_its_evidence() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        await pilot.press("shift+tab", "enter")
        await drive.says(pilot, "which is made anew on")
        await drive.says(pilot, "config/settings.py:90")


async def test_proposed_answers_are_the_starting_point() -> None:
    proposed = {
        "database": {"provider": "postgres", "url": "env:DATABASE_URL", "schema": "framework"},
        "storage": [{"provider": "s3", "bucket": "b", "endpoint": "http://127.0.0.1:1", "prefix": "m/",
                     "access_key": "env:K", "secret_key": "env:S"}],
        "verify": "digest",
    }  # fmt: skip
    app = drive.wizard(Double(STATE), dict(proposed))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        await pilot.press("enter")
        await drive.step(pilot, "database")
        await drive.says(pilot, "▸● Another PostgreSQL")
        answers = app.session.answers()
    assert answers["verify"] == "digest"
    assert answers["database"]["schema"] == "framework"  # type: ignore[index]
    assert answers["storage"][0]["endpoint"] == "http://127.0.0.1:1"  # type: ignore[index]
    assert answers["storage"][0]["prefix"] == "m/"  # type: ignore[index]


@pytest.mark.long
async def test_help_on_every_step() -> None:
    app = drive.wizard(Double(STATE))

    async def help_opens(pilot: Pilot[Any]) -> None:
        await pilot.press("f1")
        await drive.says(pilot, "Help:")
        await pilot.press("escape")
        await drive.until(pilot, lambda: hasattr(app.screen, "step"))

    async with app.run_test(size=(60, 20)) as pilot:
        await drive.onward(pilot)
        await pilot.press("question_mark")
        await drive.says(pilot, "Help: What a redeploy does")
        await pilot.press("escape")
        drive.answered(app)
        app.session.folder = STATE / "20261120-140200-abc123"
        for name in ("credentials", "review", "run"):
            app.go(name)
            await drive.step(pilot, name)
            await help_opens(pilot)


@pytest.mark.long
async def test_the_command_palette_leads_to_seen_steps() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        app.session.visited.add("database")
        await pilot.press("ctrl+p")
        await pilot.press(*"Go to: Data")
        await drive.says(pilot, "Go to: Database")
        await pilot.press("down", "enter")
        await drive.step(pilot, "database")


async def test_without_colour_the_same_marks_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.onward(pilot)
        for mark in ("● At risk", "✗ deploy, idle", "! SECRET_KEY"):
            await drive.says(pilot, mark)
