"""What a reload has left in the kernel of what a file no longer says. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.kernel.difference import Difference, Kind
from pvenet.kernel.view import view
from pvenet.model import Bond, Ethernet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.kernel.links import Report
    from pvenet.kernel.view import View
    from pvenet.model import Network

USUAL = 1500
"""What a link has of itself."""


def left_behind(
    ours: Mapping[str, frozenset[str]], before: Network, wanted: Network, baseline: Report, now: Report
) -> Iterator[Difference]:
    """The MTUs of NICs and bonds that a change of these fields takes out of the file, and that the kernel keeps.

    A reload touches no interface without autostart (pve-api#mtu-stays), and a rollback takes that away, too. An MTU
    that somebody names above it is kept for a reason.
    """
    seen = view(wanted, now, None)
    for name, fields in ours.items():
        interface, link = wanted.interfaces.get(name), seen.link(name)
        if "mtu" not in fields or not isinstance(interface, Ethernet | Bond) or interface.mtu or link is None:
            continue
        if _stays(name, link.mtu, before, baseline) and not _named_above(seen, name):
            yield Difference(
                name=name,
                kind=Kind.MTU_STAYS,
                found=str(link.mtu),
                text=f"{name} keeps MTU {link.mtu}, which its file no longer names",
            )


def _stays(name: str, mtu: int, before: Network, baseline: Report) -> bool:
    """Whether it is the one that the file named; where it named none before, another than the kernel had."""
    old, link = before.interfaces.get(name), view(before, baseline, None).link(name)
    if old is not None and old.mtu:
        return mtu == old.mtu and mtu != USUAL
    return link is not None and mtu != link.mtu


def _named_above(seen: View, name: str) -> bool:
    return any(each.mtu for each in seen.users.get(seen.name(name), ()))
