"""The pages of findings that are about the app's code and its deployment files (see `explain`)."""

from __future__ import annotations

from wizard.scan.explanation import Explanation

PAGES: tuple[Explanation, ...] = (
    Explanation(
        "code-not-all-read",
        "The project holds more code than a scan reads",
        "The scan reads up to 4,000 files of code and 24 MB, those nearest to the root first, so that "
        "it stays quick wherever it is started. What lies deeper was not looked at: a database or an "
        "uploads folder that only such a file names can be missing from the list. Start ashore in the "
        "folder of the app.",
    ),
    Explanation(
        "cors-any-origin",
        "Any site may read the app's answers",
        "The app tells browsers that pages of every origin may read what it answers. For a public API "
        "without a login that can be meant. With credentials allowed, any page that a logged-in visitor "
        "opens can read and change their data. Name the front end's origins, read from a variable, so "
        "that a new address of the front end needs no new code.",
    ),
    Explanation(
        "credentials-committed",
        "A password or key stands in the code",
        "A connection string with its password, a key of a known form, or a long random text under the "
        "name of a secret. Whoever can read the repository, or ever could, has it; bots read public "
        "ones within minutes. Rotate it first: make a new one at the provider and withdraw the old. "
        "Then read it from a variable. Removing the line is not enough, since the history keeps it. "
        "ashore never shows the value.",
    ),
    Explanation(
        "dead-api-address",
        "The front end asks an address where no API answers",
        "The address that the front end was built with is this machine (localhost), or a Render service "
        "that the project's own render.yaml does not declare. On the developer's computer it works; in "
        "a visitor's browser localhost is the visitor's computer. Variables such as VITE_API_URL and "
        "NEXT_PUBLIC_API_URL are read when the front end is built: after a change it must be built "
        "again.",
    ),
    Explanation(
        "env-file-committed",
        "A file with secrets is tracked by git",
        "The .env file belongs on one machine; git carries it to every clone and keeps it in the "
        "history. Rotate each value first, then take the file out with `git rm --cached`, ignore it, "
        "and keep a .env.example with the names alone. Values that are examples, local or public by "
        "design are not counted here.",
    ),
    Explanation(
        "hosts-not-restricted",
        "The app answers to any host name",
        "With `*` in ALLOWED_HOSTS Django believes whatever Host header a request bears. It is used to "
        "build links, those of password mails among them: a forged header sends a user's token to "
        "another site, and caches can be poisoned. Name the hosts, and read them from a variable so "
        "that a new domain needs no new code.",
    ),
    Explanation(
        "no-backups",
        "Nothing in the project backs up the data",
        "A SQLite file in the app's folder has no provider who copies it, and a free Render database "
        "has no backups either. No script, schedule or package of the project makes one. Moving to a "
        "provider with backups settles the database; uploads need their own. A backup counts once it "
        "has been restored: `ashore backup` makes one and `ashore restore --test` tries it.",
    ),
    Explanation(
        "no-health-check",
        "The platform does not ask whether the app answers",
        "Without healthCheckPath Render counts a deploy as good when its port opens. An app that starts "
        "but cannot reach its database then replaces one that works. Add a route that answers 200 "
        "without a login and without touching much, and name it in render.yaml; a route that asks the "
        "database would take the whole app down with it.",
    ),
    Explanation(
        "no-public-host",
        "No public host may reach the app",
        "ALLOWED_HOSTS is empty or holds local names only. While DEBUG is on Django lets local requests "
        "through; once it is off every visitor gets an error 400. Read the hosts from a variable; "
        "Render gives the app its own name in RENDER_EXTERNAL_HOSTNAME.",
    ),
    Explanation(
        "pooler-misuse",
        "The client does not know that it talks to a pooler",
        "A transaction pooler gives each transaction another server connection. What lives longer "
        "breaks: server-side cursors (Django's iterator()), prepared statements (Prisma without "
        "pgbouncer=true), advisory locks (migrations). Let the app use the pooler with the switch that "
        "its client has for it, and let migrations use the direct host.",
    ),
    Explanation(
        "postgres-scheme",
        "SQLAlchemy does not know postgres://",
        "Since version 1.4 SQLAlchemy refuses postgres:// with `Can't load plugin: "
        "sqlalchemy.dialects:postgres`. Heroku and Fly hand out such URLs, and some panels show them. "
        "Where the app reads the variable, replace the beginning: url.replace('postgres://', "
        "'postgresql://', 1). The variable itself is the platform's and comes back as it was.",
    ),
    Explanation(
        "secret-key-weak",
        "A known value is used where the secret's variable is missing",
        "The code reads the secret from a variable and falls back to a text that stands beside it. If "
        "the variable is forgotten on the platform nothing fails, and sessions or tokens are signed "
        "with a key that is in the repository. Take the default away: an app that does not start is "
        "noticed, one that can be forged is not. Not reported where the platform's file sets the "
        "variable.",
    ),
    Explanation(
        "storage-setting-removed",
        "Django no longer reads this setting",
        "DEFAULT_FILE_STORAGE and STATICFILES_STORAGE were removed in Django 5.1. Nothing warns: "
        "uploads simply go to the app's own disk again, although the settings name a bucket. STORAGES "
        "takes their place, with the keys default and staticfiles; it exists since Django 4.2, so it "
        "can be written before an upgrade.",
    ),
    Explanation(
        "temporary-files-left",
        "Temporary files are made and not removed",
        "delete=False, mkstemp() and mkdtemp() leave it to the code to remove what they made, and this "
        "module removes nothing. Every request adds to the disk until the platform restarts the app; on "
        "a small plan the disk or memory (where /tmp lies in memory) runs full. Remove the file in a "
        "finally clause.",
    ),
    Explanation(
        "uploads-folder-unknown",
        "Uploads go to a folder that the code alone does not tell",
        "The app takes uploads and writes them to a disk, but the folder is put together at run time or "
        "comes from a variable without a default. It is as much at risk as any other folder in the "
        "container. Look at the variable on the platform, or list the container's folders, and name it "
        "in the answers as the `source` of a storage rule. The patch cannot follow it either: its "
        "places are shown as instructions.",
    ),
    Explanation(
        "url-prefixed-twice",
        "A prefix is put before a whole address",
        "Storages such as Cloudinary give complete addresses. Code that puts MEDIA_URL or "
        "https://res.cloudinary.com/… before them makes links like https://host/https://…, which lead "
        "nowhere. Rows that were saved with such a value stay wrong after the code is mended: a run "
        "finds and rewrites them. Use the storage's .url alone.",
    ),
)
