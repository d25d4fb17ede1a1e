"""A network file: what it means, and everything that is wrong with it, at its place."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv6Interface
from typing import TYPE_CHECKING

import pytest
from network_file import EXAMPLE
from wrong_files import WRONG

from pvenet import errors
from pvenet.model import BondMode, Bridge, Network, OvsBondMode
from pvenet.plan import management_path
from pvenet.spec.addresses import taken_addresses
from pvenet.spec.check import relations
from pvenet.spec.diagnostics import in_file_order
from pvenet.spec.load import check, examine, load
from pvenet.spec.network_spec import Absent, InterfaceSpec
from pvenet.spec.node_plan import outline, plan_node
from pvenet.spec.parse import parse
from pvenet.spec.tree import DEEPEST, LARGEST, MOST, Unreadable, plain
from pvenet.wire import request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    from pvenet.spec.network_spec import NodeSpec
    from pvenet.spec.node_plan import NodePlan


def messages(text: str) -> list[str]:
    """All that is wrong with a text, as `check` prints it."""
    spec, diagnostics = examine(text, "f")
    return [each.text("f") for each in in_file_order([*diagnostics, *relations(spec)]) if not each.warning]


def warnings(text: str) -> list[str]:
    """What `check` finds worth a second look."""
    spec, diagnostics = examine(text, "f")
    assert not diagnostics
    return [each.text("f") for each in in_file_order(relations(spec)) if each.warning]


def described(text: str, name: str, node: str = "a") -> InterfaceSpec:
    """What a text without a mistake says of an interface."""
    spec, diagnostics = examine(text, "f")
    assert not diagnostics
    found = spec.nodes[node].interfaces[name]
    assert isinstance(found, InterfaceSpec)
    return found


# --- what it means ---------------------------------------------------------------------------------------------------


def test_the_example_of_the_documents_is_understood() -> None:
    """Defaults under each node, values of the model's types, and what shall be absent."""
    spec, diagnostics = examine(EXAMPLE, "network.yaml")
    assert not diagnostics
    assert list(spec.nodes) == ["pve1", "pve2"]
    bridge = spec.nodes["pve1"].interfaces["vmbr0"]
    assert isinstance(bridge, InterfaceSpec)
    assert bridge.fields == {
        "ports": ("ens33", "ens37"),
        "cidr": IPv4Interface("192.168.171.21/24"),
        "gateway": IPv4Address("192.168.171.2"),
    }
    assert isinstance(spec.nodes["pve2"].interfaces["vmbr9"], Absent)
    assert list(spec.nodes["pve2"].interfaces) == ["bond0", "vmbr1", "vmbr0", "vmbr9"]


def test_a_node_changes_single_fields_of_the_defaults() -> None:
    """By field: what the node does not say it has from the defaults, the type too; null clears."""
    text = """
defaults:
  bond0: {type: bond, slaves: [ens1, ens2], mode: 802.3ad, mtu: 9000}
nodes:
  a: {bond0: {slaves: [ens3], mtu: null}}
  b: {}
  c:
"""
    assert described(text, "bond0").fields == {"slaves": ("ens3",), "mode": BondMode.LACP, "mtu": None}
    for other in "bc":
        whole = described(text, "bond0", other).fields
        assert whole == {"slaves": ("ens1", "ens2"), "mode": BondMode.LACP, "mtu": 9000}


def test_a_node_takes_an_interface_of_the_defaults_out() -> None:
    """`state: ignore` leaves it alone, `state: absent` removes it, and describing it brings back what is absent."""
    text = """
defaults:
  bond0: {type: bond}
  vmbr9: {state: absent}
nodes:
  a: {bond0: {state: ignore}, vmbr9: {type: bridge}}
  b: {bond0: {state: absent}}
"""
    spec, diagnostics = examine(text, "f")
    assert not diagnostics
    assert spec.nodes["a"].ignored == {"bond0"}
    assert list(spec.nodes["a"].interfaces) == ["vmbr9"]
    assert isinstance(spec.nodes["a"].interfaces["vmbr9"], InterfaceSpec)
    assert all(isinstance(each, Absent) for each in spec.nodes["b"].interfaces.values())


def test_words_mean_what_they_look_like() -> None:
    """YAML 1.2: `on`, `no`, `802.3ad` and a time are text; numbers are text in a list of words."""
    text = "nodes: {a: {vmbr1: {type: bridge, comments: no, ports: [on, 12:30:00], vids: [7, 100-200]}}}"
    assert described(text, "vmbr1").fields == {"comments": "no", "ports": ("on", "12:30:00"), "vids": ("7", "100-200")}


def test_every_kind_has_its_own_modes() -> None:
    """A mode is one of the kind's."""
    text = "nodes: {a: {bond0: {type: OVSBond, mode: active-backup}, bond1: {type: bond, mode: active-backup}}}"
    modes = [described(text, name).fields["mode"] for name in ("bond0", "bond1")]
    assert [type(mode) for mode in modes] == [OvsBondMode, BondMode]


