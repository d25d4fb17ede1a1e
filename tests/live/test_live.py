"""The main job and every kind of change, end to end, on whatever node there is; the kernel's word where it can be had.

Here, as in the fast suite, the node is a simulated one; `scripts/live-test` runs the same against a nested VM or a node
that one may break.
"""

from __future__ import annotations

from typing import Any

import pytest
from live import Pulse, Target, master, slaves
from live_kernel import differing, links_agree
from waiting import until

LACP_SECONDS = 60.0
"""How long two bonds may take to agree; a machine that is emulated is slow."""


def apply(node: Target, *words: str) -> dict[str, Any]:
    """Apply what is staged; the last event says that all of it is live."""
    end: dict[str, Any] = node.do("apply", "--wait", "--yes", "--json", *words).end
    assert end["verdict"] == "applied", end
    return end


def active(node: Target, *names: str) -> None:
    listing = node.listing()
    assert {name: listing[name]["active"] for name in names} == dict.fromkeys(names, True)


def bonding(node: Target, bond: str) -> str:
    return node.shell(f"cat /proc/net/bonding/{bond}")


def info(link: dict[str, Any]) -> dict[str, Any]:
    """What a link's own kind says of it."""
    data: dict[str, Any] = link["linkinfo"]["info_data"]
    return data


def test_the_walk_through(node: Target) -> None:
    """bond0 over two NICs and vmbr1 on it come up, in PVE's view and the kernel's; the way to the node never drops."""
    first, second = node.nics[:2]
    with Pulse(node) as pulse:
        node.do("bond", "create", "bond0", "--slaves", f"{first},{second}", "--mode", "balance-rr")
        node.do("bridge", "create", "vmbr1", "--ports", "bond0", "--comments", "For tagged traffic")
        apply(node)
    assert pulse.asked
    assert not pulse.lost, pulse
    active(node, "bond0", "vmbr1", first, second)
    assert not node.do("diff", "--json").data["pending"]
    if node.has_kernel:
        proc, links = bonding(node, "bond0"), node.links()
        assert "Bonding Mode: load balancing (round-robin)" in proc
        assert slaves(proc) == sorted((first, second))
        assert [master(links, each) for each in (first, second, "bond0")] == ["bond0", "bond0", "vmbr1"]
        assert "UP" in links["vmbr1"]["flags"]
        assert "bond0" in node.shell("bridge link")


PAIRS = (
    ("active-backup", "802.3ad"),
    ("balance-rr", "balance-xor"),
    ("broadcast", "balance-tlb"),
    ("balance-alb", "balance-rr"),
)
"""Two modes at a time, each with two of the free NICs: an emulated machine reloads slowly."""


