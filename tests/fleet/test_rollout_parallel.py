"""Several nodes at once, at which things go wrong; a rollout that is killed, and one that is undone."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from network_file import tagged
from recorder import set_nature

from pvenet.fleet.book import Rollouts
from pvenet.journal import Journals, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ran

    Run = Callable[..., Ran]

NODES = ("pve1", "pve2", "pve3")
TAGGED = tagged(*NODES)
TOGETHER = ("apply", "-f", "network.yaml", "--yes", "--parallel", "3", "--parallel-in-cluster")
FAULTS = (
    "never-up=bond0",
    "reload-fails",
    "reload-lies",
    "drop-after",
    "drop-before",
    "error=after",
    "595",
    "restart",
    "task-late",
    "path-lost=1",
    "node-lost=1",
    "node-lost",
    "foreign-edit",
)
UNKNOWN = ("reload-fails", "node-lost")
"""How the second ends nobody can see."""
PAIRS = sorted(itertools.product(FAULTS, FAULTS))
SAMPLE = PAIRS if os.environ.get("PVENET_MATRIX") == "full" else [*random.Random(15).sample(PAIRS, 5), UNKNOWN]


def is_live(cluster: Path, node: str) -> bool:
    """Whether a node has what the file wants."""
    return "iface bond0" in (cluster / node / "etc/network/interfaces").read_text()


def on(node: str, fault: str) -> tuple[str, str]:
    """A fault at a node's reload."""
    return "--fault", f"{fault}@PUT nodes/{node}/network"


def unanswered(node: str, at: int) -> tuple[str, ...]:
    """No answer to this listing of a node, nor to the second try."""
    return tuple(word for nth in (at, at + 1) for word in ("--fault", f"595@GET nodes/{node}/network+{nth}"))


def cluster_status(at: int, *away: str, quorate: bool = True) -> tuple[str, str]:
    """How the cluster stands by this answer: without these members, or without quorum."""
    lab = {"type": "cluster", "id": "cluster", "name": "lab", "nodes": 3, "quorate": int(quorate), "version": 3}
    members = [{"type": "node", "id": f"node/{each}", "name": each, "online": int(each not in away)} for each in NODES]
    return "--fault", f"odd-answer={json.dumps({'data': [lab, *members]})}@GET cluster/status+{at}"


def journal(cluster: Path, node: str) -> State:
    """How a node's youngest journal stands."""
    return Journals(cluster / ".pvenet", node).all()[-1].state


def standing(cluster: Path, name: str = "r1") -> dict[str, str]:
    """How the nodes of a rollout stand, as its record has it."""
    return {each.node: each.stands for each in Rollouts(cluster / ".pvenet").named(name).members}


@pytest.mark.parametrize(("first", "second"), SAMPLE)
def test_every_verdict_is_as_true_as_of_a_node_alone(
    cluster: Path, run: Run, file: Path, first: str, second: str
) -> None:
    """What is said to be applied is live, what is rolled back is as before, and what is unknown has an open journal."""
    file.write_text(TAGGED)
    ran = run(*TOGETHER, "--json", "--timeout", "8", "--max-failures", "3", *on("pve2", first), *on("pve3", second))
    summary = ran.lines[-1]
    rows = {row["node"]: row["verdict"] for row in summary["nodes"]}
    assert list(rows) == list(NODES)
    assert rows["pve1"] == "applied", ran.err  # through it the others are asked
    for node, verdict in rows.items():
        assert verdict in ("applied", "rolled_back", "failed", "unknown"), (node, verdict)
        if verdict == "unknown":
            assert journal(cluster, node) in (State.RELOADING, State.ROLLING_BACK)
        else:
            assert is_live(cluster, node) == (verdict == "applied"), (node, verdict, summary)
    assert (ran.code == 0) == (set(rows.values()) == {"applied"})
    assert (ran.code == 9) == ("unknown" in rows.values())
    assert standing(cluster) == rows
    ends = [line["node"] for line in ran.lines if line["event"] == "end"]
    assert len(ends) == len(set(ends))
    assert all(line["node"] in NODES for line in ran.lines[1:-1])


