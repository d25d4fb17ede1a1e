"""What stands on a node and is unchanged is no problem of a change; what PVE does not take back is a loss."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from file_replay import files

from pvenet import wire
from pvenet.model import Bond, BondMode, Bridge, Interface, Network, Other, OvsBond, OvsPort
from pvenet.plan import inverse, plan, problems

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_comment_can_be_set_on_whatever_a_recorded_file_has(told: Callable[[str], None]) -> None:
    """All interfaces of all files; but for a NIC that says it is an OVS port and that no OVS bridge lists."""
    found, count = [], 0
    for file in files():
        network = wire.network(dict(entry) for entry in file.listing)
        for name, interface in network.interfaces.items():
            if isinstance(interface, Other):
                continue
            count += 1
            for problem in problems(network, {name: replace(interface, comments="new")}):
                lonely = isinstance(interface, OvsPort) and problem.field == "bridge"
                found += [] if lonely else [(file.name, str(problem))]
    told(f"comments on interfaces of files.jsonl: {count}, {len(found)} with a problem of something else")
    assert found == []
    assert count > 3000


@pytest.mark.parametrize(
    "interface",
    [
        OvsBond(name="bond0", bridge="vmbr1", slaves=("ens33",), autostart=False),
        Bond(name="bond0", slaves=("ens33",), mode=BondMode.LACP, primary="ens33"),
        Bridge(name="vmbr3", ports=("ens33", "ens33")),
        Bridge(name="vmbr3", vids=("10",)),
    ],
)
def test_what_pve_would_drop_is_no_problem_where_it_stands_already(interface: Interface) -> None:
    """Autostart off on an OVS bond, a primary beside another mode, a port twice, vids without VLAN awareness."""
    network = Network(interfaces={interface.name: interface})
    found = problems(network, {interface.name: replace(interface, comments="x")})
    assert [problem for problem in found if not problem.warning] == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            Bridge(name="vmbr3", vlan_aware=True, vids=("1-4094",)),
            Bridge(name="vmbr3", vlan_aware=True, vids=("10",)),
            "vmbr3: PVE refuses the vids 1-4094",
        ),
        (
            Bridge(name="vmbr3", vlan_aware=True, vids=("10", "#", "trunk")),
            None,
            "vmbr3: PVE refuses the vids 10 # trunk",
        ),
        (Bridge(name="vmbr3", ports=("br-lan",)), Bridge(name="vmbr3"), "vmbr3: PVE refuses the ports br-lan"),
    ],
)
def test_a_value_that_pve_does_not_take_back_is_a_loss_and_is_not_sent(
    before: Interface, after: Interface | None, said: str
) -> None:
    """Said before, and what leads back goes without it."""
    network = Network(interfaces={"vmbr3": before})
    back = inverse(plan(network, {"vmbr3": after}), network)
    assert [str(loss) for loss in back.lost] == [said]
    refused = said.split(maxsplit=5)[-1]
    assert all(refused not in wire.request(step).form.values() for step in back.plan.steps)
