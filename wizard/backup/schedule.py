"""A job that backs up by itself: a GitHub Actions workflow, or cron services for a render.yaml.

Both take their secrets from the platform, keep so many backups, restore one for a test every month, and fail
loudly: GitHub mails whoever set the schedule, and an issue is opened; Render notifies of failed cron runs
(https://render.com/docs/cronjobs, https://docs.github.com/actions, read 2026).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from wizard import __version__
from wizard.answers import StorageRule
from wizard.backup import sealing, sources
from wizard.backup.layout import slug
from wizard.backup.opening import Opening, Wish
from wizard.backup.places import bucket_rule
from wizard.credentials import REFERENCE, Secret
from wizard.errors import UsageError
from wizard.patchers.base import NotUnderstood, spliced
from wizard.patchers.yaml_file import YamlFile, YamlMapping, load, top_mapping
from wizard.storages import LEAVE

KEEP = 14
DAILY, MONTHLY = "17 3 * * *", "47 4 1 * *"


@dataclass(frozen=True)
class Job:
    """What runs: `backup` and the monthly `test`, as arguments of `ashore`. `variables` are what both read.

    `places` are addresses; `database` the reference to it or None; `files` addresses of what is backed up.
    `key` is the reference that opens encrypted backups.
    """

    name: str
    backup: tuple[str, ...]
    test: tuple[str, ...]
    variables: tuple[str, ...]
    places: tuple[str, ...]
    database: str | None
    files: tuple[str, ...]
    key: str | None


def plan(wish: Wish, opening: Opening) -> Job:
    """The job for a wish. Reads no secret and connects nowhere.

    Raises UsageError `schedule-local` where what is to be backed up, or the place, lies on a disk.
    """
    if not wish.to:
        raise UsageError("no-place", "No place for the backups was named.", "Add --to s3://bucket/prefix.")
    database = None if wish.only == "files" else _database(wish, opening)
    files = () if wish.only == "database" else _files(wish, opening)
    places = tuple(_address(_bucket(text, opening)) for text in wish.to)
    encrypt = wish.encrypt
    if encrypt is not None and not encrypt.startswith(sealing.PUBLIC):
        encrypt = _as_env(encrypt, "BACKUP_PASSPHRASE")
    flags: list[str] = []
    if database is None:
        flags += ["--only", "files"]
    elif not files:
        flags += ["--only", "database"]
    flags += ["--database", database] if database else []
    for address in files:
        flags += ["--files", address]
    for address in places:
        flags += ["--to", address]
    flags += ["--encrypt", encrypt] if encrypt else []
    name = slug(wish.name or opening.project.root.name)
    flags += ["--csv"] if wish.csv else []
    backup = ("backup", *flags, "--keep", str(wish.keep or KEEP), "--name", name)
    key = None if encrypt is None else ("env:BACKUP_KEY" if encrypt.startswith(sealing.PUBLIC) else encrypt)
    test = ("restore", places[0], "--test", *(("--key", key) if key else ()))
    return Job(name, backup, test, _variables((*backup, *test)), places, database, files, key)


def _database(wish: Wish, opening: Opening) -> str | None:
    """The reference to the database, as the job shall read it."""
    found: str | None = None

    def note(reference: str) -> Secret:
        nonlocal found
        found = reference
        return Secret("postgresql://-/-")

    source = sources.database(opening.project, opening.answers, wish.database, note, Path.cwd())
    if isinstance(source, sources.SqliteSource):
        raise _local(
            f"The database is the file {source.shown}",
            "Back it up from where it lies: a cron job or a thread of the app that runs `ashore backup`. "
            "After the move to PostgreSQL, schedule that one.",
        )
    return None if found is None else _as_env(found, "DATABASE_URL")


def _files(wish: Wish, opening: Opening) -> tuple[str, ...]:
    named = [bucket_rule(t, opening.rules, opening.environ) for t in wish.files if "://" in t]
    local = [text for text in wish.files if "://" not in text]
    if not wish.files:
        named = [rule for rule in opening.rules if rule.provider != LEAVE]
        local = [s.path for s in opening.project.stores if s.kind == "uploads"] if not opening.rules else []
        local += [rule.source or "uploads" for rule in opening.rules if rule.provider == LEAVE]
    if local:
        raise _local(
            f"The files lie in the folder {local[0]}",
            "Name the bucket that they moved to (--files s3://bucket/prefix, or -a FILE), or leave them out "
            "with --only database.",
        )
    return tuple(dict.fromkeys(map(_address, named)))


def _bucket(text: str, opening: Opening) -> StorageRule:
    if "://" not in text:
        raise _local(f"{text} is a folder", "A scheduled job keeps no folder: name a bucket with --to.")
    return bucket_rule(text, opening.rules, opening.environ)


def _local(what: str, hint: str) -> UsageError:
    return UsageError(
        "schedule-local", f"{what}; a job that runs elsewhere does not see it. Nothing was written.", hint
    )


def _address(rule: StorageRule) -> str:
    """The rule as `--to` and `--files` take it, its references being variables of the job."""
    options = {k: str(v) for k, v in rule.options.items() if v is not None and k != "bucket"}
    for name, usual in (("access_key", "AWS_ACCESS_KEY_ID"), ("secret_key", "AWS_SECRET_ACCESS_KEY")):
        if name in options:
            options[name] = _as_env(options[name], usual)
    query = urlencode({"provider": rule.provider, **options}, safe=":/")
    return f"s3://{rule.options['bucket']}/{rule.prefix}".rstrip("/") + f"?{query}"


def _as_env(reference: str, usual: str) -> str:
    """`reference` where it is a variable, else the usual variable: a job has no keyring and no file."""
    match = REFERENCE.match(reference)
    return reference if match is not None and match.group(1) == "env" else f"env:{usual}"


def _variables(arguments: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = []
    for argument in arguments:
        for piece in argument.replace("?", "&").split("&"):
            reference = piece.partition("=")[2] if "=" in piece else piece
            if reference.startswith("env:"):
                found.append(reference.removeprefix("env:"))
    return tuple(dict.fromkeys(found))


def command(arguments: tuple[str, ...]) -> str:
    """`ashore …` for a shell."""
    return shlex.join(("ashore", *arguments))


def requirement(job: Job) -> str:
    """What the job installs."""
    extras = "pgtools,encryption" if "--encrypt" in job.backup else "pgtools"
    return f"ashore[{extras}]=={__version__}"


def github(job: Job) -> str:
    """The workflow's text, for .github/workflows/."""
    environ = "\n".join(f"  {name}: ${{{{ secrets.{name} }}}}" for name in job.variables)
    return f"""# Backs {job.name} up every day, and restores a backup for a test every month. Made by ashore.
# A schedule that fails is mailed by GitHub to whoever changed it last; an issue is opened as well.
# GitHub stops schedules of public repositories after 60 days without a commit: it mails before it does.
name: backup
on:
  schedule:
    - cron: "{DAILY}"
    - cron: "{MONTHLY}"
  workflow_dispatch:
permissions:
  contents: read
  issues: write
concurrency:
  group: backup
  cancel-in-progress: false
env:
{environ}
jobs:
  backup:
    if: github.event.schedule != '{MONTHLY}'
    runs-on: ubuntu-latest
    timeout-minutes: 120
    steps:
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install "{requirement(job)}"
      - run: {_yaml_text(command(job.backup))}
{_ALERT.format(what="backup")}
  restore-test:
    if: github.event.schedule == '{MONTHLY}' || github.event_name == 'workflow_dispatch'
    runs-on: ubuntu-latest
    timeout-minutes: 120
    steps:
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install "{requirement(job)}"
      - run: {_yaml_text(command(job.test))}
{_ALERT.format(what="restore test")}"""