def test_members_of_a_cluster_follow_one_another_unless_it_is_asked_for(cluster: Path, run: Run, file: Path) -> None:
    """The reload of one has ended before the next one is begun; and that is said."""
    file.write_text(TAGGED)
    ran = run("apply", "-f", "network.yaml", "--yes", "--json", "--parallel", "3")
    order = [(line["event"], line["node"]) for line in ran.lines if line["event"] in ("node", "end")]
    assert order == [(event, node) for node in NODES for event in ("node", "end")]
    assert "members of one cluster are changed one after another" in ran.err
    assert all(is_live(cluster, node) for node in NODES)


def test_where_it_is_asked_for_they_are_at_work_at_once(cluster: Path, run: Run, file: Path) -> None:
    """After the canary, which is alone; every line of the log says whose it is."""
    set_nature(cluster, reload_seconds=0.5)
    file.write_text(TAGGED)
    ran = run(*TOGETHER, "--canary", "pve2", "--json")
    order = [(line["event"], line["node"]) for line in ran.lines if line["event"] in ("node", "end")]
    assert order[:2] == [("node", "pve2"), ("end", "pve2")]
    assert sorted(order[2:4]) == [("node", "pve1"), ("node", "pve3")]
    assert run("rollback", "--rollout", "r1", "--yes").code == 0
    told = run(*TOGETHER).err.splitlines()
    lines = [line for line in told if line and not line.startswith("this was the rollout")]
    assert lines
    assert all(line.startswith(("pve1: ", "pve2: ", "pve3: ")) for line in lines)


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("how", [TOGETHER, TOGETHER[:4]], ids=["together", "in turn"])
def test_why_nodes_have_failed_is_said_once_at_the_end(run: Run, file: Path, how: tuple[str, ...]) -> None:
    """Whole, of each of them, below a summary that has a word for it; with --quiet just as well."""
    file.write_text(TAGGED)
    faults = (*on("pve1", "reload-fails"), *on("pve3", "reload-fails"))
    for quiet in ((), ("--quiet",)):
        ran = run(*how, *quiet, "--timeout", "8", "--max-failures", "2", *faults)
        assert ran.code == 8
        for node in ("pve1", "pve3"):
            for told in (f"the reload of {node} failed: ", f"rolled back and verified on {node}: "):
                assert (ran.out + ran.err).count(told) == 1, (node, told)
            assert f"{node}  rolled back\n" in ran.out
        last = ran.err[min(ran.err.index(f"the reload of {node} failed") for node in ("pve1", "pve3")) :]
        assert "rolling back: " not in last
        assert "\nerror: the reload of " in last
        assert "\nfailed: pve1, pve3\n" in ran.err


@pytest.mark.usefixtures("cluster")
def test_each_node_that_is_cut_off_says_what_to_do_there(run: Run, file: Path) -> None:
    """The worst counts, though another one failed first; and nobody has to ask for the second one's rescue."""
    file.write_text(TAGGED)
    faults = (*on("pve1", "reload-fails"), *on("pve2", "node-lost"), *on("pve3", "node-lost"))
    ran = run(*TOGETHER, "--timeout", "3", *faults)
    assert ran.code == 9
    for node in ("pve2", "pve3"):
        assert ran.err.count(f"`pvenet rescue --node {node}` prints the smallest file") == 1, node
    assert "hint: correct what was wrong" not in ran.err  # pve1 is as it was


def test_one_sdn_lock_is_held_for_all_of_them(cluster: Path, run: Run, file: Path) -> None:
    """None of them takes it alone, and none is told that another has it."""
    file.write_text(TAGGED)
    ran = run(*TOGETHER, "--sdn-lock", "--debug")
    asked = [line for line in ran.err.splitlines() if "POST " in line and "/cluster/sdn/lock" in line]
    assert ran.code == 0
    assert len(asked) == 1, ran.err
    assert "is not available" not in ran.err
    assert all(is_live(cluster, node) for node in NODES)


