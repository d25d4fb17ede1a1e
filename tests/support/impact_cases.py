"""Who hangs on a node, and what is said of them, in the tests' notation.

guest 101 web running net0=vmbr1 tag=20    a card as the configuration has it; `pending` as a word of its own
port vmbr1 tap101i0 pvid=20 vlans=30       a line of the bridges call
link bridge vnet1                          a link of the kernel, with `master=`, `parent=`, `tag=`, `aware`
cluster 1 10.10.10.11                      the node's end of a link of the cluster
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from pvenet.impact import Guest, GuestNic, Known
from pvenet.impact.ports import guest_port
from pvenet.kernel.links import BridgePorts, BridgeStatus, KernelLink, Port, VlanStatus
from pvenet.model.cluster import ClusterLink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.impact import Impact

RUNNING = {"running": True, "stopped": False, "perhaps": None}


def known(text: str) -> Known:
    """What was found out, of a text of such lines."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return Known(
        ports=tuple(_bridges([words for kind, *words in lines if kind == "port"])),
        links={link.name: link for link in (_link(*words) for kind, *words in lines if kind == "link")},
        guests=tuple(_guests([words for kind, *words in lines if kind == "guest"])),
        cluster=tuple(_cluster(*words) for kind, *words in lines if kind == "cluster"),
    )


def _pairs(words: list[str]) -> dict[str, Any]:
    return dict(word.split("=", 1) for word in words if "=" in word)


def _vids(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def _bridges(lines: list[list[str]]) -> Iterator[BridgePorts]:
    for bridge in dict.fromkeys(words[0] for words in lines):
        on_it = [words[1:] for words in lines if words[0] == bridge]
        aware = any("pvid=" in word for words in on_it for word in words)
        yield BridgePorts(name=bridge, vlan_filtering=aware, ports=tuple(_port(*words) for words in on_it))


def _port(name: str, *words: str) -> Port:
    vmid, index = guest_port(name) or (None, None)
    pairs = _pairs(list(words))
    vlan = int(pairs["pvid"]) if "pvid" in pairs else None
    return Port(name=name, vmid=vmid, index=index, primary_vlan=vlan, vlans=_vids(pairs.get("vlans", "")))


def _link(kind: str, name: str, *words: str) -> KernelLink:
    pairs = _pairs(list(words))
    return KernelLink(
        name=name,
        up=True,
        carrier=True,
        mtu=1500,
        kind=kind,
        master=pairs.get("master"),
        parent=pairs.get("parent"),
        bridge=BridgeStatus(vlan_filtering="aware" in words) if kind == "bridge" else None,
        vlan=VlanStatus(id=int(pairs["tag"])) if "tag" in pairs else None,
    )


def _guests(lines: list[list[str]]) -> Iterator[Guest]:
    found: dict[int, Guest] = {}
    for vmid, name, state, *words in lines:
        guest = found.setdefault(int(vmid), Guest(vmid=int(vmid), name=name, running=RUNNING[state]))
        found[int(vmid)] = replace(guest, nics=(*guest.nics, _nic(words)))
    yield from found.values()


def _nic(words: list[str]) -> GuestNic:
    pairs = _pairs(words)
    index = next(key for key in pairs if key.startswith("net"))
    return GuestNic(
        index=index,
        bridge=pairs[index] or None,
        tag=int(pairs["tag"]) if "tag" in pairs else None,
        trunks=_vids(pairs.get("trunks", "")),
        pending="pending" in words,
    )


def _cluster(number: str, address: str) -> ClusterLink:
    ip = address if address[0].isdecimal() else None
    return ClusterLink(node="pve1", number=int(number), address=address, ip=str(ip_address(ip)) if ip else None)


def described(found: Impact) -> str:
    """What an impact says, as the cases hold it."""
    lines = []
    for bridge in found.bridges:
        for guest in bridge.guests:
            state = {True: "running", False: "stopped", None: "perhaps"}[guest.running]
            who = " ".join(filter(None, [bridge.name, str(guest.vmid), guest.name, guest.index, state]))
            lines.append(f"{who}: {guest.effect}{f', {guest.why}' if guest.why else ''}")
    for link in found.links:
        why = f", {link.why}" if link.why else ""
        lines.append(f"link {link.link.number} on {link.carrier or 'nobody knows what'}: {link.effect}{why}")
    lines += [f"not known: {each.what}: {each.why}" for each in found.unknown]
    return "".join(f"{line}\n" for line in lines)
