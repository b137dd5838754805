"""The command line: argparse at import and nothing else, so that --help is instant.

Each command's work stands in `wizard/commands/`, imported when it is called. The only sys.exit.
"""

from __future__ import annotations

import argparse
import sys

from wizard import __version__
from wizard.commands import OpenWizard
from wizard.errors import EXIT_BUG, EXIT_SIGINT, EXIT_USAGE, AshoreError
from wizard.manual import PAGES, Page, epilog

# A name that type checkers take for True; importing `typing` and `pathlib` would slow --help down.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")
Handler: TypeAlias = "Callable[[argparse.Namespace, OpenWizard | None], int]"

EXITS = """exit codes:
  0 done and verified          4 provider or credential refused
  1 a step failed, resumable   5 not what the plan saw
  2 usage, answers, undecided  6 verification found differences
  3 a bug (report file named)  7 check found a risk
  130, 143 stopped by a signal (can be resumed)"""


class Pages(argparse.HelpFormatter):
    """Folds the paragraphs of a description; lists (exit codes, examples) stay as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        from textwrap import fill

        parts = text.split("\n\n")
        return "\n\n".join(p if "\n" in p else fill(p, width, subsequent_indent=indent) for p in parts)


def Path(text: str) -> pathlib.Path:
    """The type of arguments that are paths. Their defaults are text: only the command called makes one."""
    from pathlib import Path as Made

    return Made(text)


def _load(module: str, function: str) -> Handler:
    def call(arguments: argparse.Namespace, open_wizard: OpenWizard | None) -> int:
        from importlib import import_module

        handler: Handler = getattr(import_module(f"wizard.commands.{module}"), function)
        return handler(arguments, open_wizard)

    return call


def _amount(number: Callable[[str], float]) -> Callable[[str], float]:
    """A type of argparse: such a number, finite and not below 0."""

    def parse(text: str) -> float:
        value = number(text)
        if not 0 <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is no number from 0 on")
        return value

    return parse


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--quiet", action="store_true", help="print only warnings, failures and the end")
    common.add_argument("--verbose", action="store_true", help="print progress of every table and storage")
    common.add_argument("--no-color", action="store_true", help="no colours (so does NO_COLOR)")
    common.add_argument(
        "--state-dir", type=Path, metavar="DIR", help="where runs are kept (so does ASHORE_STATE_DIR)"
    )
    return common


def build_parser(argv: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The whole command line; with `argv`, commands that it does not mention go without their common options,
    which take most of the time that --help needs."""
    common = _common()
    parser = argparse.ArgumentParser(
        prog="ashore",
        usage="ashore [PATH] | ashore COMMAND [options]",
        description="Move a web app's data off the disk that its next deploy wipes, and prove that all of it "
        "arrived. Without a command: the wizard on screen, for the app in PATH (default: this folder).",
        epilog=EXITS,
        formatter_class=Pages,
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"ashore {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", prog="ashore")

    def add(name: str, help_text: str, module: str, function: str) -> argparse.ArgumentParser:
        called = argv is None or name in argv or name == "wizard"
        page = PAGES.get(name) or Page(help_text[0].upper() + help_text[1:] + ".", ())
        command = commands.add_parser(
            name,
            help=help_text,
            description=page.about,
            epilog=epilog(page),
            formatter_class=Pages,
            parents=[common] if called else [],
            add_help=called,
        )
        command.set_defaults(handler=_load(module, function))
        return command

    wizard = add("wizard", "the wizard on screen (the default)", "wizard", "wizard")
    wizard.add_argument("path", nargs="?", type=Path, default=".", metavar="PATH", help="the app's folder")
    wizard.add_argument(
        "--plain", action="store_true", help="ask line by line, for screen readers and plain terminals"
    )

    scan = add("scan", "what is at risk, with evidence; offline, reads only", "scan", "scan")
    scan.add_argument("path", nargs="?", type=Path, default=".", metavar="PATH", help="the app's folder")
    scan.add_argument("--json", action="store_true", help="one JSON object on standard output")
    scan.add_argument("--explain", metavar="CODE", help="what a finding or an error means and what to do")

    advise = add("advise", "compare providers and prices on the scanned sizes; offline", "advise", "advise")
    advise.add_argument("path", nargs="?", type=Path, default=".", metavar="PATH", help="the app's folder")
    advise.add_argument("--users", type=_amount(int), default=1000, metavar="N", help="people a month (1000)")
    advise.add_argument(
        "--budget", type=_amount(float), default=20.0, metavar="USD", help="a month, for each kind (20)"
    )
    advise.add_argument("--json", action="store_true", help="one JSON object on standard output")

    answers = add("answers", "write a commented starter answers file from the scan", "answers", "answers")
    answers.add_argument("path", nargs="?", type=Path, default=".", metavar="PATH", help="the app's folder")
    answers.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write here, not to standard output"
    )
    answers.add_argument("--schema", action="store_true", help="print the JSON Schema instead")

    preflight = add(
        "preflight",
        "list what cannot be carried exactly, with the decisions; writes nothing",
        "run",
        "preflight",
    )
    _answers_argument(preflight)
    preflight.add_argument("--json", action="store_true", help="one JSON object on standard output")

    plan = add("plan", "show what run would do: steps, what each writes, diffs", "run", "plan")
    _answers_argument(plan)
    plan.add_argument("--json", action="store_true", help="the plan as JSON on standard output")

    rehearse = add(
        "rehearse", "the whole run on a copy, against servers started here", "rehearse", "rehearse"
    )
    _answers_argument(rehearse)
    rehearse.add_argument("--keep", type=Path, metavar="DIR", help="keep the copy and the report in DIR")
    rehearse.add_argument("--events", action="store_true", help="NDJSON events on standard output")

    run = add("run", "migrate, verify, patch", "run", "run")
    _answers_argument(run)
    run.add_argument("--yes", action="store_true", help="do not ask for confirmation of the plan")
    run.add_argument("--dry-run", action="store_true", help="show the plan and stop")
    _events_arguments(run)

    resume = add("resume", "go on where a run stopped", "run", "resume")
    _run_arguments(resume, "default: the newest unfinished one of this project")
    _events_arguments(resume)

    sync = add("sync", "carry over what changed at the source since the snapshot", "runs", "sync")
    _run_arguments(sync, "default: the newest of this project")
    _events_arguments(sync)

    verify = add("verify", "compare source snapshot and target again", "runs", "verify")
    _run_arguments(verify, "default: the newest of this project")
    verify.add_argument("--json", action="store_true", help="one JSON object on standard output")
    _secrets_argument(verify)

    undo = add("undo", "restore patched files and rewritten references byte for byte", "runs", "undo")
    _run_arguments(undo, "default: the newest of this project")
    undo.add_argument("--json", action="store_true", help="one JSON object on standard output")
    _secrets_argument(undo)

    runs = add("runs", "list every run of this project and its state", "runs", "runs")
    runs.add_argument("--project", type=Path, default=".", metavar="PATH", help="the app's folder")
    runs.add_argument("--json", action="store_true", help="one JSON object on standard output")
    runs.add_argument("--clean", metavar="RUN", help="remove the run's record from state folder and target")
    _secrets_argument(runs)

    check = add(
        "check", "the pre-launch checklist of a folder or a live address; exit 7 on a risk", "check", "check"
    )
    check.add_argument(
        "what", nargs="?", default=".", metavar="PATH | URL", help="the app's folder, or its address"
    )
    check.add_argument(
        "-a", "--answers", type=Path, metavar="FILE", help="ask provider and database of these answers too"
    )
    check.add_argument("--json", action="store_true", help="one JSON object on standard output")

    _backup_arguments(
        add("backup", "back database and files up to folders or buckets, verified", "backup", "backup")
    )

    restore = add(
        "restore",
        "check a backup, restore it into something empty, or test it in scratch",
        "restore",
        "restore",
    )
    restore.add_argument(
        "backup", metavar="BACKUP", help="a backup, or a place that holds some: then the newest"
    )
    restore.add_argument("--into", metavar="REF", help="an empty PostgreSQL (env:NAME), or a new SQLite file")
    restore.add_argument("--files-to", metavar="PLACE", help="a new folder, or an empty s3://bucket/prefix")
    restore.add_argument("--test", action="store_true", help="restore into scratch, compare, remove it")
    restore.add_argument("--key", metavar="REF", help="the passphrase or secret key of an encrypted backup")
    restore.add_argument(
        "-a", "--answers", type=Path, metavar="FILE", help="the answers file, for a bucket's keys"
    )
    _secrets_argument(restore)

    rescue = add(
        "rescue", "after the loss: what can still be found, where, of which date", "rescue", "rescue"
    )
    rescue.add_argument("path", nargs="?", type=Path, default=".", metavar="PATH", help="the app's folder")
    rescue.add_argument(
        "--look", action="append", default=[], type=Path, metavar="DIR", help="look there too; repeatable"
    )
    rescue.add_argument("--url", metavar="ADDRESS", help="the live site, whose files may still be served")
    rescue.add_argument("--restore", metavar="ITEM", help="write this one into the new folder DIR")
    rescue.add_argument("--to", metavar="DIR", help="with --restore: a folder that does not exist")
    rescue.add_argument("--json", action="store_true", help="one JSON object on standard output")

    credentials = add("credentials", "keep secrets in the OS keyring", "credentials", "credentials")
    credentials.add_argument("action", choices=("set", "list", "delete", "reveal"), help="what to do")
    credentials.add_argument("name", nargs="?", metavar="NAME", help="the secret's name")

    demo = add("demo", "a small app loses its data on a redeploy; then is saved", "demo", "demo")
    demo.add_argument("--headless", action="store_true", help="run by itself, without the screens")
    demo.add_argument("--keep", type=Path, metavar="DIR", help="keep the app and the run in DIR")

    completion = add("completion", "print a shell's completion of this command", "completion", "completion")
    completion.add_argument("shell", choices=SHELLS, help="the shell")
    completion.set_defaults(parser=parser)
    return parser


