"""Read Python settings as a reader would: follow assignments, imports and conditions; run nothing.

Only what needs no code of the project or its packages is worked out; everything else is UNKNOWN. An
unknown condition is taken as false where it asks for something set (`if env("X"):`), and the branch
not taken is still looked into: its assignments are kept as alternatives.
"""

from __future__ import annotations

import ast
import copy
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wizard.errors import UsageError
from wizard.frameworks.django import calls, operations
from wizard.frameworks.django.values import UNKNOWN, Dotted, Unknown
from wizard.frameworks.dotenv import read_dotenv
from wizard.frameworks.folders import relative

MAX_FILES = 60
_BUILTINS = frozenset({"str", "int", "bool", "list", "tuple", "dict"})


@dataclass(frozen=True, slots=True)
class Kept:
    """One assignment seen, in a branch taken or not."""

    value: Any
    node: ast.expr | None
    file: Path
    line: int


@dataclass(slots=True)
class Scope:
    """The names of one module while it is read. `places`: where each name was last assigned."""

    file: Path
    names: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Kept] = field(default_factory=dict)
    taken: bool = True


def parse(file: Path, root: Path) -> ast.Module:
    """The file's syntax tree. Raises UsageError `unreadable-settings` naming file and line."""
    try:
        return ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError as error:
        line = error.lineno
        reason = error.msg
    except (OSError, ValueError) as error:
        line = None
        reason = str(error)
    place = relative(file, root) + (f":{line}" if line else "")
    raise UsageError(
        "unreadable-settings",
        f"{place} cannot be read as Python: {reason}.",
        "Correct the file, or run ashore with the Python version that the project uses.",
    )


