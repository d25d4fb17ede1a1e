"""The bridges call, as recorded and as odd as it may get."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_texts import KERNEL

from pvenet.kernel.bridges import read_bridges
from pvenet.kernel.links import BridgePorts, Port
from pvenet.kernel.unreadable import Unreadable

MARKER = "HUNTER2"


def recorded() -> dict[str, list[dict[str, Any]]]:
    """Every recorded answer to the call, by its name."""
    lines = [
        json.loads(line)
        for path in sorted(KERNEL.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return {
        line["name"]: line["response"]["json"]["data"]
        for line in lines
        if line["request"]["path"].endswith("/localnetwork/bridges") and line["response"]["status"] == 200
    }


ANSWERS = recorded()


@pytest.mark.parametrize("name", ANSWERS)
def test_a_recorded_answer_is_read_whole(name: str) -> None:
    """Every bridge and every port, and all that is said of a guest's."""
    bridges = read_bridges(ANSWERS[name])
    assert list(bridges) == sorted(row["name"] for row in ANSWERS[name])
    for row in ANSWERS[name]:
        bridge = bridges[row["name"]]
        assert bridge.vlan_filtering is (None if row["vlan_filtering"] is None else row["vlan_filtering"] == 1)
        assert [port.name for port in bridge.ports] == sorted(port["name"] for port in row["ports"])
        by_name = {port.name: port for port in bridge.ports}
        for port in row["ports"]:
            read = by_name[port["name"]]
            assert str(read.vmid or "") == port.get("vmid", "")
            assert (read.index, read.primary_vlan) == (port.get("index"), port.get("primary_vlan"))
            assert list(read.vlans) == port.get("vlans", [])


def test_the_recordings_have_every_form() -> None:
    """Guests' ports, VLANs, a bridge without ports, and one that the kernel does not have."""
    bridges = [bridge for rows in ANSWERS.values() for bridge in read_bridges(rows).values()]
    ports = [port for bridge in bridges for port in bridge.ports]
    assert {bridge.vlan_filtering for bridge in bridges} == {None, False, True}
    assert any(port.vmid == 100 and port.index == "net0" for port in ports)
    assert any(port.primary_vlan for port in ports)
    assert any("-" in word for port in ports for word in port.vlans)
    assert any(not bridge.ports for bridge in bridges)


def test_types_may_be_those_of_the_schema() -> None:
    """Numbers as text and text as numbers, as PVE's schema has it and its answers do not."""
    port = {"name": "tap100i0", "vmid": 100, "index": "net0", "primary_vlan": "5", "vlans": [30, "40-50"]}
    assert read_bridges(
        [{"name": "vmbr1", "vlan_filtering": "1", "ports": [port, {"name": "ens33", "vmid": None}]}]
    ) == {
        "vmbr1": BridgePorts(
            name="vmbr1",
            vlan_filtering=True,
            ports=(
                Port(name="ens33"),
                Port(name="tap100i0", vmid=100, index="net0", primary_vlan=5, vlans=("30", "40-50")),
            ),
        )
    }


GOOD: dict[str, Any] = {"name": "vmbr1", "vlan_filtering": 1, "ports": [{"name": "tap1i0"}]}


@pytest.mark.parametrize(
    "rows",
    [
        [{**GOOD, "vlan_filtering": MARKER}],
        [{**GOOD, "vlan_filtering": 2}],
        [{**GOOD, "vlan_filtering": 0.5}],
        [{"name": "vmbr1", "ports": []}],
        [{**GOOD, "ports": None}],
        [{**GOOD, "ports": MARKER}],
        [{**GOOD, "ports": [MARKER]}],
        [{**GOOD, "name": ""}],
        [{**GOOD, "name": f"{MARKER} {MARKER}"}],
        [{**GOOD, "ports": [{"name": "tap1i0", "vmid": MARKER}]}],
        [{**GOOD, "ports": [{"name": "tap1i0", "vmid": True}]}],
        [{**GOOD, "ports": [{"name": "tap1i0", "vmid": "-1"}]}],
        [{**GOOD, "ports": [{"name": "tap1i0", "index": 5}]}],
        [{**GOOD, "ports": [{"name": "tap1i0", "primary_vlan": 4095}]}],
        [{**GOOD, "ports": [{"name": "tap1i0", "vlans": [MARKER]}]}],
        [{**GOOD, "ports": [{"name": "tap1i0", "vlans": ["50-40"]}]}],
        [{**GOOD, "ports": [{"name": "tap1i0"}, {"name": "tap1i0"}]}],
        [GOOD, GOOD],
        [MARKER],
    ],
    ids=repr,
)
def test_what_is_no_bridge_is_refused_and_not_quoted(rows: list[Any]) -> None:
    """A wrong type or value is no fact, and its text may be anything."""
    with pytest.raises(Unreadable) as caught:
        read_bridges(rows)
    assert MARKER not in str(caught.value)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["0", "1", "30", "2-4094"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PORTS = st.fixed_dictionaries(
    {"name": st.text() | ANY}, optional=dict.fromkeys(("vmid", "index", "primary_vlan", "vlans"), ANY)
)
ROWS = st.fixed_dictionaries(
    {"name": ANY | st.text(), "vlan_filtering": ANY, "ports": ANY | st.lists(PORTS, max_size=3)}
)


@settings(max_examples=400)
@given(rows=st.lists(ROWS | ANY, max_size=3))
def test_whatever_json_is_a_value_or_unreadable(rows: list[Any]) -> None:
    """Never another exception, and what is read is what was said."""
    with contextlib.suppress(Unreadable):
        bridges = read_bridges(rows)
        assert {name: len(bridge.ports) for name, bridge in bridges.items()} == {
            row["name"]: len(row["ports"]) for row in rows
        }
