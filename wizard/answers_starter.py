"""A commented starter answers file, filled in from the scan."""

from __future__ import annotations

import json

from wizard.model import Project, Store


def starter(project: Project, path: str) -> str:
    """YAML text of answers for `project`; `path` is what its `project` key says."""
    sqlite = [s for s in project.stores if s.kind == "sqlite"]
    servers = [s for s in project.stores if s.kind in ("postgres", "mongodb")]
    uploads = [s for s in project.stores if s.kind == "uploads"]
    name = "".join(c if c.isalnum() else "-" for c in project.root.name.lower()).strip("-") or "my-app"
    lines = [
        "# ashore answers. Check with: ashore preflight -a FILE. Every key: ashore answers --schema",
        "version: 1",
        f"project: {json.dumps(path)}",
    ]
    if sqlite:
        lines += [
            "database:",
            f"  source: {json.dumps(sqlite[0].path)}",
            "  provider: postgres        # render, neon, supabase, postgres",
            "  url: env:DATABASE_URL     # a reference (env:NAME, keyring:NAME, file:PATH), never the URL",
            "  # decisions:              # what the preflight asks for, e.g.",
            '  #   "blog_post.title": {nul_bytes: strip}',
        ]
        lines += [f"  # also found: {store.path}" for store in sqlite[1:]]
    elif servers:
        lines += _server(servers[0])
        lines += [f"# also found: {store.path}" for store in servers[1:]]
    else:
        lines.append("# database:                 # none was found")
    if uploads:
        lines.append("storage:")
        for store in uploads:
            lines += [
                f"  - source: {json.dumps(store.path)}",
                '    match: "**"',
                "    provider: s3            # s3, r2, b2, supabase, s3-compatible, leave",
                f"    bucket: {name}-media",
                "    region: eu-west-1",
                "    access_key: env:AWS_ACCESS_KEY_ID",
                "    secret_key: env:AWS_SECRET_ACCESS_KEY",
                "    access: signed          # signed (private) or public",
            ]
    else:
        lines.append("storage: []                # no uploads folder was found")
    lines += [
        "references: rewrite         # rewrite, report, keep",
        "patch: apply                # apply, show (writes a .patch file), skip",
    ]
    return "\n".join(lines) + "\n"


def _server(store: Store) -> list[str]:
    """Comments for a database on a server of its own: it stays unless the user says otherwise."""
    mongodb = store.kind == "mongodb"
    return [
        f"# {store.path} names a {'MongoDB' if mongodb else 'PostgreSQL'}, which a redeploy does not touch; "
        "it stays as it is.",
        "# database:                 # to find links to files in it (rewritten if public):",
        f"#   source: env:{store.path}",
        "#   provider: keep",
        f"# database:                 # or to move it to another {'MongoDB' if mongodb else 'PostgreSQL'}:",
        f"#   source: env:OLD_{store.path}",
        "#   provider: mongodb"
        if mongodb
        else "#   provider: postgres      # render, neon, supabase, postgres",
        f"#   url: env:{store.path}",
    ]
