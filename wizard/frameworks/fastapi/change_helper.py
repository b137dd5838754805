"""The text of the generated module for FastAPI: only the functions that the app needs, as black has it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wizard.model import Need
from wizard.patchers.base import NotUnderstood

NAME = "upload_storage"
_NEEDS: dict[str, tuple[str, ...]] = {
    "_upload_file": ("_upload",),
    "save_copy": ("_upload_file",),
    "open_file": ("_upload_file",),
    "open_async": ("_upload_file",),
    "write_bytes": ("_upload",),
    "read_bytes": (),
    "remove": (),
    "remove_tree": ("_keys",),
    "exists": ("_keys",),
    "size": (),
    "listdir": ("_keys",),
    "StoredFile": (),
    "StoredFiles": ("_link",),
}
_ORDER = ("_keys", "_upload", "_link", *_NEEDS)
_MODULES = {
    "_upload": ("import mimetypes",),
    "save_copy": ("import shutil",),
    "remove_tree": ("import shutil",),
    "open_file": ("import contextlib", "import tempfile"),
    "open_async": ("import asyncio", "import contextlib", "import tempfile"),
    "StoredFile": ("import asyncio",),
    "StoredFiles": ("import asyncio",),
}
_OTHERS = {
    "_client": ("import boto3", "from botocore.config import Config"),
    "open_async": ("import aiofiles",),
    "StoredFile": (
        "from botocore.exceptions import ClientError",
        "from fastapi.responses import FileResponse, Response, StreamingResponse",
    ),
    "StoredFiles": (
        "from fastapi.responses import RedirectResponse",
        "from fastapi.staticfiles import StaticFiles",
    ),
}


@dataclass(frozen=True, slots=True)
class Helper:
    """What the module must say. `root` is the Python expression of the uploads folder."""

    need: Need
    root: str
    functions: frozenset[str]


def helper_text(helper: Helper) -> str:
    """The module's source. Raises NotUnderstood where a value cannot stand in code."""
    need = helper.need
    if any(c in need.prefix + need.public_base for c in "'\"\\\n\r"):
        raise NotUnderstood("The prefix of the bucket cannot stand in code.")
    wanted, pending = {"_client"}, list(helper.functions)
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted.add(name)
            pending += _NEEDS.get(name, ())
    standard = {"import functools", "import os", *(m for n in wanted for m in _MODULES.get(n, ()))}
    if "_link" in wanted and _public(need):
        standard.add("import urllib.parse")
    others = _merged({m for n in wanted for m in _OTHERS.get(n, ())})
    parts = [_HEAD, "\n".join(sorted(standard)) + "\n\n" + others + "\n"]
    bucket = 'BUCKET = os.environ.get("@BUCKET@")'
    parts.append(f'ROOT = os.path.realpath({helper.root})\n{bucket}\nPREFIX = "{need.prefix}"\n')
    parts.append(_base(need))
    for name in _ORDER:
        if name in wanted:
            parts.append(_link(need) if name == "_link" else _FUNCTIONS[name])
    text = parts[0] + "\n" + "".join(parts[1:3]) + "".join("\n\n" + p for p in parts[3:])
    return text.replace("@BUCKET@", need.variable("bucket") or "S3_BUCKET_NAME")


def _merged(statements: set[str]) -> str:
    """Imports sorted as isort does, names of one module on one line."""
    plain = sorted(s for s in statements if s.startswith("import "))
    names: dict[str, set[str]] = {}
    for statement in statements - set(plain):
        module, listed = re.fullmatch(r"from (\S+) import (.+)", statement).groups()  # type: ignore[union-attr]
        names.setdefault(module, set()).update(listed.split(", "))
    lines = []
    for module, listed in sorted(names.items()):
        one = f"from {module} import {', '.join(sorted(listed))}"
        lines.append(one if len(one) <= 88 else _broken(module, listed))
    return "\n".join([*plain, *lines]) + "\n"


def _broken(module: str, listed: set[str]) -> str:
    return f"from {module} import (\n" + "".join(f"    {n},\n" for n in sorted(listed)) + ")"


def _base(need: Need) -> str:
    names = dict(need.roles)
    roles = (
        ("region_name", "region"),
        ("endpoint_url", "endpoint"),
        ("aws_access_key_id", "access_key"),
        ("aws_secret_access_key", "secret_key"),
    )
    options = [f'        {a}=os.environ.get("{names[r]}"),' for a, r in roles if r in names]
    style = '\n        s3={"addressing_style": "path"},' if "endpoint" in names else ""
    return _CLIENT.replace("@OPTIONS@", "\n".join(options)).replace("@STYLE@", style)


def _public(need: Need) -> str | None:
    if need.access != "public":
        return None
    variable = need.variable("public_url")
    if variable:
        return f'os.environ["{variable}"].rstrip("/")'
    return f'"{need.public_base.rstrip("/")}"' if need.public_base else None


def _link(need: Need) -> str:
    base = _public(need)
    if base is not None:
        return f'def _link(key, method):\n    return {base} + "/" + urllib.parse.quote(key)\n'
    return _SIGNED


