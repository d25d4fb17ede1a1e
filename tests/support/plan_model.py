"""PVE's checks of a whole file, said once more and independently of pvenet.plan, to judge plans by; and networks.

What PVE refuses is in pve-api#refusals, pve-api#update and pve-api#delete; the MTU relation is in the walks 3, 13, 34
and 48.
"""

from __future__ import annotations

from dataclasses import fields, replace
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from pvenet.changes import Change, Create, Delete, Update
from pvenet.model import (
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    FileOnly,
    Interface,
    Link,
    Network,
    Other,
    OvsBond,
    OvsBondMode,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    XmitHashPolicy,
    beneath,
    canonical,
    own_values,
    settable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class RefusedStepError(Exception):
    """PVE would not take the step."""


KINDS = {
    "eth": Ethernet,
    "bond": Bond,
    "bridge": Bridge,
    "vlan": Vlan,
    "ovs-bridge": OvsBridge,
    "ovs-bond": OvsBond,
    "ovs-int-port": OvsIntPort,
    "ovs-port": OvsPort,
    "other": Other,
}
FIELDS: dict[str, Callable[[str], object]] = {
    "cidr": IPv4Interface,
    "cidr6": IPv6Interface,
    "gateway": IPv4Address,
    "gateway6": IPv6Address,
    "mtu": int,
    "tag": int,
    "mode": lambda text: BondMode(text) if text in set(BondMode) else OvsBondMode(text),
    "xmit_hash_policy": XmitHashPolicy,
    "autostart": "on".__eq__,
    "vlan_aware": "on".__eq__,
    "slaves": lambda text: tuple(text.split(",")) if text else (),
    "ports": lambda text: tuple(text.split(",")) if text else (),
    "vids": lambda text: tuple(text.split(",")),
    "beneath": lambda text: tuple(text.split(",")),
}
SPELLED = {"ovs": "options"}
"""Where `options` are the lines that PVE does not know."""

FILE_ONLY: dict[str, Callable[[str], object]] = {
    "method": str,
    "method6": str,
    "families": lambda text: tuple(text.split(",")),
    "options": lambda text: (text.replace("_", " "),),
    "settings": lambda text: (tuple(text.split(":")),),
}


def interfaces(text: str) -> dict[str, Interface | None]:
    """Interfaces in the tests' notation: a line each, `bond bond0 slaves=ens38,ens39 mtu=9000`, or `none bond0`."""
    found: dict[str, Interface | None] = {}
    for kind, name, *words in map(str.split, filter(str.strip, text.splitlines())):
        pairs = dict(word.split("=", 1) for word in words)
        file_only = FileOnly(**{key: read(pairs.pop(key)) for key, read in FILE_ONLY.items() if key in pairs})  # type: ignore[arg-type]
        settings = {SPELLED.get(key, key): FIELDS.get(key, str)(value) for key, value in pairs.items()}
        found[name] = None if kind == "none" else KINDS[kind](name=name, file_only=file_only, **settings)
    return found


def network(text: str, **altnames: str) -> Network:
    """A network in the same notation; altnames by NIC."""
    return Network(
        interfaces={name: interface for name, interface in interfaces(text).items() if interface},
        links={nic: Link(active=True, exists=True, altnames=(alias,)) for nic, alias in altnames.items()},
    )


def with_odd_values(found: Network, names: Iterable[str]) -> Network:
    """The network with these interfaces as they are read where a value can't be, of which nothing else is known."""
    odd = {name: _odd(found.interfaces[name]) for name in names}
    return replace(found, interfaces={**found.interfaces, **odd})


def _odd(interface: Interface) -> Interface:
    if isinstance(interface, Other):
        return interface
    common = {name: getattr(interface, name) for name in ("name", *settable(Ethernet), "file_only")}
    return Other(
        **common,
        kind=interface.type,
        beneath=beneath(interface),
        own=own_values(interface),
        unread=("bond_xmit_hash_policy vlan+srcmac",),
    )


def words(interface: Interface) -> str:
    """An interface in the notation, without what is as usual."""
    usual = type(interface)(name=interface.name)
    pairs = ((item.name, getattr(interface, item.name)) for item in fields(interface) if item.compare)
    kind = next(kind for kind, made in KINDS.items() if isinstance(interface, made))
    return " ".join(
        [kind, interface.name, *(f"{key}={word(value)}" for key, value in pairs if value != getattr(usual, key))]
    )


def word(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return {True: "on", False: "off", None: "none"}[value] if isinstance(value, bool | None) else str(value)


def taken(interface: Interface) -> tuple[str, ...]:
    return getattr(interface, "slaves", ()) + getattr(interface, "ports", ())


def refuse(condition: object, message: str) -> None:
    if condition:
        raise RefusedStepError(message)


class Staging:
    """A node's interfaces, changed step by step as PVE would."""

    def __init__(self, interfaces: Mapping[str, Interface]) -> None:
        self.interfaces = {name: canonical(interface) for name, interface in interfaces.items()}

    def stage(self, steps: Iterable[Change]) -> dict[str, Interface]:
        for step in steps:
            self._stage(step)
        return self.interfaces

    def _stage(self, step: Change) -> None:
        file = dict(self.interfaces)
        match step:
            case Create(after=after):
                refuse(step.name in file, f"{step.name} exists")
                self._check_request(None, after)
                file[step.name] = canonical(after)
            case Update(before=before, after=after):
                refuse(file.get(step.name) != canonical(before), f"{step.name} is not what the plan believes")
                refuse(type(before) is not type(after), f"{step.name} changes its kind")
                self._check_request(before, after)
                file[step.name] = canonical(after)
            case Delete(before=before):
                refuse(file.pop(step.name, None) != canonical(before), f"{step.name} is not what the plan believes")
        check_file(file)
        for interface in list(file.values()):
            for slave in getattr(interface, "slaves", ()):
                file[slave] = replace(file[slave], autostart=True)
        self.interfaces = file

    def _check_request(self, before: Interface | None, after: Interface) -> None:
        others = [other for other in self.interfaces.values() if other.name != after.name]
        for key in ("gateway", "gateway6"):
            wanted = getattr(after, key)
            if wanted is not None and wanted != getattr(before, key, None):
                refuse(any(getattr(other, key) for other in others), f"second {key} on {after.name}")
        if before is None or set(taken(after)) != set(taken(before)):
            for other in others:
                twice = set(taken(other)) & set(taken(after))
                refuse(twice, f"{twice} of {after.name} used by {other.name}")


def check_file(file: Mapping[str, Interface]) -> None:
    for name, interface in file.items():
        match interface:
            case Bond():
                for slave in interface.slaves:
                    refuse(not isinstance(file.get(slave), Ethernet | Bond), f"slave {slave} of {name}")
                    refuse(interface.mtu and (file[slave].mtu or 0) > interface.mtu, f"mtu of slave {slave}")
                refuse(interface.primary and interface.primary not in interface.slaves, f"primary of {name}")
            case Vlan():
                refuse(interface.raw_device not in file, f"parent {interface.raw_device} of {name}")
                check_mtu(file, interface, str(interface.raw_device))
            case Bridge():
                for port in interface.ports:
                    refuse(port not in file and "." not in port, f"port {port} of {name}")
                    refuse(port in file and (file[port].cidr or file[port].cidr6), f"port {port} of {name} has address")
                    check_mtu(file, interface, port)
            case _:
                pass


def check_mtu(file: Mapping[str, Interface], user: Interface, support: str) -> None:
    beneath = file.get(support)
    if user.mtu and not (isinstance(beneath, Bond) and beneath.mtu is None):
        refuse(((beneath and beneath.mtu) or 1500) < user.mtu, f"mtu of {user.name} on {support}")


NICS = ("ens33", "ens37", "ens38", "ens39", "ens40", "ens41")
MTUS = st.sampled_from([None, None, 1500, 9000, 9216])
VLANS = (("ens33.5", "ens33"), ("bond0.10", "bond0"), ("vmbr0.20", "vmbr0"), ("bond1.10", "bond1"))
TAGS = {"vlan30": 30, "storage": 31, "shared": 32}


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Interface]:
    """A network of six NICs that PVE accepts, as PVE keeps it."""
    free = list(draw(st.permutations(NICS)))
    made: dict[str, Interface] = {
        nic: Ethernet(name=nic, autostart=draw(st.booleans()), mtu=draw(MTUS)) for nic in NICS
    }
    for name in draw(st.sets(st.sampled_from(("bond0", "bond1", "bond2")))):
        made[name] = _bond(draw, name, _some(draw, free))
    free += [name for name in made if name.startswith("bond")]
    vlans = dict(VLANS) | dict.fromkeys(TAGS)
    chosen = draw(st.lists(st.sampled_from(sorted(vlans)), unique=True, max_size=4))
    for name in chosen:
        raw_device = vlans[name] or draw(st.sampled_from(sorted(name for name in made if name[0] in "eb")))
        if raw_device in made:
            made[name] = canonical(Vlan(name=name, raw_device=raw_device, tag=TAGS.get(name), mtu=draw(MTUS)))
            free.append(name)
    for name in draw(st.lists(st.sampled_from(["vmbr0", "vmbr1", "vmbr2", "shared"]), unique=True)):
        if name not in made:
            made[name] = _bridge(draw, name, _some(draw, free))
    if "vmbr0" in made and draw(st.booleans()):
        made["vmbr0.20"] = canonical(Vlan(name="vmbr0.20", mtu=draw(MTUS)))
    _address(draw, made)
    return _legal(made)


def _some(draw: st.DrawFn, free: list[str]) -> tuple[str, ...]:
    number = draw(st.integers(0, min(3, len(free))))
    names = tuple(free[:number])
    del free[:number]
    return names


def _bond(draw: st.DrawFn, name: str, slaves: tuple[str, ...]) -> Bond:
    mode = draw(st.sampled_from([BondMode.BALANCE_RR, BondMode.ACTIVE_BACKUP]))
    primary = slaves[0] if slaves and mode is BondMode.ACTIVE_BACKUP and draw(st.booleans()) else None
    return Bond(name=name, slaves=slaves, mode=mode, primary=primary, mtu=draw(MTUS))


def _bridge(draw: st.DrawFn, name: str, ports: tuple[str, ...]) -> Bridge:
    return Bridge(name=name, ports=ports, vlan_aware=draw(st.booleans()), mtu=draw(MTUS))


def _address(draw: st.DrawFn, made: dict[str, Interface]) -> None:
    members = {name for interface in made.values() for name in taken(interface)}
    hosts = sorted(made.keys() - members)
    for host, name in enumerate(hosts):
        kind = draw(st.sampled_from(["none", "4", "6", "46"]))
        if "4" in kind:
            made[name] = replace(made[name], cidr=IPv4Interface(f"10.0.{host}.2/24"))
        if "6" in kind:
            made[name] = replace(made[name], cidr6=IPv6Interface(f"fd00:{host}::2/64"))
    for key, cidr, gateway in (
        ("gateway", "cidr", IPv4Address("10.0.0.1")),
        ("gateway6", "cidr6", IPv6Address("fe80::1")),
    ):
        able = [name for name in hosts if getattr(made[name], cidr)]
        wanted = draw(st.booleans())
        if able and wanted:
            name = able[draw(st.integers(0, len(able) - 1))]
            made[name] = replace(made[name], **{key: gateway})  # type: ignore[arg-type]


def _legal(made: dict[str, Interface]) -> dict[str, Interface]:
    """The MTUs and the autostart of slaves put right; whoever gives way to its bond or to what is beneath it."""
    for interface in list(made.values()):
        for slave in getattr(interface, "slaves", ()):
            room = interface.mtu or 65536
            mtu = made[slave].mtu if (made[slave].mtu or 0) <= room else None
            made[slave] = replace(made[slave], autostart=True, mtu=mtu)
    for kind in (Vlan, Bridge, Vlan):
        for name, interface in list(made.items()):
            supports = taken(interface) or (getattr(interface, "raw_device", None),)
            if isinstance(interface, kind) and not all(_fits(made, interface, support) for support in supports):
                made[name] = replace(interface, mtu=None)
    return {name: canonical(interface) for name, interface in made.items()}


def _fits(made: Mapping[str, Interface], user: Interface, support: str | None) -> bool:
    try:
        check_mtu(made, user, str(support))
    except RefusedStepError:
        return support is None
    return True
