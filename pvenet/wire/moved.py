"""Lines that PVE's write puts behind another stanza.

To PVE a blank line ends a stanza: what follows is nobody's, and keeps its place among the stanzas. To ifupdown2 it
belongs to the stanza above; so where a stanza is written anew, or comes between, its lines become another's
(pve-api#f7, pve-api#f8 and pve-api#f73). The listing has none of them; PVE's diff shows those that stand near a change.
Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet.changes import Loss
from pvenet.stanza_lines import NOBODY, begun, hunks
from pvenet.wire.properties import known

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pvenet.wire.spelling import Entry

_NEVER_WRITTEN = frozenset({"netmask", "broadcast", "uplink-id"})
"""What no stanza has after a write (pve-api#f87): such a line that stays is nobody's."""
_OPTION = re.compile(r"\w\S*\s+\S.*")
_Owner = str | None
"""None for a stanza that begins out of sight, and whose nobody can tell."""


def moved(changes: str, listing: Mapping[str, Entry]) -> Iterator[Loss]:
    """The lines that come to stand behind another stanza, by PVE's diff; of a name where their owner is in sight."""
    found: dict[tuple[_Owner, _Owner], list[str]] = {}
    for text, old, new in _moves(changes, listing):
        found.setdefault((old, new), []).append(f"`{text}`")
    for (old, new), texts in found.items():
        *more, last = dict.fromkeys(texts)
        shown = f"{', '.join(more)} and {last}, which become" if more else f"{last}, which becomes"
        whose = "another stanza's" if new is None else f"{new}'s" if new else "no stanza's"
        yield Loss(name=old or "", what=f"{shown} {whose}", to=new or "")


def _moves(changes: str, listing: Mapping[str, Entry]) -> Iterator[tuple[str, _Owner, _Owner]]:
    """Each such line, with whose it was and whose it becomes."""
    went: list[tuple[str, _Owner]] = []
    came: list[tuple[str, _Owner]] = []
    for mark, text, old, new in _options(changes, listing):
        if mark == "+":
            came.append((text, new))
        elif _is_nobodys(text, old, listing):
            if mark == "-":
                went.append((text, old))
            elif old != new:
                yield text, old, new
    for text, old in went:
        there = [owner for other, owner in came if other == text]
        if there and old not in there:
            yield text, old, there[0]


def _options(changes: str, listing: Mapping[str, Entry]) -> Iterator[tuple[str, str, _Owner, _Owner]]:
    """The lines of the diff that could be a stanza's: the mark, the text, and behind whose stanza they stand: before
    the write, and after it.
    """
    for start, lines in hunks(changes):
        old: _Owner = NOBODY if start <= 1 else _out_of_sight(lines, listing)
        new = old
        for line in lines:
            mark, text = line[0], " ".join(line[1:].split())
            comes = begun(text)
            if comes is not None:
                old, new = (comes if mark != "+" else old), (comes if mark != "-" else new)
            elif _OPTION.fullmatch(text):
                yield mark, text, old, new


def _out_of_sight(lines: Sequence[str], listing: Mapping[str, Entry]) -> _Owner:
    """Whose the lines are with which a hunk begins: the only interface that has them all."""
    first: list[str] = []
    for line in lines:
        text = " ".join(line[1:].split())
        if line[0] != "+":
            if not text or begun(text) is not None:
                break
            first.append(text)
    options = [text for text in first if _OPTION.fullmatch(text) and not text.startswith("#")]
    found = [name for name, entry in listing.items() if options and all(known(text, entry) for text in options)]
    return found[0] if len(found) == 1 else None


def _is_nobodys(text: str, owner: _Owner, listing: Mapping[str, Entry]) -> bool:
    """Whether the listing has no such line where it stands: then it is no stanza's for PVE."""
    if owner == NOBODY:
        return False
    here = list(listing.values()) if owner is None else [listing[owner]] if owner in listing else []
    return text.split(maxsplit=1)[0] in _NEVER_WRITTEN or not any(known(text, entry) for entry in here)
