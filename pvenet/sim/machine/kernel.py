"""What the kernel of a made-up machine has at one moment: what it was told, over the cables that there are. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pvenet.sim.kernel.value import OVS, SWITCH, Address, BridgeState, Kernel, Link, SlaveState, VlanState
from pvenet.sim.machine.bonding import Slave, bond_state, slave_of, slave_state
from pvenet.sim.machine.guest_links import PVID, guest_links
from pvenet.sim.machine.hardware import mac_of
from pvenet.sim.machine.routes import routes
from pvenet.sim.machine.settings import NOTHING, Settings, masters, mtu_of
from pvenet.sim.machine.told import links_of
from pvenet.sim.machine.vlan_tables import compressed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.sim.machine.folder import NodeFolder
    from pvenet.sim.machine.machine import Machine

LOOPBACK = (
    Address(cidr="127.0.0.1/8", scope="host", label="lo"),
    Address(cidr="::1/128", scope="host", flags=("noprefixroute",)),
)
LOOPBACK_MTU = 65536
NOT_LINKS = ("ovs-bond",)
"""What the file calls an interface and the kernel has no link of."""
HUNDREDTHS = 100
LINK_LOCAL = b"\xfe\x80" + bytes(6)


def kernel_of(node: NodeFolder, machine: Machine, now: float) -> Kernel:
    """The kernel of a node whose machine is this one now, as `advance` has it."""
    return snapshot(node.name, machine, links_of(machine, node.configured()), now)


def snapshot(node: str, machine: Machine, told: Mapping[str, Settings], now: float) -> Kernel:
    """The kernel of a machine that was told this of its links."""
    view = _View(node=node, machine=machine, told=told, now=now)
    links = [*map(view.link, view.names)]
    if view.has_switch:
        links.append(Link(index=0, name=SWITCH, kind=OVS, mac=mac_of(node, SWITCH)))
    guests = guest_links(node, machine.guests, {link.name: link for link in links})
    numbered = tuple(replace(link, index=index) for index, link in enumerate([*links, *guests], start=1))
    return Kernel(links=numbered, routes=routes(numbered, told))


@dataclass(frozen=True, kw_only=True)
class _View:
    """All that a link's state hangs on."""

    node: str
    machine: Machine
    told: Mapping[str, Settings]
    now: float

    @cached_property
    def names(self) -> tuple[str, ...]:
        made = (name for name in self._in_order() if self._of(name).kind not in NOT_LINKS)
        return ("lo", *self.machine.nics, *made)

    @cached_property
    def has_switch(self) -> bool:
        """Whether Open vSwitch has a bridge, and with it the one that stands for all."""
        return any(self._of(name).kind == OVS for name in self.names)

    def _in_order(self) -> Iterator[str]:
        """Virtual links, the lower ones first as far as it is known how they were made."""
        made = self.machine.made
        yield from (name for name in self.told if name in made)
        yield from sorted(name for name in made if name not in self.told)

    @cached_property
    def there(self) -> frozenset[str]:
        return frozenset(self.names)

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """The members that there are, and whose each is."""
        return {member: owner for member, owner in masters(self.told).items() if {member, owner} <= self.there}

    @cached_property
    def _fed(self) -> frozenset[str]:
        """Bridges with a guest on them, which alone keeps them up (pve-api#bridge-carrier)."""
        return frozenset(guest.bridge for guest in self.machine.guests if guest.bridge and guest.carrier)

    def _of(self, name: str) -> Settings:
        """What the kernel was told; of what only commands of the file know, nothing is."""
        unknown = Settings(kind="dummy") if name in self.machine.made else NOTHING
        return self.told.get(name, unknown)

    def _members(self, name: str) -> tuple[str, ...]:
        return tuple(member for member in self._of(name).members if self.owners.get(member) == name)

    def link(self, name: str) -> Link:
        settings, up = self._of(name), name in self.machine.up
        mac = self._mac(name)
        found = Link(
            index=0,
            name=name,
            up=up,
            carrier=self._carrier(name),
            mtu=LOOPBACK_MTU if name == "lo" else mtu_of(name, self.told, self.owners),
            mac=mac,
            permaddr=self._own_mac(name) if name in self.machine.nics and mac != self._own_mac(name) else "",
            kind=settings.kind,
            master=SWITCH if settings.switched and self.has_switch else self.owners.get(name),
            parent=settings.parent or None,
            altnames=self.machine.nics.get(name, ()),
            addresses=self._addresses(name, mac),
            vlan=VlanState(id=settings.vlan_id, protocol=settings.vlan_protocol) if settings.kind == "vlan" else None,
            speed=self.machine.nic(name).speed if name in self.machine.nics and self._carrier(name) else None,
        )
        return self._as_port(self._as_owner(found, settings))

    def _as_owner(self, link: Link, settings: Settings) -> Link:
        if settings.kind == "bond":
            return replace(link, bond=bond_state(settings, self._slaves(link.name)))
        if settings.kind == "bridge":
            state = BridgeState(
                stp=settings.stp, vlan_filtering=settings.vlan_filtering, forward_delay=settings.forward_delay
            )
            return replace(link, bridge=state)
        return link

    def _as_port(self, link: Link) -> Link:
        owner = self._of(link.master) if link.master else NOTHING
        if owner.kind == "bond" and link.master:
            return replace(link, slave=self._slave_state(link.name, link.master))
        if owner.kind == "bridge" and link.master:
            found = replace(link, port_state=self._port_state(link.name, link.master))
            return self._tagged(found, owner) if owner.vlan_filtering else found
        return link

    def _tagged(self, port: Link, bridge: Settings) -> Link:
        own = self._of(port.name)
        pvid = next((pvid for pvid in (own.pvid, bridge.pvid) if pvid is not None), PVID)
        vids = () if own.access else own.vids or bridge.vids
        return replace(port, primary_vlan=pvid or None, vlans=compressed(vids, without=pvid))

    def _slaves(self, bond: str) -> list[Slave]:
        settings, moment = self._of(bond), (self.machine, self.now)
        return [
            slave_of(name, self._own_mac(name), carrier=self._carrier(name), bond=(bond, settings), moment=moment)
            for name in self._members(bond)
        ]

    def _slave_state(self, name: str, bond: str) -> SlaveState:
        slaves = self._slaves(bond)
        return slave_state(self._of(bond), slaves, next(slave for slave in slaves if slave.name == name))

    def _port_state(self, port: str, bridge: str, above: frozenset[str] = frozenset()) -> str:
        """pve-api#stp-listening."""
        settings = self._of(bridge)
        if not self._carrier(port, above):
            return "disabled"
        since, delay = settings.since.get(port, 0.0), settings.forward_delay / HUNDREDTHS
        if not settings.stp or not since or self.now >= since + 2 * delay:
            return "forwarding"
        return "listening" if self.now < since + delay else "learning"

    def _carrier(self, name: str, above: frozenset[str] = frozenset()) -> bool:
        """pve-api#ip-meaning; a circle of links, which only a half done reload could make, has none."""
        if name not in self.machine.up or name in above:
            return False
        if name in self.machine.nics:
            return self.machine.nic(name).carrier
        settings, through = self._of(name), above | {name}
        if settings.kind == "bond":
            return any(self._carrier(slave, through) for slave in self._members(name))
        if settings.kind == "bridge":
            states = (self._port_state(port, name, through) for port in self._members(name))
            return name in self._fed or "forwarding" in states
        return self._carrier(settings.parent, through) if settings.kind == "vlan" else True

    def _own_mac(self, name: str) -> str:
        return self.machine.card_mac(self.node, name)

    def _mac(self, name: str, seen: frozenset[str] = frozenset()) -> str:
        """A bond has that of its first slave, and all its slaves have it; a VLAN has its raw device's."""
        settings, owner = self._of(name), self.owners.get(name, "")
        if name == "lo":
            return "00:00:00:00:00:00"
        if name in seen:
            return self._own_mac(name)
        if self._of(owner).kind == "bond":
            return self._own_mac(self._members(owner)[0])
        if settings.kind == "bond" and (slaves := self._members(name)):
            return self._own_mac(slaves[0])
        if settings.kind == "vlan" and settings.parent in self.there:
            return self._mac(settings.parent, seen | {name})
        return self._own_mac(name)

    def _addresses(self, name: str, mac: str) -> tuple[Address, ...]:
        if name == "lo":
            return (*LOOPBACK[:1], *self._told_addresses(name), *LOOPBACK[1:])
        own = self._told_addresses(name)
        alone = self._carrier(name) and name not in self.owners
        return (*own, Address(cidr=link_local(mac), scope="link", proto="kernel_ll")) if alone else own

    def _told_addresses(self, name: str) -> tuple[Address, ...]:
        """IPv4 first, as `ip` has them."""
        found = sorted(map(ipaddress.ip_interface, self._of(name).addresses), key=lambda each: each.version)
        loopback = [address.cidr for address in LOOPBACK] if name == "lo" else []
        return tuple(
            Address(cidr=str(each), label=name if each.version == 4 else "")  # noqa: PLR2004
            for each in found
            if str(each) not in loopback
        )


def link_local(mac: str) -> str:
    """The address that the kernel makes of a MAC, with its length."""
    first, *rest = (int(part, 16) for part in mac.split(":"))
    host = bytes([first ^ 2, *rest[:2], 0xFF, 0xFE, *rest[2:]])
    return f"{ipaddress.IPv6Address(LINK_LOCAL + host)}/64"
