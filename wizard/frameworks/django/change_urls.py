"""Old links under MEDIA_URL go on working: a route that redirects them to the bucket.

The route stands right before what serves uploads now, never before the app's own routes: those that
ask for a login keep the right of way. Where nothing serves uploads, none is added: files that could
not be fetched stay so.
"""

from __future__ import annotations

import posixpath
import re

import tree_sitter

from wizard.frameworks.django.change_site import Site
from wizard.frameworks.django.change_storages import TABLE
from wizard.frameworks.django.change_table import SERVE
from wizard.model import Edit, Instruction, Need, Splice
from wizard.patchers.base import NotUnderstood, assemble, line_start
from wizard.patchers.python_source import PythonSource, statements_check, walk

MODULE = "media_redirect"
NAME = "media_urls"
_REASON = "old links to uploads go on working: they are sent on to the bucket"
_CODE = '''"""Sends links to uploads on to the bucket that holds them."""

import os
import re

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import default_storage
from django.http import Http404, HttpResponseRedirect
from django.urls import re_path
from django.views.decorators.http import require_safe


@require_safe
def media_redirect(request, path):
    """Answer with the file's current address, which may be signed and expire."""
    if "\\\\" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise Http404("No such file.")
    try:
        response = HttpResponseRedirect(default_storage.url(path))
    except (SuspiciousOperation, ValueError) as error:
        raise Http404("No such file.") from error
    # Shorter than a signed address lives.
    response["Cache-Control"] = "private, max-age=300"
    return response


media_urls = []
media_path = settings.MEDIA_URL.lstrip("/")
if os.environ.get("{bucket}") and media_path and "://" not in media_path:
    media_urls = [re_path(rf"^{re.escape(media_path)}(?P<path>.+)$", media_redirect)]
'''


def change_urls(site: Site, need: Need | None, routed: str = "") -> tuple[list[Edit], list[Instruction]]:
    """The new module beside the root urls and the lines that put its route in place.

    `routed` is the module's text where several storages hold the uploads.
    """
    settings = site.settings
    code = routed
    if need is not None:
        bucket = need.variable("bucket") or ""
        code = (SERVE if need.backend == TABLE else _CODE).replace("{bucket}", bucket)
    if settings.serves_media == "never" or settings.urls_file is None:
        why = (
            "The app itself does not serve uploads, so no redirect from old links was added: what could not "
            "be fetched without a login stays so. Where a web server served them, it must redirect them."
        )
        return [], [
            Instruction(settings.urls_file or settings.files[0], 1, why, "Nothing to add to the code.\n")
        ]
    file = settings.urls_file
    module = posixpath.join(posixpath.dirname(file), f"{MODULE}.py")
    dotted = _dotted(site)
    statement = f"from {dotted}.{MODULE} import {NAME}" if dotted else f"from {MODULE} import {NAME}"
    source_module = f"{dotted}.{MODULE}" if dotted else MODULE
    try:
        data = site.read(file) or b""
        source = PythonSource(data)
        present = site.read(module)
        edits: list[Edit] = []
        if present is None:
            splice = Splice(0, 0, code, _REASON)
            edits.append(assemble(module, None, [splice], statements_check([code])))
        elif present.replace(b"\r\n", b"\n") != code.encode():
            raise NotUnderstood(f"{module} exists already and is not the module ashore would write.")
        if source.imports_from(source_module, NAME):
            return edits, []
        splices, inserted, replaced = _placed(source, settings.serves_media)
        imports = source.add_imports([(source_module, statement)], len(data), site.own, _REASON)
        check = statements_check([statement, *inserted], replaced)
        return [*edits, assemble(file, data, [*imports, *splices], check)], []
    except NotUnderstood as error:
        here = "# before what serves MEDIA_URL now:"
        text = f"{statement}\n\n{here}\nurlpatterns += {NAME}\n\n# {module}:\n{code}"
        return [], [error.instruction(file, text)]


