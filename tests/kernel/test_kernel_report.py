"""The recipe that cuts the network section, on recorded reports and on what they may become."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_texts import KERNEL, REPORTS, report
from work import growth

from pvenet.kernel.report import read_report
from pvenet.kernel.unreadable import Unreadable

if TYPE_CHECKING:
    from pvenet.kernel.links import Report

MARKERS = (
    "\n==== info about network ====\n",
    "\n# ip -details -statistics address\n",
    "\n# ip -details -4 route show\n",
    "\n# ip -details -6 route show\n",
    "\n# cat /etc/network/interfaces\n",
    "\n# output '/etc/network/interfaces.d/.*' file(s)\n",
    "\n==== info about firewall ====\n",
    "\n==== info about cluster ====\n",
)
SCENARIOS_OF = {"vm-active-backup-vlan-aware": "active-backup-vlan-aware", "vm-base": "base"}


@cache
def truth_of(name: str) -> Report:
    return read_report(report(name))


@pytest.mark.parametrize("name", REPORTS)
def test_a_recorded_report_is_read(name: str) -> None:
    """Links, routes of both families, the applied file: hostile notes and files change nothing."""
    read = truth_of(name)
    assert next(iter(read.links)) == "lo"
    assert {route.family for route in read.routes} == {4, 6}
    assert {route.dev for route in read.routes} <= read.links.keys()
    assert read.interfaces.endswith("source /etc/network/interfaces.d/*\n")
    assert "iface vmbr0 inet static" in read.interfaces


@pytest.mark.parametrize(("name", "scenario"), SCENARIOS_OF.items())
def test_the_applied_file_and_routes_are_those_of_the_moment(name: str, scenario: str) -> None:
    """Letter for letter, and line for line."""
    read, folder = truth_of(name), KERNEL / "ip" / scenario
    assert read.interfaces == (folder / "interfaces.txt").read_text(encoding="utf-8")
    for family in (4, 6):
        lines = (folder / f"route{family}.txt").read_text(encoding="utf-8").strip("\n").split("\n")
        routes = [route for route in read.routes if route.family == family]
        assert [line.split()[line.split().index("dev") + 1] for line in lines] == [route.dev for route in routes]
        assert [line.split()[1].partition("/")[0] for line in lines] == [route.to.partition("/")[0] for route in routes]


def test_the_default_route_has_its_gateway() -> None:
    """And who made it."""
    route = next(route for route in truth_of("vm-base").routes if route.to == "default")
    assert (str(route.via), route.dev, route.proto, route.family) == ("10.0.2.2", "vmbr0", "kernel", 4)


def test_files_of_interfaces_d_are_told_whole() -> None:
    """Hidden ones and hostile ones, too; none of them is taken for a part of the report."""
    sourced = truth_of("interfaces-d").sourced
    assert [path.rsplit("/", 1)[1] for path in sourced] == [".hidden", "extra", "hostile", "sdn", "no-newline"]
    assert "==== info about firewall ====" in sourced["/etc/network/interfaces.d/hostile"]
    assert sourced["/etc/network/interfaces.d/no-newline"] == "iface x inet manual\n"


def test_speeds_are_those_of_ethtool() -> None:
    """None where the NIC does not know it, and none from what a file makes up."""
    assert {name: link.speed for name, link in truth_of("vm-base").links.items() if link.speed} == {
        "ens33": 1000,
        "ens38": 1000,
        "ens41": 1000,
    }
    assert not any(link.speed for link in truth_of("interfaces-d").links.values())


def older(text: str, *, sourced: bool) -> str:
    """A report of an older release: without ethtool, and without interfaces.d where it is not `sourced`."""
    text = re.sub(r"\n# ethtool [^\n]*\n(?:Settings for [^\n]*\n(?:\t[^\n]*\n)*)?(?=\n# ethtool|\n====)", "", text)
    if sourced:
        return text
    return re.sub(
        r"# output '/etc/network/interfaces.d/.*?(?=\n==== info about firewall ====\n)", "", text, flags=re.DOTALL
    )


@pytest.mark.parametrize("sourced", [True, False])
def test_an_older_report_lacks_what_its_release_does_not_tell(*, sourced: bool) -> None:
    """Speeds before 9.2.7 and interfaces.d before 8.0.8; all the rest is there."""
    now, read = truth_of("vm-lacp-partner"), read_report(older(report("vm-lacp-partner"), sourced=sourced))
    assert not any(link.speed for link in read.links.values())
    assert (read.routes, read.interfaces) == (now.routes, now.interfaces)
    assert read.sourced == {}
    assert read.links.keys() == now.links.keys()


# --- what is not a report --------------------------------------------------------------------------------------------


def wrong_in(text: str, true: Report) -> list[str]:
    """What a text says that is not so; nothing where it is unreadable."""
    try:
        read = read_report(text)
    except Unreadable:
        return []
    found = (
        ["links"]
        if {name: link.mac for name, link in read.links.items()}
        != {name: link.mac for name, link in true.links.items()}
        else []
    )
    found += [name for name, link in read.links.items() if link.speed not in (None, true.links[name].speed)]
    found += ["routes"] if not set(read.routes) <= set(true.routes) else []
    found += ["interfaces"] if read.interfaces != true.interfaces else []
    found += [path for path, text in read.sourced.items() if true.sourced.get(path) != text]
    return found


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("name", REPORTS)
def test_without_its_commands_nothing_of_it_is_believed(name: str, marker: str) -> None:
    """Each of the lines that the section is cut by has to be there, but for what a release may lack."""
    text = report(name)
    assert marker in text
    with pytest.raises(Unreadable):
        read_report(text.replace(marker, "\n"))
    with pytest.raises(Unreadable):
        read_report(text.replace(marker, marker[:-2] + "\n"))


@pytest.mark.parametrize("name", REPORTS)
def test_a_line_of_the_section_that_is_missing_makes_no_fact(name: str) -> None:
    """Nor does one that stands twice. Lines of files, and the command in front of them, say what is the file's own."""
    text = report(name)
    begin, end = text.index(MARKERS[0]) + 1, text.rindex(MARKERS[6], 0, text.index(MARKERS[7]))
    files = text.index(MARKERS[4]) + 1, text.index(MARKERS[5])
    kept = text.rindex("# cat /etc/pve/sdn")
    at = begin
    while at < end:
        line_end = text.index("\n", at) + 1
        if not files[0] <= at <= files[1] and not (files[1] < at < kept):
            assert wrong_in(text[:at] + text[line_end:], truth_of(name)) == []
            assert wrong_in(text[:line_end] + text[at:], truth_of(name)) == []
        at = line_end


