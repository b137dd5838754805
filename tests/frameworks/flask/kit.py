"""The sample Flask app started as a developer or a platform does, and a visitor who works with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from wizard.demo.embedded import HOST, free_port

SAMPLE = Path(__file__).parents[2] / "projects" / "flask_sqlite"
LOGO = b"a logo\x00\xff" * 999


def copy_sample(root: Path) -> Path:
    """The tracked files of the sample: what a deploy starts from."""
    shutil.copytree(SAMPLE, root, ignore=shutil.ignore_patterns("__pycache__", "shop.db"))
    return root


@contextmanager
def started(project: Path, variables: dict[str, str] | None = None) -> Iterator[httpx.Client]:
    """The app's own server, with nothing but `variables` around it; a visitor's browser."""
    port = free_port()
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **(variables or {})}
    log = project.parent / f"server-{port}.log"
    with log.open("wb") as sink:
        server = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "app", "run", "-p", str(port)],
            cwd=project, env=environ, stdout=sink, stderr=sink,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://{HOST}:{port}", follow_redirects=True, timeout=20) as browser:
            deadline = time.monotonic() + 30
            while True:
                try:
                    browser.get("/login")
                    break
                except httpx.TransportError:
                    assert server.poll() is None and time.monotonic() < deadline, log.read_text()
                    time.sleep(0.05)
            yield browser
    finally:
        server.kill()
        server.wait()


def work(browser: httpx.Client, user: str, customer: str) -> list[int]:
    """Register, add a customer with a logo and two invoices, change a setting; the answers' codes."""
    account = {"username": user, "password": "secret"}
    codes = [
        browser.post("/register", data=account),
        browser.post("/register", data=account),
        browser.post(
            "/customers",
            data={"name": customer, "email": f"{user}@x.example"},
            files={"logo": ("größe 1.png", LOGO)},
        ),
        browser.post("/customers", data={"name": "again", "email": f"{user}@x.example"}),
    ]
    number = re.search(r"\((\d+)\), since", codes[2].text)
    assert number, codes[2].text
    for name, amount, day in (("A", "10.25", "2024-01-31"), ("B", "7", "2023-12-01")):
        form = {"number": f"{customer}-{name}", "amount": amount, "issued": day, "paid": "1"}
        codes.append(browser.post(f"/customers/{number[1]}/invoices", data=form))
    codes.append(browser.post(f"/customers/{number[1]}/invoices", data={**form, "amount": "not one"}))
    for value in ("blue", "green"):
        codes.append(browser.post("/settings", data={"key": f"colour of {user}", "value": value}))
    return [code.status_code for code in codes]


def look(browser: httpx.Client, user: str) -> dict[str, tuple[int, bytes]]:
    """Every page after logging in, files behind links too; what changes with the clock is left out."""
    browser.cookies.clear()
    browser.post("/login", data={"username": user, "password": "secret"})
    pages = ["/", "/?q=BOLT", "/?q=%25", "/report", "/settings", "/files", "/customers/999"]
    first = browser.get("/").text
    links = re.findall(r'href="(/customers/\d+)"', first)
    for link in links:
        pages += [link, *re.findall(r'(?:src|href)="(/(?:static|download)/[^"]+)"', browser.get(link).text)]
    seen = {}
    for page in pages:
        answer = browser.get(page)
        seen[page] = (answer.status_code, answer.content)
    return seen
