"""Pastes taken apart, passwords in the wrong place, choices that must be agreed to, and beginning anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from screens.themes import chosen
from screens.widgets.provider_table import ProviderTable
from screens.widgets.secret_input import SecretInput
from tests.screens import double, drive
from tests.screens.double import Double
from wizard.credentials import Secret

STATE = Path("/state")


async def test_a_pasted_command_is_taken_apart_and_judged_before_any_connection() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.credentials(pilot)
        pooled = double.GOOD_URL.replace("db.example.com", "ep-x-pooler.aws.neon.tech")
        await drive.paste(pilot, f"psql '{pooled}'")
        await drive.says(pilot, "✗ direct: this is the pooled address")
        held = app.screen.query_one("#field-database-url", SecretInput).secret
        assert held == Secret(pooled)
        await drive.says(pilot, "host ep-x-pooler.aws.neon.tech, port 5432, database app, user ana")
        assert not any(secret in app.export_screenshot() for secret in double.SECRETS)


async def test_an_address_with_its_bucket_fills_both_fields() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.credentials(pilot)
        app.screen.query_one("#field-storage-endpoint").focus()
        await pilot.pause()
        await drive.paste(pilot, "https://abc.r2.cloudflarestorage.com/my-media")
        await pilot.press("enter")
        await drive.until(pilot, lambda: app.session.replies.get("storage.bucket") == "my-media")
        assert app.screen.query_one("#field-storage-bucket", Input).value == "my-media"
        assert app.session.replies["storage.endpoint"] == "https://abc.r2.cloudflarestorage.com"


async def test_a_password_is_not_taken_where_it_would_be_shown() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.credentials(pilot)
        app.screen.query_one("#field-storage-endpoint").focus()
        await pilot.pause()
        await drive.paste(pilot, "https://ana:c4n4ry-password@s3.example.com")
        await drive.says(pilot, "That address holds a password")
        assert "c4n4ry" not in app.export_screenshot() + repr(app.session.replies)
        await pilot.press("f2")
        await drive.says(pilot, "Nothing has been written.")


async def test_a_public_storage_has_to_be_agreed_to() -> None:
    app = drive.wizard(Double(STATE))
    async with app.run_test(size=(140, 45)) as pilot:
        await drive.onward(pilot)
        app.go("files")
        await drive.step(pilot, "files")
        await drive.says(pilot, "Recommended")
        table = app.screen.query_one(ProviderTable)
        table.highlighted = [row.name for row in table.rows].index("cloudinary")
        await pilot.press("enter")
        await drive.says(pilot, "✗ Not answered yet: Who may read the files?")
        assert app.screen.step == "files"  # type: ignore[attr-defined]
        await pilot.press("space", "tab")
        await pilot.click("#next")
        await drive.step(pilot, "credentials")
        assert app.session.replies["storage.access"] == "public"


async def test_beginning_anew_forgets_the_answers_of_last_time() -> None:
    draft = {
        "database": {"provider": "supabase", "url": "env:DATABASE_URL"},
        "storage": [],
        "verify": "digest",
    }
    app = drive.wizard(Double(STATE, draft=draft))
    async with app.run_test(size=(80, 24)) as pilot:
        await drive.says(pilot, "Go on from them")
        assert app.session.replies["database.provider"] == "supabase"
        await pilot.press("right", "enter")
        await drive.until(pilot, lambda: app.session.replies == {})
        assert app.session.base == {}


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        ({"TERM": "xterm-256color"}, "ashore"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "ashore"),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;15"}, "ashore-light"),
        ({"TERM": "xterm-256color", "COLORFGBG": "15;0"}, "ashore"),
        ({"TERM": "linux"}, "ansi-dark"),
        ({"TERM": "xterm", "COLORFGBG": "0;default;15"}, "ansi-light"),
        ({"TERM": "linux", "ASHORE_THEME": "light"}, "ashore-light"),
        ({}, "ansi-dark"),
    ],
)
def test_the_theme_follows_the_terminal(environ: dict[str, str], theme: str) -> None:
    assert chosen(environ) == theme
