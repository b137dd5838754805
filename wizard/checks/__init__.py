"""The pre-launch checklist: of a project's folder (`project/`) and of a live address (`live/`)."""
