"""The live tests touch no node that is not theirs to touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import live
import pytest

if TYPE_CHECKING:
    from pathlib import Path

NICS = ("ens38", "ens39")


def entry(name: str, type: str = "eth", **more: Any) -> dict[str, Any]:  # noqa: A002  PVE's word
    return {"name": name, "type": type, "cidr": None, "cidr6": None, **more}


FREE = [entry("ens38"), entry("ens39"), entry("vmbr0", "bridge", ports=["ens33"], cidr="192.168.171.21/24")]


def test_a_node_with_free_nics_may_be_used() -> None:
    assert live.refusal(FREE, pending=False, nics=NICS) is None


@pytest.mark.parametrize(
    ("listing", "pending", "why"),
    [
        (FREE, True, "it has pending changes, and they are not these tests'"),
        ([*FREE, entry("bond0", "bond", slaves=[])], False, "it has bond0 already, and these tests make their own"),
        (FREE[1:], False, "it has no NIC ens38"),
        ([entry("ens38", "bridge"), *FREE[1:]], False, "it has no NIC ens38"),
        ([*FREE, entry("vmbr7", "bridge", ports=["ens39"])], False, "vmbr7 uses ens39"),
        ([*FREE, entry("bond7", "bond", slaves=["ens38"])], False, "bond7 uses ens38"),
        ([*FREE, entry("ens38.7", "vlan", raw_device="ens38")], False, "ens38.7 uses ens38"),
        ([entry("ens38", cidr="10.0.0.1/24"), *FREE[1:]], False, "ens38 has an address"),
        ([entry("ens38", cidr6="fd00::1/64"), *FREE[1:]], False, "ens38 has an address"),
    ],
)
def test_whatever_is_in_the_way_is_named(listing: list[dict[str, Any]], pending: bool, why: str) -> None:  # noqa: FBT001
    assert live.refusal(listing, pending=pending, nics=NICS) == why


def test_nics_are_never_guessed(tmp_path: Path) -> None:
    """A node that is just named is not touched until somebody says which of its NICs may be used."""
    with pytest.raises(SystemExit, match="PVENET_LIVE_NICS"):
        live.named_target(tmp_path, {"PVENET_ENDPOINT": "https://pve1.example.com:8006"})


def test_what_somebody_has_staged_is_left_alone(tmp_path: Path) -> None:
    """A simulated node on which somebody works: the live tests refuse it, and its staging is what it was."""
    from pvenet.sim.server import Server

    with Server(tmp_path / "lab") as server:
        staged = tmp_path / "lab/pve1/etc/network/interfaces.new"
        staged.write_text("auto lo\niface lo inet loopback\n")
        with pytest.raises(SystemExit, match="pve1 is left alone: it has pending changes"):
            live.simulated(server.endpoint, tmp_path / "state")
        assert staged.read_text() == "auto lo\niface lo inet loopback\n"