def test_aliases_are_read() -> None:
    """An anchor saves typing, as in any YAML file."""
    text = "nodes: {a: {vmbr1: &it {type: bridge, cidr6: 'fd00::1/64'}, vmbr2: *it}}"
    assert described(text, "vmbr2").fields == {"cidr6": IPv6Interface("fd00::1/64")}


def test_plain_values_come_out_of_the_tree() -> None:
    """YAML 1.2's core schema, and nothing else."""
    tree, diagnostics = parse("[~, null, '', true, FALSE, 7, -1, 0x1f, 0o17, 1.5, 1e3, yes, 2026-01-01, '7', ]")
    assert not diagnostics
    assert plain(tree) == [None, None, "", True, False, 7, -1, 31, 15, 1.5, 1000.0, "yes", "2026-01-01", "7"]


# --- what is wrong with it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "message"), WRONG, ids=[repr(text)[:60] for text, _ in WRONG])
def test_what_is_wrong_is_reported_where_it_stands(text: str, message: str) -> None:
    """One message, with the place and what to write instead."""
    (only,) = messages(text)
    assert message in only


def test_options_are_words_whatever_stands_between_them() -> None:
    """No end of a line is left in them that could make one a line of the node's file."""
    text = r'nodes: {a: {vmbr1: {type: OVSBridge, options: "one\rpost-up\Ltwo"}}}'
    spec, _ = examine(text, "f")
    (step,) = outline(spec.nodes["a"], Network(), lambda: management_path(Network(), ())).plan.steps
    assert request(step).form["ovs_options"] == "one post-up two"


def test_everything_is_told_at_once() -> None:
    """Syntax apart: what is wrong with keys and values, and what is wrong between interfaces."""
    text = """\
defaults:
  bond0: {type: bond, slaves: [x1], mode: roundrobin}
nodes:
  a:
    bond1: {type: bond, slaves: [x1], mtu: no}
    bond1: {type: bond, slaves: [x1]}
  b:
    vmbr1: {type: bridge, prots: [x2]}
"""
    assert [line.split()[0] for line in messages(text)] == ["f:2:43:", "f:6:5:", "f:6:34:", "f:8:27:"]


def test_what_a_file_leaves_to_the_node_is_no_mistake() -> None:
    """The rest of an interface is as it is there: an address for a gateway, slaves for a primary."""
    text = """
nodes:
  a:
    vmbr0: {type: bridge, gateway: 10.0.0.1, gateway6: 'fd00::1'}
    bond0: {type: bond, primary: ens1}
    bond1: {type: bond, xmit_hash_policy: layer2+3, slaves: [ens8], mtu: 9000}
    vmbr2: {type: bridge, ports: [bond0, ens7.5, vmbr0.7], mtu: 9000}
    vmbr3: {type: bridge, vids: [2-10]}
    storage: {type: vlan, mtu: 9000}
    ens9: {type: eth, mtu: 9000}
    ens5: {type: OVSPort, bridge: vmbr7}
    vmbr7: {type: OVSBridge, ports: [ens5]}
"""
    assert messages(text) == []


# --- what is too much ------------------------------------------------------------------------------------------------


