"""What is left to a person: on the console of a node that nothing can reach, or where others have changed the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet.nics.gone import lacking
from pvenet.nics.names import named_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pvenet.journal import Journal, Journals

LIVE = "/etc/network/interfaces"
MOST = 40
"""Changed lines that somebody types; with more of them the smallest file is less work."""
_HUNK = "@@"
_HEAD = re.compile(r"(auto|iface|allow-\S+) ")
"""How a line begins that says whose the lines beneath it are."""


def put_back_by_hand(journals: Journals, journal: Journal) -> str:
    """What to do where somebody else has changed what a rollback would put back, so that it refuses."""
    return (
        f"`pvenet list --node {journals.node}` shows what is there: ask who changed it, and put back by hand what "
        f"should be as before;\nwhat was there before is in\n  {journals.path(journal)}"
    )


def console(journals: Journals, journal: Journal, *, staged: bool) -> str:
    """How to put back by hand what was there before; `staged` where the way back is pending, whole, on the node."""
    node = journals.node
    lines = tuple(changed_lines(journals.kept_diff(journal)))
    lost = sorted(name for name in lacking(journal.network) if any(named_in(line, [name]) for line in _taken(lines)))
    again = f"`pvenet status --node {node}` shows the state of the node, `pvenet rollback --node {node}` tries again."
    if lost:
        are = "are" if len(lost) > 1 else "is"
        recipe = f"What was there before names {', '.join(lost)}, which {are} not there.\n{_whole(node)}"
    elif staged:
        recipe = (
            f"If nothing can reach {node}: a power cycle is the easiest way. The way back is staged there, and the "
            f"boot makes it live. Or, on its console, as root\n  mv {LIVE}.new {LIVE}\n  ifreload -a"
        )
    elif journal.unproven:
        recipe = (
            f"The file of {node} is back already; whether its links are is not confirmed. If nothing can reach it, "
            "on its console, as root:\n  ifreload -a"
        )
    else:
        recipe = _edit(node, lines)
    return f"{again}\n{recipe}\nwhat was there before is in\n  {journals.path(journal)}"


def _edit(node: str, lines: tuple[str, ...]) -> str:
    if not 0 < len(lines) <= MOST:
        return _whole(node)
    shown = "\n".join(f"    {line}" for line in lines)
    return (
        f"If nothing can reach {node}: on its console, as root, take the + lines out of {LIVE} and put the - lines "
        f"back\n{shown}\nthen\n  rm -f {LIVE}.new\n  ifreload -a\n{_rescue(node)}."
    )


def _whole(node: str) -> str:
    return (
        f"If nothing can reach {node}: {_rescue(node)}. On its console, as root, write that to {LIVE}, then\n"
        f"  rm -f {LIVE}.new\n  ifreload -a"
    )


def _rescue(node: str) -> str:
    return f"`pvenet rescue --node {node}` prints the smallest file that brings {node} back"


def _taken(lines: Iterable[str]) -> Iterator[str]:
    return (line for line in lines if line.startswith("-"))


def changed_lines(diff: str) -> Iterator[str]:
    """The lines of the file that come and go by a diff, each beneath the line that says whose they are; no comments.

    A comment does nothing, and blank lines neither.
    """
    head = ""
    for line in diff.splitlines():
        sign, text = line[:1], line[1:]
        if line.startswith(("--- ", "+++ ")):
            continue
        if line.startswith(_HUNK):
            head = ""
        elif sign == " " and _HEAD.match(text):
            head = line
        elif sign in ("+", "-") and text.strip() and not text.startswith("#"):
            if _HEAD.match(text):
                head = ""
            if head:
                yield head
                head = ""
            yield line
