"""The releases of PVE, ifupdown2 and Open vSwitch, and what they offer. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet.doctor.finding import Finding, bad, good, unknown, warning
from pvenet.model import OvsBond, OvsBridge, OvsIntPort, OvsPort

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pvenet.model import Network

VERSION, IFUPDOWN2, SWITCH = "version", "ifupdown2", "openvswitch"
_OFFERS = (
    ((8,), "its API"),
    ((9, 0), "the SDN lock"),
    ((9, 1), "the ports of each bridge"),
    ((9, 2), "SDN's dry-run"),
    ((9, 2, 7), "the speed of NICs"),
)
"""Since which release of pve-manager something is there. pve-api#k8."""
_NEEDED = (8,)
_WORTH = (9, 1)
"""What is older does without something that a look before an apply wants."""


def version(told: str) -> Finding:
    """What a release offers: `9.2.11`."""
    found = re.match(r"\d+(?:\.\d+)*", told, re.ASCII)
    if not found:
        return unknown(VERSION, f"{told!r} is not a version of PVE")
    release = tuple(int(number) for number in found[0].split("."))
    lacks = [what for since, what in _OFFERS if release < since]
    text = f"PVE {told}"
    if release < _NEEDED:
        return bad(
            VERSION, f"{text} is older than any that pvenet was tested with", "update the node to PVE 8 or newer"
        )
    if not lacks:
        return good(VERSION, f"{text} offers all that pvenet uses")
    text = f"{text} does not offer {' and '.join([', '.join(lacks[:-1]), lacks[-1]] if lacks[1:] else lacks)}"
    if release < _WORTH:
        return warning(VERSION, text, "only the node's report then says what is on which bridge")
    return good(VERSION, text)


def packages(rows: Iterable[Mapping[str, str]], network: Network | None) -> Iterator[Finding]:
    """The releases of what a reload runs. pve-api#apt-versions. `network`: whether Open vSwitch is used."""
    installed = {row["Package"]: row["Version"] for row in rows if row["CurrentState"] == "Installed"}
    release = installed.get("ifupdown2")
    if release:
        yield good(IFUPDOWN2, f"ifupdown2 {release}")
    else:
        todo = "`ifreload --version` on the node shows it; without ifupdown2 nothing can be applied"
        yield unknown(IFUPDOWN2, "the node's list of packages, which may be incomplete, has no ifupdown2", todo)
    switch = installed.get("openvswitch-switch")
    used = _switched(network)
    if switch:
        yield good(SWITCH, f"Open vSwitch {switch}")
    elif used:
        text = f"the file has {used}, but the node's list of packages has no Open vSwitch"
        yield warning(SWITCH, text, "install it on the node: apt install openvswitch-switch")
    else:
        yield good(SWITCH, "not installed, and nothing needs it")


def _switched(network: Network | None) -> str:
    """An interface that needs Open vSwitch; empty where none does."""
    kinds = OvsBridge | OvsBond | OvsIntPort | OvsPort
    return next((name for name, each in (network.interfaces if network else {}).items() if isinstance(each, kinds)), "")
