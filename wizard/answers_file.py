"""The answers file: read with every fault at once, by key and line; written back.

YAML is read by pyyaml, shapes are judged by pydantic against the dataclasses of `answers.py` and each
storage's own `Options`. A value is never repeated in a fault: it may be a secret.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from wizard.answers import VERSION, Answers, StorageRule
from wizard.credentials import REFERENCE
from wizard.errors import UsageError
from wizard.storages import STORAGES, kind
from wizard.storages.database import Database

LEAVE = "leave"
REFERENCES = (("database", "url"), ("database", "app_url"), ("deploy", "token"))
DATABASE = Database.name
COMMON = {f.name for f in dataclasses.fields(StorageRule)} - {"options"}
SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*$", re.IGNORECASE)
_PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_SERVER_URL = re.compile(r"\s*(postgres|mongodb)[\w+]*://", re.IGNORECASE)

Path_ = tuple[str | int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in the file. `line` is from 1; 0 where the key is missing altogether."""

    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.key}: {self.message}" if self.line else f"{self.key}: {self.message}"


def load(path: Path) -> Answers:
    """The answers in the YAML file at `path`.

    Raises UsageError `answers-unreadable`, or `answers-invalid` with every fault, a line each.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "answers-unreadable",
            f"The answers file {path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}.",
            "`ashore answers -o FILE` writes a starter file.",
        ) from error
    return parse(text, base=path.absolute().parent, name=str(path))


def parse(text: str, base: Path, name: str = "the answers") -> Answers:
    """The answers in a YAML text; `project` is relative to `base`. Raises as `load`."""
    lines: dict[Path_, int] = {}
    faults: list[Fault] = []
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text) if node is not None else {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        problem = getattr(error, "problem", None) or "is not YAML"
        raise _invalid(name, [Fault(line, "YAML", str(problem))]) from error
    if node is not None:
        _walk(node, (), lines, faults)
    if not isinstance(data, dict):
        raise _invalid(name, [Fault(1, "answers", "must be keys and values")])
    answers = _judge(data, base, lines, faults)
    if faults or answers is None:
        raise _invalid(name, faults)
    return answers


def from_mapping(data: Mapping[str, Any], base: Path) -> Answers:
    """The answers in a mapping of the file's shape, as the screens hold it. Raises as `load`."""
    return parse(dump(data), base)


def dump(data: Mapping[str, Any]) -> str:
    """A mapping of the file's shape as YAML, keys in the order given."""
    return yaml.safe_dump(json.loads(json.dumps(data)), sort_keys=False, allow_unicode=True, width=100)


def to_mapping(answers: Answers) -> dict[str, Any]:
    """The mapping that `from_mapping` would turn into `answers`; defaults left out."""
    result: dict[str, Any] = {"version": answers.version, "project": str(answers.project)}
    for field in dataclasses.fields(Answers):
        value = getattr(answers, field.name)
        if field.name in result or (field.name != "storage" and value == _default(field)):
            continue
        if field.name == "storage":
            result["storage"] = [_rule_mapping(rule) for rule in answers.storage]
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            result[field.name] = _without_defaults(value)
        else:
            result[field.name] = list(value) if isinstance(value, tuple) else value
    return result


def digest(answers: Answers) -> str:
    """Identifies the answers, independent of the file's formatting."""
    return hashlib.sha256(json.dumps(to_mapping(answers), sort_keys=True).encode()).hexdigest()


def references(answers: Answers) -> tuple[str, ...]:
    """Every secret reference that a run of these answers needs, in the file's order, once each."""
    found: list[str] = []
    if answers.database is not None:
        source = answers.database.source
        found += [source] if source is not None and REFERENCE.match(source) else []
        found += [r for r in (answers.database.url, answers.database.app_url) if r]
        create = answers.database.create
        found += [r for r in (create.token, create.password) if r] if create is not None else []
    for rule in answers.storage:
        if rule.provider != LEAVE:
            found += [str(rule.options[n]) for n in secret_fields(rule.provider) if rule.options.get(n)]
    if answers.deploy is not None and answers.deploy.token:
        found.append(answers.deploy.token)
    return tuple(dict.fromkeys(found))


