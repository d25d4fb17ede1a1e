"""The kernel of a machine on which all is well: what the file wants of the links that are there, and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet.sim.kernel.value import Address, BondState, BridgeState, Kernel, Link, Route, SlaveState, VlanState
from pvenet.sim.machine.ifupdown2 import Stanzas, read

if TYPE_CHECKING:
    from pvenet.sim.machine.machine import Machine

LO = Address(cidr="127.0.0.1/8", scope="host", label="lo")


def kernel_of(machine: Machine, text: str) -> Kernel:
    """What the kernel has, by this applied file."""
    stanzas = read(text, {altname: nic for nic, altnames in machine.nics.items() for altname in altnames})
    names = ["lo", *machine.nics, *sorted(machine.made)]
    links = tuple(_link(index, name, stanzas, machine) for index, name in enumerate(names, start=1))
    return Kernel(links=links, routes=tuple(route for name in names for route in _routes(name, stanzas, machine)))


def _link(index: int, name: str, stanzas: Stanzas, machine: Machine) -> Link:
    up, options = name in machine.up, stanzas.options.get(name, {})
    master = machine.slaves.get(name) or _bridge_of(name, stanzas, machine)
    link = Link(
        index=index,
        name=name,
        up=up,
        carrier=up,
        mac=f"52:54:00:00:00:{index:02x}",
        master=master,
        altnames=machine.nics.get(name, ()),
        addresses=(LO,) if name == "lo" else _addresses(name, stanzas) if up else (),
        slave=SlaveState() if name in machine.slaves else None,
        port_state="forwarding" if master and name not in machine.slaves else None,
        speed=1000 if up and name in machine.nics else None,
    )
    return link if name not in machine.made else _made(link, options, stanzas)


def _made(link: Link, options: dict[str, str], stanzas: Stanzas) -> Link:
    if stanzas.is_bond(link.name):
        return replace(link, kind="bond", bond=BondState(mode=options.get("bond-mode", "balance-rr")))
    if stanzas.is_bridge(link.name):
        aware = options.get("bridge-vlan-aware") == "yes"
        return replace(link, kind="bridge", bridge=BridgeState(vlan_filtering=aware))
    if raw := stanzas.raw_device(link.name):
        number = options.get("vlan-id") or link.name.rpartition(".")[2].removeprefix("vlan")
        vlan = VlanState(id=int(number) if number.isdecimal() else 1)
        return replace(link, kind="vlan", parent=raw, vlan=vlan)
    return replace(link, kind="dummy")


def _bridge_of(name: str, stanzas: Stanzas, machine: Machine) -> str | None:
    there = [bridge for bridge in stanzas.options if bridge in machine.made]
    return next((bridge for bridge in there if name in stanzas.ports(bridge)), None)


def _addresses(name: str, stanzas: Stanzas) -> tuple[Address, ...]:
    cidr = stanzas.options.get(name, {}).get("address", "")
    return (Address(cidr=cidr, label=name),) if "/" in cidr else ()


def _routes(name: str, stanzas: Stanzas, machine: Machine) -> tuple[Route, ...]:
    gateway = stanzas.options.get(name, {}).get("gateway", "")
    if name not in machine.up or not gateway:
        return ()
    return (Route(family=6 if ":" in gateway else 4, to="default", via=gateway, dev=name, flags=("onlink",)),)