def test_a_bomb_of_aliases_is_refused() -> None:
    """Ten lists of ten of each other are counted, not built."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    with pytest.raises(Unreadable, match=str(MOST)):
        parse("\n".join(lines))


@pytest.mark.parametrize("deep", ["[" * 5000, "{a: " * 5000, "- " * 5000], ids=["lists", "mappings", "blocks"])
def test_what_is_too_deep_is_refused(deep: str) -> None:
    """Before anything recurses over it."""
    with pytest.raises(Unreadable, match=f"deeper than {DEEPEST}"):
        parse(deep)


def test_a_large_file_is_refused_early(tmp_path: Path) -> None:
    """Nothing beyond the limit is read."""
    file = tmp_path / "network.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(50_000_000)
    with pytest.raises(errors.UsageError, match=f"larger than {LARGEST // 1_000_000} MB"):
        load(file)


@pytest.mark.parametrize(
    ("data", "message"),
    [(None, "can't be read: No such file"), (b"nodes:\n  a: \xff", "is not UTF-8 text \\(line 2\\)")],
)
def test_what_can_not_be_read_is_a_matter_of_usage(tmp_path: Path, data: bytes | None, message: str) -> None:
    """Exit 2: the file, not what it says."""
    file = tmp_path / "network.yaml"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(errors.UsageError, match=message):
        check(file)


def test_a_file_of_another_kind_is_not_told_in_full() -> None:
    """A hundred of them are enough to see that."""
    text = "nodes: {a: {" + ", ".join(f"i{n}: 5" for n in range(500)) + "}}"
    assert len(messages(text)) == 500
    from pvenet.spec.load import refuse

    with pytest.raises(errors.InvalidNetwork, match="and 400 more"):
        refuse(examine(text, "f")[1], "f")


# --- the commands ----------------------------------------------------------------------------------------------------


def test_check_needs_no_node(run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks for network.yaml, says what it found, and exits 3 where something is wrong."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "network.yaml").write_text(EXAMPLE)
    ran = run("check")
    assert (ran.code, ran.out) == (0, "")
    assert "network.yaml is valid: 2 nodes, 7 interfaces" in ran.err
    (tmp_path / "bad.yaml").write_text("nodes:\n  a: {bond0: {type: bond, slvaes: [x]}}\n")
    ran = run("check", "-f", "bad.yaml")
    assert ran.code == 3
    assert "bad.yaml:2:27: bond0: a bond has no key slvaes (did you mean slaves?)" in ran.err
    assert "hint: no node was asked; " in ran.err
    assert "hint: no node was asked; " in run("lint", "-f", "bad.yaml").err
    ran = run("check", "-f", "bad.yaml", "--json")
    assert ran.code == 3
    assert ran.data[0] | {"line": 2, "column": 27, "nearest": "slaves"} == ran.data[0]
    assert run("check", "-f", "nowhere.yaml").code == 2


def test_check_warns(run: Callable[..., Ran], tmp_path: Path) -> None:
    """What is worth a second look is said, and is no failure."""
    file = tmp_path / "n.yaml"
    file.write_text("nodes: {a: {vmbr1: {type: bridge, cidr: 10.0.0.2/24, gateway: 10.9.0.1}}}")
    ran = run("check", "-f", str(file))
    assert ran.code == 0
    assert "warning: " in ran.err
    assert "outside vmbr1's net" in ran.err


# --- addresses that are there twice ----------------------------------------------------------------------------------


def test_an_address_twice_on_a_node_is_a_warning_with_both_places() -> None:
    """A node may have it so already, and a file by itself is no change."""
    text = "nodes:\n  a:\n    v1: {type: bridge, cidr: 10.0.0.1/24}\n    v2: {type: bridge, cidr: 10.0.0.1/16}"
    assert warnings(text) == ["f:4:24: a: v2 has the address 10.0.0.1, which v1 also has (line 3)"]
    assert messages(text) == []


def test_an_address_on_two_nodes_is_a_warning_with_both_places() -> None:
    """The address of a NAT bridge is often the same everywhere; in the defaults it is reported once."""
    text = "nodes:\n  a:\n    v1: {type: bridge, cidr: 10.0.0.1/24}\n  b:\n    v2: {type: bridge, cidr: 10.0.0.1/16}"
    assert warnings(text) == ["f:5:24: b: v2 has the address 10.0.0.1, which v1 on a also has (line 3)"]
    everywhere = "defaults: {v1: {type: bridge, cidr: 10.0.0.1/24}}\nnodes: {a: {}, b: {}, c: {}}"
    assert len(warnings(everywhere)) == 1
    assert messages(text) == messages(everywhere) == []


def test_one_subnet_on_two_interfaces_is_a_warning_with_both_places() -> None:
    """And so is an address that no host has."""
    text = "nodes:\n  a:\n    v1: {type: bridge, cidr: 10.0.0.0/24}\n    v2: {type: bridge, cidr: 10.0.0.2/24}"
    assert warnings(text) == [
        "f:3:24: a: 10.0.0.0 is the address of the net 10.0.0.0/24 and not a host's",
        "f:4:24: a: v2 and v1 are both in 10.0.0.0/24 (line 3)",
    ]


def plan_of(spec: NodeSpec, there: Network, *addresses: str) -> NodePlan:
    """What a file would do to a node that is reached at these addresses."""
    path = management_path(there, addresses)
    return plan_node(spec, there, outline(spec, there, lambda: path), path)


def test_the_address_by_which_another_node_is_reached_is_not_given_away() -> None:
    """A plan that would is an error where the file says it; the node itself may keep it."""
    text = "nodes:\n  a: {vmbr0: {type: bridge, cidr: 10.0.0.1/24}}\n  b:\n    vmbr1: {type: bridge, cidr: 10.0.0.1/24}"
    spec, _ = examine(text, "f")
    there = {
        "a": Network(interfaces={"vmbr0": Bridge(name="vmbr0", cidr=IPv4Interface("10.0.0.1/24"))}),
        "b": Network(interfaces={"vmbr0": Bridge(name="vmbr0", cidr=IPv4Interface("10.0.0.2/24"))}),
    }
    plans = [plan_of(spec.nodes[name], there[name], f"10.0.0.{number}") for number, name in enumerate(there, 1)]
    (found,) = taken_addresses(spec, plans)
    assert found.text("f") == "f:4:27: b: vmbr1 would have the address 10.0.0.1, by which a is reached"
    assert not found.warning
    had = Network(interfaces={"vmbr1": Bridge(name="vmbr1", cidr=IPv4Interface("10.0.0.1/24"))})
    already = plan_of(spec.nodes["b"], had)
    assert not taken_addresses(spec, [plans[0], already])
