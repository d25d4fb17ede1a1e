"""What an update would lose, in words."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface, IPv6Interface
from typing import Any

import pytest
from listings import entry

from pvenet import wire


@pytest.mark.parametrize(
    ("each", "loss"),
    [
        (entry(iface="ens33", type="eth", method="dhcp"), "`inet dhcp` becomes `inet manual`"),
        (
            entry(iface="ens33", type="eth", families=["inet", "inet6"], method6="auto", options6=["accept_ra 2"]),
            "the stanza `inet6 auto` disappears, with `accept_ra 2`",
        ),
        (
            entry(
                iface="vmbr0",
                type="bridge",
                families=["inet", "inet6"],
                method6="static",
                cidr6="fd00::1/64",
                options=["post-up true"],
            ),
            "the stanza `inet manual` disappears, with `post-up true`",
        ),
        (
            entry(iface="vmbr0", type="bridge", families=["inet6"], method6="static", cidr6="2001:db8::1/64"),
            "PVE refuses the address 2001:db8::1/64 when it is sent again",
        ),
        (entry(iface="ens33", type="eth", families=[None]), "the stanza without a family becomes `inet`"),
        (
            entry(iface="vmbr0", type="bridge", method="static", cidr="10.0.0.1/7"),
            "PVE refuses the address 10.0.0.1/7 when it is sent again",
        ),
    ],
)
def test_what_an_update_would_lose_is_named(each: wire.Entry, loss: str) -> None:
    """The traps of pve-api#update-loses, each in words."""
    assert loss in wire.losses(wire.interface(each))


def test_an_ordinary_interface_loses_nothing() -> None:
    """Options of a stanza that stays, stay."""
    each = entry(iface="ens33", type="eth", method="static", cidr="198.51.100.5/29", options=["post-up true"])
    assert wire.losses(wire.interface(each)) == ()


UPLINK = entry(iface="vmbr0", type="bridge", options=["post-up true"])
DUAL = entry(
    iface="vmbr0",
    type="bridge",
    families=["inet", "inet6"],
    method="static",
    method6="static",
    cidr="10.0.0.1/24",
    cidr6="fd00::1/64",
    options=["up a"],
    options6=["up b"],
)
LEFT_BEHIND = entry(iface="vmbr0", type="bridge", cidr="10.0.0.1/24", gateway="10.0.0.254")


@pytest.mark.parametrize(
    ("each", "change", "lost"),
    [
        (UPLINK, {"cidr": IPv4Interface("10.0.0.1/24")}, ()),
        (UPLINK, {"cidr6": IPv6Interface("fd00::1/64")}, ("the stanza `inet manual` disappears, with `post-up true`",)),
        (DUAL, {"mtu": 1400}, ()),
        (DUAL, {"cidr": None}, ("the stanza `inet static` disappears, with `up a`",)),
        (DUAL, {"cidr6": None}, ("the stanza `inet6 static` disappears, with `up b`",)),
        (DUAL | {"options6": None}, {"cidr6": None}, ()),
        (
            LEFT_BEHIND,
            {"cidr6": IPv6Interface("fd00::1/64")},
            ("`inet manual` becomes `inet static`",),
        ),
        (
            LEFT_BEHIND,
            {"cidr6": IPv6Interface("fd00::1/64"), "cidr": None},
            ("the stanza `inet manual` disappears, with `gateway 10.0.0.254`",),
        ),
        (
            entry(iface="ens33", type="eth", families=["inet6"], method6="static", cidr6="2001:db8::1/64"),
            {"cidr6": IPv6Interface("fd00::1/64")},
            (),
        ),
        (
            entry(iface="ens33", type="eth", families=["inet6"], method6="static", cidr6="fec0::1/64"),
            {"mtu": 1400},
            ("PVE refuses the address fec0::1/64 when it is sent again",),
        ),
        (
            entry(iface="ens33", type="eth", method="dhcp"),
            {"cidr": IPv4Interface("10.0.0.1/24")},
            ("`inet dhcp` becomes `inet static`",),
        ),
    ],
)
def test_what_one_update_would_lose_depends_on_what_it_is_for(
    each: wire.Entry, change: dict[str, Any], lost: tuple[str, ...]
) -> None:
    """An address that comes or goes takes a stanza with it, and what the stanza held; what was asked for is no loss."""
    value = wire.interface(each)
    assert wire.losses(value, replace(value, **change)) == lost
