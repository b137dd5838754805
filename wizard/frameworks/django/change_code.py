"""The Python that goes into a settings file: as black writes it, with double quotes and four blanks."""

from __future__ import annotations

from wizard.frameworks.django.change_storages import Kind
from wizard.model import Need

WIDTH = 79
# A Django that knows STORAGES and is given no other uses this; from 5.1 on STATICFILES_STORAGE says nothing.
STATICFILES = "django.contrib.staticfiles.storage.StaticFilesStorage"


def database_lines(variable: str, health_checks: bool, gis: bool, carried: dict[str, str]) -> list[str]:
    """DATABASES["default"] from the URL in `variable`, where it is set.

    `gis`: the app's models need PostGIS, whatever the URL's scheme says. `carried` are settings of the
    development database, name → literal, that hold for both.
    """
    arguments = [f'os.environ["{variable}"]', "conn_max_age=600"]
    arguments += ["conn_health_checks=True"] if health_checks else []
    arguments += ['engine="django.contrib.gis.db.backends.postgis"'] if gis else []
    lines = [f'if os.environ.get("{variable}"):']
    lines += _call('    DATABASES["default"] = dj_database_url.parse(', arguments)
    lines += [f'    DATABASES["default"]["{name}"] = {value}' for name, value in carried.items()]
    return lines


def _call(head: str, arguments: list[str]) -> list[str]:
    joined = ", ".join(arguments)
    if len(head) + len(joined) + 1 <= WIDTH:
        return [f"{head}{joined})"]
    if 8 + len(joined) <= WIDTH:
        return [head, f"        {joined}", "    )"]
    return [head, *(f"        {a}," for a in arguments), "    )"]


def storage_lines(kind: Kind, need: Need, location: str, backend: str, shape: str) -> list[str]:
    """The storage settings, active where the bucket's variable is set.

    `shape`: `item` where STORAGES is assigned above, `whole` where it is not,
    `older` for a Django or project that knows DEFAULT_FILE_STORAGE.
    """
    options = kind.options(need, location)
    lines = [f'if os.environ.get("{need.variable("bucket")}"):']
    lines += [f"    {line}" if line else "" for line in kind.before(need)]
    if shape == "older":
        lines.append(f'    DEFAULT_FILE_STORAGE = "{backend}"')
        return lines + [line for o in options for line in value_lines(f"    {o.setting} = ", o.value, "")]
    depth = 4 if shape == "item" else 8
    lines.append('    STORAGES["default"] = {' if shape == "item" else "    STORAGES = {")
    if shape == "whole":
        lines.append('        "default": {')
    lead = " " * (depth + 4)
    lines.append(f'{lead}"BACKEND": "{backend}",')
    if options:
        lines.append(f'{lead}"OPTIONS": {{')
        for option in options:
            lines += value_lines(f'{lead}    "{option.name}": ', option.value, ",")
        lines.append(f"{lead}}},")
    lines.append(" " * depth + ("}" if shape == "item" else "},"))
    if shape == "whole":
        lines += [
            '        "staticfiles": {',
            f'            "BACKEND": "{STATICFILES}",',
            "        },",
        ]
        lines.append("    }")
    return lines


def value_lines(head: str, value: str, tail: str) -> list[str]:
    """`head value tail`, in parentheses over three lines where one would be too long."""
    one = f"{head}{value}{tail}"
    if len(one) <= 88:
        return [one]
    indent = " " * (len(head) - len(head.lstrip()))
    parts = _split(value, len(indent) + 4)
    return [f"{head}(", *(f"{indent}    {part}" for part in parts), f"{indent}){tail}"]


def _split(value: str, column: int) -> list[str]:
    """`a if b else c` or `a or b` broken where black breaks it."""
    if column + len(value) <= 88:
        return [value]
    for mark in (" if ", " or "):
        if mark in value:
            first, rest = value.split(mark, 1)
            lines = [first, mark.strip() + " " + rest]
            if mark == " if ":
                condition, other = rest.rsplit(" else ", 1)
                lines = [first, f"if {condition}", f"else {other}"]
            return lines
    return [value]
