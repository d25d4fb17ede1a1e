"""What a person at a node's console needs where no request can help: files, commands, places."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pvenet.journal import Journal, Journals

LIVE = "/etc/network/interfaces"


def console(journals: Journals, journal: Journal, *, staged: bool) -> str:
    """How to put back by hand what was there before; `staged` where the way back is pending, whole, on the node."""
    node = journals.node
    path = journals.path(journal)
    if staged:
        commands = f"the way back is staged there: a reboot makes it live, too\n  mv {LIVE}.new {LIVE}\n  ifreload -a"
    else:
        diff = path.with_suffix(".diff")
        commands = (
            f"with a copy of\n  {diff}\n"
            f"  patch -R -l {LIVE} {diff.name}      # or by hand: take out its + lines, put back its - lines\n"
            f"  rm -f {LIVE}.new\n"
            "  ifreload -a"
        )
    return (
        f"`pvenet status --node {node}` says how it stands, `pvenet rollback --node {node}` tries again.\n"
        f"Where nothing can reach {node}: on its console, as root, {commands}\n"
        f"what was there before is in\n  {path}"
    )
