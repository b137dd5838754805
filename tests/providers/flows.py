"""What every client does with its provider from end to end: used against the fakes, and through Prism."""

from __future__ import annotations

import dataclasses

import pytest

from tests.providers.fake import TOKEN, RenderFake
from tests.providers.fake_platforms import CLOUDINARY_TOKEN, CloudinaryFake
from tests.providers.fakes import NeonFake, SupabaseFake, VercelFake
from wizard.answers import CreateDatabase
from wizard.credentials import Redactor, Secret
from wizard.providers import cloudinary, neon, render, supabase, vercel
from wizard.providers.http import Api, Provider


def api(provider: Provider, url: str, waits: list[float] | None = None, token: str = TOKEN) -> Api:
    """The provider's API at `url`; pauses are noted and not slept."""
    pauses = waits if waits is not None else []
    return Api(dataclasses.replace(provider, base=url), Secret(token), Redactor(), pauses.append)


def of_render(fake: RenderFake, url: str) -> None:
    client = render.Render(api(render.PROVIDER, url))
    assert [(o.id, o.name) for o in client.owners()] == [("tea-1", "Ours")]
    assert [s.id for s in client.services("tea-1")] == ["srv-1"]
    assert client.check_service("srv-1") == "name-of-srv-1"

    assert client.variable("srv-1", "DATABASE_URL") is None
    client.set_variable("srv-1", "DATABASE_URL", Secret("postgresql://u:a&b%20c@h/d?x=1"))
    assert client.variable("srv-1", "DATABASE_URL") == Secret("postgresql://u:a&b%20c@h/d?x=1")
    assert fake.variables["srv-1"]["OTHER"] == "untouched"
    for _ in range(2):
        client.delete_variable("srv-1", "DATABASE_URL")
    assert fake.variables["srv-1"] == {"OTHER": "untouched"}

    wanted = CreateDatabase("my-app", region="frankfurt")
    made = [client.make(wanted), client.make(wanted)]
    assert [(m.id, m.found) for m in made] == [("dpg-1", False), ("dpg-1", True)]
    assert len(fake.databases) == 1, "the second time it is found"
    urls = client.urls("dpg-1")
    assert "render.com" in urls.wizard.reveal()
    assert "render.com" not in urls.app.reveal()
    assert client.reached_by("dpg-1", "srv-1")
    assert not client.reached_by("dpg-1", None)
    kept = client.kept("my-app")
    assert kept is not None
    assert (kept.backups, kept.expires) == ("on", "")
    assert client.kept("another") is None
    fake.region = "oregon"
    assert not client.reached_by("dpg-1", "srv-1")

    assert client.add_disk("srv-1", "data", "/data", 1) == "dsk-cph1rs3idesc73a2b2mg"
    assert client.deploys("srv-1") == ()
    fake.pushed("c0ffee")
    live = client.deploys("srv-1")[0]
    deploy = client.redeploy("srv-1", live)
    assert [d.id for d in client.deploys("srv-1")] == [deploy.id, live.id]
    assert client.log_tail("srv-1", deploy) == ("first line", "last line")
    assert (client.follow("srv-1", deploy.id).state, deploy.commit) == ("live", "c0ffee")


def of_neon(fake: NeonFake, url: str) -> None:
    client = neon.Neon(api(neon.PROVIDER, url))
    wanted = CreateDatabase("my-app", region="aws-eu-central-1")
    made = [client.make(wanted), client.make(wanted)]
    assert [m.found for m in made] == [False, True]
    assert len(fake.projects) == 1
    urls = client.urls(made[0].id)
    assert "-pooler" in urls.app.reveal()
    assert "-pooler" not in urls.wizard.reveal()
    kept = client.kept("my-app")
    assert kept is not None
    assert (kept.backups, kept.limit) == ("on", 512 << 20)
    assert "6 hours" in kept.said


def of_supabase(fake: SupabaseFake, url: str) -> None:
    client = supabase.Supabase(api(supabase.PROVIDER, url), Secret("p@ss/word"))
    made = [client.make(CreateDatabase("my-app", region="eu-west-1")) for _ in range(2)]
    assert [m.found for m in made] == [False, True]
    assert len(fake.projects) == 1
    urls = client.urls(made[0].id)
    host = "aws-1-eu-west-1.pooler.supabase.com:5432"
    assert urls.wizard == Secret(
        f"postgresql://postgres.{made[0].id}:p%40ss%2Fword@{host}/postgres?sslmode=require"
    )
    kept = client.kept("my-app")
    assert kept is not None
    assert kept.newest == fake.backups[0]
    assert [(b.name, b.public) for b in client.buckets(made[0].id)] == [("media", True)]


def of_vercel(fake: VercelFake, url: str) -> None:
    client = vercel.Vercel(api(vercel.PROVIDER, url))
    service = "team_1/prj_1"
    assert client.check_service(service) == "my-app"
    assert client.variable(service, "DATABASE_URL") is None
    for value in ("one", "two"):
        client.set_variable(service, "DATABASE_URL", Secret(value))
        assert client.variable(service, "DATABASE_URL") == Secret(value)
    assert fake.value("OTHER") == "untouched"
    for _ in range(2):
        client.delete_variable(service, "DATABASE_URL")
    assert fake.value("DATABASE_URL") is None
    (newest,) = client.deploys(service)
    assert (newest.id, newest.commit) == ("dpl_1", "c0ffee")
    assert client.log_tail(service, newest) == ()
    started = client.redeploy(service, newest)
    assert client.follow(service, started.id).state == "live"
    assert [d.id for d in client.deploys(service)] == [started.id, newest.id]
    assert {r.query.get("teamId") for r in fake.requests} == {"team_1"}


def of_cloudinary(fake: CloudinaryFake, url: str) -> None:
    fake.usage |= {
        "storage": {"usage": 10**9, "limit": 10**10, "used_percent": 10.0},
        "media_limits": {"image_max_size_bytes": 10 * 10**6},
    }
    client = cloudinary.Cloudinary(api(cloudinary.PROVIDER, url, token=CLOUDINARY_TOKEN))
    assert [fact.answer for fact in client.facts("my-cloud")] == ["yes", "cannot-tell"]


FLOWS = (
    pytest.param("render.json", RenderFake, of_render, id="render"),
    pytest.param("neon.json", NeonFake, of_neon, id="neon"),
    pytest.param("supabase-mgmt.json", SupabaseFake, of_supabase, id="supabase"),
    pytest.param("vercel.json", VercelFake, of_vercel, id="vercel"),
    pytest.param("cloudinary.yaml", CloudinaryFake, of_cloudinary, id="cloudinary"),
)