@settings(max_examples=200)
@given(data=st.data())
def test_a_report_that_is_cut_is_unreadable_or_whole(data: st.DataObject) -> None:
    """Wherever it ends."""
    name = data.draw(st.sampled_from(REPORTS))
    text = report(name)
    assert wrong_in(text[: data.draw(st.integers(0, len(text)))], truth_of(name)) == []


@pytest.mark.parametrize("marker", MARKERS[1:6])
@pytest.mark.parametrize("name", ["vm-base", "vm-lacp-partner"])
def test_a_comment_that_looks_like_a_command_moves_no_end(name: str, marker: str) -> None:
    """Whoever may stage an interface may give it a comment, of any lines that begin with a number sign."""
    text = report(name)
    place = text.index("\n\nsource /etc/network/interfaces.d/*")
    forged = text[:place] + "\n" + marker.strip("\n") + text[place:]
    try:
        read = read_report(forged)
    except Unreadable:
        assert marker == MARKERS[5]
    else:
        assert marker.strip("\n") in read.interfaces
        assert (read.links, read.routes, read.sourced) == (truth_of(name).links, truth_of(name).routes, {})


@pytest.mark.parametrize("marker", MARKERS)
def test_an_alias_that_ends_the_section_makes_no_fact(marker: str) -> None:
    """With the line breaks that a command has before it."""
    text = report("vm-misc-fresh")
    for alias in (f"x\n{marker}", f"x{marker}", f"x\n{marker}unicast default via 10.9.9.9 dev ens37"):
        forged = text.replace("alias to switch 3 port 12", f"alias {alias}")
        assert wrong_in(forged, truth_of("vm-misc-fresh")) == []


@pytest.mark.parametrize("text", ["", "\n", MARKERS[0], "".join(MARKERS), "x" * 1000])
def test_what_is_no_report_is_unreadable(text: str) -> None:
    """And is not quoted."""
    with pytest.raises(Unreadable):
        read_report(text)


def _with_links(count: int) -> str:
    """A report of a node with as many more ports of guests."""
    text = report("vm-lacp-partner")
    begin = text.index("\n20: tap102i0") + 1
    block = text[begin : text.index("\n23: ", begin) + 1]
    more = "".join(block.replace("20: tap102i0", f"{1000 + at}: tap{1000 + at}i0", 1) for at in range(count))
    return text[:begin] + more + text[begin:]


def test_the_work_grows_with_the_links() -> None:
    """Ten times the links are ten times the work; `scripts/bench` has the seconds."""
    assert len(read_report(_with_links(50)).links) == len(truth_of("vm-lacp-partner").links) + 50
    assert growth(lambda count: read_report(_with_links(count)), 40) < 11
