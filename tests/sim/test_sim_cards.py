"""The cards of a simulated node change: other names, two swapped, one taken out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sim_client import NETWORK, Client, stage
from sim_kernel import kernel, link

from pvenet.sim import boot
from pvenet.sim.machine.hardware import Nic
from pvenet.sim.state import Sim, SimError

if TYPE_CHECKING:
    from pathlib import Path

NICS = {"eno1": ("enp5s0", "enxbc2411000001"), "eno2": ("enxbc2411000002",), "eno3": ()}
FILE = """auto lo
iface lo inet loopback

iface eno1 inet manual

iface eno2 inet manual

auto bond0
iface bond0 inet manual
\tbond-slaves eno1 eno2
\tbond-mode active-backup
\tbond-miimon 100

auto vmbr0
iface vmbr0 inet static
\taddress 192.0.2.1/24
\tbridge-ports bond0
\tbridge-stp off
\tbridge-fd 0

auto vmbr0.20
iface vmbr0.20 inet manual

auto eno3.30
iface eno3.30 inet manual
"""
SWAPPED = {"eno1": "eno2", "eno2": "eno1"}


@pytest.fixture
def client(tmp_path: Path) -> Client:
    Sim.init(tmp_path / "lab", nics=NICS, interfaces=FILE)
    return Client(tmp_path / "lab")


def rename(client: Client, **names: str) -> None:
    boot.rename(client.adapter.sim, "pve1", names, client.now)


def entries(client: Client) -> dict[str, dict[str, object]]:
    return {entry["iface"]: entry for entry in client.ask("GET", NETWORK).json()["data"]}


def test_a_card_keeps_its_mac_and_altnames_under_another_name(client: Client) -> None:
    """In the kernel, the report and the listing; what named the old name has lost it (pve-api#f33)."""
    before = kernel(client)
    rename(client, eno1="ens1f0", eno3="ens1f2")
    after = kernel(client)
    assert before.link("eno1") is not None
    assert after.link("eno1") is None
    assert link(after, "ens1f0").mac == "bc:24:11:00:00:01"
    assert link(after, "ens1f0").altnames == NICS["eno1"]
    assert link(after, "ens1f2").mac == link(before, "eno3").mac
    assert [slave.name for slave in after.ports("bond0")] == ["eno2"]
    assert after.link("eno3.30") is None
    listed = entries(client)
    assert listed["ens1f0"]["altnames"] == sorted(NICS["eno1"])
    assert "exists" not in listed["eno1"]
    report = client.ask("GET", "/nodes/pve1/report").json()["data"]
    assert "ens1f0: <" in report
    assert "link/ether bc:24:11:00:00:01 " in report


def test_a_name_that_was_an_altname_is_none_any_more(client: Client) -> None:
    """The kernel has no link that is called the same twice."""
    rename(client, eno1="enp5s0")
    assert link(kernel(client), "enp5s0").altnames == ("enxbc2411000001",)


def test_two_cards_swap_their_names(client: Client) -> None:
    """Each name has the other's MAC and altnames; the file finds its NICs, and the bond begins with the other card."""
    before = kernel(client)
    rename(client, **SWAPPED)
    after = kernel(client)
    assert [link(after, name).permaddr or link(after, name).mac for name in ("eno1", "eno2")] == [
        "bc:24:11:00:00:02",
        "bc:24:11:00:00:01",
    ]
    assert link(after, "eno2").altnames == link(before, "eno1").altnames
    assert link(before, "bond0").mac == "bc:24:11:00:00:01"
    assert link(after, "bond0").mac == "bc:24:11:00:00:02"
    rename(client, **SWAPPED)
    assert kernel(client) == before


def test_a_card_keeps_its_cable(client: Client) -> None:
    """Speed, carrier and the switch at its other end go with the card, not with the name."""
    node = client.node
    cable = Nic(speed=10_000, carrier=False, partner=None)
    node.save(node.described().but(hardware={"eno1": cable}))
    rename(client, eno1="eno9")
    assert replace(node.described().nic("eno9"), mac="") == cable


def test_a_card_that_was_taken_out_is_gone(client: Client) -> None:
    """Its stanza stays in the list, without `exists`; its name may be another card's then."""
    boot.unplug(client.adapter.sim, "pve1", ["eno1"], client.now)
    assert kernel(client).link("eno1") is None
    assert "exists" not in entries(client)["eno1"]
    rename(client, eno3="eno1")
    assert entries(client)["eno1"]["exists"] == 1


def test_the_boot_makes_live_what_was_staged(client: Client) -> None:
    """pve-api#staged-goes-live: what is prepared for the new names is there after it."""
    stage(client)
    rename(client, eno1="eno9")
    assert not client.node.staged.exists()
    assert "vmbr1" in client.active()


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"eno7": "eno8"}, "there is no NIC eno7"),
        ({"eno1": "eno2"}, "two NICs eno2"),
        ({"eno1": "eno8", "eno2": "eno8"}, "two NICs eno8"),
        ({"eno2": "enp5s0"}, "two NICs enp5s0"),
        ({"eno1": "a-name-of-16-long"}, "can't be a NIC's name"),
        ({"eno1": "eno1.20"}, "can't be a NIC's name"),
    ],
)
def test_what_no_kernel_would_do_is_refused(client: Client, names: dict[str, str], told: str) -> None:
    """And nothing has changed then."""
    before = kernel(client)
    with pytest.raises(SimError, match=told):
        rename(client, **names)
    assert kernel(client) == before
