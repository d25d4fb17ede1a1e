"""`pvenet links`: what the kernel has, what differs from the applied file, and what it does without."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from healthy import with_link
from recorder import set_nature

from pvenet import observe
from pvenet.access import ZONE
from pvenet.apply import links

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    from pvenet.kernel.links import Report

    Run = Callable[..., Ran]
    Otherwise = Callable[[Callable[[Report], Report]], None]

ALONE = {"path": "/nodes/pve1", "privileges": ["Sys.Audit"]}
SHOWS = {"path": ZONE, "privileges": ["SDN.Use"]}
"""Enough for the list, and not for the bridges call (pve-api#bridges-privileges)."""
AUDITS = {"path": ZONE, "privileges": ["SDN.Audit"]}


@pytest.fixture
def otherwise(monkeypatch: pytest.MonkeyPatch) -> Otherwise:
    """Let the kernel be otherwise than the simulated one."""

    def go(change: Callable[[Report], Report]) -> None:
        monkeypatch.setattr(links, "report", lambda node: change(observe.report(node)))

    return go


@pytest.fixture
def vmbr1(run: Run, lab: Path) -> Path:
    """A bond and a VLAN-aware bridge on it, live."""
    for words in (
        ["bond", "create", "--slaves", "ens38,ens39"],
        ["bridge", "create", "--ports", "bond0", "--vlan-aware"],
    ):
        assert run(*words).code == 0
    assert run("apply", "--yes").code == 0
    return lab


@pytest.mark.usefixtures("vmbr1")
def test_the_kernel_is_shown_as_a_table(run: Run) -> None:
    """A line a link, beneath it what makes it what it is, and that nothing differs."""
    ran = run("links")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].split() == ["name", "kind", "state", "speed", "mtu", "mac", "in"]
    assert any(line.startswith("bond0  bond    up") and line.endswith("vmbr1") for line in lines)
    assert "    balance-rr, 2 of 2 slaves: ens38, ens39" in lines
    assert "    ports bond0; VLAN filtering on" in lines
    assert lines[-1] == "nothing differs from the file"
    assert ran.err == ""


@pytest.mark.usefixtures("vmbr1")
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_it_fits_the_terminal(run: Run, columns: int, monkeypatch: pytest.MonkeyPatch, otherwise: Otherwise) -> None:
    """What is too wide for it is said beneath, or broken into lines."""
    otherwise(
        lambda report: with_link(report, "bond0", altnames=tuple(f"{number}-long-altname" for number in range(9)))
    )
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = run("links")
    assert max(map(len, ran.out.splitlines())) <= columns
    assert "bc:24:11:73:82:64" in ran.out
    assert "8-long-altname" in ran.out


@pytest.mark.usefixtures("vmbr1")
def test_what_differs_is_told_with_what_is_meant(run: Run, otherwise: Otherwise) -> None:
    """In a sentence, as data, and by the exit code where that is asked for."""
    otherwise(lambda report: with_link(report, "ens39", carrier=False))
    ran = run("links", "--exit-code")
    assert ran.code == 10
    assert ran.out.endswith(
        "1 difference from the file:\n  bond0: balance-rr, ens39 has no carrier: 1 of 2 slaves carries traffic\n"
    )
    assert run("links", "ens39", "--exit-code").code == 10
    assert run("links", "ens37", "--exit-code").code == 0
    told = run("links", "--json").data["differences"]
    assert [(each["interface"], each["kind"], each["subject"], each["wanted"], each["found"]) for each in told] == [
        ("bond0", "no-carrier", "ens39", "carrier", "no carrier")
    ]


@pytest.mark.usefixtures("vmbr1")
def test_links_that_are_named_are_shown_alone(run: Run, otherwise: Otherwise) -> None:
    """Also by an altname, and those that lead to guests; the others stay away, and a wrong name is told the nearest."""
    otherwise(lambda report: with_link(report, "ens39", altnames=("enp9s0",)))
    assert [each["name"] for each in run("links", "enp9s0", "bond0", "--json").data["links"]] == ["ens39", "bond0"]
    ran = run("links", "bodn0")
    assert ran.code == 2
    assert "there is no link bodn0 on pve1" in ran.err
    assert "did you mean bond0?" in ran.err


@pytest.mark.usefixtures("vmbr1")
def test_while_our_changes_are_pending_the_applied_network_counts(run: Run) -> None:
    """The list shows the staged view; what is compared is what was before."""
    run("bridge", "set", "vmbr1", "--mtu", "1400", "--no-vlan-aware")
    ran = run("links")
    assert "changes are pending: the comparison is with what was before them\nnothing differs from the file" in ran.out


