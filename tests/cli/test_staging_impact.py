"""A staging command that cuts or interrupts somebody says so, and is not kept from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from housed import housed
from recorder import set_nature

from pvenet.sim.adapter import SimAdapter
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests
    from conftest import Ran

    Run = Callable[..., Ran]

CARRIED = "vmbr1 carries 1 running guest: 101 web (net0, VLAN 20); and 1 that is stopped: 110 old\n"


@pytest.fixture(autouse=True)
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node with guests on both its bridges; PVENET_SIM names it."""
    folder = housed(tmp_path / "node", ("101:web:vmbr1:20", "110:old:vmbr1,stopped", "300:mail:vmbr0"))
    set_nature(folder, reload_seconds=0.0)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request for the node, as it is sent."""
    seen: list[str] = []
    send = SimAdapter.send

    def counted(self: SimAdapter, request: requests.PreparedRequest, **rest: object) -> requests.Response:
        path = (request.url or "").partition("/api2/json/")[2].partition("?")[0]
        seen.append(f"{request.method} {path.removeprefix('nodes/pve1/')}")
        return send(self, request, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SimAdapter, "send", counted)
    return seen


@pytest.mark.parametrize(
    ("words", "fate"),
    [
        (("bridge", "delete", "vmbr1"), "  cut: vmbr1 goes\n"),
        (("bridge", "set", "vmbr1", "--clear", "ports"), "  cut: none of vmbr1's uplinks remains (bond0)\n"),
        (("bridge", "set", "vmbr1", "--vids", "30-40"), "  cut: VLAN 20 leaves vmbr1 (101 web)\n"),
        (("bond", "set", "bond0", "--mode", "active-backup"), "  interrupted: bond0 changes its mode"),
        (("bond", "set", "bond0", "--slaves", "ens38"), "  interrupted: bond0 changes its members"),
        (("eth", "set", "ens38", "--mtu", "1400"), "  interrupted: ens38 gets a lower MTU"),
    ],
    ids=" ".join,
)
def test_whom_it_hits_is_said_after_staging(run: Run, words: tuple[str, ...], fate: str) -> None:
    """On stderr, in the lines of an apply, and nothing keeps the command from staging: nothing is live."""
    ran = run(*words)
    assert ran.code == 0
    assert CARRIED in ran.err
    assert fate in ran.err.partition(CARRIED)[2]
    assert "staged on pve1, not live yet" in ran.err
    assert "carries" not in ran.out
    assert ("`pvenet apply` needs --allow-guests 101\n" in ran.err) == (" cut: " in fate)


def test_json_has_it_too(run: Run) -> None:
    """Everybody on the bridges, with what happens to each."""
    impact = run("bridge", "delete", "vmbr1", "--json").data["impact"]
    assert impact["guests_cut"] == [101]
    assert [card["vmid"] for bridge in impact["bridges"] for card in bridge["guests"]] == [300, 101, 110]


def test_it_is_asked_before_the_first_write(run: Run, asked: list[str]) -> None:
    """A bridge whose removal is staged is not told of any more."""
    run("bridge", "delete", "vmbr1")
    assert asked.index("GET sdn/zones/localnetwork/bridges") < asked.index("DELETE network/vmbr1")
    assert "GET report" not in asked


@pytest.mark.parametrize(
    "words",
    [
        ("bridge", "set", "vmbr0", "--ports", "ens33,ens37"),
        ("bridge", "set", "vmbr1", "--comments", "x"),
        ("bond", "create", "--slaves", "ens37"),
        ("bridge", "create", "--ports", "ens37"),
        ("vlan", "create", "bond0.50", "--cidr", "10.0.50.1/24"),
        ("vlan", "create", "vmbr1.50"),
    ],
    ids=" ".join,
)
def test_what_can_hit_nobody_asks_for_nothing_more(run: Run, asked: list[str], words: tuple[str, ...]) -> None:
    """The list, the write, and the list again."""
    ran = run(*words)
    write = "PUT" if words[1] == "set" else "POST"
    assert [text.split()[0] for text in asked if text != "GET nodes"] == ["GET", write, "GET"]
    assert "carries" not in ran.err


@pytest.mark.parametrize("fault", ["", "lacks=VM.Audit@GET access/permissions", "error@GET netstat"])
def test_on_a_node_without_guests_nobody_is_looked_for(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str], fault: str
) -> None:
    """Where the list and the kernel know of none; who may not see all of them, or who runs, looks at the bridges."""
    monkeypatch.setenv("PVENET_SIM", str(housed(tmp_path / "empty", ())))
    assert run("bridge", "set", "vmbr1", "--clear", "ports", *(("--fault", fault) if fault else ())).code == 0
    assert ("GET sdn/zones/localnetwork/bridges" in asked) == bool(fault)
    assert {"GET cluster/resources", "GET netstat"} <= {*asked}


def test_a_step_that_hits_nobody_says_nothing_of_one_before(run: Run) -> None:
    """Each says what it adds; the apply says it all."""
    run("bridge", "delete", "vmbr1")
    assert "carries" not in run("bridge", "set", "vmbr0", "--comments", "x").err
    ran = run("apply", "--yes", "--allow-management")
    assert CARRIED in ran.err
    assert ran.code == 7


@pytest.mark.parametrize("fault", ["error", "drop-before", "odd-answer=[1]", "odd-answer={}"])
@pytest.mark.parametrize(
    "request_",
    ["cluster/status", "sdn/zones/localnetwork/bridges", "cluster/resources", "netstat", "access/permissions"],
)
def test_what_can_not_be_had_keeps_nothing_from_being_staged(run: Run, node: Path, request_: str, fault: str) -> None:
    """It is not known, and that is said."""
    ran = run("bridge", "set", "vmbr1", "--clear", "ports", "--fault", f"{fault}@GET {request_}")
    assert ran.code == 0
    assert "bridge-ports none" in (node / "pve1/etc/network/interfaces.new").read_text()
    assert "101" in ran.err or "not known" in ran.err


def test_the_main_job_needs_nobodys_word_on_a_node_with_guests(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    """A second NIC for the bridge they are on, a bond, a bridge on it: nobody is cut, and nobody asked about."""
    Sim.init(tmp_path / "guests", guests=["101:web:vmbr0", "102:db:vmbr0,ct"])
    monkeypatch.setenv("PVENET_SIM", str(tmp_path / "guests"))
    for words in (
        "bridge set vmbr0 --ports ens33,ens37",
        "bond create --slaves ens38,ens39 --mode balance-rr",
        "bridge create --ports bond0",
        "diff",
        "apply --yes --allow-management",
        "list",
    ):
        ran = run(*words.split())
        assert ran.code == 0
        assert "running guest" not in ran.err
    assert {"GET cluster/resources", "GET netstat"}.isdisjoint(asked)