def _judge(
    data: dict[str, Any], base: Path, lines: Mapping[Path_, int], faults: list[Fault]
) -> Answers | None:
    data = dict(data)
    if "version" not in data:
        faults.append(Fault(0, "version", f"is missing; write `version: {VERSION}`"))
    elif data["version"] != VERSION:
        faults.append(Fault(_line(lines, ("version",)), "version", f"must be {VERSION}"))
    _find_literals(data, lines, faults)
    project = data.get("project", ".")
    if not isinstance(project, str):
        faults.append(Fault(_line(lines, ("project",)), "project", "must be a path"))
        project = "."
    data["project"] = str((base / project).resolve())
    rules = data.get("storage", [])
    if isinstance(rules, list):
        rules = [_in_the_database(rule, data.get("database")) for rule in rules]
        data["storage"] = [_judge_rule(i, rule, lines, faults) for i, rule in enumerate(rules)]
    try:
        return TypeAdapter(Answers).validate_python(data)
    except ValidationError as error:
        _collect(error, (), lines, faults)
        return None


def _in_the_database(rule: Any, database: Any) -> Any:
    """Files that go to the database go to the one of the answers, unless the rule names another."""
    if not isinstance(rule, dict) or rule.get("provider") != DATABASE or not isinstance(database, dict):
        return rule
    kept = database.get("source") if database.get("provider") == "keep" else None
    return {"url": database.get("url") or kept, **rule}


def _judge_rule(index: int, rule: Any, lines: Mapping[Path_, int], faults: list[Fault]) -> Any:
    if not isinstance(rule, dict):
        return rule
    at: Path_ = ("storage", index)
    common = {k: v for k, v in rule.items() if k in COMMON}
    own = {k: v for k, v in rule.items() if k not in COMMON}
    if isinstance(common.get("max_size"), str):
        size = parse_size(common["max_size"])
        if size is None:
            faults.append(
                Fault(_line(lines, (*at, "max_size")), _key((*at, "max_size")), "is no size; write 1MB")
            )
        common["max_size"] = size
    if isinstance(common.get("cors"), list):
        common["cors"] = tuple(common["cors"])
    provider = common.get("provider")
    if provider == LEAVE:
        for name in own:
            faults.append(Fault(_line(lines, (*at, name)), _key((*at, name)), "means nothing for `leave`"))
        return common
    known = {storage.name for storage in STORAGES}
    if provider not in known:
        if provider is not None:
            message = f"must be one of {', '.join(sorted(known))}, {LEAVE}"
            faults.append(Fault(_line(lines, (*at, "provider")), _key((*at, "provider")), message))
        return common
    try:
        options: Any = TypeAdapter(kind(provider).Options).validate_python(own)
        unknown = set(own) - {f.name for f in dataclasses.fields(options)}
        for name in sorted(unknown):
            faults.append(Fault(_line(lines, (*at, name)), _key((*at, name)), f"is no key of {provider}"))
        common["options"] = {
            f.name: getattr(options, f.name)
            for f in dataclasses.fields(options)
            if getattr(options, f.name) is not None
        }
    except ValidationError as error:
        _collect(error, at, lines, faults)
    return common


def secret_fields(provider: str) -> tuple[str, ...]:
    """The keys of a storage that hold references to secrets."""
    return tuple(f.name for f in dataclasses.fields(kind(provider).Options) if f.metadata.get("reference"))


