"""What the user is asked, in which order and why: pure data, used by the screens and by `--plain`.

Replies are flat: the question's key to a plain value; a secret's reply is the reference to it, never the
value. `fold` makes the answers mapping of INTERFACE out of them, `unfold` goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from wizard.model import Project, Store

Kind = Literal["choice", "text", "secret", "bool"]
Topic = Literal["database", "files", "credentials"]
Replies = Mapping[str, object]

S3_LIKE = ("s3", "r2", "b2", "supabase", "s3-compatible")
MOVING = (*S3_LIKE, "gcs", "firebase", "azure", "cloudinary", "render-disk")
NO_MOVE = ("stay-with-backups", "keep")


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `name` is what the answers file holds."""

    name: str
    title: str
    about: str = ""


def _always(project: Project, replies: Replies) -> bool:
    return True


def _nothing(project: Project, replies: Replies) -> object:
    return None


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `key` is its place in the answers (`storage.` means every rule of the provider chosen).

    `default` may depend on the project and on earlier replies; None means that there is none and that
    an empty reply leaves the key out. `required` ones must have a reply before a run. `variable` is the
    environment variable that holds a secret where there is no keyring, `slug` its name in the keyring.
    """

    key: str
    topic: Topic
    kind: Kind
    title: str
    why: str
    help: str = ""
    options: tuple[Option, ...] = ()
    default: Callable[[Project, Replies], object] = _nothing
    when: Callable[[Project, Replies], bool] = _always
    required: bool = True
    variable: str = ""
    slug: str = ""
    example: str = ""


DATABASE_OPTIONS: tuple[Option, ...] = (
    Option("neon", "Neon", "managed PostgreSQL"),
    Option("render", "Render", "PostgreSQL beside the app"),
    Option("supabase", "Supabase", "managed PostgreSQL"),
    Option("postgres", "Another PostgreSQL", "I have a URL"),
    Option("stay-with-backups", "Stay on SQLite with backups", "one writer, a disk is still needed"),
)
STORAGE_OPTIONS: tuple[Option, ...] = (
    Option("r2", "Cloudflare R2", "S3-compatible, no charge for reading"),
    Option("s3", "Amazon S3", ""),
    Option("b2", "Backblaze B2", "S3-compatible"),
    Option("supabase", "Supabase Storage", "beside a database there"),
    Option("s3-compatible", "Another S3-compatible", "I have an endpoint"),
    Option("gcs", "Google Cloud Storage", ""),
    Option("firebase", "Firebase Storage", ""),
    Option("azure", "Azure Blob Storage", ""),
    Option("cloudinary", "Cloudinary", "images; public only"),
    Option("render-disk", "Render disk", "attached to this machine"),
    Option("leave", "Leave the files where they are", "they stay on this disk"),
)
ACCESS_OPTIONS: tuple[Option, ...] = (
    Option("signed", "private", "through links of the app that expire"),
    Option("public", "public", "by anyone who has the address"),
)


def sqlite_stores(project: Project) -> tuple[Store, ...]:
    """The SQLite files that the scan saw."""
    return tuple(s for s in project.stores if s.kind == "sqlite")


def upload_stores(project: Project) -> tuple[Store, ...]:
    """The uploads folders that the scan saw."""
    return tuple(s for s in project.stores if s.kind == "uploads")


def moves_database(project: Project, replies: Replies) -> bool:
    """Whether the replies so far move the database."""
    provider = replies.get("database.provider")
    return bool(sqlite_stores(project)) and provider is not None and provider not in NO_MOVE


def moves_files(project: Project, replies: Replies) -> bool:
    """Whether the replies so far move files to a storage."""
    return bool(upload_stores(project)) and replies.get("storage.provider") in MOVING


def _to(*providers: str) -> Callable[[Project, Replies], bool]:
    """Whether the replies so far move files to one of `providers`."""
    return lambda project, replies: (
        moves_files(project, replies) and replies.get("storage.provider") in providers
    )


def _is_public(project: Project, replies: Replies) -> bool:
    return moves_files(project, replies) and replies.get("storage.access") == "public"


def _region(project: Project, replies: Replies) -> object:
    return "us-east-1" if replies.get("storage.provider") in ("s3", "s3-compatible") else None


QUESTIONS: tuple[Question, ...] = (
    Question(
        "database.provider", "database", "choice", "Where should the database live?",
        "The SQLite file lies on a disk that a redeploy wipes; a managed PostgreSQL does not.",
        "Prices carry the date they were read; * marks a figure that is not from the provider itself. "
        "The choice can be changed until the run starts.",
        options=DATABASE_OPTIONS,
        when=lambda project, replies: bool(sqlite_stores(project)),
    ),
    Question(
        "storage.provider", "files", "choice", "Where should the files live?",
        "Uploaded files lie on the same disk; object storage keeps them outside the app.",
        "Files are copied, never moved: the folder stays as it is.",
        options=STORAGE_OPTIONS,
        when=lambda project, replies: bool(upload_stores(project)),
    ),
    Question(
        "storage.access", "files", "choice", "Who may read the files?",
        "Files that were behind a login stay private unless you say otherwise.",
        "Private files are read through signed links that the app makes and that expire.",
        options=ACCESS_OPTIONS, default=lambda project, replies: "signed",
        when=_to(*(name for name in MOVING if name != "render-disk")),
    ),
    Question(
        "database.url", "credentials", "secret", "Connection string",
        "ashore connects with it to create the tables, load the rows and compare them.",
        "Take the direct host, not the pooled one; it starts with postgresql://. It goes to the keyring, or "
        "stays in memory for this run; it is written to no file.",
        when=moves_database, variable="DATABASE_URL", slug="database-url",
        example="postgresql://user:…@host/db",
    ),
    Question(
        "storage.bucket", "credentials", "text", "Bucket", "The bucket that will hold the files.",
        "Create it with the provider first; it must be one that this key may write to.",
        when=_to(*S3_LIKE, "gcs"), example="my-app-media",
    ),
    Question(
        "storage.project", "credentials", "text", "Firebase project",
        "Its id names the bucket: PROJECT.firebasestorage.app.",
        "It stands on the project's settings page.",
        when=_to("firebase"), example="my-app-1a2b3",
    ),
    Question(
        "storage.account", "credentials", "text", "Storage account", "The account that holds the container.",
        "Its name is the first part of ACCOUNT.blob.core.windows.net.",
        when=_to("azure"), example="myappmedia",
    ),
    Question(
        "storage.container", "credentials", "text", "Container", "The container that will hold the files.",
        "Create it in the portal first, private.",
        when=_to("azure"), example="media",
    ),
    Question(
        "storage.cloud_name", "credentials", "text", "Cloud name", "The cloud that will hold the files.",
        "It stands on Cloudinary's dashboard. Files are kept as images; for others write an answers file.",
        when=_to("cloudinary"), example="my-cloud",
    ),
    Question(
        "storage.mount", "credentials", "text", "Mount path", "Where the disk is mounted on this machine.",
        "Run ashore in the service's own shell; attaching a disk is a deploy, so back up first.",
        when=_to("render-disk"), example="/var/data",
    ),
    Question(
        "storage.region", "credentials", "text", "Region", "Requests are signed for a region.",
        "B2: the part of the bucket's endpoint between s3. and .backblazeb2.com.",
        default=_region, when=_to(*(name for name in S3_LIKE if name != "r2")), example="eu-west-1",
    ),
    Question(
        "storage.endpoint", "credentials", "text", "Endpoint",
        "The address of the service, without the bucket.",
        "R2 shows it as the S3 API address: https://ACCOUNT.r2.cloudflarestorage.com",
        when=_to("r2", "s3-compatible"), example="https://s3.example.com",
    ),
    Question(
        "storage.ref", "credentials", "text", "Project reference",
        "The twenty letters that name the Supabase project.",
        "It is the first part of the project's address.",
        when=_to("supabase"), example="abcdefghijklmnopqrst",
    ),
    Question(
        "storage.access_key", "credentials", "secret", "Access key",
        "With the secret key, it lets ashore and the app write to the bucket.",
        "A key for this one bucket is enough: read, write, delete objects.",
        when=_to(*S3_LIKE), variable="AWS_ACCESS_KEY_ID", slug="access-key",
    ),
    Question(
        "storage.secret_key", "credentials", "secret", "Secret key",
        "The other half of the access key.",
        "It goes to the keyring, or stays in memory for this run; it is written to no file.",
        when=_to(*S3_LIKE), variable="AWS_SECRET_ACCESS_KEY", slug="secret-key",
    ),
    Question(
        "storage.credentials", "credentials", "secret", "Service account key",
        "The JSON key of a service account that may write to the bucket.",
        "In one line (jq -c . key.json). It goes to the keyring, or stays in memory for this run.",
        when=_to("gcs", "firebase"), variable="GS_CREDENTIALS_JSON", slug="google-key",
    ),
    Question(
        "storage.account_key", "credentials", "secret", "Account key",
        "It lets ashore and the app write to the container.",
        "Access keys in the portal, key1, without the rest of the connection string.",
        when=_to("azure"), variable="AZURE_ACCOUNT_KEY", slug="account-key",
    ),
    Question(
        "storage.api_key", "credentials", "secret", "API key",
        "With the API secret, it lets ashore and the app upload.",
        "Both stand on Cloudinary's page of API keys.",
        when=_to("cloudinary"), variable="CLOUDINARY_API_KEY", slug="api-key",
    ),
    Question(
        "storage.api_secret", "credentials", "secret", "API secret",
        "The other half of the API key.",
        "It goes to the keyring, or stays in memory for this run; it is written to no file.",
        when=_to("cloudinary"), variable="CLOUDINARY_API_SECRET", slug="api-secret",
    ),
    Question(
        "storage.public_url", "credentials", "text", "Public address",
        "Where a browser reads the public files: the bucket's own address or a CDN's.",
        "Links inside the database are rewritten to it.",
        when=_is_public, required=False, example="https://media.example.com",
    ),
)  # fmt: skip


def asked(project: Project, replies: Replies, topic: Topic | None = None) -> tuple[Question, ...]:
    """The questions that matter for these replies, in order."""
    return tuple(q for q in QUESTIONS if (topic is None or q.topic == topic) and q.when(project, replies))


def missing(project: Project, replies: Replies) -> tuple[Question, ...]:
    """Required questions that have neither a reply nor a default."""
    return tuple(
        q
        for q in asked(project, replies)
        if q.required and not replies.get(q.key) and not q.default(project, replies)
    )


def reference(question: Question, project: Project, keyring: bool) -> str:
    """The reference under which this secret is kept: in the keyring, else in memory for one run."""
    if keyring:
        return f"keyring:{project.root.name or 'project'}/{question.slug}"
    return f"env:{question.variable}"


def _reply(question: Question, project: Project, replies: Replies) -> object:
    given = replies.get(question.key)
    return question.default(project, replies) if given in (None, "") else given


def fold(
    project: Project,
    replies: Replies,
    decisions: Mapping[str, Mapping[str, str]] | None = None,
    skip_edits: Iterable[str] = (),
    base: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The answers mapping (INTERFACE, "Answers file") of these replies; holds references, never secrets.

    `base` are answers that were proposed; keys that no question asks for are kept from it. `project` is
    written as the absolute folder: whoever saves the file elsewhere may make it relative.
    """
    answers: dict[str, object] = {"version": 1, **(base or {}), "project": str(project.root)}
    if sqlite_stores(project) and replies.get("database.provider"):
        answers["database"] = _database(project, replies, decisions or {}, _mapping(answers.get("database")))
    if replies.get("storage.provider"):
        answers["storage"] = _rules(project, replies, answers.get("storage"))
    elif not upload_stores(project):
        answers["storage"] = []
    skipped = sorted(skip_edits)
    if skipped or "skip_edits" in answers:
        answers["skip_edits"] = skipped
    return answers


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _database(
    project: Project, replies: Replies, decisions: Mapping[str, Mapping[str, str]], base: dict[str, object]
) -> dict[str, object]:
    result = dict(base)
    result.setdefault("source", sqlite_stores(project)[0].path)
    result["provider"] = replies["database.provider"]
    if not moves_database(project, replies):
        result.pop("url", None)
    elif replies.get("database.url"):
        result["url"] = replies["database.url"]
    if decisions:
        result["decisions"] = {subject: dict(chosen) for subject, chosen in decisions.items()}
    return result