def test_a_node_that_does_not_answer_is_left_out_where_that_is_agreed_to(cluster: Path, run: Run, file: Path) -> None:
    """Else nothing is sent to any; skipped, it is no failure, and --resume comes back to it."""
    file.write_text(TAGGED)
    dead = unanswered("pve2", 1)
    ran = run("apply", "-f", "network.yaml", "--yes", *dead)
    assert ran.code != 0
    assert not any(is_live(cluster, node) for node in NODES)
    ran = run("apply", "-f", "network.yaml", "--yes", "--skip-unreachable", *dead)
    assert ran.code == 0
    assert [line.split()[:2] for line in ran.out.splitlines()[-3:]] == [
        ["pve1", "applied"],
        ["pve3", "applied"],
        ["pve2", "untouched"],
    ]
    assert "pve2 is skipped: " in ran.err
    assert run("apply", "-f", "network.yaml", "--yes", "--resume").code == 0
    assert is_live(cluster, "pve2")
    assert set(standing(cluster).values()) == {"applied"}


def test_one_that_dies_between_the_plan_and_its_turn_is_left_out_too(cluster: Path, run: Run, file: Path) -> None:
    """Before anything was sent to it."""
    file.write_text(TAGGED)
    dead = unanswered("pve2", 2)
    ran = run("apply", "-f", "network.yaml", "--yes", "--skip-unreachable", "--json", *dead)
    assert [row["verdict"] for row in ran.lines[-1]["nodes"]] == ["applied", "untouched", "applied"]
    assert ran.lines[-1]["nodes"][1]["message"].startswith("skipped: ")
    assert ran.code == 0
    assert not is_live(cluster, "pve2")


def test_a_cluster_that_loses_its_quorum_is_left_alone(cluster: Path, run: Run, file: Path) -> None:
    """Whatever may fail: the node before may be the reason."""
    file.write_text(TAGGED)
    for at in range(2, 12):
        lost = cluster_status(at, quorate=False)
        ran = run("apply", "-f", "network.yaml", "--yes", "--max-failures", "3", *lost)
        if "lost its quorum" in ran.err:
            break
        run("rollback", "--rollout", f"r{at - 1}", "--yes")
    assert "has lost its quorum since the rollout started; pve2 was not started" in ran.err
    assert "not reached: pve2, pve3" in ran.err
    assert ran.code == 7
    assert [is_live(cluster, node) for node in NODES] == [True, False, False]


def test_a_cluster_that_loses_a_member_is_left_alone(cluster: Path, run: Run, file: Path) -> None:
    """Also one that the rollout has not come to; one that was away before it began is nobody's fault."""
    file.write_text(TAGGED)
    for at in range(2, 12):
        ran = run("apply", "-f", "network.yaml", "--yes", "--max-failures", "3", *cluster_status(at, "pve3"))
        if "was not started" in ran.err:
            break
        run("rollback", "--rollout", f"r{at - 1}", "--yes")
    assert "pve3 no longer answers the other members of the cluster; pve2 was not started" in ran.err
    assert ran.code == 7
    assert [is_live(cluster, node) for node in NODES] == [True, False, False]
    run("rollback", "--yes", "--node", "pve1")
    ever = [word for at in range(1, 40) for word in cluster_status(at, "pve3")]
    ran = run("apply", "-f", "network.yaml", "--yes", *ever)
    assert "was not started" not in ran.err


def test_a_node_without_a_verdict_is_looked_at_before_the_next(cluster: Path, run: Run, file: Path) -> None:
    """Whatever may fail: nobody knows how it stands."""
    file.write_text(TAGGED)
    ran = run(
        "apply", "-f", "network.yaml", "--yes", "--timeout", "1", "--max-failures", "3", *on("pve1", "reload-hangs")
    )
    assert journal(cluster, "pve1") in (State.RELOADING, State.ROLLING_BACK)
    assert "pve2 was not started" in ran.err or "not reached: pve2, pve3" in ran.err
    assert not is_live(cluster, "pve2")


