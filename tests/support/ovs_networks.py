"""Networks with Open vSwitch that PVE accepts, as PVE keeps them; made at random, for property tests."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Interface
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from pvenet.model import (
    Bond,
    Bridge,
    Ethernet,
    Interface,
    OvsBond,
    OvsBondMode,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    canonical,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

NICS = ("ens33", "ens37", "ens38", "ens39", "ens40", "ens41")
MTUS = st.sampled_from([None, None, None, 1280, 1500, 9000])
TAGS = st.sampled_from([None, None, 1, 50, 4094])
OPTIONS = st.sampled_from(["", "", "vlan_mode=access", "other_config:lacp-time=fast updelay=5000"])
WHOLE = 1500
"""The room of what has no MTU."""


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Interface]:
    """A network of six NICs, with switches of both sorts, as PVE keeps it."""
    made: dict[str, Interface] = {
        nic: Ethernet(name=nic, autostart=draw(st.booleans()), mtu=draw(MTUS)) for nic in NICS
    }
    free = list(draw(st.permutations(NICS)))
    _linux_bond(draw, made, free)
    for name in draw(st.lists(st.sampled_from(["vmbr5", "vmbr6", "shared"]), unique=True)):
        _switch(draw, made, name, free)
    _linux(draw, made, free)
    _addresses(draw, made)
    return {name: canonical(interface) for name, interface in made.items()}


def _some(draw: st.DrawFn, free: list[str], most: int = 2) -> tuple[str, ...]:
    number = draw(st.integers(0, min(most, len(free))))
    names = tuple(free[:number])
    del free[:number]
    return names


def _linux_bond(draw: st.DrawFn, made: dict[str, Interface], free: list[str]) -> None:
    if draw(st.booleans()):
        bond = Bond(name="bond0", slaves=_some(draw, free))
        made["bond0"] = bond
        _start(made, bond.slaves)


def _start(made: dict[str, Interface], slaves: Sequence[str]) -> None:
    for slave in slaves:
        made[slave] = replace(made[slave], autostart=True)


def _switch(draw: st.DrawFn, made: dict[str, Interface], name: str, free: list[str]) -> None:
    mtu = draw(MTUS)
    nics = _some(draw, free)
    for nic in nics:
        made[nic] = OvsPort(name=nic, bridge=name, tag=draw(TAGS), options=draw(OPTIONS), mtu=_within(draw(MTUS), mtu))
    own: list[str] = []
    for bond in draw(st.lists(st.sampled_from(["bond0", "bond1", "bond22"]), unique=True, max_size=1)):
        if bond not in made:
            made[bond] = _bond(draw, made, OvsBond(name=bond, bridge=name, mtu=_within(draw(MTUS), mtu)), free)
            own.append(bond)
    for port in draw(st.lists(st.sampled_from(["mgmt0", "stor1", "int2"]), unique=True, max_size=2)):
        if port not in made:
            made[port] = OvsIntPort(
                name=port, bridge=name, tag=draw(TAGS), options=draw(OPTIONS), mtu=_within(draw(MTUS), mtu)
            )
            own.append(port)
    made[name] = OvsBridge(name=name, ports=(*nics, *own), mtu=mtu, autostart=draw(st.booleans()))


def _bond(draw: st.DrawFn, made: dict[str, Interface], bond: OvsBond, free: list[str]) -> OvsBond:
    slaves = _some(draw, free)
    for slave in slaves:
        made[slave] = replace(made[slave], autostart=True, mtu=_within(made[slave].mtu, bond.mtu))
    mode = draw(st.sampled_from(OvsBondMode))
    return replace(bond, slaves=slaves, mode=mode, tag=draw(TAGS), options=draw(OPTIONS))


def _within(mtu: int | None, room: int | None) -> int | None:
    return mtu if mtu is not None and mtu <= (room or WHOLE) else None


def _linux(draw: st.DrawFn, made: dict[str, Interface], free: list[str]) -> None:
    if draw(st.booleans()) and free:
        made[f"{free[0]}.5"] = Vlan(name=f"{free[0]}.5")
    for name in draw(st.lists(st.sampled_from(["vmbr0", "shared"]), unique=True)):
        if name not in made:
            made[name] = Bridge(name=name, ports=_some(draw, free))
    if draw(st.booleans()) and "vmbr0" in made:
        made["vlan30"] = Vlan(name="vlan30", raw_device="vmbr0")


def _addresses(draw: st.DrawFn, made: dict[str, Interface]) -> None:
    ports = {port for it in made.values() for key in ("ports", "slaves") for port in getattr(it, key, ())}
    hosts = [name for name, it in made.items() if name not in ports or isinstance(it, OvsIntPort)]
    for number, name in enumerate(hosts):
        kind = draw(st.sampled_from(["", "", "4", "46"]))
        if "4" in kind:
            made[name] = replace(made[name], cidr=IPv4Interface(f"10.0.{number}.2/24"))
        if "6" in kind:
            made[name] = replace(made[name], cidr6=IPv6Interface(f"fd00:{number}::2/64"))
    able = [name for name in hosts if made[name].cidr]
    if able:
        name = draw(st.sampled_from(able))
        made[name] = replace(made[name], gateway=IPv4Address("10.0.0.1"))
