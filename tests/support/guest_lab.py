"""Simulated nodes with guests: the walk-through's with a bond, and two bridges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from pathlib import Path

NICS = ("ens33", "ens37", "ens38", "ens39", "ens40", "ens41")
FILE = (
    "auto lo\niface lo inet loopback\n\n"
    + "".join(f"{'auto ' + nic if nic in ('ens38', 'ens39') else '#'}\niface {nic} inet manual\n\n" for nic in NICS)
    + "auto bond0\niface bond0 inet manual\n\tbond-slaves ens38 ens39\n\tbond-miimon 100\n\tbond-mode 802.3ad\n\n"
    "auto vmbr0\niface vmbr0 inet static\n\taddress 192.168.171.21/24\n\tgateway 192.168.171.2\n"
    "\tbridge-ports ens33\n\tbridge-stp off\n\tbridge-fd 0\n\n"
    "auto vmbr1\niface vmbr1 inet manual\n\tbridge-ports bond0\n\tbridge-stp off\n\tbridge-fd 0\n"
    "\tbridge-vlan-aware yes\n\tbridge-vids 2-4094\n"
)
GUESTS = ("101:web:vmbr1:20", "102:db:vmbr1", "205:proxy:vmbr1:30,ct,firewall,stopped")


def guest_lab(folder: Path, *guests: str, node: str = "pve1", text: str = FILE, ovs: bool = False) -> Sim:
    """One more node in the folder, with these guests."""
    return Sim.init(
        folder, node=node, nics=NICS, interfaces=text.replace(".21/", f".2{node[-1]}/"), guests=guests, ovs=ovs
    )