def killed(cluster: Path, folder: Path, *words: str, when: Callable[[], bool]) -> None:
    """Begin a command in a process of its own, and kill -9 it as soon as something is so."""
    command = [sys.executable, "-m", "pvenet", *words]
    environment = {**os.environ, "PVENET_SIM": str(cluster)}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 60
        while not when():
            assert process.poll() is None, "it has ended before it could be killed"
            assert time.monotonic() < until
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()


def reloading(cluster: Path, *nodes: str) -> bool:
    """Whether these nodes' reloads were begun."""
    found = [Journals(cluster / ".pvenet", node).all() for node in nodes]
    return all(each and each[-1].upid for each in found)


def test_a_node_whose_reload_still_runs_is_not_passed_over(cluster: Path, run: Run, file: Path) -> None:
    """It is as the file says, and nobody knows whether it stays so: no other is reloaded beside it, and it is said."""
    file.write_text(TAGGED)
    hangs = ("--canary", "pve1", *on("pve2", "reload-hangs"))
    words = ("apply", "-f", "network.yaml", "--yes")
    killed(cluster, file.parent, *words, *hangs, when=lambda: reloading(cluster, "pve2"))
    told = "pve2: a reload was sent, and nobody has checked how it ended"
    for looks in ("plan", "drift"):
        ran = run(looks, "network.yaml")
        assert ran.code == 0
        assert told in ran.err
        assert "`pvenet wait --node pve2` waits for its end" in ran.err
    for more in ((), ("--dry-run",), ("--max-failures", "3", "--skip-unreachable")):
        ran = run(*words, *more)
        assert ran.code == 7
        assert f"{told}; nothing was sent" in ran.err
        assert "hint: `pvenet wait --node pve2` waits for its end" in ran.err
    assert not is_live(cluster, "pve3")
    file.write_text(tagged("pve2"))
    ran = run(*words)
    assert ran.code == 7
    assert f"{told}; nothing was sent" in ran.err
    assert "no changes" not in ran.out
    ran = run("apply", "--node", "pve2", "--yes", "--timeout", "1")
    assert ran.code == 9
    assert "the reload of pve2 that was started from here is still running after 1 s; nothing was sent" in ran.err
    assert "hint: `pvenet wait --node pve2` waits for its end" in ran.err


@pytest.mark.usefixtures("cluster")
def test_a_node_that_waits_for_a_word_ends_a_rollout_of_others(run: Run, file: Path) -> None:
    """By its own name, with what answers it, also where nothing is to be done there."""
    file.write_text(tagged("pve1"))
    run("apply", "-f", "network.yaml", "--yes")
    left = Journals(Path(os.environ["PVENET_SIM"]) / ".pvenet", "pve1")
    left.write(replace(left.all()[-1], state=State.CONFIRMING))
    file.write_text(TAGGED)
    ran = run("apply", "-f", "network.yaml", "--yes")
    assert ran.code == 7
    assert "pve1: what was applied last is waiting to be confirmed; nothing was sent" in ran.err
    assert "hint: `pvenet confirm --node pve1` keeps it, `pvenet rollback --node pve1` puts back" in ran.err


def theirs(cluster: Path, *nodes: str) -> None:
    """Stage something there that pvenet did not."""
    for node in nodes:
        live = cluster / node / "etc/network/interfaces"
        live.with_name("interfaces.new").write_text(f"{live.read_text()}\nauto vmbr9\niface vmbr9 inet manual\n")