@pytest.mark.parametrize("modes", PAIRS, ids=" and ".join)
def test_bonds_of_every_mode(node: Target, modes: tuple[str, str]) -> None:
    """A bond has the mode that was asked for, in the listing and in the kernel, and both of its slaves."""
    if not node.has_kernel and modes != PAIRS[0]:
        pytest.skip(f"{node.kind}: no kernel here that could differ by mode")
    bonds = {f"bond{n}": (modes[n], list(node.nics[2 * n : 2 * n + 2])) for n in range(len(node.nics) // 2)}
    for name, (mode, nics) in bonds.items():
        node.do("bond", "create", name, "--slaves", ",".join(nics), "--mode", mode, *_more(mode, nics))
    apply(node)
    listing = node.listing()
    for name, (mode, nics) in bonds.items():
        assert [listing[name][each] for each in ("mode", "slaves", "active")] == [mode, nics, True]
        if node.has_kernel:
            data, proc = info(node.links()[name]), bonding(node, name)
            assert data["mode"] == mode
            assert slaves(proc) == sorted(nics)
            if mode == "active-backup":
                assert data["primary"] == nics[1]
            if mode in {"802.3ad", "balance-xor"}:
                assert data["xmit_hash_policy"] == "layer3+4"
    if node.has_kernel:
        links_agree(node)


def _more(mode: str, nics: list[str]) -> list[str]:
    if mode == "active-backup":
        return ["--primary", nics[1]]
    return ["--xmit-hash-policy", "layer3+4"] if mode in {"802.3ad", "balance-xor"} else []


def test_a_mode_is_changed_in_place(node: Target) -> None:
    """A bond that exists goes from balance-rr to 802.3ad, and keeps its slaves and the bridge on it."""
    first, second = node.nics[:2]
    node.do("bond", "create", "bond0", "--slaves", f"{first},{second}", "--mode", "balance-rr")
    node.do("bridge", "create", "vmbr1", "--ports", "bond0")
    apply(node)
    node.do("bond", "set", "bond0", "--mode", "802.3ad")
    apply(node)
    assert node.listing()["bond0"]["mode"] == "802.3ad"
    active(node, "bond0", "vmbr1", first, second)
    if node.has_kernel:
        links = node.links()
        assert info(links["bond0"])["mode"] == "802.3ad"
        assert [master(links, each) for each in (first, second, "bond0")] == ["bond0", "bond0", "vmbr1"]


def test_lacp_finds_its_partner(node: Target) -> None:
    """Two 802.3ad bonds that are cabled to each other agree: both slaves are in one aggregator, with a partner."""
    if not (node.has_kernel and node.is_vm):
        pytest.skip(f"{node.kind}: needs a VM whose NICs are cabled to each other")
    first, second, partner1, partner2 = node.nics
    node.do("bond", "create", "bond0", "--slaves", f"{first},{second}", "--mode", "802.3ad")
    node.do("bond", "create", "bond1", "--slaves", f"{partner1},{partner2}", "--mode", "802.3ad")
    apply(node, "--require", "lacp")
    _, _, rest = bonding(node, "bond1").partition("System MAC address: ")
    partner = rest.split()[0]
    until(lambda: f"Partner Mac Address: {partner}" in bonding(node, "bond0"), within=LACP_SECONDS, pause=1.0)
    until(lambda: info(node.links()["bond0"])["ad_info"]["num_ports"] == 2, within=LACP_SECONDS, pause=1.0)
    assert not differing(links_agree(node), "bond0")


def test_a_vlan_on_a_vlan_aware_bridge(node: Target) -> None:
    """A bridge that filters VLANs carries a VLAN with an address of its own."""
    first = node.nics[0]
    node.do("bridge", "create", "vmbr1", "--ports", first, "--vlan-aware", "--vids", "50,100-110")
    node.do("vlan", "create", "vmbr1.50", "--cidr", "10.99.50.1/24")
    apply(node)
    active(node, "vmbr1", "vmbr1.50", first)
    listing = node.listing()
    assert listing["vmbr1"]["vlan_aware"] is True
    assert listing["vmbr1.50"]["cidr"] == "10.99.50.1/24"
    if node.has_kernel:
        links = node.links()
        assert info(links["vmbr1"])["vlan_filtering"] == 1
        assert (info(links["vmbr1.50"])["id"], links["vmbr1.50"]["link"]) == (50, "vmbr1")
        assert "10.99.50.1/24" in node.shell("ip -4 -o address show dev vmbr1.50")
        assert "100-110" in node.shell(f"bridge -compressvlans vlan show dev {first}")
        assert not links_agree(node)["differences"]


def test_an_mtu_goes_up_and_is_cleared(node: Target) -> None:
    """A bond with its slaves takes jumbo frames, and the usual size again when the field is cleared."""
    first, second = node.nics[:2]
    node.do("bond", "create", "bond0", "--slaves", f"{first},{second}", "--mode", "active-backup", "--mtu", "9000")
    apply(node)
    if node.has_kernel:
        links = node.links()
        assert [links[each]["mtu"] for each in ("bond0", first, second)] == [9000, 9000, 9000]
    node.do("bond", "set", "bond0", "--clear", "mtu")
    apply(node)
    assert node.listing()["bond0"]["mtu"] is None
    if node.has_kernel:
        assert node.links()["bond0"]["mtu"] == 1500


def test_a_deletion_leaves_nothing_behind(node: Target) -> None:
    """What was deleted is gone from the listing and from the kernel; its slaves are free again."""
    first, second = node.nics[:2]
    node.do("bond", "create", "bond0", "--slaves", f"{first},{second}", "--mode", "balance-rr")
    node.do("bridge", "create", "vmbr1", "--ports", "bond0")
    apply(node)
    node.do("bridge", "delete", "vmbr1")
    node.do("bond", "delete", "bond0")
    apply(node)
    assert not node.listing().keys() & {"bond0", "vmbr1"}
    if node.has_kernel:
        links = node.links()
        assert not links.keys() & {"bond0", "vmbr1"}
        assert [master(links, each) for each in (first, second)] == ["", ""]


def test_a_bond_is_put_back_as_it_was(node: Target) -> None:
    """`pvenet rollback` after an apply leaves the node as it was before the first change was staged."""
    first, second = node.nics[:2]
    node.do("bond", "create", "bond0", "--slaves", f"{first},{second}", "--mode", "balance-rr")
    apply(node)
    ran = node.pvenet("rollback", "--yes", "--json")
    assert (ran.code, ran.end["verdict"]) == (0, "rolled_back"), ran
    assert "bond0" not in node.listing()
    if node.has_kernel:
        assert "bond0" not in node.links()
