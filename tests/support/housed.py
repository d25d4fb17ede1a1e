"""Simulated nodes with guests: two bridges, one that carries the node's address and one on a bond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from pathlib import Path

NICS = ("ens33", "ens37", "ens38", "ens39", "ens40")
LINK = "10.10.10.2"
"""Where the cluster's second link begins: pve1 has 10.10.10.21."""


def file(number: int) -> str:
    """A node's file: vmbr0 with its address, vmbr1 on bond0, and the cluster's second link on ens40."""
    return f"""auto lo
iface lo inet loopback

iface ens33 inet manual

iface ens37 inet manual

auto ens38
iface ens38 inet manual

auto ens39
iface ens39 inet manual

auto ens40
iface ens40 inet static
\taddress {LINK}{number}/24

auto bond0
iface bond0 inet manual
\tbond-slaves ens38 ens39
\tbond-miimon 100
\tbond-mode balance-rr

auto vmbr0
iface vmbr0 inet static
\taddress 192.168.171.2{number}/24
\tgateway 192.168.171.2
\tbridge-ports ens33
\tbridge-stp off
\tbridge-fd 0

auto vmbr1
iface vmbr1 inet manual
\tbridge-ports bond0
\tbridge-stp off
\tbridge-fd 0
\tbridge-vlan-aware yes
\tbridge-vids 2-4094

"""


def housed(folder: Path, *nodes: tuple[str, ...], links: bool = True) -> Path:
    """A folder with a simulated node for each tuple of guests (`101:web:vmbr1:20`): pve1, pve2, ...

    `links`: several have a second link to each other, over ens40.
    """
    for number, guests in enumerate(nodes, start=1):
        own = [f"{LINK}{number}"] if links and len(nodes) > 1 else []
        Sim.init(folder, node=f"pve{number}", nics=NICS, interfaces=file(number), guests=guests, links=own)
    return folder
