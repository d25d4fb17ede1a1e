"""A network as a file, and the file's schema."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from ipaddress import IPv6Interface
from typing import TYPE_CHECKING, Any

import fastjsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from listings import recorded_networks
from network_file import EXAMPLE
from plan_model import network as described
from plan_model import networks
from wrong_files import WRONG

from pvenet.model import Bond, Bridge, Ethernet, FileOnly, Interface, Network, Other, Vlan
from pvenet.plan import management_path, plan
from pvenet.sim.state import Sim
from pvenet.spec.check import relations
from pvenet.spec.desired import desired_state
from pvenet.spec.export import exported, exported_data, quoted
from pvenet.spec.file import KEYS, NetworkFile, NodeEntries
from pvenet.spec.from_network import OWN_KEYS
from pvenet.spec.load import examine
from pvenet.spec.network_spec import KINDS
from pvenet.spec.parse import parse
from pvenet.spec.schema import schema
from pvenet.spec.tree import Unreadable, plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

quick = settings(max_examples=100, derandomize=True, database=None)


def unchanged(network: Network, text: str) -> bool:
    """Whether a file asks a node for nothing; of the file nothing may be wrong."""
    spec, diagnostics = examine(text, "f")
    wrong = [each for each in [*diagnostics, *relations(spec)] if not each.warning]
    assert not wrong, [each.text("f") for each in wrong]
    node = spec.nodes["pve1"]
    path = partial(management_path, network, ())
    complete = replace(node, only=True)
    return not plan(network, desired_state(node, network, path).desired) and not plan(
        network, desired_state(complete, network, path).desired
    )


def test_every_recorded_network_is_exported_and_planned_without_a_change() -> None:
    """Also where the file is taken to be complete."""
    assert len(recorded_networks()) > 70
    for network in recorded_networks():
        text = exported({"pve1": network})
        assert unchanged(network, text), text


@quick
@given(networks())
def test_any_network_is_exported_and_planned_without_a_change(interfaces: dict[str, Interface]) -> None:
    """Whatever a node may hold."""
    network = Network(interfaces=interfaces)
    assert unchanged(network, exported({"pve1": network}))


@quick
@given(st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_any_text_survives_the_file(comments: str, more: dict[str, str]) -> None:
    """Comments hold everything that people type, and names what others do."""
    bridge = Bridge(name="vmbr1", comments=comments)
    inner = {name: replace(bridge, name=name, comments=text) for name, text in more.items() if name not in OWN_KEYS}
    network = Network(interfaces={"vmbr1": bridge, **inner})
    assert unchanged(network, exported({"pve1": network}))
    assert plain(parse(f"[{quoted(comments)}, {quoted(comments)}]")[0]) == [comments, comments]


ODD = {
    "2001:db8::1": ("bridge vmbr1 cidr6=2001:db8::1/64 gateway6=2001:db8::2 mtu=9000", "{type: bridge, mtu: 9000}"),
    "vids that hold 1": ("bridge vmbr1 vlan_aware=on vids=1-4094", "{type: bridge, vlan_aware: true}"),
    "a name that PVE does not take": ("bridge br-lan", "{state: ignore}"),
    "a bond by another name": ("bond uplink mode=802.3ad", "{state: ignore}"),
    "a port with an address": (
        "bridge vmbr1 ports=ens2\neth ens2 cidr=10.0.0.1/24",
        "ens2: {type: eth, autostart: true}",
    ),
    "a port of two bridges": ("bridge vmbr1 ports=ens2\nbridge vmbr2 ports=ens2\neth ens2", "vmbr2: {type: bridge}"),
    "two default gateways": (
        "bridge vmbr1 cidr=10.0.0.1/24 gateway=10.0.0.2\nbridge vmbr2 cidr=10.1.0.1/24 gateway=10.1.0.2",
        "cidr: 10.1.0.1/24}",
    ),
    "a slave above its bond": ("bond bond0 slaves=ens2 mtu=1500\neth ens2 mtu=9000", "bond0: {type: bond"),
    "an OVS port of no bridge": ("ovs-int-port mgmt0 tag=5", "{state: ignore}"),
}
"""What stands on nodes though nobody could ask for it, and what of it the file says."""


@pytest.mark.parametrize("odd", ODD)
def test_check_accepts_what_export_prints(odd: str) -> None:
    """What no file may ask for is left out of the export, with the reason: the node keeps it."""
    held, said = ODD[odd]
    there = described(held)
    text = exported({"pve1": there})
    assert unchanged(there, text), text
    assert said in text
    assert "    #   left out: " in text


def test_a_network_as_a_file() -> None:
    """Short: what is as PVE has it by itself is left out, and a NIC that nothing is said of."""
    network = Network(
        interfaces={
            "ens9": Ethernet(name="ens9", autostart=False),
            "ens10": Ethernet(name="ens10", autostart=False, mtu=9000),
            "bond0": Bond(name="bond0", slaves=("ens9", "ens10")),
            "vmbr0": Bridge(name="vmbr0", ports=("bond0",), vlan_aware=True, comments="a: b"),
            "vmbr0.7": Vlan(name="vmbr0.7", cidr6=IPv6Interface("fd00::1/64"), autostart=False),
            "dhcp0": Bridge(name="dhcp0", file_only=FileOnly(method="dhcp", options=("post-up echo 1",))),
            "wg0": Other(name="wg0", kind="unknown"),
            "bond1": Other(name="bond1", kind="bond", unread=("bond_mode 802.3AD", "mtu x\n  y")),
            "lint": Bridge(name="lint"),
            "only": Bridge(name="only"),
        }
    )
    assert (
        exported({"pve1": network, "2": Network()})
        == """\
