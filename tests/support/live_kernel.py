"""What is around a live node's NICs, and what its kernel has by `ip`, beside what `pvenet links` says of it."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conftest import Ran
    from live import Target

SWITCH = "pvenet-switch"
"""The network namespace in which the other ends of the cables are: of its bonds no file of the node knows."""
NOBODY = "00:00:00:00:00:00"
TOLD = (
    "ip -d -j address; echo; ip -j route show default; echo; bridge -j vlan; echo; cd /sys/class/net; "
    "for nic in */device; do echo ${nic%/device} $(ethtool ${nic%/device} | grep Speed:); done"
)
"""In one command: each takes an emulated machine a second."""
GUEST = (
    "import fcntl, os, struct, time; tap = os.open('/dev/net/tun', os.O_RDWR); "
    "fcntl.ioctl(tap, 0x400454CA, struct.pack('16sH22x', b'{0}', 0x1002)); time.sleep(3600)"
)
"""A tap has carrier while somebody holds it open, as QEMU does: TUNSETIFF, with IFF_TAP and IFF_NO_PI."""


@contextmanager
def switch(vm: Target) -> Iterator[Switch]:
    """The NICs that the first two are cabled to, as a switch of which nothing is configured."""
    nics = vm.nics[2:4]
    moved = "; ".join(f"ip link set {nic} netns {SWITCH}" for nic in nics)
    back = "; ".join(f"ip -n {SWITCH} link set {nic} netns 1" for nic in nics)
    vm.shell(f"set -e; ip netns add {SWITCH}; {moved}")
    try:
        found = Switch(vm, nics)
        found.lags()
        yield found
    finally:
        vm.shell(f"{_without_lags()}; {back}; ip netns del {SWITCH}")


class Switch:
    """A switch whose ports may be bundled."""

    def __init__(self, vm: Target, ports: Sequence[str]) -> None:
        self._vm = vm
        self._ports = ports

    def lags(self, *lags: Sequence[int]) -> None:
        """Bundle ports, which are numbered as the node's NICs: each LAG is a partner of its own.

        Every port loses its carrier for a moment: else the node believes for 90 s that its partner is there.
        """
        lines = [_without_lags(), *(f"ip link set {port} down" for port in self._ports)]
        for number, ports in enumerate(lags):
            lines.append(f"ip link add lag{number} type bond mode 802.3ad miimon 100")
            lines += [f"ip link set {self._ports[port]} master lag{number}" for port in ports]
            lines.append(f"ip link set lag{number} up")
        lines += [f"ip link set {port} up" for port in self._ports]
        for position in ("off", "on"):
            for nic in self._vm.nics[:2]:
                self._vm.vm("cable", nic, position)
            if position == "off":
                inside = "; ".join(line.replace("ip link", f"ip -n {SWITCH} link") for line in lines)
                self._vm.shell(f"set -e; {inside}")


def _without_lags() -> str:
    return f"for lag in lag0 lag1; do ip -n {SWITCH} link del $lag 2>/dev/null || true; done"


@contextmanager
def guest(vm: Target, bridge: str, tap: str = "tap100i0") -> Iterator[str]:
    """A guest that runs: its tap is on the bridge, and has carrier."""
    vm.shell(
        f'systemd-run -q --unit=guest python3 -c "{GUEST.format(tap)}"; '
        f"until ip link set {tap} master {bridge} up 2>/dev/null; do sleep 0.2; done"
    )
    try:
        yield tap
    finally:
        vm.shell("systemctl stop guest")


def links_agree(node: Target) -> dict[str, Any]:
    """What `pvenet links --json` says, which is what `ip` says right before or right after it."""
    before = kernel(node)
    ran = node.do("links", "--json")
    after = kernel(node)
    told = _told(ran)
    moments = [before, after]
    assert told.keys() == before.keys() | after.keys()
    wrong = {
        (name, fact): (said, [moment.get(name, {}).get(fact) for moment in moments])
        for name, facts in told.items()
        for fact, said in facts.items()
        if all(moment.get(name, {}).get(fact) != said for moment in moments)
    }
    assert not wrong, wrong
    data: dict[str, Any] = ran.data
    return data


def differing(data: Mapping[str, Any], name: str) -> list[str]:
    """What differs of an interface, in words."""
    return [each["text"] for each in data["differences"] if each["interface"] == name]


def _told(ran: Ran) -> dict[str, dict[str, Any]]:
    """The answer of `links --json` by link, as far as `ip` tells the same; routes have no name."""
    bridges = {bridge["name"]: bridge for bridge in ran.data["bridges"]}
    found = {}
    for link in ran.data["links"]:
        facts = dict(link)
        facts["addresses"] = sorted((each["address"], each["scope"]) for each in link["addresses"])
        if bond := facts.get("bond"):
            facts["bond"] = {fact: value for fact, value in bond.items() if fact != "wanted"}
        if bridge := bridges.get(link["name"]):
            ports = {port["name"]: port.get("primary_vlan") for port in bridge["ports"]}
            facts["bridge"] = {"vlan_filtering": bridge["vlan_filtering"], "ports": ports}
        found[link["name"]] = facts
    routes = [(route["via"], route["dev"]) for route in ran.data["default_routes"] if route["family"] == 4]
    return {**found, "": {"default_routes": routes}}


def kernel(node: Target) -> dict[str, dict[str, Any]]:
    """The same facts by the node's own `ip -d -j`, `bridge` and `ethtool`."""
    addresses, routes, vlans, speeds = node.shell(TOLD, check=False).split("\n\n")
    entries = json.loads(addresses)
    known = {nic: int(speed) for nic, speed in re.findall(r"^(\S+) Speed: (\d+)Mb/s$", speeds, re.MULTILINE)}
    primary = {
        entry["ifname"]: each["vlan"]
        for entry in json.loads(vlans)
        for each in entry["vlans"]
        if "PVID" in each.get("flags", ())
    }
    found = {entry["ifname"]: _facts(entry, entries, primary, known) for entry in entries}
    default = [(route.get("gateway"), route["dev"]) for route in json.loads(routes)]
    return {**found, "": {"default_routes": default}}