_HEAD = '''"""Uploaded files: in a bucket when @BUCKET@ is set, else in the local folder.

Every function takes the path that the file has in the local folder.
"""
'''
_CLIENT = '''@functools.cache
def _client():
    settings = Config(
        signature_version="s3v4",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",@STYLE@
    )
    return boto3.client(
        "s3",
@OPTIONS@
        config=settings,
    )


def _key(path):
    """Return the object's name, or None when the file stays on the disk."""
    if not BUCKET:
        return None
    name = os.path.relpath(os.path.realpath(path), ROOT).replace(os.sep, "/")
    return None if name == ".." or name.startswith("../") else PREFIX + name
'''
_SIGNED = """def _link(key, method):
    return _client().generate_presigned_url(
        "head_object" if method == "HEAD" else "get_object",
        Params={"Bucket": BUCKET, "Key": key},
        ExpiresIn=3600,
    )
"""
_FUNCTIONS = {
    "_keys": """def _keys(start):
    pages = _client().get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=BUCKET, Prefix=start):
        for item in page.get("Contents", []):
            yield item["Key"]
""",
    "_upload": """def _upload(file, key):
    kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
    _client().put_object(Bucket=BUCKET, Key=key, Body=file, ContentType=kind)
""",
    "_upload_file": """def _upload_file(local, key):
    with open(local, "rb") as file:
        _upload(file, key)
""",
    "save_copy": '''def save_copy(source, path):
    """Do what shutil.copy(source, path) does."""
    key = _key(path)
    if key is None:
        return shutil.copy(source, path)
    _upload_file(source, key)
    return path
''',
    "open_file": '''@contextlib.contextmanager
def open_file(path, mode="r", *args, **options):
    """Open a file as open() does, in a with statement."""
    key = _key(path)
    if key is None:
        with open(path, mode, *args, **options) as file:
            yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        local = os.path.join(folder, "file")
        if "w" not in mode and "x" not in mode:
            _client().download_file(BUCKET, key, local)
        with open(local, mode, *args, **options) as file:
            yield file
        if mode not in ("r", "rb", "rt"):
            _upload_file(local, key)
''',
    "open_async": '''@contextlib.asynccontextmanager
async def open_async(path, mode="r", *args, **options):
    """Open a file as aiofiles.open() does, in an async with statement."""
    key = _key(path)
    if key is None:
        async with aiofiles.open(path, mode, *args, **options) as file:
            yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        local = os.path.join(folder, "file")
        if "w" not in mode and "x" not in mode:
            await asyncio.to_thread(_client().download_file, BUCKET, key, local)
        async with aiofiles.open(local, mode, *args, **options) as file:
            yield file
        if mode not in ("r", "rb", "rt"):
            await asyncio.to_thread(_upload_file, local, key)
''',
    "write_bytes": '''def write_bytes(path, data):
    """Do what Path.write_bytes() does."""
    key = _key(path)
    if key is not None:
        _upload(data, key)
        return len(data)
    with open(path, "wb") as file:
        return file.write(data)
''',
    "read_bytes": '''def read_bytes(path):
    """Do what Path.read_bytes() does."""
    key = _key(path)
    if key is not None:
        return _client().get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with open(path, "rb") as file:
        return file.read()
''',
    "remove": '''def remove(path, missing_ok=False):
    """Delete a file."""
    key = _key(path)
    if key is not None:
        _client().delete_object(Bucket=BUCKET, Key=key)
    elif not missing_ok or os.path.exists(path):
        os.remove(path)
''',
    "remove_tree": '''def remove_tree(folder, ignore_errors=False):
    """Delete a folder with all that it holds."""
    key = _key(folder)
    if key is None:
        shutil.rmtree(folder, ignore_errors)
        return
    for name in list(_keys(key + "/")):
        _client().delete_object(Bucket=BUCKET, Key=name)
''',
    "exists": '''def exists(path):
    """Tell whether there is such a file or folder."""
    key = _key(path)
    if key is None:
        return os.path.exists(path)
    return next(_keys(key), None) == key or next(_keys(key + "/"), None) is not None
''',
    "size": '''def size(path):
    """Return the size of a file in bytes."""
    key = _key(path)
    if key is None:
        return os.path.getsize(path)
    return _client().head_object(Bucket=BUCKET, Key=key)["ContentLength"]
''',
    "listdir": '''def listdir(folder):
    """Return the names in a folder, as os.listdir() does."""
    key = _key(folder)
    if key is None:
        return os.listdir(folder)
    start = PREFIX if key == PREFIX + "." else key + "/"
    return sorted({key[len(start) :].split("/")[0] for key in _keys(start)})
''',
    "StoredFile": '''class StoredFile(FileResponse):
    """Answer with a file as FileResponse does."""

    async def __call__(self, scope, receive, send):
        key = _key(self.path)
        if key is None:
            await super().__call__(scope, receive, send)
            return
        asked = {k: v.decode("latin-1") for k, v in scope["headers"]}
        part = {"Range": asked[b"range"]} if b"range" in asked else {}
        try:
            found = await asyncio.to_thread(
                _client().get_object, Bucket=BUCKET, Key=key, **part
            )
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            status = status if status in (404, 416) else 502
            await Response(status_code=status)(scope, receive, send)
            return
        headers = {
            "accept-ranges": "bytes",
            "content-length": str(found["ContentLength"]),
            "content-type": self.headers["content-type"],
            "etag": found["ETag"],
        }
        if "content-disposition" in self.headers:
            headers["content-disposition"] = self.headers["content-disposition"]
        if "ContentRange" in found:
            headers["content-range"] = found["ContentRange"]
        status = 206 if "ContentRange" in found else self.status_code
        body = found["Body"].iter_chunks(65536)
        answer = StreamingResponse(body, status, headers, background=self.background)
        await answer(scope, receive, send)
''',
    "StoredFiles": '''class StoredFiles(StaticFiles):
    """Show the files of a folder at their old addresses."""

    async def get_response(self, path, scope):
        key = _key(os.path.join(self.directory, path)) if self.directory else None
        if key is None or scope["method"] not in ("GET", "HEAD"):
            return await super().get_response(path, scope)
        link = await asyncio.to_thread(_link, key, scope["method"])
        return RedirectResponse(link, status_code=302)
''',
}
