"""Reloads that fail for lines of the file that ifupdown2 refused before, too: whose they are, and how that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.kernel.files import APPLIED
from pvenet.kernel.refused import could_be_written, refused_before, refused_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pvenet.journal import OpenJournal
    from pvenet.kernel.refused import Refused


def refused_as_before(log: Iterable[str], book: OpenJournal) -> dict[str, Refused]:
    """The errors of a reload's log that are about such lines, each with its line.

    A line that a request could have made is none, nor one of which the diffs do not tell: that of the apply, and that
    of what leads back from it.
    """
    diffs = [changes for changes in (book.journals.kept_diff(book.now), book.now.pending) if changes]
    found = {line: refused_in(line) for line in log}
    return {
        line: each
        for line, each in found.items()
        if each is not None
        and diffs
        and not could_be_written(each.text)
        and all(refused_before(each.text, changes) for changes in diffs)
    }


def fails_for(refused: Iterable[Refused]) -> str:
    """What a reload fails for as before, a clause."""
    lines = sorted(refused, key=lambda each: each.number)
    word = "line" if len(lines) == 1 else "lines"
    return f"fails as before for {word} of {APPLIED} that ifupdown2 can't read: " + ", ".join(
        f"{each.number} (`{each.text}`)" for each in lines
    )
