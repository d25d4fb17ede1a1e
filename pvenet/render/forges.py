"""An error in the place of an answer that a forge shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.render.github import Annotation, Level, annotations_text, of_files
from pvenet.render.markdown import failed_markdown
from pvenet.spec.diagnostics import InvalidFile

if TYPE_CHECKING:
    from pvenet.errors import PvenetError


def failed_form(form: str, error: PvenetError) -> str:
    """The error in a format; empty where that has no word for one, and the exit code says enough."""
    match form:
        case "markdown":
            return failed_markdown(error)
        case "github" if isinstance(error, InvalidFile):
            return annotations_text(of_files(error.found))
        case "github":
            return annotations_text([Annotation(level=Level.ERROR, title="pvenet", text=error.message)])
        case _:
            return ""
