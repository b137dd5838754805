"""The text of the generated module for Node: only the functions that the app needs, as prettier writes them.

The templates are TypeScript; what stands between « and » is left out for JavaScript.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wizard.frameworks.nestjs.change_templates import BASE, FUNCTIONS, HEAD, PUBLIC, SHOWN, SIGNED
from wizard.model import Need
from wizard.patchers.base import NotUnderstood

NAME = "upload-storage"
_NEEDS: dict[str, tuple[str, ...]] = {
    "serveUploads": ("linkTo",),
    "sendUpload": ("pipeTo",),
    "downloadUpload": ("pipeTo",),
    "uploadStorage": ("putFile", "removeUpload"),
    "unlinkUpload": ("removeUpload",),
    "writeUpload": ("typeOf",),
    "readUpload": (),
    "openUpload": (),
    "removeUpload": (),
    "removeUploads": (),
    "uploadExists": (),
    "listUploads": (),
}
_COMMANDS = {
    "linkTo": ("GetObjectCommand", "HeadObjectCommand"),
    "pipeTo": ("GetObjectCommand",),
    "putFile": ("PutObjectCommand",),
    "writeUpload": ("PutObjectCommand",),
    "readUpload": ("GetObjectCommand",),
    "openUpload": ("GetObjectCommand",),
    "removeUpload": ("DeleteObjectCommand",),
    "removeUploads": ("DeleteObjectCommand", "ListObjectsV2Command"),
    "uploadExists": ("ListObjectsV2Command",),
    "listUploads": ("ListObjectsV2Command",),
}
_ORDER = ("linkTo", "pipeTo", "putFile", "typeOf", *_NEEDS)


@dataclass(frozen=True, slots=True)
class Helper:
    """What the module must say. `root` is the expression of the uploads folder in the app's own words;
    `style` is `ts`, `esm` or `commonjs`; `quote` and `semicolons` are the project's."""

    need: Need
    root: str
    functions: frozenset[str]
    style: str
    quote: str = "'"
    semicolons: bool = True


def helper_text(helper: Helper) -> str:
    """The module's source. Raises NotUnderstood where a value cannot stand in code."""
    need = helper.need
    if any(c in need.prefix + need.public_base for c in "'\"\\\n\r`$"):
        raise NotUnderstood("The prefix of the bucket cannot stand in code.")
    wanted, pending = set[str](), list(helper.functions)
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted.add(name)
            pending += _NEEDS.get(name, ())
    parts = [HEAD, _imports(need, wanted), _base(need, helper.root)]
    functions = [_link(need) if name == "linkTo" else FUNCTIONS[name] for name in _ORDER if name in wanted]
    text = "\n".join([*parts, *functions])
    if _public(need) is not None:
        text = text.replace(SHOWN, "    res.redirect(linkTo(key));\n")
    if "fs." not in text:
        text = text.replace("import * as fs from 'fs';\n", "")
    text = text.replace("@BUCKET@", need.variable("bucket") or "S3_BUCKET_NAME")
    text = re.sub("«([^»]*)»", r"\1" if helper.style == "ts" else "", text)
    text = re.sub(r"\n{3,}", "\n\n", text)
    if helper.style == "commonjs":
        text = _commonjs(text, wanted)
    if helper.style != "ts":
        text = re.sub(r"^(.*\()\n\s+((?:[^\n]+,\n)+) *(\).*)$", _joined, text, flags=re.MULTILINE)
    if helper.quote == '"':
        text = re.sub(r"'([^'\n\"]*)'", r'"\1"', text)
    return text if helper.semicolons else re.sub(r";$", "", text, flags=re.MULTILINE)


def _joined(match: re.Match[str]) -> str:
    """A call or signature over several lines on one, where that fits, as prettier would have it."""
    inner = " ".join(line.strip() for line in match.group(2).splitlines()).rstrip(",")
    one = f"{match.group(1)}{inner}{match.group(3)}"
    return one if len(one) <= 80 else match.group()


