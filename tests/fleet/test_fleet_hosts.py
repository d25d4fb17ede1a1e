"""A file that moves the addresses of nodes: what has to follow is said for each node before the one question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from housed import housed
from recorder import set_nature

from pvenet.sim.hosts import fresh_hosts, read_hosts
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

MOVED = """\
nodes:
  pve1: {vmbr0: {type: bridge, cidr: 192.168.171.31/24}}
  pve2: {ens40: {type: eth, cidr: 10.10.10.32/24}}
  pve3: {vmbr1: {type: bridge, comments: nothing moves}}
"""
LINES = "    - 192.168.171.21 pve1.lan pve1\n    + 192.168.171.31 pve1.lan pve1\n"


@pytest.fixture(autouse=True)
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three nodes of a cluster with two links; PVENET_SIM names them."""
    folder = housed(tmp_path / "nodes", (), (), ())
    set_nature(folder, reload_seconds=0.0)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    return folder


def hosts(folder: Path, node: str = "pve1") -> str:
    """A node's file."""
    return read_hosts(Sim(folder).node(node))


def part(text: str, node: str) -> str:
    """What is said of one node."""
    return next(each for each in text.split("\n\n") if each.startswith(f"{node}:"))


def test_a_plan_says_for_each_node_what_has_to_follow_its_address(run: Run, file: Path) -> None:
    """The line of its /etc/hosts, the steps for its link of corosync; and nothing where nothing moves."""
    file.write_text(MOVED)
    out = run("plan").out
    first, second, third = (part(out, f"pve{number}") for number in (1, 2, 3))
    assert "  note: /etc/hosts of pve1 must follow, or pve1 breaks at its next boot; --update-hosts changes it" in first
    assert LINES in first
    assert "set ring0_addr of pve1 to 192.168.171.31 and raise config_version" in first
    assert "/etc/hosts" not in second
    assert "set ring1_addr of pve2 to 10.10.10.32 and raise config_version" in second
    assert "note:" not in third


def test_its_json_carries_them(run: Run, file: Path) -> None:
    """The lines as they are and as they have to be, and every note in full; the saved plan, too."""
    file.write_text(MOVED)
    first, second, third = run("plan", "--json").data["nodes"]
    assert first["hosts"] == [{"old": "192.168.171.21 pve1.lan pve1", "new": "192.168.171.31 pve1.lan pve1"}]
    assert [note.partition(" of ")[0] for note in first["notes"]] == ["/etc/hosts", "corosync link 0"]
    assert (second["hosts"], len(second["notes"])) == ([], 1)
    assert (third["hosts"], third["notes"]) == ([], [])
    assert run("plan", "-o", "p.json").code == 0
    assert '"old": "192.168.171.21 pve1.lan pve1"' in file.with_name("p.json").read_text()


@pytest.mark.parametrize(
    ("option", "does"),
    [((), "--update-hosts changes it"), (("--update-hosts",), "pvenet changes it when the new address is verified")],
)
def test_a_rollout_says_it_before_its_one_question(
    run: Run, file: Path, nodes: Path, option: tuple[str, ...], does: str
) -> None:
    """Of all nodes; and the file is as it was, where nobody agrees."""
    file.write_text(MOVED)
    ran = run("apply", "-f", "network.yaml", "--allow-management", *option)
    assert ran.code == 7
    assert does in " ".join(ran.out.split())
    assert LINES in part(ran.out, "pve1")
    assert "ring1_addr of pve2" in part(ran.out, "pve2")
    assert hosts(nodes) == fresh_hosts("pve1", "192.168.171.21")


def test_a_rollout_lets_the_file_follow_where_that_was_agreed_to(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each node's own apply does it after its verdict; here of a node without a cluster."""
    folder = housed(tmp_path / "alone", ())
    set_nature(folder, reload_seconds=0.0)
    monkeypatch.setenv("PVENET_SIM", str(folder))
    file.write_text("nodes: {pve1: {vmbr0: {type: bridge, cidr: 192.168.171.31/24}}}")
    ran = run("apply", "-f", "network.yaml", "--yes", "--allow-management", "--update-hosts")
    assert ran.code == 0, ran.err
    assert LINES in ran.out
    assert "corosync" not in ran.out
    assert hosts(folder) == fresh_hosts("pve1", "192.168.171.31")


def test_what_is_staged_from_here_already_counts_too(run: Run, file: Path) -> None:
    """An apply of the plan makes it live with the rest."""
    assert run("bridge", "set", "vmbr0", "--cidr", "192.168.171.31/24", "--node", "pve1").code == 0
    file.write_text("nodes: {pve1: {bond1: {type: bond, slaves: [ens37]}}}")
    assert LINES in part(run("plan").out, "pve1")


def test_where_the_file_can_not_be_read_that_is_said(run: Run, file: Path) -> None:
    """It is not known, never "nothing to do"; the plan stands, and names the right."""
    file.write_text(MOVED)
    ran = run("plan", "--fault", "lacks=Sys.Audit@GET nodes/pve1/hosts")
    assert ran.code == 0
    said = " ".join(part(ran.out, "pve1").split())
    assert "whether its /etc/hosts must follow is not known: root@pam!full lacks Sys.Audit on /" in said
    assert run("plan", "--json", "--fault", "lacks=Sys.Audit@GET nodes/pve1/hosts").data["nodes"][0]["hosts"] == []