def _backup_arguments(command: argparse.ArgumentParser) -> None:
    put = command.add_argument
    put("path", nargs="?", type=Path, default=".", metavar="PATH", help="the app's folder")
    put("-a", "--answers", type=Path, metavar="FILE", help="the answers file: where data lies after its move")
    put(
        "--to",
        action="append",
        default=[],
        metavar="PLACE",
        help="a folder or s3://bucket/prefix; repeatable",
    )
    put("--keep", type=int, metavar="N", help="delete this app's verified backups beyond the newest N")
    put("--database", metavar="REF", help="the database: env:NAME of a PostgreSQL URL, or a SQLite file")
    put(
        "--files",
        action="append",
        default=[],
        metavar="PLACE",
        help="a folder or s3://bucket/prefix to back up",
    )
    put("--only", choices=("database", "files"), help="back up one of the two")
    put("--encrypt", metavar="REF", help="with the passphrase behind env:NAME, or an age1… public key")
    put("--csv", action="store_true", help="the tables as CSV for people as well")
    put("--name", metavar="NAME", help="the app's name in its backups (default: the folder's)")
    put(
        "--schedule",
        choices=("render", "github"),
        help="print a job that does this daily; backs up nothing now",
    )
    put(
        "--output", type=Path, metavar="FILE", help="with --schedule: write here; a render.yaml gains the job"
    )
    put(
        "--runbook",
        type=Path,
        metavar="FILE",
        help="write a recovery runbook (Markdown); backs up nothing now",
    )
    put("--json", action="store_true", help="one JSON object on standard output")
    _secrets_argument(command)