def _dotted(site: Site) -> str:
    """The package that holds the root urls, as they are imported; "" at the top of the path."""
    where = site.settings.where.get("ROOT_URLCONF")
    source = PythonSource(site.read(where.file) or b"") if where else None
    value = source.value_of("ROOT_URLCONF") if source else None
    texts = list(source.strings(value)) if source and value is not None and value.type == "string" else []
    if not texts:
        raise NotUnderstood("ROOT_URLCONF is not written as a plain string.", where.line if where else 1)
    package = posixpath.basename(site.settings.urls_file or "") == "__init__.py"
    return texts[0] if package else texts[0].rpartition(".")[0]


def _placed(source: PythonSource, serves: str) -> tuple[list[Splice], list[str], dict[str, str]]:
    """(splices, statements inserted, statements replaced): the route before what serves uploads."""
    serving = [n for n in walk(source.root) if n.type == "call" and _serves(source, n)]
    line = f"urlpatterns += {NAME}"
    if not serving:
        touching = source.touching("urlpatterns")
        if serves == "always" or not touching or not source.always_binds("urlpatterns"):
            raise NotUnderstood("ashore does not see where the root urls serve uploads.")
        return [source.after(touching[-1], [line], _REASON)], [line + "\n"], {}
    for call in serving:
        if not _open(source, call):
            raise NotUnderstood(
                "Uploads are served by a view of the app's own, which may ask for a login: a redirect before "
                "it would go around that. Let the view itself redirect to default_storage.url(path).",
                call.start_point.row + 1,
            )
    first = serving[0]
    statement = next(s for s in source.statements if s.start_byte <= first.start_byte < s.end_byte)
    if not source.binds(statement, "urlpatterns") or statement.type != "expression_statement":
        earlier = [s for s in source.touching("urlpatterns") if s.end_byte <= statement.start_byte]
        if not any(source.binds(s, "urlpatterns") for s in earlier):
            raise NotUnderstood("urlpatterns is not assigned before the line that serves uploads.")
        return [source.before(statement, [line], _REASON)], [line + "\n"], {}
    splice = _inside(source, first)
    old = source.text(statement)
    at = splice.start - statement.start_byte
    raw = old.encode("utf-8", "surrogateescape")
    new = (raw[:at] + splice.text.encode() + raw[at:]).decode("utf-8", "surrogateescape")
    return [splice], [], {_plain(old): _plain(new)}


def _inside(source: PythonSource, call: tree_sitter.Node) -> Splice:
    """The route as an operand or element right before `call`, inside the assignment of urlpatterns."""
    node = call
    parent = node.parent
    if parent is not None and parent.type == "list_splat":
        node, parent = parent, parent.parent
    if (
        parent is not None
        and parent.type == "binary_operator"
        and any(c.type == "+" for c in parent.children)
    ):
        return Splice(node.start_byte, node.start_byte, f"{NAME} + ", _REASON)
    if parent is not None and parent.type == "list":
        start = line_start(source.data, node.start_byte)
        lead = source.data[start : node.start_byte]
        own_line = lead.strip() == b""
        text = f"*{NAME},{source.newline}{lead.decode('ascii')}" if own_line else f"*{NAME}, "
        return Splice(node.start_byte, node.start_byte, text, _REASON)
    raise NotUnderstood(
        "ashore does not understand how urlpatterns is put together here.", call.start_point.row + 1
    )


def _serves(source: PythonSource, call: tree_sitter.Node) -> bool:
    function = call.child_by_field_name("function")
    name = source.text(function).rpartition(".")[2] if function is not None else ""
    text = source.text(call)
    about_media = "MEDIA_ROOT" in text or "MEDIA_URL" in text
    if name == "static":
        return about_media
    return (
        name in ("path", "re_path", "url")
        and re.search(r"\bserve\b", text) is not None
        and (about_media or "media" in text or "upload" in text)
    )


def _open(source: PythonSource, call: tree_sitter.Node) -> bool:
    """Whether the call serves to everybody: `static(…)`, or a route whose view is `serve` itself."""
    function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if function is None or arguments is None:
        return False
    if source.text(function).rpartition(".")[2] == "static":
        return not any(
            a.type == "keyword_argument" and source.text(a).startswith("view") for a in arguments.children
        )
    values = [a for a in arguments.children if a.is_named and a.type not in ("keyword_argument", "comment")]
    return len(values) > 1 and re.fullmatch(r"(?:[\w.]+\.)?serve", source.text(values[1])) is not None


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip()
