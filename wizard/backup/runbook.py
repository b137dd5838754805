"""The recovery runbook of one project: what to do, step by step, when its data is gone. Markdown."""

from __future__ import annotations

from wizard.backup.schedule import Job, command, requirement


def text(job: Job) -> str:
    """The runbook, with this project's own places, references and commands; it holds no secret."""
    first = job.places[0]
    key = ("--key", job.key) if job.key else ()
    restore_database = command(("restore", first, "--into", "env:NEW_DATABASE_URL", *key))
    restore_files = command(("restore", first, "--files-to", "s3://NEW-BUCKET", *key))
    by_hand = 'pg_restore --no-owner --no-privileges --dbname "$NEW_DATABASE_URL" database.dump'
    opened = (
        "\nThe backups are encrypted with age. "
        + (
            "`age -d key.age > key.txt` asks for the passphrase; then `age -d -i key.txt -o FILE FILE.age`.\n"
            if job.key != "env:BACKUP_KEY"
            else "`age -d -i key.txt -o FILE FILE.age` opens a file with the secret key.\n"
        )
        if job.key
        else ""
    )
    parts: list[str] = [f"# When the data of {job.name} is gone\n"]
    parts.append(
        "Stay calm: do not redeploy, do not change plans or variables, and do not delete anything yet. "
        "Write down when it was last seen well.\n"
    )
    parts.append("## Where things are\n")
    if job.database is not None:
        parts.append(f"- The app's database: what the variable `{job.database.removeprefix('env:')}` names.")
    parts += [f"- Files: `{_plain(address)}`" for address in job.files]
    parts += [f"- Backups: `{_plain(address)}`" for address in job.places]
    parts.append(f"- Needed to read them: {', '.join(f'`{name}`' for name in job.variables)}.")
    parts.append("  Keep these where they survive the loss of the platform's account.\n")
    parts.append("## 1. See what there is\n")
    parts.append("On any machine with Python 3.11 or newer, with those variables set:\n")
    parts.append(_shell(f'pip install "{requirement(job)}"', command(("restore", first, *key))))
    parts.append(
        "It checks every byte of the newest backup and says what it holds; it writes nothing. Another one is "
        "named by its folder: add `/ashore-…` to the address.\n"
    )
    parts.append("## 2. Prove that it can be restored\n")
    parts.append(_shell(command(job.test)))
    if job.database is not None:
        parts.append("## 3. Restore the database\n")
        parts.append(
            "Make a new, empty PostgreSQL database (the old one stays as it is, for whoever looks for the "
            "cause), put its connection string into `NEW_DATABASE_URL`, then:\n"
        )
        parts.append(_shell(restore_database))
        parts.append(
            f"When it says that every value is equal, point the app's "
            f"`{job.database.removeprefix('env:')}` to it and deploy.\n"
        )
    if job.files:
        parts.append("## 4. Restore the files\n")
        parts.append("Into a new, empty bucket, or a folder:\n")
        parts.append(_shell(restore_files))
        parts.append("Then point the app's bucket variable to it.\n")
    parts.append("## 5. Look at the app\n")
    parts.append(
        "Log in, open pages that show rows and files, compare the counts with those of step 1. Then back up "
        "again:\n"
    )
    parts.append(_shell(command(job.backup)))
    parts.append("## Without ashore\n")
    parts.append(
        "A backup is a folder of ordinary files; `manifest.ndjson` lists each with its "
        "SHA-256. Download it, then:\n"
    )
    parts.append(_shell(by_hand) + opened)
    parts.append("and copy what lies under `files/`.\n")
    return "\n".join(parts)


def _plain(address: str) -> str:
    return address.partition("?")[0]


def _shell(*lines: str) -> str:
    return "```sh\n" + "\n".join(lines) + "\n```\n"
