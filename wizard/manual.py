"""What `ashore COMMAND --help` says beyond the options: what a command does, writes and asks for; examples.

Only text: the command line reads it at every start.
"""

from __future__ import annotations


class Page:
    """`about` is the description, `examples` are (command, what it does). No dataclass: that would be a
    slow import."""

    __slots__ = ("about", "examples")

    def __init__(self, about: str, examples: tuple[tuple[str, str], ...]) -> None:
        self.about = about
        self.examples = examples


PAGES: dict[str, Page] = {
    "wizard": Page(
        "Opens the wizard for the app in PATH: what a redeploy would delete, where the data could "
        "live and what that costs, credentials, decisions, the plan with every file's diff, the run, "
        "the report.\n\n"
        "Nothing is written before you press Start. Leaving keeps the answers (without secrets); a "
        "run goes on by itself and is joined again by the same command. With --plain, or where TERM "
        "is dumb, the same questions are asked line by line. Colours follow the terminal; "
        "ASHORE_THEME=dark, light, 16 or 16-light says otherwise, NO_COLOR turns them off.",
        (
            ("ashore", "the app in this folder"),
            ("ashore path/to/app", "the app in another"),
            ("ashore --plain", "line by line, for a screen reader"),
        ),
    ),
    "scan": Page(
        "Reads the project's files, without running them and without the network, and lists what "
        "holds data, when that is lost, and what else would go wrong, each with file and line. Writes "
        "nothing. Exit 0 whatever it finds; `ashore check` judges.",
        (
            ("ashore scan", "what is at risk here"),
            ("ashore scan --json | jq .stores", "for a script"),
            ("ashore scan --explain secret-key-committed", "what a finding means"),
            ("ashore scan --explain undecided", "what an error code means"),
        ),
    ),
    "advise": Page(
        "Compares databases and storages by price now and at ten times the data and people, by the "
        "first limit you would meet, and by backups, on the sizes that the scan finds. Each line "
        "carries the date its figures were read. Offline; writes nothing.",
        (("ashore advise --users 5000 --budget 15", "for 5,000 people a month and $15 for each kind"),),
    ),
    "answers": Page(
        "Writes a commented starter answers file from the scan, for running without the wizard. "
        "Secrets stand in it as references: env:NAME, keyring:NAME or file:PATH. An existing file is "
        "never replaced.",
        (
            ("ashore answers -o ashore.yml", "a file to fill in"),
            ("ashore answers --schema > ashore.schema.json", "for an editor"),
        ),
    ),
    "preflight": Page(
        "Takes a throw-away snapshot of the source and lists every value that the target cannot hold "
        "exactly, with table, column, count, keys and the choices. Writes nothing that stays. Exit 2 "
        "while something is undecided; the lines to paste into the answers are printed.",
        (("ashore preflight -a ashore.yml", "before the first run"),),
    ),
    "plan": Page(
        "Prints what `ashore run` would do: the steps, what each writes, and the diff of every file. "
        "The same object that run applies. Writes nothing.",
        (
            ("ashore plan -a ashore.yml", "to read"),
            ("ashore plan -a ashore.yml --json > plan.json", "to keep with a change request"),
        ),
    ),
    "run": Page(
        "Migrates: snapshot, preflight, backup, tables, rows, files, references, verification of "
        "every value and byte, and last the project's files. The source is only read. A target that "
        "holds other data is refused. Without --yes the plan is shown and has to be confirmed; where "
        "nobody can be asked, --yes is needed. It never decides what the preflight asks.\n\n"
        "Killed at any moment, `ashore resume` goes on from there. Ctrl+C stops at the next safe "
        "point.",
        (
            ("ashore run -a ashore.yml", "show the plan, ask, migrate"),
            ("ashore run -a ashore.yml --yes --events > run.ndjson", "in CI, with events for machines"),
            (
                'printf \'{"env:DATABASE_URL": "%s"}\' "$URL" | ashore run -a ashore.yml --yes '
                "--secrets-stdin",
                "secrets through standard input",
            ),
        ),
    ),
    "resume": Page(
        "Goes on with a run that stopped, was stopped or was killed. What the target has committed is "
        "read from its own record, so that no row or file is lost, doubled or half written. The "
        "snapshot of the run is used; the live source may have changed meanwhile (`ashore sync` "
        "carries that over).",
        (
            ("ashore resume", "the newest unfinished run of this folder's app"),
            ("ashore resume 20261120-140200-abc123 --project path/to/app", "a named one"),
        ),
    ),
    "sync": Page(
        "Carries over what changed at the source since the snapshot, rows and files, and compares it. "
        "Pause what writes to the app first. A row that changed on both sides stops it; after the app "
        "has switched over it refuses. May be repeated.",
        (("ashore sync", "the newest run of this folder's app"),),
    ),
    "verify": Page(
        "Compares the run's snapshot with the target again: every value of every row, every byte of "
        "every file, by code that shares nothing with the code that wrote them. Writes nothing. Exit "
        "6 on a difference, which is named by table, key, column and both values, or by file.",
        (("ashore verify --json", "the differences for a script"),),
    ),
    "undo": Page(
        "Restores the project's files and the references rewritten in the database, byte for byte, "
        "and takes back variables that the run set. What changed since is left alone and named. The "
        "copied rows and files stay where they are; nothing is deleted.",
        (("ashore undo", "the newest run of this folder's app"),),
    ),
    "runs": Page(
        "Lists every run of the project with its state. --clean removes one run's record from the "
        "state folder and from the target, once you no longer need to resume, verify or undo it.",
        (
            ("ashore runs", "all of them"),
            ("ashore runs --clean 20261120-140200-abc123", "forget one"),
        ),
    ),
    "check": Page(
        "The checklist before going live: of a folder (settings, secrets, what a redeploy loses) or "
        "of a live address (TLS, redirects, headers, error pages, media). Visits an address as a "
        "browser would; changes nothing. Exit 7 on a risk.",
        (
            ("ashore check", "this folder"),
            ("ashore check https://my-app.onrender.com/", "the live app"),
        ),
    ),
    "backup": Page(
        "Copies database and files to folders or buckets, each copy read back and compared before it "
        "counts. --keep deletes only this app's own verified backups beyond the newest N. With -a the "
        "data is taken from where the answers move it to, else from where the scan finds it.",
        (
            ("ashore backup --to backups", "the app in this folder, into a folder"),
            (
                "ashore backup -a ashore.yml --to s3://my-backups/app --keep 14",
                "after the move, to a bucket",
            ),
            (
                "ashore backup -a ashore.yml --to s3://my-backups/app --schedule github "
                "--output .github/workflows/backup.yml",
                "a daily job with a monthly restore test",
            ),
        ),
    ),
    "restore": Page(
        "Checks a backup, restores it into something empty, or with --test restores it into scratch, "
        "compares and removes that again. Nothing that holds data is written over.",
        (
            ("ashore restore backups --test", "prove that the newest backup can be restored"),
            (
                "ashore restore backups --into env:NEW_DATABASE_URL --files-to media-restored",
                "restore it",
            ),
        ),
    ),
    "rescue": Page(
        "After the loss: looks for what can still be found of the database and the uploads (git history "
        "and stashes, copies and backups near the project, files that a process still holds open, "
        "containers, the live site), with place, date and rows; and says what the platform may still "
        "hold. Reads only; --restore writes one of them into a new folder.",
        (
            ("ashore rescue", "in the app's folder"),
            ("ashore rescue --look /mnt/old-disk --url https://my-app.example.org", "look there, too"),
            ("ashore rescue --restore git-1a2b3c4d --to rescued", "take one of what was listed"),
        ),
    ),
    "rehearse": Page(
        "The whole run against a PostgreSQL and a storage that live only for it, on this machine; "
        "a copy of the app (Django) is started before and after, and its pages are compared. Nothing "
        "outside the copy is touched. Exit 6 where a page differs. Needs the extra: pip install "
        "'ashore[demo]'.",
        (
            ("ashore rehearse -a ashore.yml", "before the real run"),
            ("ashore rehearse -a ashore.yml --keep rehearsal", "keep the patched copy and the report"),
        ),
    ),
    "credentials": Page(
        "Keeps secrets in the keyring of the operating system, under names that answers refer to as "
        "keyring:NAME. list prints names only. set reads the value without showing it; reveal asks "
        "first and needs a terminal.",
        (
            ("ashore credentials set my-app/database-url", "type or paste the value"),
            ("ashore credentials list", "the names"),
        ),
    ),
    "demo": Page(
        "Starts a small app with its own PostgreSQL and S3 server on this machine, lets it lose its "
        "data in a redeploy, then moves it and redeploys again. Nothing outside a temporary folder is "
        "touched. Needs the extra: pip install 'ashore[demo]'.",
        (
            ("ashore demo", "with the wizard in the middle"),
            ("ashore demo --headless --keep demo", "by itself, keeping app, run and report in a folder"),
        ),
    ),
    "completion": Page(
        "Prints the completion of commands and options for a shell; put it where that shell looks for them.",
        (
            ("ashore completion bash > ~/.local/share/bash-completion/completions/ashore", "bash"),
            ("ashore completion zsh > ~/.zfunc/_ashore", "zsh, with fpath+=~/.zfunc before compinit"),
            ("ashore completion fish > ~/.config/fish/completions/ashore.fish", "fish"),
        ),
    ),
}


def epilog(page: Page) -> str:
    """The examples as they stand below the options."""
    width = max((len(command) for command, _ in page.examples), default=0)
    if not width:
        return ""
    if width > 48:
        return "examples:\n" + "\n".join(f"  {command}\n      {about}" for command, about in page.examples)
    return "examples:\n" + "\n".join(f"  {command:<{width}}  {about}" for command, about in page.examples)
