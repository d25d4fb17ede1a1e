"""Metrics in Prometheus's text format, read by a strict reader."""

from __future__ import annotations

import re

import exposition
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvenet.foreign import one_line
from pvenet.kernel.links import BondStatus, KernelLink, Report, SlaveStatus
from pvenet.render.prometheus import NAMES, looks_of, samples
from pvenet.render.prometheus import exposition as written

NODES = st.lists(st.text(min_size=1, max_size=20) | st.text(alphabet='"\\\n{},= x', min_size=1), min_size=1, max_size=4)
SYNC = frozenset({"in_sync"})


def link(name: str, *, carrier: bool | None = True, **more: object) -> KernelLink:
    return KernelLink(name=name, up=carrier is not None, carrier=carrier, mtu=1500, **more)  # type: ignore[arg-type]


def slave(name: str, *, agrees: bool) -> KernelLink:
    partner = SYNC if agrees else frozenset[str]()
    return link(name, master="bond0", slave=SlaveStatus(active=True, mii_up=True, actor=SYNC, partner=partner))


@given(NODES, NODES)
def test_whatever_nodes_and_links_are_called_it_is_the_format(nodes: list[str], links: list[str]) -> None:
    """A strict reader takes it, and reads back each name as it is shown elsewhere."""
    nodes = list({one_line(node): node for node in nodes}.values())
    links = list({one_line(name): name for name in links}.values())
    reports = {node: Report(links={name: link(name) for name in links}) for node in nodes}
    text = written(samples(nodes, (), reports, now=1.5, looks=dict.fromkeys(nodes, 0.25)))
    found = exposition.read(text)
    assert len(found["pvenet_up"].samples) == len(nodes)
    for node in nodes:
        assert found["pvenet_up"].at(node=one_line(node)) == 0
        assert found["pvenet_last_look_timestamp_seconds"].at(node=one_line(node)) == 0.25
    assert looks_of(text) == {one_line(node): 0.25 for node in nodes}


def test_links_and_lacp_are_counted() -> None:
    """By state, a series a link; of a bond in 802.3ad how many slaves agree with their partner; no guest's link."""
    bond = BondStatus(mode="802.3ad", partner_mac="aa:bb:cc:dd:ee:ff")
    all_links = [
        link("lo"),
        link("bond0", kind="bond", bond=bond),
        slave("ens38", agrees=True),
        slave("ens39", agrees=False),
        link("ens40", carrier=False),
        link("ens41", carrier=None),
        link("tap101i0", kind="tun"),
        link("bond1", kind="bond", bond=BondStatus(mode="802.3ad")),
        link("bond2", kind="bond", bond=BondStatus(mode="active-backup")),
    ]
    reports = {"pve1": Report(links={each.name: each for each in all_links})}
    found = exposition.read(written(samples(["pve1"], (), reports, now=1.0, looks={})))
    by_state = {state: found["pvenet_links"].at(node="pve1", state=state) for state in ("up", "no_carrier", "down")}
    assert by_state == {"up": 5, "no_carrier": 1, "down": 1}
    assert found["pvenet_link_up"].at(node="pve1", link="ens40", kind="nic") == 0
    assert found["pvenet_link_up"].at(node="pve1", link="bond0", kind="bond") == 1
    assert len(found["pvenet_link_up"].samples) == 7
    assert found["pvenet_lacp_ports"].samples.keys() == {
        frozenset({("node", "pve1"), ("bond", name)}) for name in ("bond0", "bond1")
    }
    assert found["pvenet_lacp_ports"].at(node="pve1", bond="bond0") == 2
    assert found["pvenet_lacp_ports_in_sync"].at(node="pve1", bond="bond0") == 1
    partners = [found["pvenet_lacp_partner"].at(node="pve1", bond=name) for name in ("bond0", "bond1")]
    assert partners == [1, 0]


def test_the_names_follow_the_conventions() -> None:
    """A prefix, words in lower case, units spelled out at the end; `total` is for what only grows."""
    for name in NAMES:
        assert re.fullmatch(r"pvenet(_[a-z]+)+", name)
        assert not name.endswith(("_total", "_ms", "_time"))
        assert name.endswith("_seconds") == ("timestamp" in name)


@given(st.text())
def test_a_file_that_is_none_of_ours_says_nothing_of_looks(text: str) -> None:
    """Whatever stands there, the next look writes its own."""
    assert all(isinstance(when, float) for when in looks_of(text).values())
    assert looks_of(f'x{text}\npvenet_last_look_timestamp_seconds{{node="a"}} 1.2.3\n').get("a") is None


@pytest.mark.parametrize(
    "text",
    [
        "pvenet_up 1",
        "# TYPE a gauge\na 1\n",
        "# HELP a x\n# TYPE a gauge\nb 1\n",
        "# HELP a x\n# TYPE a gauge\na 1\na 1\n",
        '# HELP a x\n# TYPE a gauge\na{b="\\q"} 1\n',
        "# HELP a x\n# TYPE a gauge\na one\n",
    ],
)
def test_the_reader_is_strict(text: str) -> None:
    """It refuses what Prometheus does: else the tests above would prove nothing."""
    with pytest.raises(ValueError, match=r"."):
        exposition.read(text)
