"""What the real target adds to what a rehearsal can show, in words, a line each."""

from __future__ import annotations

from collections.abc import Iterator

from wizard.answers import Answers
from wizard.providers import catalogue
from wizard.rehearse.copy import NOT_FILES
from wizard.storages import LEAVE


def lines(answers: Answers, file_bytes: int, database_bytes: int) -> Iterator[str]:
    """For these answers. Sizes in bytes, as the scan has them."""
    database = answers.database
    if database is not None and answers.moves_database:
        yield (
            "TLS, the network in between, and the provider's time limits; here all was on one machine. "
            "Expect the copy to take longer."
        )
        yield (
            "the role's rights: here it owns an empty database, as it should there; a provider may refuse "
            "more (`ashore preflight` and the run's own first steps test the real one before writing)"
        )
        yield (
            "the server's version and extensions: here PostgreSQL without contrib (no citext, unaccent, "
            "pg_trgm, postgis) and without ICU collations"
        )
        yield from _limits("database", database.provider, database_bytes)
    for provider in dict.fromkeys(rule.provider for rule in answers.storage):
        if provider in (LEAVE, *NOT_FILES):
            continue
        yield (
            f"the storage {provider} itself: its key's rights, its bucket's settings (privacy, CORS), its "
            "own checksums; here an S3 server stood in for it"
        )
        if provider not in ("s3", "r2", "b2", "supabase", "s3-compatible"):
            yield f"the settings and package for {provider}: the copy was patched for S3 in its place"
        yield from _limits("storage", provider, file_bytes)
    if answers.deploy is not None and answers.deploy.platform != "none":
        yield f"the platform {answers.deploy.platform}: its build, its variables, its restart"


def _limits(kind: str, provider: str, size: int) -> Iterator[str]:
    for product in catalogue.products():
        if product.kind != kind or product.provider != provider or product.max_gb is None:
            continue
        if size > product.max_gb * 1e9:
            yield (
                f"the limit of {product.title}: {product.max_gb:g} GB, and there are {size / 1e9:.2f} GB now "
                f"(as of {product.as_of})"
            )
        elif product.expires_days is not None:
            yield f"the expiry of {product.title} after {product.expires_days} days (as of {product.as_of})"
