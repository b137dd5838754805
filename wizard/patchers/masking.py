"""Which lines of a user's file look like they hold a secret, and those lines with the value masked.

Used before anything of a file is shown, written to a `.patch` file or kept in the target. It errs
towards masking: a masked ordinary line costs a reader nothing.
"""

from __future__ import annotations

import re

MASK = "***"
_WORDS = "SECRET|PASSWORD|PASSWD|PASSPHRASE|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|DSN"
_NAME = rf"[\w.-]*(?:{_WORDS})[\w.-]*"
_NAMED = re.compile(rf"{_NAME}['\"]?\]?\s*[:=,]", re.IGNORECASE)
_YAML_KEY = re.compile(
    rf"^\s*-?\s*['\"]?(?:key|name)['\"]?\s*:\s*['\"]?(?:{_NAME}|\w*URL|\w*URI)['\"]?\s*(?:#.*)?$",
    re.IGNORECASE,
)
_YAML_VALUE = re.compile(r"^\s*-?\s*['\"]?value['\"]?\s*:\s*\S", re.IGNORECASE)
_URL = re.compile(r"(?<=://)[^/\s:@'\"]*:[^/\s@'\"]+@")
_KNOWN = re.compile(
    r"django-insecure-|AKIA[0-9A-Z]{12}|ASIA[0-9A-Z]{12}|gh[opsu]_\w{20}|sk_(?:live|test)_|xox[abp]-|eyJ[\w-]{10,}\.|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY|SG\.[\w-]{16}|rnd_\w{16}"
)
_STRING = re.compile(r"(['\"])((?:(?!\1).){20,})\1")
_RUN = re.compile(r"(?=[A-Za-z0-9+/_-]*\d)(?=[A-Za-z0-9+/_-]*[A-Za-z])[A-Za-z0-9+/_=-]{32,}")
_QUOTED = re.compile(r"(['\"])((?:(?!\1).)+)\1")
_A_NAME = re.compile(r"[A-Z][A-Z0-9_]*|[a-z_.]+")
_HARMLESS = re.compile(r"^[\w./:@ -]*$")


def secret_lines(text: str) -> frozenset[int]:
    """The numbers, from 0, of the lines of `text` that look like they hold a secret."""
    found: set[int] = set()
    key_above = opened_above = in_pem = False
    for number, line in enumerate(text.split("\n")):
        named = bool(_NAMED.search(line))
        if (
            in_pem
            or opened_above
            or (named and not _empty_assignment(line))
            or (key_above and _YAML_VALUE.match(line))
            or _URL.search(line)
            or _KNOWN.search(line)
            or _RUN.search(line)
            or _random_string(line)
        ):
            found.add(number)
        if "-----BEGIN" in line and "PRIVATE" in line:
            in_pem = True
        if "-----END" in line:
            in_pem = False
        key_above = bool(_YAML_KEY.match(line)) or (key_above and not line.strip().startswith("-"))
        bare = line.split("#")[0].rstrip()
        # A value that begins below its name: `SECRET_KEY = (`, `get("SECRET_KEY",`, `KEY: |`, `= \`.
        opened_above = (
            named and bare.endswith(("(", ",", "|", ">", "\\", "=", ":")) and not bare.endswith("),")
        )
    return frozenset(found)


def masked(text: str) -> str:
    """`text` with the same lines, values that look secret replaced by `***`."""
    lines = text.split("\n")
    for number in secret_lines(text):
        lines[number] = _masked_line(lines[number])
    return "\n".join(lines)


def secret_values(text: str) -> tuple[str, ...]:
    """The quoted strings in the lines of `text` that look like they hold a secret, without those that are
    names of variables or modules."""
    lines = text.split("\n")
    found = (m[2] for n in sorted(secret_lines(text)) for m in _QUOTED.finditer(lines[n]))
    return tuple(dict.fromkeys(value for value in found if not _A_NAME.fullmatch(value)))


def _empty_assignment(line: str) -> bool:
    """An assignment of nothing, `SECRET=`, holds no secret."""
    return bool(
        re.search(r"[:=]\s*(?:''|\"\"|None|null|true|false)?\s*,?\s*(?:#.*)?\r?$", line, re.IGNORECASE)
    )


def _random_string(line: str) -> bool:
    for match in _STRING.finditer(line):
        value = match.group(2)
        if " " in value or _HARMLESS.match(value):
            continue
        if re.search(r"\d", value) and re.search(r"[A-Za-z]", value):
            return True
    return False


def _masked_line(line: str) -> str:
    ending = "\r" if line.endswith("\r") else ""
    line = _URL.sub(f"{MASK}@", line.rstrip("\r"))
    head = re.match(
        r"^(\s*(?:-\s+)?(?:export\s+)?['\"]?[\w.-]+['\"]?(?:\[[^\]]*\])?\s*(?:=|:(?!//))\s*)\S", line
    )
    return (head.group(1) if head else re.match(r"^\s*", line).group(0)) + MASK + ending  # type: ignore[union-attr]
