"""A run's report as text for the screen."""

from __future__ import annotations

from rich.text import Text

from wizard.report_words import Report, folded


def report_text(report: Report, width: int) -> Text:
    """Everything in `report` (as `wizard.api.report` gives it), folded with its indent at `width` cells."""
    text = Text("\n").join(Text(line, style) for line, style in folded(report, width))
    text.rstrip()
    return text
