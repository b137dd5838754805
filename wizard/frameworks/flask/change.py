"""What a Flask project's files must become, so that the app uses what the targets need."""

from __future__ import annotations

from wizard.frameworks.app_folder import AppFolder, app_folder
from wizard.frameworks.base import Change
from wizard.frameworks.django.change_packages import add_packages, manifests
from wizard.frameworks.django.change_platform import change_example, change_render
from wizard.frameworks.flask import change_database, change_uploads
from wizard.frameworks.flask.layout import Code, Home, home, read_code
from wizard.frameworks.flask.work import Work
from wizard.model import Edit, Framework, Instruction, Need, Project, Splice
from wizard.patchers.base import Check, NotUnderstood, assemble, line_end, line_start
from wizard.patchers.python_source import PythonSource, walk
from wizard.patchers.requirements import Requirement

_DRIVER = Requirement("psycopg", ("binary",), "3.1")
_BOTO = Requirement("boto3", (), "1.36")
_COMPOSE = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")


def change(project: Project, framework: Framework, needs: tuple[Need, ...]) -> Change:
    """The edits and instructions for `needs`; reads only. On files already changed there are none.

    The database moves where the code imports sqlite3; uploads move to one S3-compatible bucket. What else
    is needed becomes an instruction.
    """
    app = app_folder(project.root, framework)
    database = next((n for n in needs if n.kind == "database" and n.backend == "postgres"), None)
    bucket = next((n for n in needs if n.kind == "storage" and n.backend == "s3"), None)
    code = read_code(app, (b"sqlite3",) if database else ())
    work = Work()
    work.instructions += code.unreadable
    if database is not None:
        change_database.change_database(project, app, code, work)
    if bucket is not None:
        change_uploads.change_uploads(project, app, code, bucket, work)
    for need in needs:
        if need not in (database, bucket):
            why = f"ashore does not know how to make this Flask app use this {need.kind} ({need.backend})."
            names = "".join(f"{variable.name}\n" for variable in need.variables)
            first = next(iter(code.sources), app.at("app.py"))
            work.instructions.append(Instruction(first, 1, why, f"The variables to read:\n{names}"))
    edits = _edits(app, code, work)
    done = tuple(n for n in (database, bucket) if n is not None)
    if done:
        wanted = [_DRIVER] * work.driver + [_BOTO] * work.boto
        _around(app, done, wanted, edits, work.instructions)
    return Change(tuple(edits), tuple(dict.fromkeys(work.instructions)))


def _edits(app: AppFolder, code: Code, work: Work) -> list[Edit]:
    """One edit a file, with the imports that its splices ask for, and the generated files."""
    edits: list[Edit] = []
    users = sorted({*work.imports, *work.splices})
    place = home(app, code, users) if users else Home(app, app.folder, False)
    for path in users:
        source = code.sources[path]
        splices = list(work.splices.get(path, ()))
        modules = sorted(work.imports.get(path, ()))
        if place.relative:
            whole = [_whole(source, s, *place.statement(path, s.text)) for s in work.in_place.get(path, ())]
            splices += [s for s in whole if s is not None]
            if None in whole:
                modules = sorted({*modules, *work.renamed.get(path, ())})
        else:
            splices += work.in_place.get(path, ())
        if modules:
            splices += change_database.import_splices(source, place, path, modules)
        try:
            edits.append(assemble(path, source.data, splices, _same_but(len(modules))))
        except (NotUnderstood, ValueError) as error:
            why = error.why if isinstance(error, NotUnderstood) else "Two changes meet in one place."
            text = "".join(f"{s.text}\n" for s in splices)
            work.instructions.append(Instruction(path, 1, why, text))
    for name, content in work.made.items():
        path = place.path(name)
        if app.read(path) is None:
            edits.append(assemble(path, None, [Splice(0, 0, content, work.reasons[name])], _python))
    return edits


def _whole(source: PythonSource, splice: Splice, dots: str, statement: str) -> Splice | None:
    """The relative import in place of sqlite3's; None where that imports more or is spelled otherwise."""
    data = source.data
    line = data[line_start(data, splice.start) : splice.start].strip()
    if line == b"from":
        return Splice(splice.start, splice.end, f"{dots}{splice.text}", splice.reason)
    if line == b"import" and data[splice.end : line_end(data, splice.end)].strip() == b"":
        start = line_start(data, splice.start)
        start += len(data[start : splice.start]) - len(data[start : splice.start].lstrip())
        return Splice(start, splice.end, statement, splice.reason)
    return None


def _around(
    app: AppFolder,
    needs: tuple[Need, ...],
    wanted: list[Requirement],
    edits: list[Edit],
    instructions: list[Instruction],
) -> None:
    """The packages, and the variables where the platform and the team read them."""
    listed, unreadable = manifests(app, "flask")
    for manifest in listed:
        missing = [w for w in wanted if w.name not in manifest.packages]
        more = add_packages(app, manifest, missing, "flask")
        edits += more[0]
        instructions += more[1]
    if wanted and not listed:
        text = "".join(f"{w.line(True)}\n" for w in wanted)
        why = "No requirements.txt, pyproject.toml or Pipfile was found that lists the app's packages."
        instructions += unreadable or [Instruction(app.at("requirements.txt"), 1, why, text)]
    for part in (change_render(app, needs), change_example(app, needs)):
        edits += part[0]
        instructions += part[1]
    for name in _COMPOSE:
        data = app.read(app.at(name))
        missing_names = [v.name for n in needs for v in n.variables if data and v.name.encode() not in data]
        if missing_names:
            why = "The container gets no variable that is not named under `environment` of its service."
            text = "    environment:\n" + "".join(f"      {n}: ${{{n}:-}}\n" for n in missing_names)
            instructions.append(Instruction(app.at(name), 1, why, text))


def _same_but(imports: int) -> Check:
    """A check that the file still parses, and lost no comment and no statement."""

    def check(before: bytes, after: bytes) -> None:
        old, new = PythonSource(before), PythonSource(after)
        extra = len(new.statements) - len(old.statements)
        if _comments(old) != _comments(new) or not 0 <= extra <= imports + 1:
            raise NotUnderstood("The edited file would not mean what it must; nothing is changed in it.")

    return check


def _comments(source: PythonSource) -> list[str]:
    return [source.text(n).rstrip("\r") for n in walk(source.root) if n.type == "comment"]


def _python(before: bytes, after: bytes) -> None:
    PythonSource(after)
