"""What the rules find in a network file: where it stands, what the file does not say, and what it ignores."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from conftest import FIXTURES
from file_replay import files
from hypothesis import given, settings
from hypothesis import strategies as st
from listings import recorded_networks
from plan_model import networks

from pvenet import wire
from pvenet.lint import RULES, Nodes, find
from pvenet.model import Interface, Network
from pvenet.spec.export import exported
from pvenet.spec.linting import FileFindings, lint_file
from pvenet.spec.load import examine

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from pvenet.spec.network_spec import NetworkSpec

EXAMPLES = sorted((FIXTURES / "examples").glob("*.yaml"))
quick = settings(max_examples=60, derandomize=True, database=None)


def spec_of(text: str) -> NetworkSpec:
    spec, diagnostics = examine(text, "f")
    assert not diagnostics, [each.text("f") for each in diagnostics]
    return spec


def lines(text: str) -> list[str]:
    """What is found in a text, as `pvenet lint` prints it."""
    return [diagnostic.text("f") for _, diagnostic in lint_file(spec_of(text)).found]


def test_each_finding_stands_at_its_field() -> None:
    """The position of what has to be changed, the node, and the rule's name."""
    text = """\
nodes:
  a:
    bond0: {type: bond, slaves: [x1], mode: 802.3ad}
    vmbr0: {type: bridge, cidr: 10.0.0.1/24, gateway: 10.0.1.1}
"""
    assert lines(text) == [
        "f:3:25: a: bond0 has one slave, x1: nothing takes over if it fails [single-slave]",
        "f:4:46: a: gateway 10.0.1.1 of vmbr0 is in none of its networks: 10.0.0.0/24 [gateway-outside]",
    ]


def test_what_goes_without_saying_is_said_to_be_so() -> None:
    """PVE's default is taken for what an exported file leaves out; the message names the field."""
    text = "nodes: {a: {x1: {type: eth}, vmbr1: {type: bridge, ports: [x1], mtu: 9000}}}"
    (line,) = lines(text)
    assert line.endswith("larger frames are lost there; the file has no mtu for x1 [mtu-path]")
    assert lines(text.replace("type: eth", "type: eth, mtu: 9000")) == []


@pytest.mark.parametrize(
    "text",
    [
        "nodes: {a: {vmbr0: {type: bridge, gateway: 10.0.0.1}}}",  # its address is the node's
        "nodes: {a: {bond0: {type: bond, mode: 802.3ad}}}",  # and so are its slaves
        "nodes: {a: {vmbr1: {type: bridge, ports: [x1], mtu: 9000}}}",
        "nodes: {a: {bond0.5: {type: vlan}}}",
        "nodes: {a: {bond0: {state: absent}, vmbr1: {state: absent}}}",
        "nodes: {}",
    ],
)
def test_what_the_file_leaves_to_the_node_is_no_finding(text: str) -> None:
    """The rest of an interface is as it is there."""
    assert lines(text) == []


def test_what_the_defaults_say_is_told_once() -> None:
    """Not once a node."""
    text = "defaults: {bond0: {type: bond, slaves: [x1]}}\nnodes: {a: {}, b: {}, c: {}}"
    assert lines(text) == ["f:1:32: a: bond0 has one slave, x1: nothing takes over if it fails [single-slave]"]


def test_the_file_ignores_rules_for_itself_and_for_a_node() -> None:
    """At its top for all nodes, at a node for that one; how many were ignored is known."""
    text = "nodes: {a: {bond0: {type: bond, slaves: [x1]}}, b: {bond0: {type: bond, slaves: [x2]}%s}}"
    made = lint_file(spec_of(text % ", lint: {ignore: [single-slave]}"))
    assert [each.node for each, _ in made.found] == ["a"]
    assert made.ignored == 1
    whole = lint_file(spec_of("lint: {ignore: [single-slave, unused]}\n" + text % ""))
    assert (whole.found, whole.ignored) == ((), 2)


# --- files that nodes could have -------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_setups_of_the_guide_are_healthy(example: Path) -> None:
    """Nothing is found in a setup that PVE's own guide recommends, also where the file is complete."""
    spec = spec_of(example.read_text(encoding="utf8"))
    whole = replace(spec, nodes={name: replace(node, only=True) for name, node in spec.nodes.items()})
    assert lint_file(spec).found == ()
    assert lint_file(whole).found == ()


def test_an_exported_file_has_no_finding_that_its_node_has_not() -> None:
    """The file says no more than the node, and nothing else."""
    for network in recorded_networks():
        live = {(each.rule, each.interface, each.message) for each in find(Nodes(networks={"pve1": network}))}
        for finding, _ in lint_file(spec_of(exported({"pve1": network}))).found:
            message = finding.message.partition("; the file has no")[0]
            assert (finding.rule, finding.interface, message) in live


def test_of_the_recorded_files_few_have_something_to_be_found(told: Callable[[str], None]) -> None:
    """No rule fires on more than an eighth of them; a NIC that is missed is none of the machine's, by any name."""
    counts = dict.fromkeys(RULES, 0)
    untouched = total = 0
    for file in files():
        network = wire.network(dict(entry) for entry in file.listing)
        found = find(Nodes(networks={"pve1": network}, complete=frozenset({"pve1"})))
        for rule in {each.rule for each in found}:
            counts[rule] += 1
        there = {name for nic, altnames in file.host.nics.items() for name in (nic, *altnames)}
        assert not [each for each in found if each.rule == "missing-nic" and each.value in there], file.name
        total += 1
        untouched += not found
    assert all(count <= total / 8 for count in counts.values()), counts
    assert untouched > total * 2 / 3
    some = ", ".join(f"{rule} {count}" for rule, count in counts.items() if count)
    told(f"files.jsonl: nothing found in {untouched} of {total}; in how many a rule finds something: {some}")


# --- ignoring --------------------------------------------------------------------------------------------------------


def as_set(made: FileFindings, without: Collection[str] = ()) -> set[tuple[str, str, str, str]]:
    return {(each.rule, each.node, each.interface, each.message) for each, _ in made.found if each.rule not in without}


@quick
@given(networks(), networks(), st.sets(st.sampled_from(sorted(RULES)), min_size=1, max_size=3))
def test_ignoring_a_rule_removes_exactly_its_findings(
    one: dict[str, Interface], other: dict[str, Interface], rules: set[str]
) -> None:
    """By the file, by a node of it, and by the command line; the others stay as they are."""
    text = exported({"pve1": Network(interfaces=one), "pve2": Network(interfaces=other)})
    every = lint_file(spec_of(text))
    assert every.ignored == 0
    named = ", ".join(sorted(rules))
    by_file = lint_file(spec_of(f"lint: {{ignore: [{named}]}}\n{text}"))
    assert as_set(by_file) == as_set(every, rules)
    assert as_set(lint_file(spec_of(text), ignore=rules)) == as_set(every, rules)
    at_node = text.replace("  pve2:", f"  pve2:\n    lint: {{ignore: [{named}]}}").replace("]} {}", "]}")
    by_node = as_set(lint_file(spec_of(at_node)))
    assert by_node == {each for each in as_set(every) if each[1] != "pve2" or each[0] not in rules}