@pytest.mark.usefixtures("vmbr1")
def test_while_somebodys_changes_are_pending_the_rest_counts(
    run: Run, otherwise: Otherwise, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was applied of theirs can't be told; what they leave alone is compared, and that is said."""
    run("bridge", "set", "vmbr1", "--mtu", "1400")
    monkeypatch.setenv("PVENET_STATE_DIR", str(tmp_path / "elsewhere"))
    ran = run("links", "--json")
    assert ran.data["basis"].startswith("somebody's changes are pending")
    assert "vmbr1" not in ran.data["compared"]
    assert "bond0" in ran.data["compared"]
    assert ran.data["differences"] == []
    otherwise(lambda report: with_link(report, "ens39", carrier=False))
    assert [each["interface"] for each in run("links", "--json").data["differences"]] == ["bond0"]


def test_while_a_reload_runs_nothing_is_listed(run: Run, lab: Path) -> None:
    """A list would freeze the flags: the kernel is shown, and nothing compared."""
    set_nature(lab, reload_seconds=60.0)
    run("bond", "create", "--slaves", "ens38,ens39")
    assert run("apply", "--yes", "--no-wait").code == 0
    ran = run("links", "--debug")
    assert ran.code == 0
    assert "nothing is compared: a reload is running on pve1" in ran.out
    assert not [line for line in ran.err.splitlines() if "/nodes/pve1/network" in line]


@pytest.mark.usefixtures("vmbr1")
def test_without_the_bridges_call_the_report_does(run: Run, lab: Path, granted: Callable[..., None]) -> None:
    """An older release has none, and SDN.Use is no right to it: both are said, and the table is the same."""
    whole = run("links").out
    set_nature(lab, bridges_call=False)
    ran = run("links")
    assert ran.code == 0
    assert ran.out == whole
    assert "older than 9.1" in ran.err
    set_nature(lab, bridges_call=True)
    granted(ALONE, SHOWS)
    ran = run("links")
    assert (ran.code, ran.out) == (0, whole)
    assert f"lacks SDN.Audit on {ZONE}" in ran.err


@pytest.mark.usefixtures("vmbr1")
def test_without_a_report_the_bridges_call_does(run: Run, granted: Callable[..., None]) -> None:
    """Bridges, their ports and VLAN filtering, with what is missing for more."""
    granted(AUDITS)
    ran = run("links")
    assert ran.code == 0
    assert "lacks Sys.Audit on /nodes/pve1" in ran.err
    assert "vmbr1  bridge\n    ports bond0; VLAN filtering on\n" in ran.out
    assert "nothing differs from the file, as far as the bridges' ports go: nothing else" in ran.out


def test_without_either_it_is_said_what_to_do(run: Run, granted: Callable[..., None]) -> None:
    """Which rights are missing, both of them, and how to give them."""
    granted(SHOWS)
    ran = run("links")
    assert ran.code == 5
    assert ran.out == ""
    assert f"lacks SDN.Audit on {ZONE}" in ran.err
    assert "lacks Sys.Audit on /nodes/pve1" in ran.err
    assert "pveum acl modify" in ran.err


def test_files_beside_the_file_are_shown(run: Run, lab: Path, otherwise: Otherwise) -> None:
    """With the interfaces that they name; a warning where one is in two, and of that nothing is compared."""
    sourced = {"/etc/network/interfaces.d/x": "iface vmbr0\n\tmtu 9000\n\niface wg0\n"}
    applied = (lab / "pve1" / "etc" / "network" / "interfaces").read_text()
    otherwise(lambda report: replace(with_link(report, "vmbr0", mtu=9000), sourced=sourced, interfaces=applied))
    ran = run("links")
    assert "besides the file there are:\n  /etc/network/interfaces.d/x: vmbr0, wg0\n" in ran.out
    assert "warning: vmbr0 has a stanza in /etc/network/interfaces and in /etc/network/interfaces.d/x" in ran.err
    assert "nothing differs from the file" in ran.out
    data = run("links", "--json").data
    assert data["sourced"] == [{"path": "/etc/network/interfaces.d/x", "interfaces": ["vmbr0", "wg0"]}]
    assert list(data["named_twice"]) == ["vmbr0"]


@pytest.mark.usefixtures("lab")
def test_what_others_wrote_does_nothing_to_a_terminal(run: Run, otherwise: Otherwise) -> None:
    """A name of a link with an escape, or a file's, shows as what it is."""
    hostile = {"/etc/network/interfaces.d/\x1b]0;x": "iface \x1b[31m\n"}
    otherwise(lambda report: replace(with_link(report, "ens40", altnames=("a\x1b[2J",)), sourced=hostile))
    ran = run("links")
    assert "\x1b" not in ran.out
    assert "\\x1b[2J" in ran.out


@pytest.mark.parametrize("byte", [b"\xfc", "ü".encode(), b"\xc3"])
def test_a_file_that_is_no_utf8_is_no_other_servers_answer(run: Run, lab: Path, byte: bytes) -> None:
    """PVE answers in UTF-8 whatever the bytes of its files are (pve-api#f1), in the list and in the report."""
    interfaces = lab / "pve1" / "etc" / "network" / "interfaces"
    interfaces.write_bytes(interfaces.read_bytes() + b"\n# B" + byte + b"ro\npost-up echo " + byte + b"\n")
    assert run("list").code == 0
    ran = run("links")
    assert (ran.code, "nothing differs from the file" in ran.out) == (0, True)