def _answers_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument("-a", "--answers", type=Path, required=True, metavar="FILE", help="the answers file")


def _run_arguments(command: argparse.ArgumentParser, default: str) -> None:
    command.add_argument("run", nargs="?", metavar="RUN", help=f"the run ({default})")
    command.add_argument("--project", type=Path, default=".", metavar="PATH", help="the app's folder")


def _events_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--events", action="store_true", help="NDJSON events on standard output")
    _secrets_argument(command)


def _secrets_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--secrets-stdin",
        action="store_true",
        help="read one JSON object {reference: value} from standard input",
    )


def _with_command(argv: Sequence[str], names: set[str]) -> list[str]:
    """`argv` with the default command where it names none: `ashore`, `ashore PATH`."""
    takes_value, skip = {"--state-dir"}, False
    for argument in argv:
        if skip:
            skip = False
        elif argument in ("-h", "--help", "--version"):
            return list(argv)
        elif argument in takes_value:
            skip = True
        elif not argument.startswith("-"):
            return list(argv) if argument in names else ["wizard", *argv]
    return ["wizard", *argv]


def main(argv: Sequence[str] | None = None, *, open_wizard: OpenWizard | None = None) -> None:
    """Run one command and exit with its code. `open_wizard` opens the screens, where there are any."""
    given = sys.argv[1:] if argv is None else argv
    # The completion is made of every option there is.
    parser = build_parser(None if "completion" in given else given)
    names = set(next(a for a in parser._actions if a.dest == "command").choices or ())
    arguments = parser.parse_args(_with_command(given, names))
    for name, default in (("quiet", False), ("verbose", False), ("no_color", False), ("state_dir", None)):
        if not hasattr(arguments, name):
            setattr(arguments, name, default)
    sys.exit(_guarded(arguments, open_wizard))


def _guarded(arguments: argparse.Namespace, open_wizard: OpenWizard | None) -> int:
    try:
        code: int = arguments.handler(arguments, open_wizard)
        return code
    except AshoreError as error:
        sys.stderr.write(f"ashore: {error.message}\n{error.hint}\n[{error.code}]\n")
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_SIGINT
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_USAGE
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a report and exit 3
        from wizard.crash import write_crash

        sys.stderr.write(f"ashore has a bug: {type(error).__name__}. Details: {write_crash(error)}\n")
        return EXIT_BUG
