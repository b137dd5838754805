"""What each kind of storage is called in Django's settings: its class, its options, its packages.

Names: the pages of django-storages 1.14 and django-cloudinary-storage 0.3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from wizard.frameworks.django.change_site import Version
from wizard.model import Need
from wizard.patchers.requirements import Listed, Requirement

# A need of this backend is a folder: it has no class and no package.
DISK = "disk"
# Files in the app's own database: the class stands in the project.
TABLE = "database"
IMPORT_OS = ("os", "import os")
IMPORT_JSON = ("json", "import json")


@dataclass(frozen=True, slots=True)
class Option:
    """One storage option: its name in STORAGES, its older name as a setting, its value as Python."""

    name: str
    setting: str
    value: str


@dataclass(frozen=True, slots=True)
class Kind(ABC):
    """One kind of storage. `module` begins the dotted names of its classes; `bucket_setting` may name the
    bucket outside of STORAGES; `class_name` where there is only one; `one_a_project` where its settings
    stand outside of STORAGES, so that a project has one account."""

    module: str
    bucket_setting: str
    class_name: str = ""
    imports: tuple[tuple[str, str], ...] = (IMPORT_OS,)
    one_a_project: bool = False

    @abstractmethod
    def backend(self, version: Version, installed: Version | None) -> str:
        """The class's dotted name; `installed` is the pinned version of django-storages."""

    @abstractmethod
    def options(self, need: Need, location: str) -> list[Option]:
        """What the class must know to reach the bucket of `need`."""

    def before(self, need: Need) -> list[str]:
        """Lines that come first where the bucket's variable is set."""
        return []

    @abstractmethod
    def packages(self, listed: Mapping[str, Listed], version: Version) -> list[Requirement]:
        """What the project's packages lack."""


def _optional(variable: str) -> str:
    return f'os.environ.get("{variable}") or None'


def _storages(
    listed: Mapping[str, Listed], extra: str, others: frozenset[str], library: str, bound: str | None
) -> list[Requirement]:
    """django-storages with `extra`, or only `library` where it is listed without one that brings it."""
    storages = listed.get("django-storages")
    if storages is None:
        return [Requirement("django-storages", (extra,), bound)]
    if library not in listed and not storages.extras & {extra, *others}:
        return [Requirement(library)]
    return []


class S3(Kind):
    """`storages.backends.s3` came with django-storages 1.14 (Django ≥ 3.2)."""

    def backend(self, version: Version, installed: Version | None) -> str:
        old = version < (3, 2) or (installed is not None and installed < (1, 14))
        return "storages.backends.s3boto3.S3Boto3Storage" if old else "storages.backends.s3.S3Storage"

    def options(self, need: Need, location: str) -> list[Option]:
        names = dict(need.roles)
        public = need.access == "public"
        options = [Option("bucket_name", "AWS_STORAGE_BUCKET_NAME", f'os.environ["{names["bucket"]}"]')]
        if "region" in names:
            options.append(Option("region_name", "AWS_S3_REGION_NAME", _optional(names["region"])))
        if "endpoint" in names:
            options.append(Option("endpoint_url", "AWS_S3_ENDPOINT_URL", _optional(names["endpoint"])))
        if "access_key" in names:
            options.append(Option("access_key", "AWS_S3_ACCESS_KEY_ID", _optional(names["access_key"])))
        if "secret_key" in names:
            options.append(Option("secret_key", "AWS_S3_SECRET_ACCESS_KEY", _optional(names["secret_key"])))
        options.append(Option("signature_version", "AWS_S3_SIGNATURE_VERSION", '"s3v4"'))
        style = '"virtual"'
        if "endpoint" in names:
            style = f'"path" if os.environ.get("{names["endpoint"]}") else "virtual"'
        options += [
            Option("addressing_style", "AWS_S3_ADDRESSING_STYLE", style),
            Option("default_acl", "AWS_DEFAULT_ACL", "None"),
            Option("querystring_auth", "AWS_QUERYSTRING_AUTH", "False" if public else "True"),
            Option("file_overwrite", "AWS_S3_FILE_OVERWRITE", "False"),
        ]
        if location:
            options.append(Option("location", "AWS_LOCATION", f'"{location}"'))
        if public and "public_url" in names:
            url = f'os.environ.get("{names["public_url"]}", "")'
            domain = f'{url}.rstrip("/").partition("://")[2] or None'
            protocol = f'{url}.partition("//")[0] or "https:"'
            options += [
                Option("custom_domain", "AWS_S3_CUSTOM_DOMAIN", domain),
                Option("url_protocol", "AWS_S3_URL_PROTOCOL", protocol),
            ]
        return options

    def before(self, need: Need) -> list[str]:
        endpoint = need.variable("endpoint")
        if endpoint is None:
            return []
        return [
            f'if os.environ.get("{endpoint}"):',
            "    # Servers other than AWS refuse the checksums that newer boto3 adds.",
            '    os.environ.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")',
            '    os.environ.setdefault("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")',
        ]

    def packages(self, listed: Mapping[str, Listed], version: Version) -> list[Requirement]:
        extra, bound = ("s3", "1.14.3") if version >= (3, 2) else ("boto3", None)
        return _storages(listed, extra, frozenset({"s3", "boto3"}), "boto3", bound)