# yaml-language-server: $schema=pvenet.schema.json
nodes:
  pve1:
    ens10: {type: eth, mtu: 9000}
    bond0: {type: bond, slaves: [ens9, ens10], mode: balance-rr}
    dhcp0: {type: bridge}
    #   in the file besides: inet dhcp
    #   in the file besides: post-up echo 1
    # lint: an interface of this name can't be described
    # only: an interface of this name can't be described
    vmbr0: {type: bridge, ports: [bond0], vlan_aware: true, comments: "a: b"}
    vmbr0.7: {type: vlan, autostart: false, cidr6: "fd00::1/64"}
    # bond1: `bond_mode 802.3AD`, `mtu x?  y` can't be read, so pvenet does not write it
    # wg0: of the kind unknown, which pvenet does not write
  "2": {}
""".replace("[ens9, ens10]", "[ens10, ens9]")
    )


def test_a_name_that_is_a_key_of_the_file_is_left_out() -> None:
    """Whatever else a node may hold beside its interfaces; the text says so, and JSON has no place for it."""
    assert set(OWN_KEYS) == set(NodeEntries.model_fields)
    for name in OWN_KEYS:
        there = Network(interfaces={name: Bridge(name=name), "vmbr7": Bridge(name="vmbr7")})
        assert f"# {name}: an interface of this name can't be described" in exported({"pve1": there})
        assert list(exported_data({"pve1": there})["nodes"]["pve1"]) == ["vmbr7"]


def test_export_reads_all_nodes_or_the_named_ones(run: Callable[..., Ran], lab: Path) -> None:
    """The result is a file that `check` takes; a node that is not there is a matter of usage."""
    Sim.init(lab, node="pve2")
    text = run("export").out
    assert [line for line in text.splitlines() if line.startswith("  pve")] == ["  pve1:", "  pve2:"]
    file = lab / "n.yaml"
    file.write_text(text)
    assert run("check", "-f", str(file)).code == 0
    assert "pve1" not in run("export", "--node", "pve2").out
    assert run("export", "--node", "pve1", "--node", "pve2").out == text
    assert list(run("export", "--json").data) == ["pve1", "pve2"]
    ran = run("export", "--node", "pve2,pve7")
    assert ran.code == 2
    assert "there is no node pve7" in ran.err
    run("bridge", "create", "--node", "pve2")
    assert "changes are pending on pve2" in run("export").err


# --- the schema ------------------------------------------------------------------------------------------------------


def judge() -> Callable[[Any], Any]:
    """A validator of others' making."""
    made: Callable[[Any], Any] = fastjsonschema.compile(schema())
    return made


def test_the_schema_takes_what_the_loader_takes() -> None:
    """The example, and every recorded network."""
    valid = judge()
    valid(plain(parse(EXAMPLE)[0]))
    for network in recorded_networks():
        valid(plain(parse(exported({"pve1": network}))[0]))


def test_the_schema_refuses_what_the_types_refuse() -> None:
    """Of the wrong files, those whose keys or values are wrong; types of addresses it knows by their shape only."""
    valid = judge()
    for text, message in WRONG:
        try:
            data = plain(parse(text)[0])
        except Unreadable:
            continue
        elsewhere = ("f:1:81", "a: ", "is listed twice", "in the defaults", "its type is missing", "10.0.0.300")
        if any(part in message for part in elsewhere):
            continue
        with pytest.raises(fastjsonschema.JsonSchemaException):
            valid(data)


def test_the_schema_is_made_of_the_types_that_load_the_file(run: Callable[..., Ran]) -> None:
    """Every kind with all its keys, and modes by name."""
    data = run("schema").data
    assert data == json.loads(json.dumps(schema()))
    assert data["definitions"].keys() >= {kind.__name__ for kind in KINDS.values()}
    for word, kind in KINDS.items():
        properties = data["definitions"][kind.__name__]["properties"]
        assert properties.keys() == {"type", "state", *KEYS[word]}
    assert "802.3ad" in data["definitions"]["BondMode"]["enum"]
    assert set(data["properties"]) == set(NetworkFile.model_fields)
