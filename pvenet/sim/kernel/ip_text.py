"""The text of `ip -details -statistics address`, of `ip -details route` and of `ethtool`. Pure. pve-api#ip-lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.kernel.ip_details import LACKING, details
from pvenet.sim.kernel.value import ONE_SPEAKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from pvenet.sim.kernel.value import Address, Kernel, Link, Route

IPV4 = 4
SHAPES = {"": "BROADCAST,MULTICAST", "dummy": "BROADCAST,NOARP", "wireguard": "POINTOPOINT,NOARP"}
STATELESS = frozenset({"dummy", "tun", "wireguard"})
"""Kinds of which the kernel says UNKNOWN as long as they are up and can carry traffic."""
MTUS = {"vlan": (0, 65535), "tun": (68, 65521), "dummy": (0, 0), "wireguard": (0, 2147483552), "lo": (0, 0)}
QUEUES = {"bond": 16, "veth": 2}
SEGMENTS = {"lo": 524280, "veth": 524280}
FOREVER = "valid_lft forever preferred_lft forever"
FOR_A_WHILE = "valid_lft 86400sec preferred_lft 14400sec"
COUNTERS = (
    "    RX:  bytes packets errors dropped  missed   mcast           ",
    "             0       0      0       0       0       0 ",
    "    TX:  bytes packets errors dropped carrier collsns           ",
    "             0       0      0       0       0       0 ",
)
NOT_REPORTED = (
    *("Supported ports: [  ]", "Supported link modes:   Not reported", "Supported pause frame use: No"),
    *("Supports auto-negotiation: No", "Supported FEC modes: Not reported", "Advertised link modes:  Not reported"),
    *("Advertised pause frame use: No", "Advertised auto-negotiation: No", "Advertised FEC modes: Not reported"),
)


def addresses(kernel: Kernel, release: str) -> str:
    """What `ip -details -statistics address` prints; the release of iproute2 is `6.15` or `6.1`."""
    lacking = LACKING[release]
    return "".join(f"{line}\n" for link in kernel.links for line in _link(link, kernel, lacking))


def _link(link: Link, kernel: Kernel, lacking: AbstractSet[str]) -> Iterator[str]:
    yield _header(link, kernel)
    *lines, last = (_hardware(link, kernel, lacking), *details(link, kernel, lacking))
    yield from (f"    {line}" for line in lines)
    yield f"    {last}{_queues(link, lacking)}"
    if link.alias:
        yield f"    alias {link.alias}"
    yield from (f"    altname {altname}" for altname in link.altnames)
    for address in link.addresses:
        yield f"    {_address(address, lacking)}"
        yield f"       {FOR_A_WHILE if address.dynamic else FOREVER}"
    yield from COUNTERS


def _header(link: Link, kernel: Kernel) -> str:
    """pve-api#ip-header."""
    name = f"{link.name}@{link.parent}" if link.parent else link.name
    master = f" master {link.master}" if link.master else ""
    flags = ",".join(_flags(link, kernel))
    where = f"qdisc {_qdisc(link)}{master} state {_state(link, kernel)} group default qlen 1000"
    return f"{link.index}: {name}: <{flags}> mtu {link.mtu} {where}"


def _flags(link: Link, kernel: Kernel) -> Iterator[str]:
    if link.up and not link.carrier:
        yield "NO-CARRIER"
    yield "LOOPBACK" if link.name == "lo" else SHAPES.get(link.kind, SHAPES[""])
    if link.bond:
        yield "MASTER"
    if link.slave:
        yield "SLAVE"
    if link.up:
        yield "UP"
    if link.up and link.carrier:
        yield "LOWER_UP"
    lower = _lower(link, kernel)
    if lower and not lower.up:
        yield "M-DOWN"


def _lower(link: Link, kernel: Kernel) -> Link | None:
    return kernel.link(link.parent) if link.parent and not link.foreign_parent else None


def _qdisc(link: Link) -> str:
    if not link.up:
        return "noop"
    return "fq_codel" if link.physical or link.kind == "tun" else "noqueue"


def _state(link: Link, kernel: Kernel) -> str:
    if not link.up:
        return "DOWN"
    if not link.carrier:
        return "LOWERLAYERDOWN" if link.parent and not _carries(_lower(link, kernel)) else "DOWN"
    return "UNKNOWN" if link.name == "lo" or link.kind in STATELESS else "UP"


def _carries(link: Link | None) -> bool:
    return link is not None and link.up and link.carrier


