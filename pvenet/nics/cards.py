"""The NICs of a node, by its listing and, where that is to be had, its kernel: frozen values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.model import kind_of, parent_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.kernel.links import KernelLink, Report
    from pvenet.model import Network

NICS = ("eth", "OVSPort")
"""The kinds, in PVE's words, that are a NIC and nothing else."""
_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}", re.IGNORECASE)
_NAMED = re.compile(r"enx([0-9a-f]{12})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A NIC that is there."""

    name: str
    """As PVE's file calls it; else as the kernel does."""
    mac: str | None = None
    """Its own, also while a bond gives it another; None where that is not known."""
    altnames: tuple[str, ...] = ()
    """Its other names, the kernel's among them where the file has an altname (pve-api#f36)."""
    speed: int | None = None
    """Mbit/s; None where that is not known."""
    carrier: bool | None = None
    """None where that is not known, or it is down."""
    up: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that it is called."""
        return (self.name, *self.altnames)


def mac_in(word: str) -> str | None:
    """The MAC that a word is, or is made of: `bc:24:11:2b:e8:dc`, `enxbc24112be8dc`."""
    if _MAC.fullmatch(word):
        return word.replace("-", ":").lower()
    found = _NAMED.fullmatch(word)
    return ":".join(re.findall("..", found[1].lower())) if found else None


def cards(network: Network, report: Report | None = None) -> tuple[Card, ...]:
    """The NICs that are there, in the listing's order; what only the report has behind them."""
    listed = {
        name: link.altnames
        for name, link in network.links.items()
        if link.exists and kind_of(network.interfaces[name]) in NICS and parent_in(name) is None
    }
    found = [_listed(name, altnames, network, _behind((name, *altnames), report)) for name, altnames in listed.items()]
    known = {name for card in found for name in card.names}
    kernel = report.links.values() if report else ()
    rest = [link for link in kernel if _is_nic(link) and link.name not in known]
    return (*found, *(_of_kernel(link) for link in rest))


def _behind(names: Iterable[str], report: Report | None) -> KernelLink | None:
    """The kernel's link of one of these names."""
    links = report.links if report else {}
    return next((links[name] for name in names if name in links), None)


def _listed(name: str, altnames: tuple[str, ...], network: Network, link: KernelLink | None) -> Card:
    others = altnames or tuple(each for each in (link.altnames or () if link else ()) if each != name)
    return Card(
        name=name,
        mac=(_own(link) if link else None) or _by_name((name, *others)),
        altnames=others,
        speed=link.speed if link else None,
        carrier=link.carrier if link else None,
        up=link.up if link else network.links[name].active,
    )


def _of_kernel(link: KernelLink) -> Card:
    altnames = link.altnames or ()
    return Card(name=link.name, mac=_own(link), altnames=altnames, speed=link.speed, carrier=link.carrier, up=link.up)


def _is_nic(link: KernelLink) -> bool:
    return link.kind == "" and link.name != "lo" and link.mac is not None


def _own(link: KernelLink) -> str | None:
    found = link.permanent_mac or link.mac
    return found.lower() if found else None


def _by_name(names: Iterable[str]) -> str | None:
    """pve-api#altname-mac."""
    return next(filter(None, map(mac_in, names)), None)


def by_mac(found: Iterable[Card]) -> Mapping[str, tuple[Card, ...]]:
    """The cards by their MACs; made-up NICs may share one."""
    grouped: dict[str, list[Card]] = {}
    for card in found:
        if card.mac:
            grouped.setdefault(card.mac, []).append(card)
    return {mac: tuple(each) for mac, each in grouped.items()}