_ALERT = """      - if: failure()
        env:
          GH_TOKEN: ${{{{ github.token }}}}
          RUN: ${{{{ github.server_url }}}}/${{{{ github.repository }}}}/actions/runs/${{{{ github.run_id }}}}
        run: gh issue create --repo "$GITHUB_REPOSITORY" --title "The {what} failed" --body "$RUN"
"""


def render(job: Job, existing: Path | None) -> str:
    """The cron services: the whole of `existing` with them added where it is a file, else alone.

    Raises UsageError `render-yaml` where the file has a shape that cannot be edited safely.
    """
    data = existing.read_bytes() if existing is not None and existing.is_file() else None
    own = None if data is None else _own_database(data)
    items = [
        _service(job, own, "backup", DAILY, job.backup),
        _service(job, own, "restore-test", MONTHLY, job.test),
    ]
    if data is None:
        lines = [_block(item) for item in items]
        return "services:\n" + "".join(lines)
    try:
        return _added(data, items)
    except NotUnderstood as error:
        raise UsageError(
            "render-yaml",
            f"{existing}:{error.line}: {error.why} Nothing was written.",
            "Add this under services by hand:\n" + "".join(map(_block, items)),
        ) from error


def _service(
    job: Job, own_database: str | None, what: str, cron: str, arguments: tuple[str, ...]
) -> list[tuple[str, str]]:
    """One cron service as (key, YAML text)."""
    variables = []
    for name in _variables(arguments):
        if own_database is not None and job.database == f"env:{name}":
            origin = f"fromDatabase: {{name: {_yaml_text(own_database)}, property: connectionString}}"
            variables.append(f"{{key: {name}, {origin}}}")
        else:
            variables.append(f"{{key: {name}, sync: false}}")
    return [
        ("type", "cron"),
        ("name", f"{job.name}-{what}"),
        ("runtime", "python"),
        ("plan", "starter"),
        ("schedule", f'"{cron}"'),
        ("buildCommand", _yaml_text(f'pip install "{requirement(job)}"')),
        ("startCommand", _yaml_text(command(arguments))),
        ("envVars", f"[{', '.join(variables)}]"),
    ]


