"""Secrets that stand in files of the repository. Places and names are told, never a value."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from wizard.model import Evidence, Finding, Severity
from wizard.scan.code import PYTHON, SCRIPTS, Code, Source
from wizard.scan.code_findings import commented
from wizard.scan.git_index import Index

# Forms that only a real key has; those of Google that are public by design (AIza…) are left out.
_KEY = re.compile(
    r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|[sr]k_live_[0-9a-zA-Z]{20,}|SG\.[\w-]{20,}\.[\w-]{40,}"
    r"|xox[baprs]-[0-9A-Za-z-]{20,}|sk-(?:proj-|ant-)[\w-]{32,}|npg_[A-Za-z0-9]{12,}|sbp_[0-9a-f]{40}"
    r"|rnd_[A-Za-z0-9]{24,})\b|-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----(?:\\n|\s)+[A-Za-z0-9+/]{30,}"
)
_KEY_HINTS = (
    b"AKIA", b"ghp_", b"gho_", b"ghs_", b"k_live_", b"SG.", b"xox", b"sk-proj-", b"sk-ant-", b"npg_", b"sbp_",
    b"rnd_", b"PRIVATE KEY",
)  # fmt: skip
_URL = re.compile(
    r"\b(postgres(?:ql)?|mysql|mongodb|rediss?|amqps?|cloudinary)(?:\+\w+)?://"
    r"([^\s:/@'\"<>{}$()]*):([^\s@'\"/<>{}$()]{3,})@([\w.-]+)"
)
_URL_HINTS = (b"postgres", b"mysql", b"mongodb", b"redis", b"amqp", b"cloudinary:")
_PAIR = re.compile(
    r"(?i)((?:api_?secret|secret_?access_?key|client_?secret|jwt_?secret|auth_?token|access_?token"
    r"|host_password|db_password|private_?key))['\"]?\]?\s*(?:=(?!=)|:(?!:))\s*(['\"])([^'\"\s]{12,})\2"
)
_PAIR_HINTS = (b"ecret", b"ECRET", b"oken", b"TOKEN", b"PASSWORD", b"assword", b"rivate", b"PRIVATE")
_FLASK_KEY = re.compile(
    r"(?m)^\s*(?:\w+\.secret_key|\w+\.config\[['\"]SECRET_KEY['\"]\]|(?:SECRET_KEY|JWT_SECRET(?:_KEY)?)(?:\s*:\s*str)?)"
    r"\s*=\s*['\"]([^'\"]+)['\"]"
)
_NODE_KEY = re.compile(r"\b(?:secret|secretOrKey)\s*:\s*['\"]([^'\"\s]+)['\"]")
_NODE_SIGN = re.compile(r"\bjwt\.(?:sign|verify)\([^;'\"]{1,160},\s*['\"]([^'\"\s]+)['\"]")
_NAME = r"(\w*(?:SECRET|JWT_KEY|JWT_PRIVATE)\w*)"
_FALLBACK = re.compile(
    rf"(?:environ\.get|getenv|config|env(?:\.str)?)\(\s*['\"]{_NAME}['\"]\s*,\s*(?:default\s*=\s*)?f?['\"][^'\"]+['\"]"
    rf"|process\.env\.{_NAME}\s*(?:\|\||\?\?)\s*['\"`][^'\"`]+"
    rf"|\.get(?:<\w+>)?\(\s*['\"]{_NAME}['\"]\s*(?:,|\)\s*(?:\|\||\?\?))\s*['\"][^'\"]+['\"]"
)
_NO_KEY = ("_NAME", "_ID", "_EXPIRES", "_EXPIRES_IN", "_URL", "_HEADER")
# Keys of other services: a made-up default only makes the call fail.
_OF_OTHERS = re.compile(
    r"CLIENT|STRIPE|AWS|CLOUDINARY|GOOGLE|CAPTCHA|PAYPAL|RAZORPAY|S3|MINIO|GITHUB|WEBHOOK"
)
_PLACEHOLDER = re.compile(
    r"(?i)your|my_?|change|example|sample|placeholder|dummy|fake|test|todo|insert|replace|xxx|\*\*|\.\.\.|<|\$|%\(|\{"
    r"|password|passwd|pass\b|secret$|^secret|^postgres$|^root$|^admin|^user|^api_?key$|^token$|^key$|^guest$|0000|1234|minio"
)
_UNREAL = re.compile(
    r"(?i)(?:^|/)[^/]*(?:example|sample|template|\.dist|mock|seed|fixture|demo|docs?/|i18n|locale)"
)
_ASSIGNED = re.compile(
    r"(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*(?:SECRET\w*|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_KEY"
    r"|(?:DATABASE|MONGO\w*|REDIS|CLOUDINARY)_UR[LI]))[ \t]*=[ \t]*['\"]?([^\s'\"#]{8,})"
)
_PUBLIC = re.compile(r"^(?:VITE|NEXT_PUBLIC|REACT_APP|VUE_APP|NUXT_PUBLIC|EXPO_PUBLIC|PUBLIC|GATSBY)_")


def find(
    code: Code, index: Index, django_files: frozenset[str], declared: frozenset[str]
) -> Iterator[Finding]:
    """`django_files` are settings whose SECRET_KEY is judged elsewhere; `declared`: variables set."""
    wanted = (*_KEY_HINTS, *_URL_HINTS, *_PAIR_HINTS)
    for source in code.having((*PYTHON, *SCRIPTS, ".yml", ".yaml", ".sh"), *wanted):
        if not _UNREAL.search(source.file):
            yield from _credentials(source)
    yield from _own_keys(code, django_files)
    yield from _fallbacks(code, declared)
    yield from _environment(code, index)


def _credentials(source: Source) -> Iterator[Finding]:
    text = source.text
    seen: set[int] = set()
    for position, what in _places(source, text):
        place = source.at(position, text)
        if place.line not in seen:
            seen.add(place.line)
            yield _finding(
                "credentials-committed",
                "error",
                f"{what} stands in the code: whoever reads the repository has it.",
                "Rotate it first (make a new one and withdraw this one), then read it from a variable.",
                place,
            )


def _places(source: Source, text: str) -> Iterator[tuple[int, str]]:
    for start, near in _near(source, text, _KEY_HINTS, 200):
        for match in _KEY.finditer(near):
            if "EXAMPLE" not in match[0]:
                yield start + match.start(), "A private key" if "BEGIN" in match[0] else "An access key"
    for start, near in _near(source, text, _URL_HINTS, 0):
        for match in _URL.finditer(near):
            if _real_url(match):
                yield start + match.start(), f"A {match[1]} URL with its password"
    for start, near in _near(source, text, _PAIR_HINTS, 0):
        for match in _PAIR.finditer(near):
            if _random(match[3]) and not commented(near, match.start()):
                yield start + match.start(), f"The value of {_name(near, match)}"


def _near(source: Source, text: str, hints: tuple[bytes, ...], more: int) -> Iterator[tuple[int, str]]:
    """(where it begins, the line) for each line that holds a hint, with `more` characters of what follows.

    Plain searches find the lines: the patterns alone take seconds for what is a large project.
    """
    starts: set[int] = set()
    for hint in hints:
        if hint not in source.data:
            continue
        word = hint.decode()
        at = text.find(word)
        while at >= 0:
            starts.add(text.rfind("\n", 0, at) + 1)
            end = text.find("\n", at)
            at = text.find(word, end) if end >= 0 else -1
    for start in sorted(starts):
        end = text.find("\n", start)
        yield start, text[start : min(len(text) if end < 0 else end + more, start + 2_000)]


def _name(text: str, match: re.Match[str]) -> str:
    """The whole name whose end was found."""
    before = re.search(r"\w*$", text[max(0, match.start() - 40) : match.start()])
    return (before[0] if before else "") + match[1]


def _real_url(match: re.Match[str]) -> bool:
    scheme, _, password, host = match.groups()
    if _PLACEHOLDER.search(password) or re.search(r"(?i)example|localhost|^host|your", host):
        return False
    return scheme == "cloudinary" or ("." in host and not re.fullmatch(r"[\d.]+", host))


def _random(value: str) -> bool:
    """Whether a text looks like a secret made by a machine: digits and letters mixed, no words, no path."""
    if _PLACEHOLDER.search(value) or "://" in value or value.startswith(("/", "./", "#", ".")):
        return False
    if not re.search(r"\d", value) or not re.search(r"[A-Za-z]", value):
        return False
    if re.fullmatch(r"[a-z]+(?:[-_.][a-z0-9]+)+|[A-Z][A-Z0-9_]+", value):  # an identifier
        return False
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values()) >= 3.0


def _own_keys(code: Code, django_files: frozenset[str]) -> Iterator[Finding]:
    """Keys that sign sessions and tokens, written down."""
    found: list[tuple[Source, int]] = []
    layered = (b"from_pyfile", b"from_envvar", b"from_prefixed_env")
    for source in code.having(PYTHON, b"SECRET_KEY", b"secret_key", b"JWT_SECRET"):
        if source.file not in django_files and b"DJANGO_SETTINGS" not in source.data:
            found += [(source, match.start(1)) for match in _FLASK_KEY.finditer(source.text)]
    for source in code.having(SCRIPTS, b"JwtModule", b"session(", b"secretOrKey", b"jsonwebtoken"):
        text = source.text
        found += [(source, m.start(1)) for p in (_NODE_KEY, _NODE_SIGN) for m in p.finditer(text)]
    for source, position in found:
        text = source.text
        if _UNREAL.search(source.file) or commented(text, position):
            continue
        if any(name in source.data for name in layered):
            yield _finding(
                "secret-key-weak",
                "warning",
                "Where no configuration on the server names another, a key that stands in the code is used.",
                "Take it away, so that the app does not start without one.",
                source.at(position, text),
            )
            continue
        yield _finding(
            "secret-key-committed",
            "warning",
            "The key that signs sessions or tokens is written in the code: whoever reads the repository can "
            "forge them.",
            "Read it from the environment and make a new one.",
            source.at(position, text),
        )


def _fallbacks(code: Code, declared: frozenset[str]) -> Iterator[Finding]:
    seen = set(declared)
    for source in code.having((*PYTHON, *SCRIPTS), b"SECRET", b"JWT_KEY", b"JWT_PRIVATE"):
        if _UNREAL.search(source.file):
            continue
        text = source.text
        for match in _FALLBACK.finditer(text):
            name = next(group for group in match.groups() if group)
            if name in seen or name.endswith(_NO_KEY) or _OF_OTHERS.search(name):
                continue
            seen.add(name)
            yield _finding(
                "secret-key-weak",
                "warning",
                f"Where {name} is not set, a value that stands in the code is used instead.",
                "Take the default away, so that the app does not start without the variable.",
                source.at(match.start(), text),
            )


def _environment(code: Code, index: Index) -> Iterator[Finding]:
    """Files like .env that git tracks, with values under secret names."""
    for source in code.environment:
        if _UNREAL.search(source.file) or source.file.endswith(".test") or not index.holds(source.file):
            continue
        names: list[str] = []
        line = 1
        text = source.text
        for match in _ASSIGNED.finditer(text):
            url = _URL.search(match[2])
            real = _real_url(url) if url else "://" not in match[2] and not _PLACEHOLDER.search(match[2])
            if real and not _PUBLIC.match(match[1]):
                line = line if names else source.at(match.start(), text).line
                names.append(match[1])
        if names:
            yield _finding(
                "env-file-committed",
                "error",
                f"{source.file} is tracked by git and holds the value of {', '.join(dict.fromkeys(names))}.",
                f"Rotate them first, then: git rm --cached {source.file}, and add it to .gitignore.",
                Evidence(source.file, line),
            )


def _finding(code: str, severity: Severity, message: str, hint: str, place: Evidence) -> Finding:
    return Finding(code, severity, message, hint, place.file, place.line)