def _facts(
    entry: Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]],
    primary: Mapping[str, int],
    speeds: Mapping[str, int],
) -> dict[str, Any]:
    name, flags, info = entry["ifname"], entry["flags"], entry.get("linkinfo", {})
    kind, data = info.get("info_kind", ""), info.get("info_data", {})
    carrier = "LOWER_UP" in flags if "UP" in flags else None
    members = [each for each in entries if each.get("master") == name]
    facts = {
        "name": name,
        "kind": kind,
        "state": {None: "down", False: "no carrier", True: "up"}[carrier],
        "carrier": carrier,
        "speed": speeds.get(name),
        "mtu": entry["mtu"],
        "mac": entry.get("permaddr", entry.get("address")),
        "member_of": entry.get("master"),
        "port_state": info.get("info_slave_data", {}).get("state") if info.get("info_slave_kind") == "bridge" else None,
        "altnames": entry.get("altnames", []),
        "addresses": sorted((f"{each['local']}/{each['prefixlen']}", each["scope"]) for each in entry["addr_info"]),
    }
    if kind == "vlan":
        facts["vlan"] = {"id": data["id"], "protocol": data["protocol"], "parent": entry["link"]}
    if kind == "bond":
        facts["bond"] = _bond(data, members)
    if kind == "bridge":
        ports = {each["ifname"]: primary.get(each["ifname"]) if data["vlan_filtering"] else None for each in members}
        facts["bridge"] = {"vlan_filtering": bool(data["vlan_filtering"]), "ports": ports}
    return facts


def _bond(data: Mapping[str, Any], slaves: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    lacp = data["mode"] == "802.3ad"
    partner = data.get("ad_info", {}).get("partner_mac", NOBODY)
    return {
        "mode": data["mode"],
        "slaves": sorted(slave["ifname"] for slave in slaves),
        "active_slave": data.get("active_slave"),
        "primary": data.get("primary"),
        "xmit_hash_policy": data["xmit_hash_policy"],
        "lacp_partner": None if partner == NOBODY else partner,
        "aggregated": data["ad_info"]["num_ports"] if lacp else None,
        "in_sync": {slave["ifname"]: _in_sync(slave) for slave in slaves} if lacp else None,
    }


def _in_sync(slave: Mapping[str, Any]) -> bool:
    data = slave["linkinfo"]["info_slave_data"]
    sides = (data["ad_actor_oper_port_state_str"], data["ad_partner_oper_port_state_str"])
    return "LOWER_UP" in slave["flags"] and all("in_sync" in side for side in sides)
