"""What a person at a node's console needs where no request can help: files, commands, places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.journal import State

if TYPE_CHECKING:
    from pvenet.journal import Journal, Journals

LIVE = "/etc/network/interfaces"


def console(journals: Journals, journal: Journal, *, staged: bool) -> str:
    """How to put back by hand what was there before; `staged` where the way back is pending, whole, on the node."""
    node = journals.node
    path = journals.path(journal)
    diff = path.with_suffix(".diff")
    patch = (
        f"Where nothing can reach {node}: on its console, as root, with a copy of\n  {diff}\n"
        f"  patch -R -l {LIVE} {diff.name}      # or by hand: take out its + lines, put back its - lines\n"
        f"  rm -f {LIVE}.new\n"
        "  ifreload -a"
    )
    cycle = (
        f"Where nothing can reach {node}: a power cycle is the easiest way. The way back is staged there, and the\n"
        "boot makes it live. Or on its console, as root\n"
        f"  mv {LIVE}.new {LIVE}\n"
        "  ifreload -a"
    )
    return (
        f"`pvenet status --node {node}` says how it stands, `pvenet rollback --node {node}` tries again.\n"
        f"{cycle if staged else patch}\n"
        f"what was there before is in\n  {path}"
    )


def armed_still(journals: Journals, journal: Journal) -> str:
    """What stays behind on a node that is armed when nobody waits for it any more."""
    node = journals.node
    if journal.state is State.ARMED:
        what = f"the way back is staged there: a power cycle of {node}, or anybody's reload, makes it live"
    else:
        what = f"a part of the way back may be staged there, which a reboot of {node}, or anybody's reload, makes live"
    return (
        f"{what}.\n`pvenet rollback --node {node}` goes back to what was there before, `pvenet revert --node {node}` "
        "keeps what was applied"
    )
