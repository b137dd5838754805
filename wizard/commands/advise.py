"""`ashore advise [PATH] [--users N] [--budget USD] [--json]`."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from wizard import engine
from wizard.advise import Offer
from wizard.advise import advise as compare
from wizard.advise_notes import notes
from wizard.commands import OpenWizard
from wizard.commands.common import put, put_json

TITLES = {"database": "Databases", "storage": "Storage for files"}


def advise(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Print the providers compared on the scanned sizes, with one recommended for each kind."""
    project = engine.open_project(arguments.path.absolute())
    offers = compare(project, users=arguments.users, budget=arguments.budget)
    if arguments.json:
        given = {"users": arguments.users, "budget": arguments.budget}
        put_json(
            {
                "version": 1,
                **given,
                "offers": [asdict(o) for o in offers],
                "notes": [asdict(note) for note in notes(arguments.users)],
            }
        )
        return 0
    for kind, title in TITLES.items():
        rows = [offer for offer in offers if offer.kind == kind]
        put(f"{title:<34} {'a month':>10} {'at 10x':>10}  first limit; backups; prices of")
        for offer in rows:
            put(_line(offer))
        best = next((offer for offer in rows if offer.recommended), None)
        if best is None:
            put(f"  No plan holds this for ${arguments.budget:,.2f} a month.")
        else:
            put(f"  Recommended: {best.title}: {best.reason}")
        put()
    for note in notes(arguments.users):
        put(f"  {note.text}")
    if any(offer.stale for offer in offers):
        put("  ! Figures marked old were read more than 180 days ago.")
    put("Nothing has been written. Prices are the catalogue's: look at the provider's page before you pay.")
    return 0


def _line(offer: Offer) -> str:
    mark = ">" if offer.recommended else " "
    remarks = [text for text, on in (("second hand", offer.second_hand), ("old", offer.stale)) if on]
    dated = offer.as_of + (f" ({', '.join(remarks)})" if remarks else "")
    bill = f"; with {offer.also}" if offer.also else ""
    prices = f"{_price(offer.monthly_now):>10} {_price(offer.monthly_at_10x):>10}"
    return f"{mark} {offer.title:<32} {prices}  {offer.breaks}; {offer.backups}; {dated}{bill}"


def _price(dollars: float | None) -> str:
    return "too small" if dollars is None else f"${dollars:,.2f}"
