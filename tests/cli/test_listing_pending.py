"""`list` and `show` tell what is staged from what is live."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from typed import Typed

from pvenet.changes import net_changes
from pvenet.changes.pending import pending_view
from pvenet.model import Bond, Bridge, Network
from pvenet.render.network import details

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

MARKS = {"created": "+", "changed": "~", "deleted": "-"}
BOND = ["bond", "create", "--slaves", "ens38,ens39"]


def pending(rows: list[dict[str, Any]]) -> dict[str, str]:
    """What is pending, by name."""
    return {row["name"]: row["pending"] for row in rows if row["pending"]}


def marks(text: str) -> dict[str, str]:
    """The marks of a table, by name."""
    return {line.split()[1]: line[0] for line in text.splitlines() if line[:1] in ("+", "~", "-")}


@pytest.mark.parametrize("whose", ["ours", "somebody else's"])
def test_what_is_staged_is_marked(lab: Path, run: Run, whose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what is deleted, which PVE's list has no more; of what somebody else staged PVE's diff tells it."""
    run("bridge", "create", "--ports", "ens40", "--cidr", "10.0.0.1/24")
    run("apply", "--yes")
    run("bridge", "delete", "vmbr1")
    run("bridge", "set", "vmbr0", "--comments", "other")
    run(*BOND)
    if whose != "ours":
        monkeypatch.setenv("PVENET_STATE_DIR", str(lab.with_name("elsewhere")))
    ran, rows = run("list"), run("list", "--json").data
    expected = {"bond0": "created", "ens38": "changed", "ens39": "changed", "vmbr0": "changed", "vmbr1": "deleted"}
    assert pending(rows) == expected
    assert marks(ran.out) == {name: MARKS[kind] for name, kind in expected.items()}
    gone = next(row for row in rows if row["name"] == "vmbr1")
    assert (gone["type"], gone["cidr"], gone["autostart"]) == ("bridge", "10.0.0.1/24", True)
    assert gone["active"] is (True if whose == "ours" else None)
    assert ("somebody's changes are pending on pve1" in ran.err) is (whose != "ours")
    assert "+ created, ~ changed, - deleted" in ran.err or whose != "ours"


@pytest.mark.usefixtures("lab")
def test_with_nothing_staged_there_is_no_mark(run: Run) -> None:
    """And the field is null in each row."""
    ran = run("list")
    assert ran.out.startswith("name ")
    assert ran.err == ""
    assert pending(run("list", "--json").data) == {}


@pytest.mark.usefixtures("lab")
def test_show_says_what_is_live(run: Run) -> None:
    """Each field that is staged otherwise has its live value; what is deleted is shown as it is live."""
    run("bridge", "set", "vmbr0", "--ports", "ens33,ens37")
    shown = run("show", "vmbr0")
    assert "ports      ens33,ens37  (live: ens33)\n" in shown.out
    assert "pending    changed: staged, not live yet\n" in shown.out
    assert run("show", "vmbr0", "--json").data["pending"] == "changed"
    assert "(live:" not in run("show", "ens33").out
    run("revert")
    run("bond", "create", "--slaves", "ens38,ens39")
    run("apply", "--yes")
    run("bond", "delete", "bond0")
    assert "deleted: still live" in run("show", "bond0").out
    assert run("show", "bond0", "--json").data["pending"] == "deleted"


def test_another_kind_under_the_same_name_is_a_change() -> None:
    """One row, with the kind that is staged."""
    bond, bridge = Bond(name="one", slaves=("ens38",)), Bridge(name="one")
    view = pending_view(Network(interfaces={"one": bond}), net_changes({"one": bridge}, {"one": bond}), {})
    assert (view.kinds, view.live) == ({"one": "changed"}, {"one": bridge})
    assert "(live: bridge)" in details(view, bond)


def test_a_stanza_that_pve_writes_for_a_nic_is_no_change(lab: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the first write each NIC gets one, also when somebody else made that write."""
    path = lab / "pve1" / "etc" / "network" / "interfaces"
    path.write_text(path.read_text().replace("iface ens41 inet manual\n", ""))
    monkeypatch.setenv("PVENET_STATE_DIR", str(lab.with_name("elsewhere")))
    run(*BOND)
    monkeypatch.delenv("PVENET_STATE_DIR")
    assert "+iface ens41" in run("diff").out
    assert pending(run("list", "--json").data) == {"bond0": "created", "ens38": "changed", "ens39": "changed"}


@pytest.mark.usefixtures("lab")
def test_what_is_piped_is_not_cut(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """However narrow the terminal is that somebody reads it on later."""
    monkeypatch.setenv("COLUMNS", "40")
    assert "192.168.171.21/24  192.168.171.2  ens33  For management\n" in run("list").out


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_on_a_terminal_the_table_fits(run: Run, columns: int) -> None:
    """With what is staged, and every name."""
    run("bridge", "set", "vmbr0", "--ports", "ens33,ens37,ens40,ens41", "--comments", "long " * 30)
    typed = Typed("list", environment=dict(os.environ) | {"COLUMNS": str(columns), "NO_COLOR": "1"})
    shown = typed.end()
    assert typed.code == 0
    table = shown.partition("staged on pve1")[0]
    assert all(len(line) <= columns for line in table.splitlines())
    assert {"~", "vmbr0", "192.168.171.21/24", "192.168.171.2", "ens41"} <= set(table.replace(",", " ").split())
