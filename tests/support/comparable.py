"""What PVE leaves to chance in entries and texts, taken out: the order of ovs_options, the times of a diff."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMES = re.compile(r"^((?:---|\+\+\+) [^\t\n]+)\t[^\n]*$", re.MULTILINE)
_OPTIONS = re.compile(r"^([-+ ]?\tovs_options )(.*)$", re.MULTILINE)


def sorted_options(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with the words of its ovs_options in order."""
    options = entry.get("ovs_options")
    return {**entry, "ovs_options": " ".join(sorted(options.split()))} if options else dict(entry)


def with_sorted_options(text: str) -> str:
    """A file, or a diff, with the words of each ovs_options in order."""
    return _OPTIONS.sub(lambda match: match[1] + " ".join(sorted(match[2].split())), text)


def without_times(text: str) -> str:
    """A diff without the times of its files."""
    return _TIMES.sub(r"\1", text)
