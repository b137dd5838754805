"""What the app's code says, whatever its framework. One function a subject; plain text, nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wizard.model import Finding
from wizard.scan.code import PYTHON, SCRIPTS, Code

_SQLALCHEMY = (b"sqlalchemy", b"SQLALCHEMY", b"sqlmodel", b"databases import Database")
_URI = re.compile(
    r"(?:SQLALCHEMY_DATABASE_UR[IL]['\"]?\]?\s*=|create_(?:async_)?engine\(|DATABASE_URL\s*(?::\s*str)?\s*=)\s*"
    r"(?:os\.environ\.get\(|os\.getenv\(|os\.environ\[)\s*['\"]DATABASE_URL['\"]"
)
_OLD_SCHEME = re.compile(r"\bpostgres://[^\s'\"<>]+@")
_LEFT = re.compile(r"NamedTemporaryFile\([^)]*delete\s*=\s*False|\btempfile\.mkstemp\(|\btempfile\.mkdtemp\(")
_CLEARED = re.compile(r"os\.(?:remove|unlink)\(|\.unlink\(|rmtree\(|\.cleanup\(")
_DOUBLED = re.compile(r"https?://[^\s'\"`]*?https?:/+[^\s'\"`]+")
_PREFIXED = re.compile(
    r"res\.cloudinary\.com/[^\s'\"`]*?(?:\$?\{[^{}]*(?:\.url|secure_url|secureUrl|\.build_url\(\))[^{}]*\}"
    r"|/(?:image|video|raw)/upload/[^\s'\"`]*/(?:image|video|raw)/upload/)"
    r"|res\.cloudinary\.com/[^'\"`\n]*['\"`]\s*\+\s*[\w.]*(?:\.url\b|secure_url)"
)
_MEDIA_PREFIX = re.compile(r"\{[\w.]*MEDIA_URL\}\s*\{[\w.]+\.url\}|MEDIA_URL\s*\+\s*(?:str\()?[\w.]+\.url\b")
_ANY_PYTHON = re.compile(r"allow_origins\s*=\s*\[\s*['\"]\*['\"]\s*\]|\bCORS\(\s*\w+\s*\)")
_ANY_SCRIPT = re.compile(
    r"enableCors\(\s*\)|enableCors\(\s*\{[^}]*origin\s*:\s*(?:true|['\"]\*['\"])|[^\w]cors\(\s*\)"
    r"|[^\w]cors\(\s*\{[^}]*origin\s*:\s*(?:true|['\"]\*['\"])"
)
_DEBUG_RUN = re.compile(r"\bapp\.run\([^)]*debug\s*=\s*True")


def find(code: Code, commands: tuple[str, ...], platforms: frozenset[str]) -> Iterator[Finding]:
    """`commands` start the deployed app; `platforms` by name."""
    yield from _scheme(code, platforms)
    yield from _temporary(code)
    yield from _urls(code)
    yield from _cors(code)
    yield from _debug(code, commands)


def _scheme(code: Code, platforms: frozenset[str]) -> Iterator[Finding]:
    """SQLAlchemy 1.4 and later refuse `postgres://`, which Heroku and Fly hand out."""
    uses = any(True for _ in code.having(PYTHON, *_SQLALCHEMY))
    mended = (b'"postgres://"', b"'postgres://'", b'"postgres:', b"'postgres:")
    if not uses or any(True for _ in code.having(PYTHON, *mended)):
        return
    literal = None
    for source in (*code.environment, *code.having((*PYTHON, ".yml", ".yaml"), b"postgres://")):
        match = _OLD_SCHEME.search(source.text)
        if match is not None:
            literal = source.at(match.start(), source.text)
            break
    reads = next(((s, m) for s in code.having(PYTHON, b"DATABASE_URL") if (m := _URI.search(s.text))), None)
    place = literal or (
        reads[0].at(reads[1].start(), reads[0].text)
        if reads is not None and platforms & {"heroku", "fly"}
        else None
    )
    if place is not None:
        yield Finding(
            "postgres-scheme",
            "warning",
            "SQLAlchemy does not know postgres://, which this URL begins with."
            if literal is not None
            else "SQLAlchemy does not know postgres://, which the platform's DATABASE_URL begins with.",
            'Write postgresql:// in its place: url.replace("postgres://", "postgresql://", 1).',
            place.file,
            place.line,
        )


def _temporary(code: Code) -> Iterator[Finding]:
    for source in code.having(PYTHON, b"delete=False", b"delete = False", b"mkstemp(", b"mkdtemp("):
        text = source.text
        match = _LEFT.search(text)
        if match is not None and not _CLEARED.search(text):
            place = source.at(match.start(), text)
            yield Finding(
                "temporary-files-left",
                "info",
                "A temporary file made here is never removed by this module: the disk fills until a restart.",
                "Remove it in a finally clause, or use the form that removes itself (with …).",
                place.file,
                place.line,
            )


def _urls(code: Code) -> Iterator[Finding]:
    for source in code.having((*PYTHON, *SCRIPTS), b"cloudinary", b"MEDIA_URL"):
        text = source.text
        found = sorted(
            (m for p in (_PREFIXED, _MEDIA_PREFIX) for m in p.finditer(text)), key=lambda m: m.start()
        ) or [m for m in _DOUBLED.finditer(text) if "cloudinary" in m[0] and "/image/fetch/" not in m[0]]
        for match in found[:1]:
            place = source.at(match.start(), text)
            yield Finding(
                "url-prefixed-twice",
                "warning",
                "A prefix is put before an address that already is a whole one: such links lead nowhere.",
                "Use the storage's own address (.url) as it is; a run can rewrite rows with doubled ones.",
                place.file,
                place.line,
            )


def _cors(code: Code) -> Iterator[Finding]:
    patterns = (
        (PYTHON, _ANY_PYTHON, (b"allow_origins", b"flask_cors")),
        (SCRIPTS, _ANY_SCRIPT, (b"cors(", b"enableCors")),
    )
    for suffixes, pattern, hints in patterns:
        for source in code.having(suffixes, *hints):
            text = source.text
            match = next((m for m in pattern.finditer(text) if not commented(text, m.start() + 1)), None)
            if match is None:
                continue
            near = text[match.start() : match.start() + 400]
            login = re.search(
                r"allow_credentials\s*=\s*True|supports_credentials\s*=\s*True|credentials\s*:\s*true", near
            )
            place = source.at(match.start() + (match[0][0] in "\n\r"), text)
            message = "Any site may read the app's answers (CORS)"
            message += ", in the name of a visitor who is logged in." if login else "."
            hint = "Name the front end's address instead, read from a variable."
            if login:
                yield Finding("cors-any-origin", "warning", message, hint, place.file, place.line)
            else:
                yield Finding("cors-any-origin", "info", message, hint, place.file, place.line)


def commented(text: str, position: int) -> bool:
    """Whether the line of `position` is a comment up to there."""
    start = text.rfind("\n", 0, position) + 1
    return text[start:position].lstrip().startswith(("#", "//", "*", "/*"))


def _debug(code: Code, commands: tuple[str, ...]) -> Iterator[Finding]:
    """Flask's `app.run(debug=True)`, where the platform starts that very file."""
    for source in code.having(PYTHON, b"debug=True", b"debug = True"):
        text = source.text
        match = _DEBUG_RUN.search(text)
        name = source.file.rpartition("/")[2]
        if match is not None and any(re.search(rf"python3?\s+\S*{re.escape(name)}\b", c) for c in commands):
            place = source.at(match.start(), text)
            yield Finding(
                "debug-true",
                "warning",
                "The platform starts this file, which turns the debugger on: visitors can run code.",
                "Start it with gunicorn, and read debug from the environment.",
                place.file,
                place.line,
            )
