"""What the functions that settings usually call would return, worked out without calling them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wizard.frameworks.django.values import (
    UNKNOWN,
    Dotted,
    EnvironPath,
    EnvironReader,
    Method,
    database_of_url,
)

Arguments = list[Any]
Keywords = dict[str, Any]
_TRUE = frozenset({"1", "true", "yes", "on", "y", "t", "ok"})
_LISTS = frozenset({"list", "tuple", "csv", "decouple.Csv"})
_DATABASE_READERS = frozenset({"db", "db_url", "dj_db_url", "dj_database_url.parse"})


def call(function: Any, arguments: Arguments, keywords: Keywords, environ: Mapping[str, str]) -> Any:
    """The result of `function(*arguments, **keywords)`, or UNKNOWN. Reads nothing but file existence."""
    if isinstance(function, Dotted):
        return _named(function.name, arguments, keywords, environ)
    if isinstance(function, EnvironPath):
        joined = function.join(*arguments) if UNKNOWN not in arguments else None
        return UNKNOWN if joined is None else str(joined.path)
    if isinstance(function, EnvironReader):
        return _variable(function, "", arguments, keywords, environ)
    if isinstance(function, Method):
        return _method(function.owner, function.name, arguments, keywords, environ)
    return UNKNOWN


def _named(name: str, arguments: Arguments, keywords: Keywords, environ: Mapping[str, str]) -> Any:
    if name in ("os.getenv", "os.environ.get"):
        return environ.get(*_two(arguments, keywords))
    if name.endswith(("decouple.config", "decouple.AutoConfig()", "decouple.Config()")):
        return _variable(EnvironReader(), "", arguments, keywords, environ)
    if name in ("decouple.AutoConfig", "decouple.Config"):
        return Dotted(f"{name}()")
    if name in ("environ.Env", "environs.Env", "environs.FileAwareEnv", "environ.FileAwareEnv"):
        return EnvironReader({k: v[1] for k, v in keywords.items() if isinstance(v, tuple) and len(v) == 2})
    if name in ("dj_database_url.config", "dj_database_url.parse"):
        return _dj_database_url(name, arguments, keywords, environ)
    if name == "os.getcwd":
        return UNKNOWN
    if UNKNOWN in arguments:
        return UNKNOWN
    try:
        return _plain(name, arguments, keywords)
    except (TypeError, ValueError, IndexError, AttributeError):
        return UNKNOWN


def _plain(name: str, arguments: Arguments, keywords: Keywords) -> Any:
    match name:
        case "os.path.join":
            return os.path.normpath(os.path.join(*map(str, arguments)))  # noqa: PTH118
        case "os.path.dirname":
            return os.path.dirname(str(arguments[0]))  # noqa: PTH120
        case "os.path.basename":
            return os.path.basename(str(arguments[0]))  # noqa: PTH119
        case "os.path.abspath" | "os.path.realpath" | "os.path.normpath" | "os.fspath":
            return os.path.normpath(str(arguments[0]))
        case "os.path.exists" | "os.path.isfile" | "os.path.isdir":
            path = Path(str(arguments[0]))
            return path.is_absolute() and getattr(path, name.rpartition(".")[2].replace("is", "is_"))()
        case "pathlib.Path" | "pathlib.PurePath" | "pathlib.PosixPath":
            return Path(*map(str, arguments))
        case "environ.Path":
            return EnvironPath(Path(*map(str, arguments)))
        case "str":
            return "" if not arguments else str(_unwrap(arguments[0]))
        case "bool":
            return bool(arguments and arguments[0])
        case "int":
            return int(arguments[0])
        case "list":
            return list(arguments[0]) if arguments else []
        case "tuple":
            return tuple(arguments[0]) if arguments else ()
        case "dict":
            return {**(dict(arguments[0]) if arguments else {}), **keywords}
    return UNKNOWN


def _unwrap(value: Any) -> Any:
    return value.path if isinstance(value, EnvironPath) else value


def _two(arguments: Arguments, keywords: Keywords) -> tuple[Any, Any]:
    name = arguments[0] if arguments else keywords.get("key", UNKNOWN)
    return name, arguments[1] if len(arguments) > 1 else keywords.get("default")


def _variable(
    reader: EnvironReader, kind: str, arguments: Arguments, keywords: Keywords, environ: Mapping[str, str]
) -> Any:
    """`env("NAME", default=…)` of django-environ, environs and python-decouple."""
    name = arguments[0] if arguments else keywords.get("var", "DATABASE_URL" if kind == "db" else UNKNOWN)
    default = keywords.get("default", UNKNOWN)
    if default is UNKNOWN and len(arguments) > 1 and not isinstance(arguments[1], Dotted):
        default = arguments[1]
    if default is UNKNOWN and isinstance(name, str):
        default = reader.defaults.get(name, UNKNOWN)
    given = environ.get(name) if isinstance(name, str) else None
    value = default if given is None else given
    cast = keywords.get("cast")
    wanted = kind or (cast.name if isinstance(cast, Dotted) else "")
    if wanted in _DATABASE_READERS:
        return value if isinstance(value, dict) else database_of_url(value)
    if given is None:
        return value
    if wanted == "bool" or isinstance(default, bool):
        return given.strip().lower() in _TRUE
    if wanted == "int":
        return int(given) if given.strip().isdigit() else UNKNOWN
    if wanted in _LISTS:
        return [part.strip() for part in given.split(",") if part.strip()]
    return Path(given) if wanted == "path" else given


def _dj_database_url(name: str, arguments: Arguments, keywords: Keywords, environ: Mapping[str, str]) -> Any:
    if name == "dj_database_url.parse":
        return database_of_url(arguments[0] if arguments else keywords.get("url"))
    variable = keywords.get("env", "DATABASE_URL")
    default = keywords.get("default", arguments[0] if arguments else None)
    return database_of_url(environ.get(variable, default))


def _method(
    owner: Any, name: str, arguments: Arguments, keywords: Keywords, environ: Mapping[str, str]
) -> Any:
    if isinstance(owner, EnvironReader):
        return _variable(owner, name, arguments, keywords, environ)
    if isinstance(owner, EnvironPath):
        if name in ("path", "__call__") and UNKNOWN not in arguments:
            return owner.join(*arguments) if name == "path" else str(owner.join(*arguments).path)
        return UNKNOWN
    if UNKNOWN in arguments:
        return UNKNOWN
    if isinstance(owner, Path):
        if name in ("resolve", "absolute"):
            return Path(os.path.normpath(owner))
        if name == "joinpath":
            return owner.joinpath(*map(str, arguments))
        if name in ("as_posix", "__str__"):
            return owner.as_posix()
        if name in ("exists", "is_file", "is_dir"):
            return owner.is_absolute() and getattr(owner, name)()
        return UNKNOWN
    return _builtin(owner, name, arguments, keywords)


_STRING_METHODS = frozenset(
    {
        "format",
        "lower",
        "upper",
        "strip",
        "rstrip",
        "lstrip",
        "split",
        "replace",
        "startswith",
        "endswith",
        "join",
    }
)


def _builtin(owner: Any, name: str, arguments: Arguments, keywords: Keywords) -> Any:
    try:
        if isinstance(owner, str) and name in _STRING_METHODS:
            return getattr(owner, name)(*arguments, **keywords)
        if isinstance(owner, dict):
            if name == "update":
                if arguments and isinstance(arguments[0], dict):
                    owner.update(arguments[0])
                owner.update(keywords)
                return None
            if name in ("get", "setdefault", "copy", "pop"):
                return getattr(owner, name)(*arguments)
        if isinstance(owner, list) and name in ("append", "extend", "insert", "remove"):
            return getattr(owner, name)(*arguments)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return UNKNOWN
    return UNKNOWN
