"""Step 3: where the files should live, and who may read them."""

from __future__ import annotations

from screens.database import OffersScreen


class FilesScreen(OffersScreen):
    """Object storage providers, and private or public."""

    step = "files"
    heading = "Where should the files live?"
    question_key = "storage.provider"
    topic = "files"
    offers_kind = "storage"
    help_text = """
Object storage keeps the uploads outside the app. Files are copied and compared byte for byte; the folder on
this disk stays as it is.

Private is the default: the app hands out links that expire. Public means that anyone who has an address can
read the file; choose it only for what was public before."""

    def held_kinds(self) -> tuple[str, ...]:
        return ("uploads",)
