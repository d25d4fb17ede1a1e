"""Simulated nodes whose guests hang where the bridges call shows nobody: on a vnet of SDN, and on Open vSwitch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from housed import LINK, NICS, file

from pvenet.sim.guests.folder import GuestFolder
from pvenet.sim.guests.wanted import new_guests
from pvenet.sim.machine.machine import Machine
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from pathlib import Path

VNET = """\
#version:1

auto vnet1
iface vnet1
\tbridge_ports vmbr1.20
\tbridge_stp off
\tbridge_fd 0
"""
"""A vnet as it stands in interfaces.d/sdn: a bridge of its own on a VLAN of vmbr1."""
SOURCE = "source /etc/network/interfaces.d/*\n"
SWITCH = """
auto ens37
iface ens37 inet manual
\tovs_type OVSPort
\tovs_bridge vmbr2

auto vmbr2
iface vmbr2 inet manual
\tovs_type OVSBridge
\tovs_ports ens37

"""


def with_vnet(folder: Path, *nodes: tuple[str, ...]) -> Path:
    """Nodes as `housed` makes them, each with vnet1 on a VLAN of vmbr1."""
    for number, guests in enumerate(nodes, start=1):
        _init(folder, number, file(number) + SOURCE, alone=len(nodes) == 1)
        node = Sim(folder).node(f"pve{number}")
        beside = node.interfaces.parent / "interfaces.d"
        beside.mkdir()
        (beside / "sdn").write_text(VNET)
        node.save(Machine.fresh(NICS, node.configured()))
        _house(folder, number, guests)
    return folder


def with_switch(folder: Path, *nodes: tuple[str, ...]) -> Path:
    """The same, each with vmbr2, a bridge of Open vSwitch on ens37."""
    for number, guests in enumerate(nodes, start=1):
        text = file(number).replace("iface ens37 inet manual\n\n", "") + SWITCH
        _init(folder, number, text, alone=len(nodes) == 1)
        _house(folder, number, guests)
    return folder


def _init(folder: Path, number: int, text: str, *, alone: bool) -> None:
    links = [] if alone else [f"{LINK}{number}"]
    Sim.init(folder, node=f"pve{number}", nics=NICS, interfaces=text, ovs=True, links=links)


def _house(folder: Path, number: int, guests: tuple[str, ...]) -> None:
    """Guests on bridges of which only what is beside the file tells."""
    there = GuestFolder(Sim(folder).node(f"pve{number}"))
    for guest in new_guests(guests):
        there.add(guest.config)
        assert not guest.running or there.start(guest.config, 0.0)