@pytest.mark.parametrize("verb", [(), ("--stage-only",)])
def test_all_nodes_with_somebody_elses_changes_are_refused_at_once(
    cluster: Path, run: Run, file: Path, verb: tuple[str, ...]
) -> None:
    """Each with its changes; and what throws them away can be typed as it is said, and does so."""
    file.write_text(TAGGED)
    theirs(cluster, "pve2", "pve3")
    ran = run("apply", "-f", "network.yaml", "--yes", "-q", *verb)
    assert ran.code == 7
    assert "changes are pending on pve2, pve3 that pvenet did not stage from here" in ran.err
    assert ran.err.count("+auto vmbr9") == 2
    assert "with --adopt, or throw them away with `pvenet revert --discard --node pve2,pve3`" in ran.err
    assert run("revert", "--discard", "--node", "pve2", "--yes").code == 0
    ran = run("apply", "-f", "network.yaml", "--yes", "-q", *verb)
    assert "changes are pending on pve3 that" in ran.err
    assert "`pvenet revert --discard --node pve3`" in ran.err
    assert run("revert", "--discard", "--node", "pve3", "--yes").code == 0
    assert run("apply", "-f", "network.yaml", "--yes", "-q", *verb).code == 0


UNNAMED = re.compile(
    r"`pvenet (?:wait|confirm|rollback|diff|revert|rescue|apply)\b(?![^`]* (?:--node|--rollout|-f) )[^`]*`"
)
"""A command about one node that does not say which."""


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("json", [(), ("--json",)])
def test_what_is_to_be_done_at_a_node_says_which(run: Run, file: Path, json: tuple[str, ...]) -> None:
    """Where there are several, be they in the file or not: else it can't be typed as it is said."""
    for names in (("pve2",), NODES):
        file.write_text(tagged(*names))
        words = ("--yes", "--timeout", "1", "--on-failure", "keep", "--max-failures", "2", *json)
        ran = run("apply", "-f", "network.yaml", *words, *on("pve2", "reload-fails"), *on("pve3", "reload-fails"))
        assert ran.code == 1
        told = f"{ran.lines[-1]}" if json else ran.out
        assert "`pvenet rollback --node pve2`" in told + ran.err
        assert not UNNAMED.findall(told + ran.err)
        for name in names:
            run("rollback", "--yes", "--node", name)


@pytest.mark.parametrize("together", [False, True])
def test_one_that_was_killed_is_gone_on_with(cluster: Path, run: Run, file: Path, *, together: bool) -> None:
    """Those whose end nobody saw end with the verdict of their reload, and the rest follow, in the same rollout."""
    set_nature(cluster, reload_seconds=1.0)
    file.write_text(TAGGED)
    how = ("--parallel", "2", "--parallel-in-cluster") if together else ()
    begun = ("pve1", "pve2") if together else ("pve1",)
    killed(cluster, file.parent, "apply", "-f", "network.yaml", "--yes", *how, when=lambda: reloading(cluster, *begun))
    assert {node for node, stands in standing(cluster).items() if stands == "begun"} == {*begun}
    ran = run("apply", "-f", "network.yaml", "--yes", "--resume")
    assert ran.code == 0, ran.err
    assert "going on with the rollout r1" in ran.err
    assert all(is_live(cluster, node) for node in NODES)
    assert standing(cluster) == dict.fromkeys(NODES, "applied")
    assert {journal(cluster, node) for node in NODES} == {State.APPLIED}
    assert [line.split()[:2] for line in ran.out.splitlines()[-3:]] == [[node, "applied"] for node in NODES]
    ran = run("apply", "-f", "network.yaml", "--yes", "--resume")
    assert ran.code == 2
    assert "nothing is left of the rollout r1" in ran.err
    assert run("rollback", "--rollout", "r1", "--yes").code == 0
    assert not any(is_live(cluster, node) for node in NODES)


