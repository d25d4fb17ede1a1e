"""Lines of the applied file that ifupdown2 refuses: every reload fails for them, and goes through all the rest.

pve-api#no-stanza. PVE keeps such a line as it is (pve-api#f8), and no request makes one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.kernel.files import APPLIED
from pvenet.stanza_lines import NOBODY, begun, hunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TOLD = re.compile(rf"\s*{APPLIED} : error: {APPLIED}: line(\d+): error processing line '(.*)'\s*")
_WRITTEN = re.compile(
    r"(?:auto|iface|address|netmask|broadcast|gateway|mtu|slaves|(?:bridge|bond|ovs|vlan|vxlan|link|uplink)[-_]\S*)(?!\S)"
)
"""What a request can make PVE write (pve-api#f20)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """One line that ifupdown2 can't read."""

    number: int
    text: str
    """Without the blanks around it."""


def refused_lines(text: str) -> tuple[Refused, ...]:
    """Those of a file: they stand in no stanza."""
    lines = text.split("\n")
    return tuple(
        Refused(number=number, text=line.strip())
        for number, (line, refused) in enumerate(_read(lines, inside=False), start=1)
        if refused
    )


def refused_in(line: str) -> Refused | None:
    """The line of the file that an error in a reload's log is about; None where it is about something else."""
    found = _TOLD.fullmatch(line)
    return Refused(number=int(found[1]), text=found[2].strip()) if found else None


def could_be_written(text: str) -> bool:
    """Whether a request can have made a line that begins so."""
    return bool(_WRITTEN.match(text))


def refused_before(text: str, changes: str) -> bool:
    """Whether a line that is refused was so before a diff went live, as far as that tells; not where there is none.

    Where it shows the line in its old place, that decides; else the line is an old one if none like it comes.
    """
    known: set[bool] = set()
    comes = not changes
    for start, hunk in hunks(changes):
        old = [line[1:] for line in hunk if line[:1] in (" ", "-")]
        known |= {
            refused
            for line, refused in _read(old, inside=False if start <= 1 else None)
            if refused is not None and line.strip() == text
        }
        comes |= any(text == part.strip() for line in hunk if line[:1] == "+" for part in line[1:].splitlines())
    return True in known or not (known or comes)


def _read(lines: Iterable[str], *, inside: bool | None) -> Iterator[tuple[str, bool | None]]:
    """Lines, and whether ifupdown2 refuses each. `inside`: whether they begin in a stanza; None where nobody knows."""
    for line in lines:
        words = line.split()
        if not words or words[0].startswith("#"):
            yield line, False
        elif (owner := begun(line)) is not None:
            inside = owner != NOBODY
            yield line, False
        else:
            yield line, None if inside is None else not inside
