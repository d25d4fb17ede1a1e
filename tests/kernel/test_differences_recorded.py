"""The recorded moments of a real kernel, each with what a person would say of it, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kernel_texts import RELEASES, SCENARIOS, moment

from pvenet import wire
from pvenet.kernel.differences import differences
from pvenet.kernel.ip_text import read_links
from pvenet.kernel.links import Report
from pvenet.kernel.routes import read_routes
from pvenet.sim.interfaces import Host, listing, parse

if TYPE_CHECKING:
    from pvenet.model import Network

NICS = dict.fromkeys(("ens33", "ens37", "ens38", "ens40", "ens41"), ()) | {"ens39": ("enp9s0", "nic-storage-left")}

SAID: dict[str, list[str]] = {
    "active-backup-ens38-pulled": ["bond0: active-backup, ens38 has no carrier: 1 of 2 slaves carries traffic"],
    "active-backup-vlan-aware": [],
    "balance-rr": [],
    "balance-xor": [],
    "base": [],
    "bond-without-slaves-up": [
        "ens98, on which bond0 stands: the kernel has no such link",
        "ens99, on which bond0 stands: the kernel has no such link",
    ],
    "broadcast": [],
    "guest-above-both-pulled": [
        "bond0: active-backup, ens38 has no carrier: 0 of 2 slaves carry traffic",
        "bond0: active-backup, ens39 has no carrier: 0 of 2 slaves carry traffic",
        "ens37 has no carrier",
        "ens40 has no carrier",
    ],
    "lacp-no-partner": ["bond0: 802.3ad, no LACP partner answers on ens38, ens39: are the switch's ports a LAG?"],
    "lacp-partner": [],
    "lacp-partner-one-pulled": [
        "bond0: 802.3ad, ens38 has no carrier: 1 of 2 slaves carries traffic",
        "bond1: 802.3ad, ens37 has no carrier: 1 of 2 slaves carries traffic",
    ],
    "lacp-two-partners": [
        (
            "bond0: 802.3ad, 1 of 2 slaves with carrier is in its active aggregator (ens38 in 1, ens39 in 2, not in "
            "sync): do all lead to ports of one LAG?"
        ),
        "bond2: 802.3ad, ens40 is not in sync with its partner: do all ports of the partner's LAG lead to bond2?",
    ],
    "misc-fresh": [
        "ens39 has no carrier",
        "vmbr1: its port ens38 is listening, not forwarding (STP)",
    ],
}


def network(text: str) -> Network:
    """What PVE lists of a file on the recorded machine."""
    return wire.network(listing(parse(text, Host(nics=NICS, up=frozenset()))))


def recorded(scenario: str, release: str) -> tuple[Network, Report]:
    at = moment(scenario)
    text = (at.folder / "interfaces.txt").read_text(encoding="utf8")
    by_version = [(at.folder / f"route{version}.txt").read_text(encoding="utf8").rstrip("\n") for version in (4, 6)]
    routes = (*read_routes(by_version[0], 4), *read_routes(by_version[1], 6))
    return network(text), Report(links=read_links(at.text(release)), routes=routes, interfaces=text)


def test_every_recorded_moment_is_judged() -> None:
    """None is left out of the table."""
    assert sorted(SAID) == SCENARIOS


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("scenario", SAID)
def test_a_recorded_moment_differs_in_what_a_person_would_name(scenario: str, release: str) -> None:
    """By both releases of `ip` alike."""
    assert [each.text for each in differences(*recorded(scenario, release))] == SAID[scenario]
