"""Step 3: where the files should live, and who may read them."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Static

from screens.database import OffersScreen
from screens.widgets.chooser import Chooser, Item
from wizard import questions


class FilesScreen(OffersScreen):
    """Object storage providers, and private or public."""

    step = "files"
    heading = "Where should the files live?"
    question_key = "storage.provider"
    offers_kind = "storage"
    store_kind = "uploads"
    help_text = """
Object storage keeps the uploads outside the app. Files are copied and compared byte for byte; the folder on
this disk stays as it is.

Private is the default: the app hands out links that expire. Public means that anyone who has an address can
read the file; choose it only for what was public before."""

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        question = next(q for q in questions.QUESTIONS if q.key == "storage.access")
        yield Static(question.title, classes="subject", markup=False)
        chosen = str(self.session.replies.get("storage.access") or "signed")
        yield Chooser([Item(o.name, o.title, o.about) for o in question.options], [chosen], id="access")

    def on_chooser_chosen(self, event: Chooser.Chosen) -> None:
        self.session.replies["storage.access"] = event.name