def _rules(project: Project, replies: Replies, base: object) -> list[dict[str, object]]:
    provider = replies["storage.provider"]
    if provider not in MOVING:
        return []
    said: dict[str, object] = {"provider": provider}
    asked_keys = set()
    for question in asked(project, replies):
        if question.key.startswith("storage.") and question.key != "storage.provider":
            asked_keys.add(question.key.removeprefix("storage."))
            value = _reply(question, project, replies)
            if value not in (None, ""):
                said[question.key.removeprefix("storage.")] = value
    rules = [_mapping(rule) for rule in base] if isinstance(base, list | tuple) else []
    if any(rule.get("provider") == provider for rule in rules):
        return [
            {**{k: v for k, v in rule.items() if k not in asked_keys}, **said}
            if rule.get("provider") == provider
            else rule
            for rule in rules
        ]
    stores = upload_stores(project)
    # Two folders in one bucket must not overwrite each other: each gets its own prefix.
    return [
        {"source": store.path, **said, **({"prefix": f"{store.path.strip('/')}/"} if len(stores) > 1 else {})}
        for store in stores
    ]


def unfold(answers: Mapping[str, object]) -> dict[str, object]:
    """The replies that these answers amount to: the way back from `fold`, for a draft or a proposal."""
    replies: dict[str, object] = {}
    database = _mapping(answers.get("database"))
    for key in ("provider", "url"):
        if database.get(key):
            replies[f"database.{key}"] = database[key]
    rules = answers.get("storage")
    if isinstance(rules, list | tuple):
        first = next((_mapping(r) for r in rules if _mapping(r).get("provider") in MOVING), None)
        if first is None:
            replies["storage.provider"] = "leave"
        else:
            known = {q.key.removeprefix("storage.") for q in QUESTIONS if q.key.startswith("storage.")}
            replies |= {f"storage.{k}": v for k, v in first.items() if k in known and v not in (None, "")}
    return replies


def decisions_of(answers: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """The decisions that an answers mapping already holds."""
    found = _mapping(_mapping(answers.get("database")).get("decisions"))
    return {
        subject: {str(k): str(v) for k, v in _mapping(chosen).items()} for subject, chosen in found.items()
    }
