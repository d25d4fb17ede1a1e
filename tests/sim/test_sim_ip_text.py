"""What the sim writes of a kernel is what `ip` and `ethtool` wrote of the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kernel_moments import MOMENTS, SCENARIOS, comparable_line, text, whole_moment

from pvenet.sim.kernel.ip_text import addresses, ethtool, routes
from pvenet.sim.kernel.value import Kernel, Link

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("release", ["6.1", "6.15"])
def test_addresses_are_told_as_by_ip(told: Callable[[str], None], release: str) -> None:
    """Every line of every recorded moment, but for counters, timers and what is named above."""
    lines = 0
    for scenario in SCENARIOS:
        written = addresses(whole_moment(scenario), release).splitlines()
        recorded = text(scenario, f"ip-{release}.txt").splitlines()
        assert [comparable_line(line) for line in written] == [comparable_line(line) for line in recorded], scenario
        lines += len(recorded)
    told(f"iproute2 {release}: {lines} lines of {len(SCENARIOS)} moments, none differs")
    assert lines


@pytest.mark.parametrize("family", [4, 6])
def test_routes_are_told_as_by_ip(family: int) -> None:
    """Every line of the main table, as it stands."""
    for scenario in SCENARIOS:
        assert routes(whole_moment(scenario), family) == text(scenario, f"route{family}.txt"), scenario


def test_nics_are_told_as_by_ethtool() -> None:
    """Every NIC of every recorded moment: speed, duplex, whether a link is detected."""
    for scenario in SCENARIOS:
        recorded = text(scenario, "ethtool.txt").rstrip("\n") + "\n"
        for link in whole_moment(scenario).links:
            if link.physical:
                assert f"# ethtool {link.name}\n{ethtool(link)}" in recorded, (scenario, link.name)


def test_a_nic_that_knows_no_speed_says_so() -> None:
    """In the words of `ethtool` for one that is down."""
    said = ethtool(Link(index=2, name="eno1"))
    assert "\tSpeed: Unknown!\n\tDuplex: Unknown! (255)\n" in said
    assert said.endswith("\tLink detected: no\n")


def test_a_parent_elsewhere_is_told_by_its_number() -> None:
    """A peer in another namespace is `@if12`, and nothing is said of its state."""
    link = Link(index=3, name="ens33", kind="veth", parent="if2", foreign_parent=True, mac="aa:00:00:00:00:01")
    header, hardware, *_ = addresses(Kernel(links=(link,)), "6.15").splitlines()
    assert header.startswith("3: ens33@if2: <BROADCAST,MULTICAST> mtu 1500 ")
    assert "brd ff:ff:ff:ff:ff:ff link-netnsid 0 promiscuity 0 " in hardware


def test_moments_are_there() -> None:
    """The recordings are in the place where they are looked for."""
    assert {"base", "lacp-partner", "misc-fresh"} <= {path.name for path in MOMENTS.iterdir()}
