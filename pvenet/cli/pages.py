"""The pages of `pvenet/help/`, as the package holds them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_LINK = re.compile(r"\[([^]\n]+)\]\(([\w-]+)\.md(?:#[\w-]*)?\)")
"""A link to another page."""


def topics() -> dict[str, str]:
    """The names of all pages, each with its title."""
    return {name: text.partition("\n")[0].lstrip("# ") for name, text in sorted(pages())}


def pages() -> Iterator[tuple[str, str]]:
    """The pages, which the package holds: the name of each and its text as a terminal can use it."""
    from importlib import resources

    for file in resources.files("pvenet").joinpath("help").iterdir():
        name, dot, ending = file.name.rpartition(".")
        if dot and ending == "md":
            text = _COMMENT.sub("", file.read_text(encoding="utf-8")).strip()
            yield name, _LINK.sub(r"\1 (`pvenet help \2`)", text)
