"""The calls of a Node app that write, read, serve and delete uploads, and the splices that swap them.

Every function of the generated module takes the very path that the app uses, and leaves paths outside the
uploads folder to the disk: so a swap is right for any path, and the only question is which calls to swap.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import tree_sitter

from wizard.frameworks.nestjs.change_places import Place, Reader, inside
from wizard.model import Instruction, Splice
from wizard.patchers.base import line_of
from wizard.patchers.javascript_source import JavaScriptSource, function_of, is_async, walk

REASON = "uploads go to the bucket where its variable is set, else to the folder as before"
_FS = ("fs", "fs/promises", "fs-extra", "graceful-fs")
# What fs offers → (the module's function, how many arguments it takes).
_PROMISES = {
    "unlink": ("removeUpload", 1),
    "readFile": ("readUpload", 1),
    "writeFile": ("writeUpload", 2),
    "readdir": ("listUploads", 1),
}
_SYNC = {
    "unlinkSync": ("removeUpload", 1),
    "readFileSync": ("readUpload", 1),
    "writeFileSync": ("writeUpload", 2),
    "existsSync": ("uploadExists", 1),
    "readdirSync": ("listUploads", 1),
}
_FOLDERS = frozenset(
    ("mkdir", "mkdirSync", "ensureDir", "ensureDirSync", "mkdirp", "mkdirpSync", "accessSync")
)
_OTHERS = re.compile(
    r"(?:\w+\.)*(?:createWriteStream|rename|renameSync|copyFile|copyFileSync|stat|statSync|lstat|lstatSync|"
    r"appendFile|appendFileSync|rmdir|rmdirSync|open|openSync|move|copy|remove|readJson|readJSON)|sharp|ffmpeg|"
    r"Jimp\.read|csvParser|XLSX\.readFile|xlsx\.readFile"
)
_TIGHTER = ("member_expression", "subscript_expression", "unary_expression", "spread_element")
_UPLOADERS = frozenset(
    [
        "FileInterceptor",
        "FilesInterceptor",
        "FileFieldsInterceptor",
        "AnyFilesInterceptor",
        "multer",
        "Multer",
    ]
)
_LIKELY = re.compile(
    r"^(?:.*path|.*file|file_?name|destination|.*url|avatar|logo|image|photo|thumbnail)$", re.I
)


@dataclass
class Uses:
    """What one file does with uploads: `splices` to make, the module's `functions` they call, the local
    names that each swap stops using, and the rest for a person."""

    splices: list[Splice] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    freed: list[tree_sitter.Node] = field(default_factory=list)
    unknown: list[Instruction] = field(default_factory=list)

    def swap(self, node: tree_sitter.Node, text: str, function: str) -> None:
        self.splices.append(Splice(node.start_byte, node.end_byte, text, REASON))
        self.functions.add(function)
        self.freed.append(node)


@dataclass(frozen=True)
class Finder:
    """Looks through one file. `names` are those that hold the uploads folder anywhere in the app."""

    path: str
    reader: Reader
    root: Place
    names: frozenset[str]
    imported: dict[str, tuple[str, str]]

    @property
    def source(self) -> JavaScriptSource:
        return self.reader.source

    def find(self) -> Uses:
        """Every use in the file."""
        uses = Uses()
        for node in self.source.nodes("call_expression", "new_expression"):
            self._call(node, uses)
        return uses

    def _call(self, node: tree_sitter.Node, uses: Uses) -> None:
        called = node.child_by_field_name("function") or node.child_by_field_name("constructor")
        listed = node.child_by_field_name("arguments")
        if called is None or listed is None or listed.type != "arguments":
            return
        given = [a for a in listed.named_children if a.type != "comment"]
        name = self.source.text(called)
        module, exported = self._origin(name)
        if module == "multer" and exported == "diskStorage" and len(given) == 1:
            uses.swap(called, "uploadStorage", "uploadStorage")
        elif name.rpartition(".")[2] in _UPLOADERS or name in (
            "MulterModule.register",
            "MulterModule.registerAsync",
        ):
            self._destinations(listed, uses)
        elif module in _FS and given and self._holds(given[0]):
            self._file_call(node, called, given, module, exported, uses)
        elif called.type == "member_expression" and name.endswith((".sendFile", ".download")) and given:
            self._answer(node, called, given, name.rpartition(".")[2], uses)
        elif _OTHERS.fullmatch(name) and given and self._certain(given[0]):
            self._manual(node, uses)

    def _origin(self, name: str) -> tuple[str, str]:
        """(module, function) of what is called: `fs.promises.unlink` → (`fs/promises`, `unlink`)."""
        head, _, rest = name.partition(".")
        module, exported = self.imported.get(head, ("", ""))
        if exported == "promises":
            return f"{module}/promises", rest
        if exported != "*":
            return (module, exported) if not rest else ("", "")
        if rest.startswith("promises."):
            return f"{module}/promises", rest.removeprefix("promises.")
        return module, rest or exported

    def _destinations(self, listed: tree_sitter.Node, uses: Uses) -> None:
        for node in walk(listed):
            if node.type == "pair" and self.source.text(node.named_children[0]).strip("'\"") == "dest":
                key, value = node.named_children[0], node.named_children[-1]
                start = Splice(
                    key.start_byte, value.start_byte, "storage: uploadStorage({ destination: ", REASON
                )
                uses.splices += [start, Splice(value.end_byte, value.end_byte, " })", REASON)]
                uses.functions.add("uploadStorage")

    def _file_call(
        self,
        node: tree_sitter.Node,
        called: tree_sitter.Node,
        given: list[tree_sitter.Node],
        module: str,
        name: str,
        uses: Uses,
    ) -> None:
        if name in _FOLDERS or (name == "existsSync" and self._guards_folder(node)):
            return
        if name == "createReadStream" and len(given) == 1:
            uses.swap(called, "openUpload", "openUpload")
        elif name in ("rm", "rmSync") and len(given) == 2 and "recursive" in self.source.text(given[1]):
            self._awaited(node, called, given, "removeUploads", 1, name == "rmSync", uses)
        elif name == "unlink" and len(given) == 2 and not module.endswith("promises"):
            uses.swap(called, "unlinkUpload", "unlinkUpload")
        elif name in _PROMISES and (module.endswith("promises") or module == "fs-extra"):
            function, count = _PROMISES[name]
            self._awaited(node, called, given, function, count, False, uses)
        elif name in _SYNC:
            function, count = _SYNC[name]
            self._awaited(node, called, given, function, count, True, uses)
        elif self._certain(given[0]):
            self._manual(node, uses)

    def _awaited(
        self,
        node: tree_sitter.Node,
        called: tree_sitter.Node,
        given: list[tree_sitter.Node],
        function: str,
        count: int,
        sync: bool,
        uses: Uses,
    ) -> None:
        around = function_of(node)
        if sync and (around is None or not is_async(around)):
            self._manual(node, uses, f"It would have to wait: `await {function}(…)` in an async function.")
            return
        extra = given[count:]
        text_mode = function == "readUpload" and len(extra) == 1 and extra[0].type == "string"
        if extra and not text_mode and function != "removeUploads":
            self._manual(node, uses)
            return
        member = sync and node.parent is not None and node.parent.type in _TIGHTER
        lead = ("(" if member or text_mode else "") + ("await " if sync or text_mode else "")
        if text_mode and not sync:
            outer = node.parent
            if outer is None or outer.type != "await_expression":
                self._manual(node, uses)
                return
        uses.swap(called, lead + function, function)
        if extra:
            end = given[count - 1].end_byte
            uses.splices.append(Splice(end, extra[-1].end_byte, "", REASON))
        if text_mode:
            encoding = self.source.text(extra[0])
            uses.splices.append(Splice(node.end_byte, node.end_byte, f").toString({encoding})", REASON))
        elif member:
            uses.splices.append(Splice(node.end_byte, node.end_byte, ")", REASON))

    def _answer(
        self,
        node: tree_sitter.Node,
        called: tree_sitter.Node,
        given: list[tree_sitter.Node],
        method: str,
        uses: Uses,
    ) -> None:
        target = called.child_by_field_name("object")
        options = given[1] if len(given) > 1 else None
        rooted = options is not None and options.type == "object" and "root" in self.source.text(options)
        if target is None or target.type != "identifier" or not (self._holds(given[0]) or rooted):
            return
        plain = options is None or options.type == "object" if method == "sendFile" else True
        if len(given) > 2 or not plain or any(_is_function(a) for a in given):
            self._manual(node, uses)
            return
        function = "sendUpload" if method == "sendFile" else "downloadUpload"
        text = f"{function}({self.source.text(target)}, "
        uses.splices.append(Splice(called.start_byte, given[0].start_byte, text, REASON))
        uses.functions.add(function)

    def _guards_folder(self, node: tree_sitter.Node) -> bool:
        """Whether `existsSync` only asks whether a folder must be made."""
        statement = node.parent
        while statement is not None and statement.type != "if_statement":
            if statement.type.endswith("_statement") or statement.type == "lexical_declaration":
                return False
            statement = statement.parent
        return (
            statement is not None
            and re.search(r"\b(?:mkdir|ensureDir|mkdirp)", self.source.text(statement)) is not None
        )

    def _certain(self, node: tree_sitter.Node) -> bool:
        """Whether the expression certainly names something in the uploads folder."""
        place = self.reader.place(node)
        if place is not None and inside(place, self.root):
            return True
        return any(
            inner.type in ("identifier", "property_identifier") and self.source.text(inner) in self.names
            for inner in walk(node)
        )

    def _holds(self, node: tree_sitter.Node) -> bool:
        """Whether the expression names an upload, certainly or by the words that apps use for one."""
        if node.type == "string":
            return self._certain(node)
        if self._certain(node):
            return True
        return any(
            (
                inner.type in ("identifier", "property_identifier", "shorthand_property_identifier")
                and _LIKELY.match(self.source.text(inner)) is not None
                and self.source.text(inner) not in ("path", "url", "fs")
            )
            or (
                inner.type == "property_identifier"
                and self.source.text(inner) in ("path", "url")
                and not _is_called(inner)
            )
            for inner in walk(node)
        )

    def _manual(self, node: tree_sitter.Node, uses: Uses, more: str = "") -> None:
        why = (
            "This works, in a way not understood, on a file of the uploads folder: it will lie in the bucket."
        )
        start = self.source.data.rfind(b"\n", 0, node.start_byte) + 1
        end = self.source.data.find(b"\n", node.end_byte)
        lines = self.source.data[start : end if end >= 0 else len(self.source.data)]
        text = lines.decode("utf-8").replace("\r", "") + "\n" + (f"// {more}\n" if more else "")
        uses.unknown.append(Instruction(self.path, line_of(self.source.data, node.start_byte), why, text))


def _is_function(node: tree_sitter.Node) -> bool:
    return node.type in ("arrow_function", "function_expression", "function")


def _is_called(node: tree_sitter.Node) -> bool:
    parent = node.parent
    return (
        parent is not None
        and parent.parent is not None
        and parent.parent.type == "call_expression"
        and parent.parent.child_by_field_name("function") == parent
    )
