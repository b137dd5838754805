"""A page for every code that a finding of the scan can bear (`ashore scan --explain CODE`)."""

from __future__ import annotations

from wizard.scan.explain_code import PAGES
from wizard.scan.explanation import Explanation

EXPLANATIONS: tuple[Explanation, ...] = (
    Explanation(
        "database-absent",
        "The database that the settings name is not here",
        "The settings point to a SQLite file that does not exist in this folder. That is usual in a fresh "
        "checkout, where the file is ignored by git: the data lies on the server. Run ashore there (a "
        "shell on the platform), or copy the file here first. On a plan without a shell, do not deploy, "
        "change variables or let the app sleep before a copy exists: each of these may wipe the file.",
    ),
    Explanation(
        "database-damaged",
        "SQLite cannot read the database",
        "The file is no sound SQLite database: it was cut off, overwritten, or is something else (an "
        "error page saved under the name, a Git LFS pointer). Keep it as it is. Recover a copy with "
        "`sqlite3 copy.db .recover | sqlite3 recovered.db`, compare what came back, and run ashore on "
        "that. ashore never writes to the original and does not migrate a damaged file.",
    ),
    Explanation(
        "database-from-environment",
        "The database is named by a variable that is not set here",
        "The settings take the database from an environment variable without a default, so reading the code "
        "alone cannot tell whether it is SQLite or a server. Look at the platform's variables: a value that "
        "begins with sqlite: names a file on the app's disk, which is at risk; postgres: or mysql: "
        "names a server, which a redeploy does not touch.",
    ),
    Explanation(
        "database-in-git",
        "The database is tracked by git",
        "A database in the repository comes back in its committed state with every deploy, whatever users "
        "wrote since. Its history also holds every account and password hash ever committed. After the "
        "data is proven elsewhere, take it out with `git rm --cached`, ignore it, and treat secrets in it "
        "as known to all who could read the repository.",
    ),
    Explanation(
        "database-in-use",
        "An app seems to have the database open",
        "A write-ahead log or journal lies beside the file. The scan opens the database without any lock, "
        "so that a running app is not disturbed, and therefore does not see what the log holds: counts "
        "may be behind. A run takes its snapshot with SQLite's backup interface, which includes it. A "
        "journal left by a crash is recovered in the copy, never in the original.",
    ),
    Explanation(
        "database-unreadable",
        "The database may not be read by this user",
        "The operating system refused to open the file. Its owner is often the service user of the web "
        "server. Run ashore as that user, or give read access to the file and its folder for the time of "
        "the migration. Do not change the file's owner while the app runs: SQLite needs to write side "
        "files beside it.",
    ),
    Explanation(
        "debug-true",
        "DEBUG is on in the code",
        "With DEBUG = True Django answers errors with a page that shows settings, local variables and "
        "SQL, and it keeps every query in memory. Read the value from the environment and let it be False "
        "when nothing is set: DEBUG = os.environ.get('DEBUG') == '1'. Uploads served by static() stop "
        "being served then; see media-served-in-debug-only.",
    ),
    Explanation(
        "free-database-expires",
        "A free Render database is deleted after 30 days",
        "Render's free PostgreSQL expires 30 days after it was made; after 14 more days it is deleted, "
        "and it has no backups. Moving an app's data there is no rescue. Choose a paid plan, or a "
        "provider whose free plan has no end; `ashore advise` compares them on the sizes found here.",
    ),
    Explanation(
        "like-minds-case",
        "LIKE minds upper and lower case in PostgreSQL",
        "In SQLite `LIKE 'ann%'` also finds Ann; in PostgreSQL it does not. Nothing fails: a search "
        "finds less than before. Write ILIKE where the case shall not matter, and an index on lower(column) "
        "where it must be quick.",
    ),
    Explanation(
        "media-served-in-debug-only",
        "Uploads are served only while DEBUG is on",
        "django.conf.urls.static.static() returns no routes when DEBUG is False. In production the links "
        "to uploaded files therefore lead to a 404, although the files exist. Files in durable storage "
        "have links of their own; the patch replaces this route by a redirect, so that old links keep "
        "working.",
    ),
    Explanation(
        "missing-requirements-file",
        "The build names a requirements file that does not exist",
        "A build command installs packages from a file that is not in the project. The app that runs now "
        "was built before the name changed; the next deploy fails, or starts without its packages. "
        "Correct the name or add the file before you push anything else, and in the same commit as the "
        "patch if need be.",
    ),
    Explanation(
        "no-postgres-driver",
        "The requirements name no PostgreSQL driver",
        "Django needs psycopg (version 3, from Django 4.2 on) or psycopg2 to reach PostgreSQL. The patch "
        "adds it to the file that the deploy installs from. The migration itself does not depend on it: "
        "where the project's environment has no driver, one is put into the run's own folder and removed "
        "with the run.",
    ),
    Explanation(
        "rows-not-counted",
        "Not every row was counted",
        "The scan counts rows for a few seconds and then stops, so that it stays quick on large files; "
        "virtual tables whose extension is not present cannot be counted at all. The numbers shown are "
        "therefore too low. A run counts all rows in its own snapshot and compares every value of each of "
        "them.",
    ),
    Explanation(
        "secret-key-committed",
        "A secret stands in the code",
        "Whoever can read the repository, or ever could, has this value: with Django's SECRET_KEY they "
        "can forge sessions and password reset links. Removing the line does not help, since the history "
        "keeps it. Make a new value, set it as an environment variable on the platform, and read it from "
        "there. ashore shows the place and never the value.",
    ),
    Explanation(
        "sqlite-only-sql",
        "The code holds SQL that only SQLite understands",
        "PostgreSQL refuses the statement, or takes a word for something else, as soon as the app sends it: "
        "functions for dates, INSERT OR REPLACE, PRAGMA, AUTOINCREMENT, text in double quotes and the like. "
        "The hint says what PostgreSQL has instead. Where the app shall run on both, ask which database it "
        "is talking to at that place. The list is drawn from string literals: what is put together at run "
        "time can be missed, and a statement that is only sent to SQLite is listed though it may stay.",
    ),
    Explanation(
        "unreadable-config",
        "A configuration file cannot be parsed",
        "The file is not valid YAML, so nothing is known of the plan, disks and databases it declares, "
        "and the platform will refuse it too. Tabs for indentation and a missing space after a colon are "
        "the usual causes. Correct it and scan again: what survives a redeploy is judged by this file.",
    ),
    Explanation(
        "unreadable-settings",
        "The settings cannot be read",
        "ashore reads the settings module named in wsgi.py or manage.py without running it. It was not "
        "found, or is not valid Python (for the version that runs ashore). Until it can be read, "
        "databases are found by their content only, uploads are not found, and the patch is shown as "
        "instructions. `python -m py_compile FILE` shows the same error with its line.",
    ),
    Explanation(
        "uploads-in-git",
        "Uploaded files are tracked by git",
        "Files that users uploaded were committed. A deploy brings back the committed ones, and only "
        "those, so losses go unnoticed for a while; the files also stay readable in the history for "
        "everyone with access. Once they are proven elsewhere, take the folder out with `git rm -r "
        "--cached` and ignore it.",
    ),
    *PAGES,
)


def explain(code: str) -> Explanation | None:
    """The page of `code`, or None where no finding bears it."""
    return next((explanation for explanation in EXPLANATIONS if explanation.code == code), None)