def test_what_was_only_staged_when_it_was_killed_is_planned_anew(
    cluster: Path, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is taken back first: only what is shown goes live."""
    file.write_text(TAGGED)
    slow = ("--fault", "delay=5@PUT nodes/pve2/network")
    staged = cluster / "pve2/etc/network/interfaces.new"
    killed(cluster, file.parent, "apply", "-f", "network.yaml", "--yes", *slow, when=staged.exists)
    monkeypatch.setenv("PVENET_SIM", str(cluster))
    ran = run("apply", "-f", "network.yaml", "--yes", "--resume")
    assert ran.code == 0, ran.err
    assert all(is_live(cluster, node) for node in NODES)
    assert standing(cluster) == dict.fromkeys(NODES, "applied")


@pytest.mark.usefixtures("cluster")
def test_a_saved_plan_is_gone_on_with_until_it_was_applied_everywhere(run: Run, file: Path) -> None:
    """Whoever comes without --resume is told of it, then of all nodes; after a rollback only a new plan is left."""
    file.write_text(TAGGED)
    run("plan", "-f", "network.yaml", "-o", "p.plan")
    assert run("apply", "p.plan", "--yes", "--canary", "pve2", *on("pve1", "reload-fails")).code == 8
    ran = run("apply", "p.plan", "--yes")
    assert ran.code == 7
    assert "this plan was applied already, to pve2 at" in ran.err
    assert "hint: the same command with --resume goes on with the rollout r1; or plan again" in ran.err
    assert run("apply", "p.plan", "--yes", "--resume").code == 0
    ran = run("apply", "p.plan", "--yes")
    assert "this plan was applied already, to pve2, pve1, pve3 at" in ran.err
    assert "hint: plan again" in ran.err
    for back in ((), ("rollback", "--rollout", "r1", "--yes")):
        assert not back or run(*back).code == 0
        ran = run("apply", "p.plan", "--yes", "--resume")
        assert ran.code in (2, 7)
        assert "hint: plan again" in ran.err
        assert "leave out --resume" not in ran.err


def test_a_saved_plan_remembers_those_whose_end_was_seen_later(cluster: Path, run: Run, file: Path) -> None:
    """The rollout was killed before it could keep that they were changed."""
    set_nature(cluster, reload_seconds=1.0)
    file.write_text(TAGGED)
    run("plan", "-f", "network.yaml", "-o", "p.plan")
    killed(cluster, file.parent, "apply", "p.plan", "--yes", when=lambda: reloading(cluster, "pve1"))
    ran = run("apply", "p.plan", "--yes")
    assert ran.code == 7
    assert "`pvenet wait --node pve1`" in ran.err
    assert "\nthe same command with --resume goes on with the rollout r1\n" in ran.err
    assert run("apply", "p.plan", "--yes", "--resume").code == 0
    assert "this plan was applied already, to pve1, pve2, pve3 at" in run("apply", "p.plan", "--yes").err


def test_a_file_that_says_something_else_is_not_gone_on_with(cluster: Path, run: Run, file: Path) -> None:
    """Comments may change; and where no rollout was begun, there is none to go on with."""
    file.write_text(TAGGED)
    assert run("apply", "-f", "network.yaml", "--yes", "--resume").code == 2
    assert run("apply", "-f", "network.yaml", "--yes", "--timeout", "3", *on("pve2", "never-up=bond0")).code == 8
    file.write_text(TAGGED.replace("balance-rr", "active-backup"))
    ran = run("apply", "-f", "network.yaml", "--yes", "--resume")
    assert ran.code == 7
    assert "has changed since the rollout r1 started" in ran.err
    file.write_text(f"# the same\n{TAGGED}")
    assert run("apply", "-f", "network.yaml", "--yes", "--resume").code == 0
    assert all(is_live(cluster, node) for node in NODES)


def test_a_whole_rollout_is_undone_from_its_end(cluster: Path, run: Run, file: Path) -> None:
    """Node after node; the history says which journals are whose, and an undone one is not gone on with."""
    file.write_text(TAGGED)
    run("apply", "-f", "network.yaml", "--yes", "--canary", "pve2")
    assert [row["rollout"] for row in run("history", "--json").data] == ["r1"] * 3
    ran = run("rollback", "--rollout", "r1", "--yes", "--json")
    assert ran.code == 0
    assert [line["node"] for line in ran.lines if line["event"] == "node"] == ["pve3", "pve1", "pve2"]
    assert ran.lines[-1]["event"] == "summary"
    assert not any("bond0" in (cluster / node / "etc/network/interfaces").read_text() for node in NODES)
    shown = run("history", "show", "r1", "--json").data
    assert [(each["node"], each["stands"]) for each in shown["nodes"]] == [
        ("pve2", "undone"),
        ("pve1", "undone"),
        ("pve3", "undone"),
    ]
    assert run("apply", "-f", "network.yaml", "--yes", "--resume").code == 7
    ran = run("rollback", "--rollout", "r1", "--yes")
    assert (ran.code, ran.err) == (0, "there is nothing to roll back of the rollout r1\n")


def test_undoing_ends_at_the_first_that_can_not_be_undone_and_goes_on_later(
    cluster: Path, run: Run, file: Path
) -> None:
    """Somebody has changed what a node's journal is about: that is refused, and the others stay for the next time."""
    file.write_text(TAGGED)
    run("apply", "-f", "network.yaml", "--yes")
    assert run("bond", "set", "bond0", "--mode", "active-backup", "--node", "pve2").code == 0
    assert run("apply", "--yes", "--node", "pve2").code == 0
    ran = run("rollback", "--rollout", "r1", "--yes")
    assert ran.code == 7
    assert "not reached: pve1" in ran.err
    assert [is_live(cluster, node) for node in NODES] == [True, True, False]
    run("rollback", "--yes", "--node", "pve2")
    assert run("rollback", "--rollout", "r1", "--yes").code == 0
    assert not any(is_live(cluster, node) for node in NODES)


def test_the_record_is_its_owners_alone_and_the_oldest_are_forgotten(
    cluster: Path, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mode 600; the youngest stay, and no ID is given twice."""
    monkeypatch.setattr("pvenet.fleet.book.KEPT", 1)
    for number in range(4):
        file.write_text(f"nodes: {{pve1: {{ens40: {{type: eth, mtu: {1400 + number}}}}}}}")
        assert run("apply", "-f", "network.yaml", "--yes").code == 0
    folder = cluster / ".pvenet/rollouts"
    assert {path.name for path in folder.glob("*.json")} == {"r3.json", "r4.json"}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_rollout_that_another_pvenet_works_on_is_left_alone(cluster: Path, run: Run, file: Path) -> None:
    """Neither gone on with nor undone."""
    file.write_text(TAGGED)
    run("apply", "-f", "network.yaml", "--yes", "--timeout", "3", *on("pve2", "never-up=bond0"))
    rollouts = Rollouts(cluster / ".pvenet")
    with rollouts.taken_up(rollouts.named("r1")):
        for words in (("apply", "-f", "network.yaml", "--resume"), ("rollback", "--rollout", "r1")):
            ran = run(*words, "--yes")
            assert ran.code == 7
            assert "another pvenet is at work on the rollout r1" in ran.err


@pytest.mark.usefixtures("cluster", "file")
def test_words_that_do_not_go_together(run: Run) -> None:
    """Each a matter of usage, with nothing sent."""
    for words in (
        ("apply", "--parallel", "2"),
        ("apply", "--resume"),
        ("apply", "-f", "network.yaml", "--parallel", "0"),
        ("apply", "-f", "network.yaml", "--max-failures", "-1"),
        ("apply", "-f", "network.yaml", "--parallel-in-cluster"),
        ("apply", "-f", "network.yaml", "--stage-only", "--resume"),
        ("rollback", "3", "--rollout", "r1"),
        ("rollback", "--rollout", "r1", "--dry-run"),
        ("rollback", "--rollout", "r9"),
        ("rollback", "--rollout", " "),
    ):
        assert run(*words, "--yes").code == 2, words
