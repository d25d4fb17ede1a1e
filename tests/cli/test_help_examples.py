"""What help shows as an example does what it says, on a simulated node."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from test_help import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

FILE = """
defaults: {bond0: {type: bond, slaves: [ens38, ens39]}}
nodes: {pve1: {}, pve2: {}}
"""
BOND = "bond create --slaves ens38,ens39 --mode 802.3ad"
BRIDGE = "bridge create vmbr1 --ports bond0 --vlan-aware"
VLAN = "vlan create bond0.50 --cidr 192.0.2.5/24"
OVS_BRIDGE = "ovs-bridge create vmbr2 --ports ens40"
OVS_BOND = "ovs-bond create bond1 --bridge vmbr2 --slaves ens38,ens39"
OVS_PORT = "ovs-port create mgmt0 --bridge vmbr2 --tag 50"

GIVEN = {
    "plan show": ("plan network.yaml -o monday.plan",),
    "links bond0": (BOND, "apply --yes"),
    "diff": (BOND,),
    "apply": (BOND,),
    "apply -f": (),
    "revert": (BOND,),
    "rollback": (BOND, "apply --yes"),
    "rollback --rollout": ("apply -f network.yaml --yes --allow-management",),
    "history show": (BOND, "apply --yes"),
    "history show r1": ("apply -f network.yaml --yes --allow-management",),
    "bond set": (BOND,),
    "bond delete": (BOND,),
    "bridge create": (BOND,),
    "bridge set": (BOND, BRIDGE),
    "bridge delete": (BOND, BRIDGE),
    "vlan create": (BOND,),
    "vlan set": (BOND, VLAN),
    "vlan delete": (BOND, VLAN),
    "ovs-bridge set": (OVS_BRIDGE,),
    "ovs-bridge delete": (OVS_BRIDGE,),
    "ovs-bond create": (OVS_BRIDGE,),
    "ovs-bond set": (OVS_BRIDGE, OVS_BOND),
    "ovs-bond delete": (OVS_BRIDGE, OVS_BOND),
    "ovs-port create": (OVS_BRIDGE,),
    "ovs-port set": (OVS_BRIDGE, OVS_PORT),
    "ovs-port delete": (OVS_BRIDGE, OVS_PORT),
    "--sim lab": ("sim init lab --node pve1",),
    "renamed": ("nics", "sim rename node ens33=enp9s0 --node pve1"),
    "renamed --map": (),
    "sim rename": ("sim init lab --node pve1",),
    "sim unplug": ("sim init lab --node pve1",),
    "sim show": ("sim init lab --node pve1",),
}
"""What comes before an example, by how it begins; the longest beginning counts."""
ELSEWHERE = ("login", "logout", "sim serve", "apply --confirm-within", "confirm", "config show --profile")
"""Examples that need somebody beside them: tests of their own run these commands."""
ASKS = ("apply", "rollback")


def begins(line: str, beginnings: tuple[str, ...]) -> Iterator[str]:
    """Those of the beginnings that a line has, the longest first."""
    return (each for each in sorted(beginnings, key=len, reverse=True) if f"{line} ".startswith(f"{each} "))


RUN = [example.removeprefix("pvenet ") for example in EXAMPLES]
RUN = [line for line in RUN if not any(begins(line, ELSEWHERE))]


@pytest.fixture
def place(tmp_path: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network file and simulated nodes, which have Open vSwitch."""
    folder = tmp_path / "node"
    for node in ("pve1", "pve2"):
        assert run("sim", "init", f"{folder}", "--ovs", "--node", node).code == 0
    monkeypatch.setenv("PVENET_SIM", f"{folder}")
    monkeypatch.setenv("PVENET_NODE", "pve1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "network.yaml").write_text(FILE)
    return tmp_path


@pytest.mark.parametrize("line", RUN)
def test_an_example_does_what_it_says(line: str, place: Path, run: Callable[..., Ran]) -> None:
    """With what it takes for granted, and nobody to be asked, it ends well."""
    line = line.partition(" > ")[0].replace("/tmp/lab", f"{place}/tried")
    line = line.replace("/etc/network/interfaces", f"{place}/node/pve1/etc/network/interfaces")
    for before in GIVEN.get(next(begins(line, tuple(GIVEN)), ""), ()):
        assert run(*shlex.split(before)).code == 0, before
    ran = run(*shlex.split(line), *(["--yes"] if line.split()[0] in ASKS else []))
    assert ran.code == 0, ran.err
    assert "nothing to do" not in ran.err
