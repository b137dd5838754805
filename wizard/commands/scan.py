"""`ashore scan [PATH] [--json] [--explain CODE]`."""

from __future__ import annotations

import argparse

from wizard import engine, error_index
from wizard.commands import OpenWizard
from wizard.commands.common import put, put_json
from wizard.errors import UsageError
from wizard.model import Project
from wizard.planner import human_bytes
from wizard.scan.as_json import to_json
from wizard.scan.explain import explain

MARKS = {"error": "x", "warning": "!", "info": "-"}


def scan(arguments: argparse.Namespace, _open: OpenWizard | None) -> int:
    """Print what is at risk. Exit 0 whatever it finds: `check` judges, `scan` tells."""
    if arguments.explain:
        page = explain(arguments.explain)
        text = error_index.page(arguments.explain) if page is None else f"{page.title}\n\n{page.text}"
        if not text:
            raise UsageError(
                "no-such-code",
                f"There is no finding and no error {arguments.explain}.",
                "`ashore scan` prints the codes of findings; each error prints its own.",
            )
        put(text)
        return 0
    project = engine.open_project(arguments.path.absolute())
    if arguments.json:
        put_json(to_json(project))
    else:
        _print(project)
    return 0


def _print(project: Project) -> None:
    names = [f"{f.name} {f.version or ''}".strip() for f in project.frameworks]
    hosts = [p.name + (f" ({p.plan})" if p.plan else "") for p in project.platforms]
    put(
        f"{project.root.name}: {', '.join(names) or 'no framework found'} · "
        f"{', '.join(hosts) or 'no platform found'}"
    )
    put("\nHolds")
    for store in project.stores:
        lost = "survives a redeploy" if store.survives_redeploy else "LOST on " + ", ".join(store.lost_on)
        counts = [
            f"{store.tables:,} tables, {store.rows:,} rows" if store.tables else "",
            f"{store.files:,} files" if store.kind == "uploads" else "",
            human_bytes(store.bytes) if store.bytes else "",
        ]
        # A server is not asked: the scan is offline, and its path is the variable that holds the URL.
        nothing = "not looked at" if store.kind not in ("sqlite", "uploads") else "empty"
        put(f"  {store.path}  ({store.kind}; {', '.join(c for c in counts if c) or nothing})")
        put(f"    {lost}: {store.why}")
        for evidence in store.evidence:
            put(f"    {evidence.file}:{evidence.line}")
    if not project.stores:
        put("  nothing that a redeploy could lose was found")
    if project.findings:
        put("\nFound")
    for finding in project.findings:
        where = f"  {finding.file}:{finding.line or ''}".rstrip(":") if finding.file else ""
        put(f"  {MARKS[finding.severity]} {finding.message}{where}  [{finding.code}]")
        put(f"    {finding.hint}")
    put("\nNothing has been written. `ashore scan --explain CODE` says more about a finding.")