def packages(need: Need, functions: frozenset[str]) -> dict[str, str]:
    """What the module imports beside Node's own: name → range."""
    found = {"@aws-sdk/client-s3": "^3.729.0"}
    if "serveUploads" in functions and _public(need) is None:
        found["@aws-sdk/s3-request-presigner"] = "^3.729.0"
    return found


def _imports(need: Need, wanted: set[str]) -> str:
    lines = ["import * as fs from 'fs';", "import * as path from 'path';"]
    streams = ["Readable"] if wanted & {"pipeTo", "openUpload"} else []
    if "openUpload" in wanted:
        streams.insert(0, "PassThrough")
        lines.append(f"import {{ {', '.join(streams)} }} from 'stream';")
    elif streams:
        lines.append("«import type { Readable } from 'stream';»")
    if wanted & {"pipeTo", "openUpload"}:
        lines.append("import { pipeline } from 'stream/promises';")
    public = _public(need) is not None
    commands = {c for name in wanted for c in _COMMANDS.get(name, ()) if not (name == "linkTo" and public)}
    listed = sorted(commands | {"S3Client"})
    one = f"import {{ {', '.join(listed)} }} from '@aws-sdk/client-s3';"
    if len(one) <= 80:
        lines.append(one)
    else:
        lines += ["import {", *(f"  {name}," for name in listed), "} from '@aws-sdk/client-s3';"]
    if "linkTo" in wanted and not public:
        lines.append("import { getSignedUrl } from '@aws-sdk/s3-request-presigner';")
    types = sorted(
        (["RequestHandler"] if "serveUploads" in wanted else [])
        + (["Response"] if "pipeTo" in wanted else [])
    )
    if types:
        lines.append(f"«import type {{ {', '.join(types)} }} from 'express';»")
    if "uploadStorage" in wanted:
        lines.append("import { diskStorage } from 'multer';")
        lines.append("«import type { DiskStorageOptions, StorageEngine } from 'multer';»")
    return "\n".join(line for line in lines if line != "") + "\n"


def _base(need: Need, root: str) -> str:
    names = dict(need.roles)
    options = []
    if "region" in names:
        options.append(f"    region: process.env.{names['region']},")
    if "endpoint" in names:
        options.append(f"    endpoint: process.env.{names['endpoint']},")
        options.append(f"    forcePathStyle: Boolean(process.env.{names['endpoint']}),")
    options += [
        "    requestChecksumCalculation: 'WHEN_REQUIRED',",
        "    responseChecksumValidation: 'WHEN_REQUIRED',",
    ]
    if "access_key" in names and "secret_key" in names:
        options += [
            "    credentials: {",
            f"      accessKeyId: process.env.{names['access_key']} ?? '',",
            f"      secretAccessKey: process.env.{names['secret_key']} ?? '',",
            "    },",
        ]
    text = BASE.replace("@OPTIONS@", "\n".join(options)).replace("@PREFIX@", need.prefix)
    line = f"const root = () => path.resolve({root});"
    if len(line) > 80:
        line = f"const root = () =>\n  path.resolve({root});"
    return text.replace("@ROOT@", line)


def _public(need: Need) -> str | None:
    if need.access != "public":
        return None
    variable = need.variable("public_url")
    if variable:
        return f"(process.env.{variable} ?? '')"
    return f"'{need.public_base}'" if need.public_base else None


def _link(need: Need) -> str:
    base = _public(need)
    if base is None:
        return SIGNED
    return PUBLIC.replace("@BASE@", base)


def _commonjs(text: str, wanted: set[str]) -> str:
    text = re.sub(r"import \* as (\w+) from ('[^']+');", r"const \1 = require(\2);", text)
    text = re.sub(r"import (\{[^}]*\}) from ('[^']+');", r"const \1 = require(\2);", text)
    text = re.sub(r"^export ((?:async )?function)", r"\1", text, flags=re.MULTILINE)
    names = [name for name in _NEEDS if name in wanted]
    return text + "\nmodule.exports = {\n" + "".join(f"  {name},\n" for name in names) + "};\n"