def _hardware(link: Link, kernel: Kernel, lacking: AbstractSet[str]) -> str:
    """pve-api#ip-mac."""
    kind = "lo" if link.name == "lo" else link.kind
    smallest, largest = MTUS.get(kind, (68, 65535))
    heard = _promiscuity(link, kernel)
    gap = "  " if "proto" in lacking else " "  # pve-api#ip-mac: 6.1 has two blanks
    return f"{_mac(link)}promiscuity {heard}{gap}allmulti {heard} minmtu {smallest} maxmtu {largest} "


def _mac(link: Link) -> str:
    if not link.mac:
        return "link/none  "
    if link.name == "lo":
        return f"link/loopback {link.mac} brd {link.mac} "
    permanent = f"permaddr {link.permaddr} " if link.permaddr else ""
    elsewhere = "link-netnsid 0 " if link.foreign_parent else ""
    return f"link/ether {link.mac} brd ff:ff:ff:ff:ff:ff {permanent}{elsewhere}"


def _promiscuity(link: Link, kernel: Kernel) -> int:
    """How many want to hear what is not for it: its bridge, VLANs on it that are ports, the bond whose slave it is."""
    bond = kernel.link(link.master) if link.slave and link.master else None
    heard = int(link.port_state is not None)
    heard += sum(_promiscuity(upper, kernel) > 0 for upper in kernel.vlans_on(link.name))
    if bond and bond.bond and (bond.bond.mode not in ONE_SPEAKS or bond.bond.active_slave == link.name):
        heard += _promiscuity(bond, kernel) > 0
    return heard


def _queues(link: Link, lacking: AbstractSet[str]) -> str:
    """What hangs on the last line of a link."""
    kind = "lo" if link.name == "lo" else link.kind
    queues, segments = QUEUES.get(kind, 1), SEGMENTS.get(kind, 65536)
    words = [("numtxqueues", queues), ("numrxqueues", queues), ("gso_max_size", 65536), ("gso_max_segs", 65535)]
    words += [("tso_max_size", segments), ("tso_max_segs", 65535), ("gro_max_size", 65536)]
    words += [("gso_ipv4_max_size", 65536), ("gro_ipv4_max_size", 65536)]
    text = "".join(f"{word} {value} " for word, value in words if word not in lacking)
    return f"{text}parentbus virtio parentdev virtio{link.index} " if link.physical else text


def _address(address: Address, lacking: AbstractSet[str]) -> str:
    """pve-api#ip-addresses."""
    six = ":" in address.cidr
    words = ["inet6" if six else "inet", address.cidr]
    if address.peer:
        words += ["peer", address.peer]
    if address.broadcast:
        words += ["brd", address.broadcast]
    words += ["scope", address.scope, *(["dynamic"] if address.dynamic else []), *address.flags]
    if address.proto and "proto" not in lacking:
        words += ["proto", address.proto]
    return " ".join([*words, "" if six else address.label])


def routes(kernel: Kernel, family: int) -> str:
    """What `ip -details -4 route show` prints, or the same of 6."""
    return "".join(f"{_route(route)}\n" for route in kernel.routes if route.family == family)


def _route(route: Route) -> str:
    words = ["unicast", route.to, *(["via", route.via] if route.via else []), "dev", route.dev]
    if route.proto:
        words += ["proto", route.proto]
    link_scope = route.family == IPV4 and not route.via
    words += ["scope", route.scope or ("link" if link_scope else "global")]
    if route.src:
        words += ["src", route.src]
    if route.metric is not None:
        words += ["metric", str(route.metric)]
    words += route.flags
    if route.family == IPV4:
        return " ".join([*words, ""])
    if route.expires is not None:
        words += ["expires", f"{route.expires}sec"]
    if route.hoplimit is not None:
        words += ["hoplimit", str(route.hoplimit)]
    return " ".join([*words, "pref", "medium"])


def ethtool(link: Link) -> str:
    """What `ethtool NIC` prints. pve-api#ethtool."""
    speed = f"{link.speed}Mb/s" if link.speed else "Unknown!"
    duplex = "Full" if link.speed else "Unknown! (255)"
    known = (f"Speed: {speed}", f"Duplex: {duplex}", "Auto-negotiation: off", "Port: Other", "PHYAD: 0")
    detected = "yes" if link.up and link.carrier else "no"
    lines = (*NOT_REPORTED, *known, "Transceiver: internal", f"Link detected: {detected}")
    return f"Settings for {link.name}:\n" + "".join(f"\t{line}\n" for line in lines)
