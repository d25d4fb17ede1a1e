"""`pvenet lint`, of a file and of live nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from housed import housed

from pvenet.lint import RULES
from pvenet.spec.schema import schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

ONE_SLAVE = """\
nodes:
  pve1:
    bond0: {type: bond, slaves: [ens38]}
  pve2:
    bond0: {type: bond, slaves: [ens39]}
"""


def test_a_file_is_looked_at_without_any_node(file: Path, run: Callable[..., Ran]) -> None:
    """Its findings are the answer, a line each; how many there are is talk; nothing says where a node would be."""
    file.write_text(ONE_SLAVE)
    ran = run("lint", "network.yaml")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "network.yaml:3:25: pve1: bond0 has one slave, ens38: nothing takes over if it fails [single-slave]",
        "network.yaml:5:25: pve2: bond0 has one slave, ens39: nothing takes over if it fails [single-slave]",
    ]
    assert ran.err == "2 findings: `pvenet help lint-rules` explains them, and how to ignore a rule\n"
    assert run("lint", "-f", "network.yaml", "--exit-code").code == 10


def test_json_has_the_place_of_each(file: Path, run: Callable[..., Ran]) -> None:
    """Rule, node, interface and field; the message without what the other fields say."""
    file.write_text(ONE_SLAVE)
    assert run("lint", "network.yaml", "--node", "pve2", "--json").data == [
        {
            "rule": "single-slave",
            "node": "pve2",
            "interface": "bond0",
            "field": "slaves",
            "message": "bond0 has one slave, ens39: nothing takes over if it fails",
            "file": "network.yaml",
            "line": 5,
            "column": 25,
        }
    ]


def test_a_rule_is_ignored_by_the_file_or_on_the_command_line(file: Path, run: Callable[..., Ran]) -> None:
    """Then nothing is found, and --exit-code is content; how many are ignored is said."""
    file.write_text(ONE_SLAVE)
    ran = run("lint", "network.yaml", "--ignore", "unused,single-slave", "--exit-code")
    assert (ran.code, ran.out, ran.err) == (0, "", "nothing found in network.yaml; 2 ignored\n")
    file.write_text(f"{ONE_SLAVE}    lint: {{ignore: [single-slave]}}\n")
    ran = run("lint", "network.yaml")
    assert ran.out.count("single-slave") == 1
    assert ran.err.startswith("1 finding, 1 more ignored: ")
    assert run("check").code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lint: {ignore: [singleslave]}", "1:17: singleslave is not a valid rule; choose one of mtu-path, "),
        ("lint: {ignore: single-slave}", "1:16: ignore must be a list: write [single-slave]"),
        ("lint: {ignroe: [unused]}", "1:8: unknown key ignroe (did you mean ignore?)"),
        ("lnit: {ignore: [unused]}", "1:1: unknown key lnit (did you mean lint?)"),
        ("nodes: {a: {lint: {ignore: [mtu-pth]}}}", "1:29: lint: mtu-pth is not a valid rule; choose one of "),
        ("nodes: {a: {lint: {type: bond}}}", "1:20: lint: unknown key type"),
    ],
)
@pytest.mark.parametrize("command", ["check", "lint"])
def test_what_is_wrong_with_the_switch_is_told_by_both(
    command: str, text: str, message: str, file: Path, run: Callable[..., Ran]
) -> None:
    """With its place, and the rule that was probably meant."""
    file.write_text(text if "nodes" in text else f"{text}\nnodes: {{}}\n")
    ran = run(command, "network.yaml")
    assert ran.code == 3
    assert f"network.yaml:{message}" in ran.err
    meant = {"singleslave": "single-slave", "mtu-pth": "mtu-path"}
    assert all(f"(did you mean {right}?)" in ran.err for wrong, right in meant.items() if wrong in text)


def test_an_interface_of_the_defaults_may_be_called_lint(file: Path, run: Callable[..., Ran]) -> None:
    """There `lint` is a name as any other, and what is wrong with it is told as of any other."""
    file.write_text("defaults: {lint: {type: bond, mode: lcap}}\nnodes: {}\n")
    assert "network.yaml:1:37: lint: lcap is not a valid mode; choose one of balance-rr" in run("check").err


def test_the_schema_knows_the_rules() -> None:
    """An editor completes their names."""
    (switch,) = [each for name, each in schema()["definitions"].items() if name == "Lint"]
    assert switch["properties"]["ignore"]["items"]["enum"] == list(RULES)


def test_what_is_named_wrongly_is_refused(file: Path, run: Callable[..., Ran]) -> None:
    """A rule or a node that there is not, with what was probably meant; and two files."""
    file.write_text(ONE_SLAVE)
    ran = run("lint", "network.yaml", "--ignore", "single-slav")
    assert (ran.code, "did you mean single-slave?" in ran.err) == (2, True)
    ran = run("lint", "network.yaml", "--node", "pve3")
    assert ran.code == 2
    assert "network.yaml has no node pve3" in ran.err
    assert run("lint", "network.yaml", "-f", "other.yaml").code == 2


# --- live nodes ------------------------------------------------------------------------------------------------------


def test_live_nodes_are_held_against_each_other(cluster: Path, run: Callable[..., Ran]) -> None:
    """All of them unless some are named; what is pending counts, and is said."""
    assert cluster.exists()
    for node, mode in (("pve1", "802.3ad"), ("pve2", "802.3ad"), ("pve3", "balance-rr")):
        words = ("bond", "create", "--slaves", "ens38,ens39", "--mode", mode)
        assert run("--node", node, *words).code == 0
        assert run("--node", node, "bridge", "create", "--ports", "bond0").code == 0
    ran = run("lint", "--exit-code")
    assert ran.code == 10
    assert ran.out == "pve3: bond0 is balance-rr, and 802.3ad with layer2 on pve1, pve2 [bond-peers]\n"
    assert "changes are pending on pve3, checked as if they were live; see `pvenet diff --node pve3`" in ran.err
    data = run("lint", "--json").data
    assert [(each["node"], each["rule"], each["file"], each["line"]) for each in data] == [
        ("pve3", "bond-peers", None, None)
    ]
    ran = run("lint", "--node", "pve1,pve2", "--exit-code")
    assert (ran.code, ran.out) == (0, "")
    assert "nothing found in pve1, pve2" in ran.err
    ran = run("lint", "--ignore", "bond-peers")
    assert "nothing found in pve1, pve2, pve3; 1 ignored" in ran.err


def test_two_links_of_corosync_over_one_cable_are_found(
    tmp_path: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cluster says where its links are, the file which cable that is."""
    folder = housed(tmp_path / "two", (), ())
    monkeypatch.setenv("PVENET_SIM", str(folder))
    assert "corosync-cable" not in run("lint").out
    path = folder / "pve1/etc/network/interfaces"
    path.write_text(path.read_text().replace("ens40", "ens33.20"))
    assert "links 0 and 1 of corosync both go over ens33: one failure cuts both [corosync-cable]" in run("lint").out


def test_a_kernel_that_is_not_to_be_had_is_said(lab: Path, run: Callable[..., Ran]) -> None:
    """The rules do without it, and say so."""
    assert lab.exists()
    ran = run("lint", "--fault", "drop-after@GET report")
    assert ran.code == 0
    assert "not known: what the kernel of pve1 has" in ran.err
    assert "nothing found in pve1" in ran.err


def test_a_node_that_does_not_answer_keeps_none_of_the_others_from_being_told(
    cluster: Path, run: Callable[..., Ran]
) -> None:
    """What is found on the others is told, and the exit code is that of the failure."""
    assert cluster.exists()
    for node in ("pve1", "pve2", "pve3"):
        assert run("--node", node, "bond", "create", "--slaves", "ens38").code == 0
    ran = run("lint", "--exit-code", "--fault", "error@GET network")
    assert ran.code == 4
    assert ran.out.count("[single-slave]") == 2
    assert "error: pve" in ran.err
