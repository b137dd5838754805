"""Connection strings that lead through a transaction pooler, where the client needs to know.

Supabase: port 6543 (https://supabase.com/docs/guides/database/connecting-to-postgres). Neon: `-pooler` in the
host (https://neon.com/docs/connect/connection-pooling). Prisma: https://www.prisma.io/docs/orm (`pgbouncer`,
`directUrl`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.frameworks.prisma.layout import DATASOURCE
from wizard.model import Finding
from wizard.scan.code import Code

POOLED = re.compile(r"@[\w.-]+(?::6543/|-pooler\.[\w.-]+)[^\s'\"]*")
_PROVIDER = re.compile(r"provider\s*=\s*\"postgres(?:ql)?\"")


def find(code: Code) -> Iterator[Finding]:
    """Prisma behind a pooler without what it needs there."""
    for schema in code.having((".prisma",), b"datasource"):
        block = DATASOURCE.search(schema.text)
        if block is None or not _PROVIDER.search(block[1]):
            continue
        direct = "directUrl" in block[1] or any(
            b"directUrl" in s.data or b"DIRECT_URL" in s.data
            for s in code.having((".ts", ".js", ".mjs"), b"defineConfig")
        )
        for source in (*code.environment, *code.having((".yaml", ".yml"), b"postgres")):
            text = source.text
            for match in POOLED.finditer(text):
                start = text.rfind("\n", 0, match.start()) + 1
                if "DIRECT" in text[start : match.start()] or text[start:].lstrip().startswith("#"):
                    continue
                place = source.at(match.start(), text)
                missing = ":6543" in match[0] and "pgbouncer=true" not in match[0]
                if missing:
                    yield Finding(
                        "pooler-misuse",
                        "warning",
                        "Prisma connects through a transaction pooler without pgbouncer=true: queries fail "
                        "with `prepared statement already exists`.",
                        "Add ?pgbouncer=true to this URL, and the direct one as directUrl for migrations.",
                        place.file,
                        place.line,
                    )
                    return
                if not direct:
                    yield Finding(
                        "pooler-misuse",
                        "info",
                        "Prisma's migrations go through a transaction pooler here, which drops their lock.",
                        "Add directUrl with the host without the pooler to the datasource.",
                        place.file,
                        place.line,
                    )
                    return
