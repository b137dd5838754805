"""TypeScript and JavaScript files: calls located, names swapped, imports put beside the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import tree_sitter
import tree_sitter_javascript
import tree_sitter_typescript

from wizard.model import Splice
from wizard.patchers.base import BOM, Check, NotUnderstood, line_end, newline, parse, spliced

_LANGUAGES = {
    "ts": tree_sitter.Language(tree_sitter_typescript.language_typescript()),
    "tsx": tree_sitter.Language(tree_sitter_typescript.language_tsx()),
    "js": tree_sitter.Language(tree_sitter_javascript.language()),
}
SUFFIXES = {
    ".ts": "ts",
    ".mts": "ts",
    ".cts": "ts",
    ".tsx": "tsx",
    ".js": "js",
    ".mjs": "js",
    ".cjs": "js",
    ".jsx": "js",
}
FUNCTIONS = frozenset(
    (
        "function_declaration",
        "function_expression",
        "arrow_function",
        "method_definition",
        "generator_function_declaration",
        "generator_function",
    )
)
_REQUIRE = re.compile(r"require\(\s*['\"]([^'\"]+)['\"]\s*\)")


class JavaScriptSource:
    """One parsed file. `data` is its bytes, all offsets are into it; `language` is ts, tsx or js.

    Raises NotUnderstood where the file does not parse or is not UTF-8.
    """

    def __init__(self, data: bytes, language: str) -> None:
        self.data = data
        self.language = language
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise NotUnderstood(
                "The file is not written in UTF-8.", 1 + data[: error.start].count(b"\n")
            ) from error
        masked = b"   " + data[len(BOM) :] if data.startswith(BOM) else data
        self.root = parse(_LANGUAGES[language], masked, "TypeScript" if language != "js" else "JavaScript")
        self.statements = [n for n in self.root.children if n.is_named and n.type != "comment"]

    def text(self, node: tree_sitter.Node) -> str:
        """The node's own text."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8")

    def nodes(self, *kinds: str) -> Iterator[tree_sitter.Node]:
        """Every node of one of `kinds`, in the order of the text."""
        return (n for n in walk(self.root) if n.type in kinds)

    @property
    def quote(self) -> str:
        """The quote that most strings have; the single one where even."""
        texts = [self.text(n)[0] for n in self.nodes("string")]
        return '"' if texts.count('"') > texts.count("'") else "'"

    @property
    def semicolons(self) -> bool:
        """Whether most statements end in a semicolon."""
        kinds = ("import_statement", "expression_statement", "lexical_declaration", "return_statement")
        ends = [self.text(n).endswith(";") for n in self.nodes(*kinds)]
        return 2 * sum(ends) >= len(ends)

    @property
    def modules(self) -> bool:
        """Whether the file imports with `import`; a file without any import counts as such in TypeScript."""
        if any(s.type in ("import_statement", "export_statement") for s in self.statements):
            return True
        return self.language != "js" and not _REQUIRE.search(self.data.decode("utf-8"))

    def imported(self) -> dict[str, tuple[str, str]]:
        """Local name → (module, exported name) of every import and require at top level.

        The exported name is `*` for the whole module (`import * as`, a default import, `require`).
        """
        found: dict[str, tuple[str, str]] = {}
        for statement in self.statements:
            if statement.type == "import_statement":
                self._import(statement, found)
            elif statement.type in ("lexical_declaration", "variable_declaration"):
                for declarator in statement.named_children:
                    self._require(declarator, found)
        return found

    def _import(self, statement: tree_sitter.Node, found: dict[str, tuple[str, str]]) -> None:
        where = statement.child_by_field_name("source")
        if where is None:
            required = next((c for c in statement.named_children if c.type == "import_require_clause"), None)
            if required is not None:
                source = required.child_by_field_name("source")
                if source is not None:
                    found[self.text(required.named_children[0])] = (self.text(source)[1:-1], "*")
            return
        module = self.text(where)[1:-1].removeprefix("node:")
        for node in walk(statement):
            if node.type == "import_specifier":
                name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
                if name is not None:
                    found[self.text(alias or name)] = (module, self.text(name))
            elif node.type == "namespace_import":
                found[self.text(node.named_children[0])] = (module, "*")
            elif (
                node.type == "identifier" and node.parent is not None and node.parent.type == "import_clause"
            ):
                found[self.text(node)] = (module, "*")

    def _require(self, declarator: tree_sitter.Node, found: dict[str, tuple[str, str]]) -> None:
        if declarator.type != "variable_declarator":
            return
        name, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
        match = _REQUIRE.match(self.text(value)) if value is not None else None
        if name is None or value is None or match is None:
            return
        module, rest = match.group(1).removeprefix("node:"), self.text(value)[match.end() :]
        if name.type == "identifier":
            found[self.text(name)] = (module, rest.removeprefix(".") or "*")
        elif name.type == "object_pattern" and not rest:
            for part in name.named_children:
                if part.type == "shorthand_property_identifier_pattern":
                    found[self.text(part)] = (module, self.text(part))
                elif part.type == "pair_pattern":
                    key, value = part.child_by_field_name("key"), part.child_by_field_name("value")
                    if key is not None and value is not None:
                        found[self.text(value)] = (module, self.text(key))

    def import_line(self, names: Iterable[str], module: str) -> str:
        """The statement that imports `names` from `module`, as this file writes its imports (prettier's
        width of 80)."""
        listed, end, q = sorted(names), ";" if self.semicolons else "", self.quote
        lead, tail = ("import", f" from {q}{module}{q}{end}")
        if not self.modules:
            lead, tail = "const", f" = require({q}{module}{q}){end}"
        one = f"{lead} {{ {', '.join(listed)} }}{tail}"
        if len(one) <= 80:
            return one
        return f"{lead} {{\n" + "".join(f"  {name},\n" for name in listed) + "}" + tail

    def add_import(self, statement: str, reason: str) -> Splice:
        """Put `statement` below the last import or require at the head of the file."""
        last = None
        for node in self.statements:
            if node.type == "import_statement" or (
                node.type in ("lexical_declaration", "variable_declaration") and "require(" in self.text(node)
            ):
                last = node
            elif last is not None and node.type != "expression_statement":
                break
        ending = newline(self.data)
        text = statement.replace("\n", ending)
        if last is not None:
            end = line_end(self.data, max(last.end_byte - 1, 0))
            if self.data[last.end_byte : end].strip().startswith((b"/*",)):
                end = last.end_byte
            return Splice(end, end, ending + text, reason)
        start = next(
            (s.start_byte for s in self.statements if not self.text(s).startswith(("'use ", '"use '))),
            len(self.data),
        )
        start = self.data.rfind(b"\n", 0, start) + 1 or (len(BOM) if self.data.startswith(BOM) else 0)
        return Splice(start, start, text + ending * 2, reason)


