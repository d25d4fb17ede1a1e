"""The rules of `pvenet lint`: each case that fires and each that only looks so; and whatever a network has."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lint_cases import CASES, Case

from pvenet.kernel.links import Address, KernelLink
from pvenet.lint import RULES, Finding, Nodes, find
from pvenet.model import (
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    FileOnly,
    Interface,
    Link,
    Network,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    XmitHashPolicy,
)
from pvenet.model.cluster import ClusterLink

quick = settings(max_examples=150, derandomize=True, database=None)


def told(finding: Finding) -> str:
    return f"{finding.node} {finding.interface} {finding.field}: {finding.message}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.about}")
def test_a_rule_finds_what_is_there_and_nothing_else(case: Case) -> None:
    """Each finding of the rule, at its field, in one sentence."""
    assert [told(each) for each in find(case.given) if each.rule == case.rule] == list(case.found)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_case_that_fires_and_one_that_does_not(rule: str) -> None:
    """Nobody adds a rule without both."""
    assert {bool(case.found) for case in CASES if case.rule == rule} == {True, False}


# --- whatever a network has ------------------------------------------------------------------------------------------

NAMES = (
    "lo",
    "eno1",
    "eno1.5",
    "eno1:1",
    "enp2s0",
    "bond0",
    "bond0.0099",
    "vmbr0",
    "vmbr0.5",
    "vlan7",
    "wg0",
    ".5",
    "",
)
name = st.sampled_from(NAMES)
several = st.lists(name, max_size=4).map(tuple)
tag = st.sampled_from([None, 0, 1, 50, 4095, -1])
vids = st.lists(st.sampled_from(["2-4094", "7", "9-3", "x", "", "5000", "1-9999"]), max_size=3).map(tuple)
options = st.lists(
    st.sampled_from(["", " ", "link-type dummy", "up ip route add 10.0.0.1/99 dev eno1", "address 10.0.0.7/8"]),
    max_size=2,
).map(tuple)
method = st.sampled_from(["static", "manual", "dhcp", "auto", "loopback"])
own = {
    "name": name,
    "autostart": st.booleans(),
    "cidr": st.none() | st.sampled_from(["10.0.0.1/24", "10.0.0.2/0", "10.0.0.1/32"]).map(IPv4Interface),
    "gateway": st.none() | st.just(IPv4Address("10.0.0.9")),
    "cidr6": st.none() | st.sampled_from(["fd00::1/64", "fe80::1/10", "::/0", "fd00::1/128"]).map(IPv6Interface),
    "gateway6": st.none() | st.just(IPv6Address("fd00::9")),
    "mtu": st.sampled_from([None, 0, 1280, 1500, 9000]),
    "file_only": st.builds(FileOnly, method=method, method6=method, options=options, options6=options),
}
port = {**own, "bridge": st.none() | name, "tag": tag}
interfaces: st.SearchStrategy[Interface] = st.one_of(
    st.builds(Ethernet, **own),
    st.builds(
        Bond,
        **own,
        slaves=several,
        mode=st.sampled_from(BondMode),
        xmit_hash_policy=st.none() | st.sampled_from(XmitHashPolicy),
    ),
    st.builds(Bridge, **own, ports=several, vlan_aware=st.booleans(), vids=vids),
    st.builds(Vlan, **own, raw_device=st.none() | name, tag=tag),
    st.builds(OvsBridge, **own, ports=several),
    st.builds(OvsBond, **port, slaves=several),
    st.builds(OvsIntPort, **port),
    st.builds(OvsPort, **port),
    st.builds(Other, **own, kind=st.sampled_from(["alias", "unknown", "vxlan"]), beneath=several),
)
links = st.builds(Link, active=st.booleans(), exists=st.booleans(), altnames=several)
networks = st.builds(
    Network,
    interfaces=st.lists(interfaces, max_size=7).map(lambda made: {each.name: each for each in made}),
    links=st.dictionaries(name, links, max_size=4),
)
addresses = st.sampled_from([None, (), (Address(address=IPv4Interface("10.0.0.1/24")),)])
kernel_links = st.builds(
    KernelLink,
    name=name,
    up=st.booleans(),
    carrier=st.none(),
    mtu=st.sampled_from([0, 1500, 9000]),
    altnames=st.none() | several,
    addresses=addresses,
    master=st.none() | name,
)
node_names = st.sampled_from(["pve1", "pve2", "pve3"])
ends = st.builds(
    ClusterLink,
    node=node_names,
    number=st.integers(0, 7),
    address=st.just("pve1"),
    ip=st.sampled_from([None, "10.0.0.1", "fd00::1"]),
)
nodes = st.builds(
    Nodes,
    networks=st.dictionaries(node_names, networks, max_size=3),
    kernels=st.dictionaries(
        node_names, st.lists(kernel_links, max_size=3).map(lambda made: {each.name: each for each in made}), max_size=3
    ),
    cluster_links=st.lists(ends, max_size=4).map(tuple),
    complete=st.frozensets(node_names),
)


@quick
@given(nodes)
def test_no_rule_raises_on_any_network(given: Nodes) -> None:
    """Circles, names that are none, values that no node should have: each is about an interface that is there."""
    for finding in find(given):
        assert finding.rule in RULES
        assert finding.message
        assert "\n" not in finding.message
        there = given.networks[finding.node].interfaces
        assert finding.interface in there or finding.interface in given.kernels[finding.node]


@quick
@given(nodes, nodes)
def test_what_a_node_has_by_itself_does_not_depend_on_the_others(given: Nodes, other: Nodes) -> None:
    """By the rules that need no peers the same is found of a node, whatever stands beside it."""
    alone = {"mtu-path", "single-slave", "shared-network", "gateway-outside", "missing-nic", "unused", "corosync-cable"}
    for node, network in given.networks.items():
        beside = {**other.networks, node: network}
        whole = Nodes(
            networks=beside, kernels=given.kernels, cluster_links=given.cluster_links, complete=given.complete
        )
        own_findings = [each for each in find(given) if each.node == node and each.rule in alone]
        assert [each for each in find(whole) if each.node == node and each.rule in alone] == own_findings
