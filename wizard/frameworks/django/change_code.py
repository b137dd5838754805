"""The Python that goes into a settings file: as black writes it, with double quotes and four blanks."""

from __future__ import annotations

from dataclasses import dataclass

from wizard.frameworks.django.change_site import Version
from wizard.model import Need

WIDTH = 79
S3 = "storages.backends.s3.S3Storage"
S3_OLD = "storages.backends.s3boto3.S3Boto3Storage"
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


@dataclass(frozen=True, slots=True)
class Option:
    """One storage option: its name in STORAGES, its older name as a setting, its value as Python."""

    name: str
    setting: str
    value: str


def storage_options(need: Need, location: str) -> list[Option]:
    """What django-storages must know to reach the bucket of `need`."""
    names = dict(need.roles)
    public = need.access == "public"

    def optional(role: str) -> str:
        return f'os.environ.get("{names[role]}") or None'

    options = [Option("bucket_name", "AWS_STORAGE_BUCKET_NAME", f'os.environ["{names["bucket"]}"]')]
    if "region" in names:
        options.append(Option("region_name", "AWS_S3_REGION_NAME", optional("region")))
    if "endpoint" in names:
        options.append(Option("endpoint_url", "AWS_S3_ENDPOINT_URL", optional("endpoint")))
    if "access_key" in names:
        options.append(Option("access_key", "AWS_S3_ACCESS_KEY_ID", optional("access_key")))
    if "secret_key" in names:
        options.append(Option("secret_key", "AWS_S3_SECRET_ACCESS_KEY", optional("secret_key")))
    options.append(Option("signature_version", "AWS_S3_SIGNATURE_VERSION", '"s3v4"'))
    style = '"virtual"'
    if "endpoint" in names:
        style = f'"path" if os.environ.get("{names["endpoint"]}") else "virtual"'
    options += [
        Option("addressing_style", "AWS_S3_ADDRESSING_STYLE", style),
        Option("default_acl", "AWS_DEFAULT_ACL", "None"),
        Option("querystring_auth", "AWS_QUERYSTRING_AUTH", "False" if public else "True"),
        Option("file_overwrite", "AWS_S3_FILE_OVERWRITE", "False"),
    ]
    if location:
        options.append(Option("location", "AWS_LOCATION", f'"{location}"'))
    if public and "public_url" in names:
        url = f'os.environ.get("{names["public_url"]}", "")'
        options += [
            Option("custom_domain", "AWS_S3_CUSTOM_DOMAIN", f'{url}.rstrip("/").partition("://")[2] or None'),
            Option("url_protocol", "AWS_S3_URL_PROTOCOL", f'{url}.partition("//")[0] or "https:"'),
        ]
    return options


def storage_lines(need: Need, location: str, backend: str, shape: str) -> list[str]:
    """The storage settings, active where the bucket's variable is set.

    `shape`: `item` where STORAGES is assigned above, `whole` where it is not,
    `older` for a Django or project that knows DEFAULT_FILE_STORAGE.
    """
    names = dict(need.roles)
    options = storage_options(need, location)
    lines = [f'if os.environ.get("{names["bucket"]}"):']
    if "endpoint" in names:
        lines += [
            f'    if os.environ.get("{names["endpoint"]}"):',
            "        # Servers other than AWS refuse the checksums that newer boto3 adds.",
            '        os.environ.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")',
            '        os.environ.setdefault("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")',
        ]
    if shape == "older":
        lines.append(f'    DEFAULT_FILE_STORAGE = "{backend}"')
        return lines + [line for o in options for line in _value(f"    {o.setting} = ", o.value, "")]
    depth = 4 if shape == "item" else 8
    lines.append('    STORAGES["default"] = {' if shape == "item" else "    STORAGES = {")
    if shape == "whole":
        lines.append('        "default": {')
    lead = " " * (depth + 4)
    lines += [f'{lead}"BACKEND": "{backend}",', f'{lead}"OPTIONS": {{']
    for option in options:
        lines += _value(f'{lead}    "{option.name}": ', option.value, ",")
    lines += [f"{lead}}},", " " * depth + ("}" if shape == "item" else "},")]
    if shape == "whole":
        lines += [
            '        "staticfiles": {',
            f'            "BACKEND": "{STATICFILES}",',
            "        },",
        ]
        lines.append("    }")
    return lines


def _value(head: str, value: str, tail: str) -> list[str]:
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


def backend_name(version: Version, installed_storages: Version | None) -> str:
    """The storage's dotted name: `storages.backends.s3` came with django-storages 1.14 (Django ≥ 3.2)."""
    old = version < (3, 2) or (installed_storages is not None and installed_storages < (1, 14))
    return S3_OLD if old else S3
