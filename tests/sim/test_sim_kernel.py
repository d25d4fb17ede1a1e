"""The kernel of a made-up machine, held against what real ones had and against what the files say."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_interface
from typing import TYPE_CHECKING, Any

import pytest
from kernel_moments import MOMENTS
from paths import FIXTURES
from sim_file import HOST
from sim_kernel import link

from pvenet.sim import interfaces
from pvenet.sim.interfaces.staging import rewrite
from pvenet.sim.kernel.value import SWITCH, Kernel, Link, lacp_words
from pvenet.sim.machine.hardware import Guest, Nic
from pvenet.sim.machine.ifupdown2 import nics_of, read
from pvenet.sim.machine.kernel import snapshot
from pvenet.sim.machine.machine import Machine
from pvenet.sim.machine.settings import MOST_MTU
from pvenet.sim.machine.told import links_of
from pvenet.sim.schema import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pvenet.sim.kernel.value import Kernel, Link

NICS = {"ens33": (), "ens37": (), "ens38": (), "ens39": (), "ens40": (), "ens41": ()}
PULLED = Nic(carrier=False)
MAC37, MAC38, MAC40 = "52:54:00:00:00:37", "52:54:00:00:00:38", "52:54:00:00:00:40"
CABLES: Mapping[str, dict[str, Nic]] = {
    "active-backup-ens38-pulled": {"ens37": PULLED, "ens38": PULLED},
    "guest-above-both-pulled": dict.fromkeys(("ens37", "ens38", "ens39", "ens40"), PULLED),
    "lacp-no-partner": {"ens38": Nic(partner=None), "ens39": Nic(partner=None)},
    "lacp-partner": {
        **dict.fromkeys(("ens38", "ens39"), Nic(partner=MAC37)),
        **dict.fromkeys(("ens37", "ens40"), Nic(partner=MAC38)),
    },
    "lacp-partner-one-pulled": {
        "ens38": Nic(partner=MAC37, carrier=False),
        "ens39": Nic(partner=MAC37),
        "ens37": Nic(partner=MAC38, carrier=False),
        "ens40": Nic(partner=MAC38),
    },
    "lacp-two-partners": {
        "ens38": Nic(partner=MAC37),
        "ens39": Nic(partner=MAC40),
        **dict.fromkeys(("ens37", "ens40"), Nic(partner=MAC38)),
    },
    "misc-fresh": {"ens39": PULLED, "ens40": PULLED},
}
"""How the NICs were cabled, where it mattered."""
UNLIKE = {
    "guest-above-both-pulled": {"vmbr1"},
    "lacp-two-partners": {"ens40"},
    "misc-fresh": {"ens38", "vmbr1"},
}
"""What a file and cables do not tell: a guest; that a partner has chosen another link; and what was still listening,
which nothing does when it booted long ago."""


def booted(text: str, nics: Mapping[str, tuple[str, ...]] | None = None, **changes: Any) -> Machine:
    """A machine that has started with this file long ago."""
    return Machine.fresh(NICS if nics is None else nics, text).but(**changes)


def kernel(machine: Machine, text: str, now: float = 1e9) -> Kernel:
    return snapshot("pve1", machine, links_of(machine, text), now)


def ours(found: Link) -> dict[str, Any]:
    """The facts of a link of which both tell."""
    bond, slave, bridge, vlan = found.bond, found.slave, found.bridge, found.vlan
    return {
        "up": found.up,
        "carrier": found.carrier,
        "mtu": found.mtu,
        "master": found.master,
        "kind": found.kind,
        "parent": found.parent,
        "bond": bond and (bond.mode, bond.active_slave, bond.primary, bond.xmit_hash_policy),
        "aggregator": bond and bond.ad_aggregator and (bond.ad_aggregator, bond.ad_num_ports, bond.ad_partner_mac),
        "slave": slave and (slave.state, slave.mii_status, slave.link_failure_count, slave.aggregator_id),
        "actor": slave and list(lacp_words(slave.actor_state)),
        "partner": slave and list(lacp_words(slave.partner_state)),
        "bridge": bridge and (bridge.stp, bridge.vlan_filtering, bridge.forward_delay),
        "port": found.port_state,
        "vlan": vlan and (vlan.id, vlan.protocol),
    }


def theirs(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The same of an entry of `ip -details -json link`."""
    info = entry.get("linkinfo", {})
    kind, data, member = info.get("info_kind", ""), info.get("info_data", {}), info.get("info_slave_data", {})
    is_slave, is_port = info.get("info_slave_kind") == "bond", info.get("info_slave_kind") == "bridge"
    ad = data.get("ad_info", {})
    words = ("mode", "active_slave", "primary", "xmit_hash_policy")
    counted = ("state", "mii_status", "link_failure_count", "ad_aggregator_id")
    return {
        "up": "UP" in entry["flags"],
        "carrier": "LOWER_UP" in entry["flags"],
        "mtu": entry["mtu"],
        "master": entry.get("master"),
        "kind": kind,
        "parent": entry.get("link"),
        "bond": tuple(map(data.get, words)) if kind == "bond" else None,
        "aggregator": tuple(map(ad.get, ("aggregator", "num_ports", "partner_mac"))) if ad else None,
        "slave": tuple(map(member.get, counted)) if is_slave else None,
        "actor": member.get("ad_actor_oper_port_state_str", []) if is_slave else None,
        "partner": member.get("ad_partner_oper_port_state_str", []) if is_slave else None,
        "bridge": (bool(data["stp_state"]), bool(data["vlan_filtering"]), data["forward_delay"])
        if kind == "bridge"
        else None,
        "port": member["state"] if is_port else None,
        "vlan": (data["id"], data["protocol"]) if kind == "vlan" else None,
    }