class Gcs(Kind):
    """The key of the service account comes as JSON in a variable: a platform has no place for its file.

    GS_CREDENTIALS is a setting that the class reads by itself.
    """

    def backend(self, version: Version, installed: Version | None) -> str:
        return f"{self.module}.{self.class_name}"

    def options(self, need: Need, location: str) -> list[Option]:
        names = dict(need.roles)
        public = need.access == "public"
        options = [
            Option("bucket_name", "GS_BUCKET_NAME", f'os.environ["{names["bucket"]}"]'),
            Option("querystring_auth", "GS_QUERYSTRING_AUTH", "False" if public else "True"),
            Option("file_overwrite", "GS_FILE_OVERWRITE", "False"),
        ]
        if location:
            options.append(Option("location", "GS_LOCATION", f'"{location}"'))
        if public and "public_url" in names:
            url = f'os.environ.get("{names["public_url"]}", "")'
            options.append(Option("custom_endpoint", "GS_CUSTOM_ENDPOINT", f'{url}.rstrip("/") or None'))
        return options

    def before(self, need: Need) -> list[str]:
        return [
            "from google.oauth2 import service_account",
            "",
            "GS_CREDENTIALS = service_account.Credentials.from_service_account_info(",
            f'    json.loads(os.environ["{need.variable("credentials")}"])',
            ")",
        ]

    def packages(self, listed: Mapping[str, Listed], version: Version) -> list[Requirement]:
        bound = "1.14.3" if version >= (3, 2) else None
        return _storages(listed, "google", frozenset(), "google-cloud-storage", bound)


class Azure(Kind):
    """Without an expiry the class gives plain addresses, which a private container refuses."""

    def backend(self, version: Version, installed: Version | None) -> str:
        return f"{self.module}.{self.class_name}"

    def options(self, need: Need, location: str) -> list[Option]:
        names = dict(need.roles)
        public = need.access == "public"
        options = [
            Option("account_name", "AZURE_ACCOUNT_NAME", f'os.environ["{names["account"]}"]'),
            Option("account_key", "AZURE_ACCOUNT_KEY", f'os.environ["{names["secret_key"]}"]'),
            Option("azure_container", "AZURE_CONTAINER", f'os.environ["{names["bucket"]}"]'),
            Option("overwrite_files", "AZURE_OVERWRITE_FILES", "False"),
        ]
        if not public:
            options.append(Option("expiration_secs", "AZURE_URL_EXPIRATION_SECS", "3600"))
        if "suffix" in names:
            suffix = f'os.environ["{names["suffix"]}"]'
            options.append(Option("endpoint_suffix", "AZURE_ENDPOINT_SUFFIX", suffix))
        if location:
            options.append(Option("location", "AZURE_LOCATION", f'"{location}"'))
        if "domain" in names:
            options.append(Option("custom_domain", "AZURE_CUSTOM_DOMAIN", _optional(names["domain"])))
        return options

    def packages(self, listed: Mapping[str, Listed], version: Version) -> list[Requirement]:
        bound = "1.14.3" if version >= (3, 2) else None
        return _storages(listed, "azure", frozenset(), "azure-storage-blob", bound)


class Cloudinary(Kind):
    """django-cloudinary-storage: one class a kind of file; it signs nothing, all it serves is public."""

    def backend(self, version: Version, installed: Version | None) -> str:
        return f"{self.module}.{self.class_name}"

    def options(self, need: Need, location: str) -> list[Option]:
        return []

    def before(self, need: Need) -> list[str]:
        names = dict(need.roles)
        return [
            "CLOUDINARY_STORAGE = {",
            f'    "CLOUD_NAME": os.environ["{names["bucket"]}"],',
            f'    "API_KEY": os.environ["{names["access_key"]}"],',
            f'    "API_SECRET": os.environ["{names["secret_key"]}"],',
            # Otherwise the package puts MEDIA_URL before each name.
            f'    "PREFIX": "{need.prefix}",',
            "}",
        ]

    def packages(self, listed: Mapping[str, Listed], version: Version) -> list[Requirement]:
        name = "django-cloudinary-storage"
        return [] if name in listed else [Requirement(name, bound="0.3")]


class Table(Kind):
    """The project's own class, which `change_table` writes: no package brings one. Its dotted name depends on
    the project and is put in by `change`."""

    def backend(self, version: Version, installed: Version | None) -> str:
        return f"{self.module}.{self.class_name}"

    def options(self, need: Need, location: str) -> list[Option]:
        prefix = f'"{need.prefix}"'
        return [Option("location", "DATABASE_STORAGE_LOCATION", prefix)] if need.prefix else []

    def packages(self, listed: Mapping[str, Listed], version: Version) -> list[Requirement]:
        return []


def _cloudinary(class_name: str) -> Cloudinary:
    return Cloudinary("cloudinary_storage.storage", "CLOUDINARY_STORAGE", class_name, one_a_project=True)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "s3": S3("storages.backends.s3", "AWS_STORAGE_BUCKET_NAME"),
        "gcs": Gcs(
            "storages.backends.gcloud",
            "GS_BUCKET_NAME",
            "GoogleCloudStorage",
            imports=(IMPORT_OS, IMPORT_JSON),
            one_a_project=True,
        ),
        "azure": Azure("storages.backends.azure_storage", "AZURE_CONTAINER", "AzureStorage"),
        TABLE: Table("", "STORAGES", "DatabaseStorage"),
        "cloudinary-image": _cloudinary("MediaCloudinaryStorage"),
        "cloudinary-video": _cloudinary("VideoMediaCloudinaryStorage"),
        "cloudinary-raw": _cloudinary("RawMediaCloudinaryStorage"),
    }
)