def _find_literals(data: Mapping[str, Any], lines: Mapping[Path_, int], faults: list[Fault]) -> None:
    places: list[tuple[Path_, Any]] = []
    for section, name in REFERENCES:
        part = data.get(section)
        if isinstance(part, dict):
            places.append(((section, name), part.get(name)))
    database = data.get("database")
    create = database.get("create") if isinstance(database, dict) else None
    if isinstance(create, dict):
        places += [(("database", "create", name), create.get(name)) for name in ("token", "password")]
    rules = data.get("storage")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict) and rule.get("provider") in {s.name for s in STORAGES}:
            for name in secret_fields(rule["provider"]):
                places.append((("storage", index, name), rule.get(name)))
    literal = {at for at, value in places if isinstance(value, str) and not REFERENCE.match(value)}
    source = database.get("source") if isinstance(database, dict) else None
    if isinstance(source, str) and _SERVER_URL.match(source):
        literal.add(("database", "source"))
    for at, value in _strings(data, ()):
        if _PASSWORD_IN_URL.search(value):
            literal.add(at)
    for at in sorted(literal, key=lambda at: _line(lines, at)):
        message = "holds a literal where a reference belongs; write env:NAME, keyring:NAME or file:PATH"
        faults.append(Fault(_line(lines, at), _key(at), message))


def _strings(value: Any, at: Path_) -> Iterable[tuple[Path_, str]]:
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*at, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*at, index))


def _collect(error: ValidationError, at: Path_, lines: Mapping[Path_, int], faults: list[Fault]) -> None:
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        path = _known_part((*at, *item["loc"]), lines)
        kind_of = item["type"]
        if kind_of in ("unexpected_keyword_argument", "extra_forbidden"):
            message = "is not a key of the answers file"
        elif kind_of in ("missing", "missing_argument"):
            message = "is missing"
        else:
            message = item["msg"][:1].lower() + item["msg"][1:]
        fault = Fault(_line(lines, path), _key(path), message)
        if fault not in faults:
            faults.append(fault)


def _known_part(path: Path_, lines: Mapping[Path_, int]) -> Path_:
    """`path` without what pydantic adds of its own (the names of union members) at its end."""
    while len(path) > 1 and path not in lines and path[:-1] in lines and _is_union_tag(path[-1]):
        path = path[:-1]
    return path


def _is_union_tag(part: str | int) -> bool:
    return isinstance(part, str) and (part in ("int", "str", "none") or part.startswith("literal["))


def _walk(node: yaml.Node, at: Path_, lines: dict[Path_, int], faults: list[Fault]) -> None:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                faults.append(Fault(key.start_mark.line + 1, _key((*at, name)), "stands twice"))
            seen.add(name)
            lines[(*at, name)] = key.start_mark.line + 1
            _walk(value, (*at, name), lines, faults)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, (*at, index), lines, faults)


def _line(lines: Mapping[Path_, int], at: Path_) -> int:
    """The line of `at`, or of the nearest key above it that the file has."""
    while at:
        if at in lines:
            return lines[at]
        at = at[:-1]
    return 0


def _key(at: Path_) -> str:
    text = ""
    for part in at:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "answers"


def _invalid(name: str, faults: list[Fault]) -> UsageError:
    faults = sorted(set(faults), key=lambda f: (f.line, f.key))
    listed = "\n".join(f"  {fault}" for fault in faults)
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return UsageError(
        "answers-invalid",
        f"{name} has {count}; nothing was written:\n{listed}",
        "`ashore answers --schema` prints every key.",
    )


def parse_size(text: str) -> int | None:
    """Bytes in `1MB`, `500 kB`, `2GiB` (units of 1000; with an i, of 1024), or None."""
    match = SIZE.match(text)
    if match is None:
        return None
    power = " kmgt".index(match.group(2).lower() or " ")
    return int(float(match.group(1)) * (1024 if match.group(3) else 1000) ** power)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def _without_defaults(value: Any) -> dict[str, Any]:
    result = {}
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if item != _default(field):
            is_part = dataclasses.is_dataclass(item) and not isinstance(item, type)
            result[field.name] = _without_defaults(item) if is_part else item
    return result


def _rule_mapping(rule: StorageRule) -> dict[str, Any]:
    mapping: dict[str, Any] = {
        k: list(v) if isinstance(v, tuple) else v for k, v in _without_defaults(rule).items()
    }
    options = mapping.pop("options", {})
    return {**mapping, **options}