def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """`node` and everything below it, in the order of the text."""
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node.children))


def function_of(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """The function that holds `node`, or None at the top level."""
    parent = node.parent
    while parent is not None and parent.type not in FUNCTIONS:
        parent = parent.parent
    return parent


def is_async(function: tree_sitter.Node) -> bool:
    """Whether `await` may stand in `function`."""
    return any(c.type == "async" for c in function.children)


def splices_check(language: str, splices: Iterable[Splice]) -> Check:
    """A check that the file parses again, and that its tokens are the old ones but where `splices` are.

    Tokens are compared outside the splices: a splice that glued two tokens, opened a comment or a string
    would change its neighbours.
    """
    made = sorted(splices, key=lambda s: (s.start, s.end))

    def check(before: bytes, after: bytes) -> None:
        old, new = JavaScriptSource(before, language), JavaScriptSource(after, language)
        if spliced(before, made) != after:
            raise NotUnderstood("The edited file would not mean what it must; nothing is changed in it.")
        kept = Counter(_leaves(old))
        kept.subtract(_leaves(new))
        touched = [(s.start, s.end) for s in made]
        gone = Counter(_leaves(old, touched))
        for token, count in kept.items():
            if count > 0 and gone[token] < count:
                raise NotUnderstood("The edited file would not mean what it must; nothing is changed in it.")

    return check


def _leaves(source: JavaScriptSource, only: list[tuple[int, int]] | None = None) -> Iterator[str]:
    """Every token's text; with `only`, those that a range of it overlaps."""
    for node in walk(source.root):
        whole = node.type in ("comment", "template_string", "string", "regex")
        if (node.children and not whole) or (node.parent is not None and node.parent.type == "string"):
            continue
        if only is None or any(a < node.end_byte and node.start_byte < b for a, b in only):
            yield source.text(node)