def _block(item: list[tuple[str, str]]) -> str:
    lead = ["  - ", *["    "] * (len(item) - 1)]
    return "".join(f"{start}{key}: {value}\n" for start, (key, value) in zip(lead, item, strict=True))


def _own_database(data: bytes) -> str | None:
    """The only database that the file declares."""
    try:
        found: Any = load(data)[0]
    except (NotUnderstood, IndexError):
        return None
    names = [d.get("name") for d in (found or {}).get("databases") or () if isinstance(d, Mapping)]
    return str(names[0]) if len(names) == 1 and names[0] else None


def _added(data: bytes, items: list[list[tuple[str, str]]]) -> str:
    """The file with the services appended; those that it has already are left as they are."""
    file = YamlFile(data)
    wanted = [{k: yaml.safe_load(v) for k, v in item} for item in items]
    before = load(data)
    if len(before) != 1 or not isinstance(before[0], dict):
        raise NotUnderstood("The file is not one mapping.")
    there = {s.get("name") for s in before[0].get("services") or () if isinstance(s, dict)}
    new = [item for item, said in zip(items, wanted, strict=True) if said["name"] not in there]
    if not new:
        return data.decode("utf-8")
    splice = YamlMapping(file, top_mapping(file), before[0], 2).add_items(
        "services", new, "backups by themselves"
    )
    after = spliced(data, [splice])
    added = [said for said in wanted if said["name"] not in there]
    expected = {**before[0], "services": [*(before[0].get("services") or ()), *added]}
    if load(after) != [expected]:
        raise NotUnderstood("The edited file would not say what it must.")
    return after.decode("utf-8")


def secrets_to_set(job: Job, platform: str) -> tuple[str, ...]:
    """What a person still has to do, a line each."""
    where = (
        "repository secrets (Settings, Secrets and variables, Actions)"
        if platform == "github"
        else ("environment variables of the two cron services")
    )
    return (f"Set as {where}: {', '.join(job.variables)}.",)


def _yaml_text(text: str) -> str:
    """`text` as a YAML scalar in single quotes."""
    return "'" + text.replace("'", "''") + "'"
