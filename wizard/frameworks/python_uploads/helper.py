"""The text of the generated module: only the functions that the app needs, as black writes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wizard.model import Need
from wizard.patchers.base import NotUnderstood

S3 = "s3"
# What each function needs beside itself: other functions, and modules to import.
_NEEDS: dict[str, tuple[str, ...]] = {
    "save": ("_upload",),
    "open_file": ("_upload", "exists"),
    "remove": (),
    "exists": (),
    "size": (),
    "listdir": (),
    "url": (),
    "send_from_directory": ("send_file",),
    "send_file": ("exists", "url"),
    "serve_static": ("send_file",),
}
_ORDER = ("_upload", *_NEEDS)
_MODULES = {
    "_upload": ("mimetypes",),
    "save": ("tempfile",),
    "open_file": ("contextlib", "tempfile"),
    "url": ("urllib.parse",),
}


@dataclass(frozen=True, slots=True)
class Helper:
    """What the module must say. `root` is the uploads folder: parts below the module's own folder
    (`("static", "uploads")`, `("..", "uploads")`), or one absolute path. `static_url` is where Flask's own
    static route shows it ("/static/uploads"), "" where it does not."""

    need: Need
    root: tuple[str, ...]
    functions: frozenset[str]
    static_url: str = ""


def helper_text(helper: Helper) -> str:
    """The module's source. Raises NotUnderstood where the need is not S3-compatible."""
    need = helper.need
    if need.backend != S3:
        raise NotUnderstood(f"Uploads kept by {need.backend} need a change by hand.")
    wanted = _closed(helper.functions)
    names = {
        role: need.variable(role) for role in ("bucket", "region", "endpoint", "access_key", "secret_key")
    }
    options = [
        f'        {argument}=os.environ.get("{names[role]}"),'
        for argument, role in (
            ("region_name", "region"),
            ("endpoint_url", "endpoint"),
            ("aws_access_key_id", "access_key"),
            ("aws_secret_access_key", "secret_key"),
        )
        if names[role]
    ]
    modules = {"functools", "os", *(m for name in wanted for m in _MODULES.get(name, ()))}
    parts = [_HEAD.replace("@BUCKET@", names["bucket"] or "S3_BUCKET_NAME")]
    parts.append("\n".join(f"import {name}" for name in sorted(modules)) + "\n")
    flask = {"send_file", "send_from_directory", "serve_static"} & wanted
    if flask:
        join = "from werkzeug.utils import safe_join\n" if flask != {"send_file"} else ""
        parts.append("\nimport flask\n" + join)
    parts.append("\n" + _root(helper.root))
    parts.append(f'BUCKET = os.environ.get("{names["bucket"]}")\nPREFIX = {_quoted(need.prefix)}\n')
    if "url" in wanted:
        parts.append("LINK_SECONDS = 3600\n" if need.access != "public" else "")
    parts.append(_CLIENT.replace("@OPTIONS@", "\n".join(options)).replace("@STYLE@", _style(need)))
    for name in _ORDER:
        if name in wanted:
            parts.append(_FUNCTIONS[name])
    text = "".join(parts)
    if "url" in wanted:
        text = text.replace("@URL@", _address(need))
    return text.replace("@STATIC@", helper.static_url)


def _closed(functions: Iterable[str]) -> set[str]:
    wanted, pending = set[str](), list(functions)
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted.add(name)
            pending += _NEEDS.get(name, ())
    return wanted


def _quoted(text: str) -> str:
    if any(c in text for c in '"\\\n\r'):
        raise NotUnderstood("The prefix of the bucket cannot stand in code.")
    return f'"{text}"'


def _root(parts: tuple[str, ...]) -> str:
    if len(parts) == 1 and parts[0].startswith("/"):
        return f"ROOT = os.path.realpath({_quoted(parts[0])})\n"
    listed = ", ".join(map(_quoted, parts))
    here = "HERE = os.path.dirname(os.path.abspath(__file__))\n"
    return f"{here}ROOT = os.path.realpath(os.path.join(HERE, {listed}))\n"


def _style(need: Need) -> str:
    """Servers other than AWS are asked by path: a bucket as a host name needs DNS of theirs."""
    return '\n        s3={"addressing_style": "path"},' if need.variable("endpoint") else ""


def _address(need: Need) -> str:
    variable = need.variable("public_url")
    if need.access == "public" and (variable or need.public_base):
        base = f'os.environ["{variable}"]' if variable else _quoted(need.public_base)
        return f'{base}.rstrip("/") + "/" + urllib.parse.quote(key)'
    return _SIGNED