class Evaluator:
    """Reads settings modules below `sources` (folders that Python would import from)."""

    def __init__(self, root: Path, sources: tuple[Path, ...]) -> None:
        self.root = root
        self.sources = sources
        self.files: list[Path] = []
        self.kept: dict[str, list[Kept]] = {}
        self._scopes: dict[Path, Scope] = {}
        folders = dict.fromkeys((*reversed(sources), root))
        environ: dict[str, str] = {}
        for folder in folders:
            environ.update(read_dotenv(folder / ".env"))
        self.environ: Mapping[str, str] = MappingProxyType(environ)

    def module(self, file: Path) -> Scope:
        """The names of the module in `file` after reading it; a second call returns the same scope."""
        if file in self._scopes:
            return self._scopes[file]
        scope = Scope(file, {"__file__": str(file)})
        self._scopes[file] = scope
        if len(self.files) < MAX_FILES:
            self.files.append(file)
            self.body(parse(file, self.root).body, scope)
        return scope

    def body(self, statements: list[ast.stmt], scope: Scope) -> None:
        for statement in statements:
            self.statement(statement, scope)

    def statement(self, node: ast.stmt, scope: Scope) -> None:
        """Carry out one statement in `scope`."""
        match node:
            case ast.Assign(targets=targets, value=value):
                result = self.value(value, scope)
                for target in targets:
                    self._assign(target, result, value, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, self.value(value, scope), value, scope)
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                self._assign(
                    node.target,
                    operations.add(scope.names.get(name, UNKNOWN), self.value(value, scope)),
                    value,
                    scope,
                )
            case ast.Expr(value=ast.Call(func=ast.Name(id="include"), args=args)):
                self._include(args, scope)
            case ast.Expr(value=value):
                self.value(value, scope)
            case ast.If(test=test, body=body, orelse=orelse):
                truth = self.value(test, scope)
                yes = bool(truth) if not isinstance(truth, Unknown) else False
                self._branch(orelse if yes else body, scope)
                self.body(body if yes else orelse, scope)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                for handler in handlers:
                    self._branch(handler.body, scope)
                self.body([*body, *orelse, *final], scope)
            case ast.With(body=body):
                self.body(body, scope)
            case ast.Import(names=names):
                for alias in names:
                    scope.names[alias.asname or alias.name.split(".")[0]] = Dotted(
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            case ast.ImportFrom():
                self._import_from(node, scope)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                scope.names[name] = UNKNOWN
            case _:
                pass

    def _branch(self, body: list[ast.stmt], scope: Scope) -> None:
        """Look into a branch that is not taken: its assignments become alternatives, nothing else."""
        names = {k: copy.deepcopy(v) if isinstance(v, dict | list) else v for k, v in scope.names.items()}
        aside = Scope(scope.file, names, dict(scope.places), taken=False)
        self.body(body, aside)

    def _assign(self, target: ast.expr, value: Any, node: ast.expr, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                scope.names[name] = value
                self._keep(name, value, node, target.lineno, scope)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                values = value if isinstance(value, list | tuple) and len(value) == len(elements) else None
                for index, element in enumerate(elements):
                    self._assign(element, values[index] if values else UNKNOWN, node, scope)
            case ast.Subscript(value=owner, slice=index):
                holder, key = self.value(owner, scope), self.value(index, scope)
                if isinstance(holder, dict) and isinstance(key, str):
                    holder[key] = value
                if isinstance(owner, ast.Name):
                    self._keep(owner.id, scope.names.get(owner.id, UNKNOWN), None, target.lineno, scope)
            case _:
                pass

    def _keep(self, name: str, value: Any, node: ast.expr | None, line: int, scope: Scope) -> None:
        if not name.isupper():
            return
        kept = Kept(copy.deepcopy(value) if isinstance(value, dict) else value, node, scope.file, line)
        self.kept.setdefault(name, []).append(kept)
        scope.places[name] = kept

    def _include(self, args: list[ast.expr], scope: Scope) -> None:
        """django-split-settings: `include("base.py", optional("local.py"))`, patterns beside the file."""
        for arg in args:
            if isinstance(arg, ast.Call) and arg.args:
                arg = arg.args[0]
            pattern = self.value(arg, scope)
            if isinstance(pattern, str) and not os.path.isabs(pattern):  # noqa: PTH117
                for file in sorted(scope.file.parent.glob(pattern)):
                    self._take_over(file, scope)

    def _import_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        file = self._module_file(node.module or "", node.level, scope.file)
        if [alias.name for alias in node.names] == ["*"]:
            if file is not None:
                self._take_over(file, scope)
            return
        for alias in node.names:
            name = alias.asname or alias.name
            submodule = self._module_file(
                f"{node.module}.{alias.name}" if node.module else alias.name, node.level, scope.file
            )
            if file is not None and file.name != "__init__.py":
                scope.names[name] = self.module(file).names.get(alias.name, UNKNOWN)
            elif submodule is not None:
                scope.names[name] = UNKNOWN
            elif file is not None:
                scope.names[name] = self.module(file).names.get(alias.name, UNKNOWN)
            else:
                scope.names[name] = Dotted(f"{node.module}.{alias.name}")

    def _take_over(self, file: Path, scope: Scope) -> None:
        if file == scope.file:
            return
        other = self.module(file)
        scope.names |= {k: v for k, v in other.names.items() if not k.startswith("_")}
        scope.places |= other.places

    def _module_file(self, module: str, level: int, importer: Path) -> Path | None:
        places = (importer.parents[level - 1],) if level else self.sources
        parts = module.split(".") if module else []
        for place in places:
            base = place.joinpath(*parts)
            tries = (
                (base.with_name(base.name + ".py"), base / "__init__.py")
                if parts
                else (base / "__init__.py",)
            )
            for file in tries:
                if file.is_file():
                    return file
        return None

    def value(self, node: ast.expr, scope: Scope) -> Any:
        """What the expression is worth, or UNKNOWN."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return scope.names.get(name, Dotted(name) if name in _BUILTINS else UNKNOWN)
            case ast.JoinedStr(values=parts):
                texts = [
                    self.value(p.value if isinstance(p, ast.FormattedValue) else p, scope) for p in parts
                ]
                known = all(isinstance(t, str | int | Path) for t in texts)
                return "".join(map(str, texts)) if known else UNKNOWN
            case ast.List(elts=elements):
                return self._elements(elements, scope)
            case ast.Tuple(elts=elements):
                return tuple(self._elements(elements, scope))
            case ast.Dict(keys=keys, values=values):
                return self._dict(keys, values, scope)
            case ast.BinOp(left=left, op=op, right=right):
                return operations.binary(self.value(left, scope), op, self.value(right, scope))
            case ast.BoolOp(op=op, values=values):
                return self._bool(op, values, scope)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                value = self.value(operand, scope)
                return UNKNOWN if value is UNKNOWN else not value
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return operations.compare(self.value(left, scope), op, self.value(right, scope), self.environ)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                truth = self.value(test, scope)
                return self.value(body if truth is not UNKNOWN and truth else orelse, scope)
            case ast.Subscript(value=owner, slice=index):
                return operations.item(self.value(owner, scope), self.value(index, scope), self.environ)
            case ast.Attribute(value=owner, attr=name):
                return operations.attribute(self.value(owner, scope), name)
            case ast.Call(func=function, args=args, keywords=keywords):
                return calls.call(
                    self.value(function, scope),
                    [self.value(a, scope) for a in args],
                    {k.arg: self.value(k.value, scope) for k in keywords if k.arg is not None},
                    self.environ,
                )
        return UNKNOWN

    def _elements(self, elements: list[ast.expr], scope: Scope) -> list[Any]:
        values: list[Any] = []
        for element in elements:
            if isinstance(element, ast.Starred):
                inner = self.value(element.value, scope)
                values.extend(inner if isinstance(inner, list | tuple) else [UNKNOWN])
            else:
                values.append(self.value(element, scope))
        return values

    def _dict(self, keys: list[ast.expr | None], values: list[ast.expr], scope: Scope) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, item in zip(keys, values, strict=True):
            value = self.value(item, scope)
            if key is None:
                result |= value if isinstance(value, dict) else {}
            elif isinstance(name := self.value(key, scope), str):
                result[name] = value
        return result

    def _bool(self, op: ast.boolop, values: list[ast.expr], scope: Scope) -> Any:
        value: Any = UNKNOWN
        for node in values:
            value = self.value(node, scope)
            truth = value is not UNKNOWN and bool(value)
            if truth == isinstance(op, ast.Or):
                return value
        return value