def recorded(moment: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What `ip` told of the links that the file starts, and of their members."""
    entries = json.loads((MOMENTS / moment / "ip-link.json").read_text())
    text = (MOMENTS / moment / "interfaces.txt").read_text()
    started = {line.split()[1] for line in text.splitlines() if line.startswith("auto ")}
    for entry in entries:
        if entry["ifname"] in started or (entry.get("master") in started and entry["ifname"].startswith("ens")):
            yield entry["ifname"], theirs(entry)


@pytest.mark.parametrize("moment", sorted(path.name for path in MOMENTS.iterdir()))
def test_the_kernel_is_as_real_ones_were(moment: str) -> None:
    """The same file over the same cables gives the same states: modes, pulled cables, LACP and nobody who answers."""
    text = (MOMENTS / moment / "interfaces.txt").read_text()
    found = kernel(booted(text, hardware=CABLES.get(moment, {})), text)
    compared = [
        (ours(link(found, name)), real) for name, real in recorded(moment) if name not in UNLIKE.get(moment, ())
    ]
    assert [mine for mine, _ in compared] == [real for _, real in compared]
    assert len(compared) >= 4


def _single(entry: Mapping[str, Any]) -> bool:
    """Whether an entry says nothing that PVE does not read, and that may say otherwise."""
    return bool(entry.get("autostart")) and "options" not in entry and entry["type"] not in {"unknown", "OVSBond"}


def _cidr(text: str) -> str | None:
    """An address as the kernel tells it, unless it is none."""
    try:
        return str(ip_interface(text))
    except ValueError:
        return None


def said(entry: Mapping[str, Any], there: Mapping[str, str | None]) -> dict[str, Any]:
    """What PVE reads in a file about an interface that starts by itself, as far as it could be so."""
    kind = entry["type"]
    wanted: dict[str, Any] = {}
    if str(entry.get("mtu", "")).isdecimal() and int(entry["mtu"]) <= MOST_MTU:
        wanted["mtu"] = int(entry["mtu"])
    wanted["addresses"] = set(filter(None, (_cidr(str(entry.get(key))) for key in ("cidr", "cidr6"))))
    if kind == "bridge":
        wanted["members"] = {port for port in str(entry["bridge_ports"]).split() if port in there}
        wanted["aware"] = bool(entry.get("bridge_vlan_aware"))
    elif kind == "bond":
        wanted["members"] = {slave for slave in str(entry.get("slaves", "")).split() if slave in there}
        wanted["mode"] = entry["bond_mode"]
    elif kind == "vlan" and int(entry.get("vlan-id", 0)):
        wanted["vlan"] = (int(entry["vlan-id"]), entry["vlan-raw-device"])
    return wanted


def had(found: Kernel, name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The same of the kernel."""
    it = link(found, name)
    facts = {
        "mtu": it.mtu,
        "addresses": {address.cidr for address in it.addresses} & wanted["addresses"],  # it has its aliases', too
        "members": {port.name for port in found.ports(name)},
        "aware": it.bridge and it.bridge.vlan_filtering,
        "mode": it.bond and it.bond.mode,
        "vlan": it.vlan and (it.vlan.id, it.parent),
    }
    return {key: facts[key] for key in wanted}


def agreed(text: str, nics: Mapping[str, tuple[str, ...]]) -> int:
    """Hold the kernel of a machine that booted with a file against what PVE reads in it; how much there was."""
    machine = booted(text, nics)
    found = kernel(machine, text)
    there = {each.name: each.master for each in found.links}
    entries = [
        entry
        for entry in interfaces.listing(interfaces.parse(text, replace(HOST, nics=nics)))
        if _single(entry) and entry["iface"] in machine.up and entry["iface"] != "lo"
    ]
    for entry in entries:
        wanted = said(entry, there)
        assert had(found, str(entry["iface"]), wanted) == wanted, entry
    return len(entries)


@pytest.mark.parametrize("path", sorted((FIXTURES / "examples").glob("*.interfaces")), ids=lambda path: path.stem)
def test_an_example_is_in_the_kernel_as_written(path: Path) -> None:
    """What its file says of each interface is what the kernel has after the boot."""
    text = path.read_text()
    assert agreed(text, dict.fromkeys(nics_of(text), ()))


def test_files_of_all_kinds_are_in_the_kernel_as_written() -> None:
    """Of every recorded file that PVE would write: MTUs, addresses, members, modes, VLANs."""
    count = 0
    for row in map(json.loads, (FIXTURES / "files.jsonl").read_text().splitlines()):
        nics = dict.fromkeys(row["nics"], ())
        host = replace(HOST, nics=nics)
        parsed = interfaces.parse(row["interfaces"], host)
        if parsed.loose or read(row["interfaces"]).share_members():
            continue  # lines that nobody knows whose they are, and members that two want
        try:
            text = rewrite(parsed, host)
        except Refused:
            continue
        count += agreed(text, nics)
    assert count > 500


def test_ports_of_open_vswitch_have_one_master() -> None:
    """NICs, the slaves of its own bond and guests' ports, whatever their bridge; its internal ports have none."""
    text = (
        "auto vmbr0\niface vmbr0 inet manual\n\tovs_type OVSBridge\n\tovs_ports ens33 mgmt0 bond0\n\n"
        "iface ens33 inet manual\n\tovs_type OVSPort\n\tovs_bridge vmbr0\n\niface ens40 inet manual\n\n"
        "iface mgmt0 inet manual\n\tovs_type OVSIntPort\n\tovs_bridge vmbr0\n\n"
        "iface bond0 inet manual\n\tovs_type OVSBond\n\tovs_bridge vmbr0\n\tovs_bonds ens38 ens39\n"
    )
    found = kernel(booted(text, guests=(Guest(vmid=101, index=0, bridge="vmbr0"),)), text)
    assert {port.name for port in found.ports(SWITCH)} == {"ens33", "ens38", "ens39", "tap101i0"}
    assert not link(found, SWITCH).up


def test_a_machine_that_has_booted_waits_for_nothing() -> None:
    """STP and LACP are over, whatever the clock says."""
    text = (MOMENTS / "misc-fresh" / "interfaces.txt").read_text()
    assert link(kernel(booted(text), text, now=1.0), "vmbr1").carrier
    text = (MOMENTS / "lacp-partner" / "interfaces.txt").read_text()
    state = link(kernel(booted(text, lacp_takes=30.0), text, now=1.0), "bond0").bond
    assert state is not None
    assert state.ad_num_ports == 2