_HEAD = '''"""Uploaded files: in a bucket when @BUCKET@ is set, else in the local folder.

Every function takes the path that the file has in the local folder.
"""

'''
_CLIENT = '''

@functools.cache
def _client():
    import boto3
    from botocore.config import Config

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
    """The object's name, or None when the file stays on the disk."""
    if not BUCKET or not isinstance(path, (str, os.PathLike)):
        return None
    name = os.path.relpath(os.path.realpath(path), ROOT).replace(os.sep, "/")
    return None if name == ".." or name.startswith("../") else PREFIX + name
'''
_SIGNED = """_client().generate_presigned_url(
        "get_object",
        Params={"Bucket": BUCKET, "Key": key, **headers},
        ExpiresIn=LINK_SECONDS,
    )"""
_FUNCTIONS = {
    "_upload": """

def _upload(local, key):
    kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
    _client().upload_file(local, BUCKET, key, ExtraArgs={"ContentType": kind})
""",
    "save": '''

def save(file, path, *args, **options):
    """Do file.save(path)."""
    key = _key(path)
    if key is None:
        return file.save(path, *args, **options)
    with tempfile.TemporaryDirectory() as folder:
        local = os.path.join(folder, os.path.basename(path))
        file.save(local, *args, **options)
        _upload(local, key)
''',
    "open_file": '''

@contextlib.contextmanager
def open_file(path, mode="r", *args, **options):
    """Open a file as open() does, in a with statement."""
    key = _key(path)
    if key is None:
        with open(path, mode, *args, **options) as file:
            yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        local = os.path.join(folder, os.path.basename(path))
        if ("r" in mode or "a" in mode) and exists(path):
            _client().download_file(BUCKET, key, local)
        with open(local, mode, *args, **options) as file:
            yield file
        if mode not in ("r", "rb", "rt"):
            _upload(local, key)
''',
    "remove": '''

def remove(path):
    """Delete a file."""
    key = _key(path)
    if key is None:
        os.remove(path)
    else:
        _client().delete_object(Bucket=BUCKET, Key=key)
''',
    "exists": '''

def exists(path):
    """Tell whether there is such a file."""
    key = _key(path)
    if key is None:
        return os.path.exists(path)
    found = _client().list_objects_v2(Bucket=BUCKET, Prefix=key, MaxKeys=1)
    return any(item["Key"] == key for item in found.get("Contents", []))
''',
    "size": '''

def size(path):
    """Return the size of a file in bytes."""
    key = _key(path)
    if key is None:
        return os.path.getsize(path)
    return _client().head_object(Bucket=BUCKET, Key=key)["ContentLength"]
''',
    "listdir": '''

def listdir(folder):
    """Return the names in a folder, as os.listdir() does."""
    key = _key(folder)
    if key is None:
        return os.listdir(folder)
    start = PREFIX if key == PREFIX + "." else key + "/"
    names = set()
    pages = _client().get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=BUCKET, Prefix=start):
        for item in page.get("Contents", []):
            names.add(item["Key"][len(start) :].split("/")[0])
    return sorted(names)
''',
    "url": '''

def url(path, **headers):
    """Return an address at which a browser can read the file for a while."""
    key = _key(path)
    return @URL@
''',
    "send_from_directory": '''

def send_from_directory(directory, path=None, *, filename=None, **options):
    """Answer with a file as flask.send_from_directory() does."""
    name = path if filename is None else filename
    folder = os.path.join(flask.current_app.root_path, directory)
    place = safe_join(folder, name)
    if place is None or _key(place) is None:
        return flask.send_from_directory(directory, name, **options)
    return send_file(place, **options)
''',
    "send_file": '''

def send_file(path, **options):
    """Answer with a file as flask.send_file() does: by a link into the bucket."""
    key = _key(path)
    if key is None:
        return flask.send_file(path, **options)
    if not exists(path):
        flask.abort(404)
    headers = {}
    if options.get("as_attachment"):
        name = options.get("download_name") or os.path.basename(path)
        quoted = urllib.parse.quote(name)
        disposition = "attachment; filename*=UTF-8\'\'" + quoted
        headers["ResponseContentDisposition"] = disposition
    return flask.redirect(url(path, **headers))
''',
    "serve_static": '''

def serve_static(app):
    """Show the files at their old addresses below @STATIC@/."""

    def uploaded_file(name):
        place = safe_join(ROOT, name)
        return flask.abort(404) if place is None else send_file(place)

    if BUCKET:
        app.add_url_rule("@STATIC@/<path:name>", "uploaded_file", uploaded_file)
''',
}
