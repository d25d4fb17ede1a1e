"""`pvenet apply -f FILE` and `pvenet apply PLAN`: node after node, and the truth about each."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import FIXTURES
from network_file import tagged

from pvenet.apply.apply import apply
from pvenet.apply.stage import Staging
from pvenet.cli.prompt import Prompt
from pvenet.fleet import rollout
from pvenet.sim.adapter import SimAdapter
from pvenet.sim.faults import Script

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests
    from conftest import Ran

    from pvenet.node import Node

    Run = Callable[..., Ran]

TAGGED = tagged("pve1", "pve2", "pve3")


def live(cluster: Path, node: str) -> str:
    """A node's live file; nothing may be pending beside it."""
    file = cluster / node / "etc/network/interfaces"
    assert not file.with_name("interfaces.new").exists()
    return file.read_text()


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Orders a fault for a node, from its next reload on."""

    def order(node: str, fault: str) -> None:
        send = SimAdapter.send

        def watched(self: SimAdapter, request: requests.PreparedRequest, **rest: object) -> requests.Response:
            if request.method == "PUT" and (request.url or "").endswith(f"/nodes/{node}/network"):
                self.front.script = Script([f"{fault}@1"])
            return send(self, request, **rest)  # type: ignore[arg-type]

        monkeypatch.setattr(SimAdapter, "send", watched)

    return order


def test_the_walkthrough_is_one_command(lab: Path, run: Run, file: Path, interfaces: Path) -> None:
    """Byte for byte the file that a real node wrote for the same job; planned again there is nothing to do."""
    text = file.read_text().partition("  pve2:")[0]
    file.write_text(text)
    assert run("apply", "-f", "network.yaml", "--yes", "--allow-management").code == 0
    assert interfaces.read_text() == (FIXTURES / "walkthrough/interfaces.applied").read_text()
    assert not interfaces.with_name("interfaces.new").exists()
    ran = run("plan", "--exit-code")
    assert (ran.code, ran.out) == (0, "no changes: pve1 is as network.yaml says\n")
    ran = run("apply", "-f", "network.yaml")
    assert (ran.code, ran.out) == (0, "no changes: pve1 is as network.yaml says\n")
    assert lab.exists()


def test_the_second_of_three_fails(cluster: Path, run: Run, file: Path, failing: Callable[[str, str], None]) -> None:
    """The first is applied, the second rolled back, the third untouched; exit 8, and the summary says so."""
    file.write_text(TAGGED)
    before = {node: live(cluster, node) for node in ("pve1", "pve2", "pve3")}
    failing("pve2", "never-up=bond0")
    ran = run("apply", "-f", "network.yaml", "--yes", "--timeout", "3")
    assert ran.code == 8
    assert [line.split()[:2] for line in ran.out.splitlines()[-3:]] == [
        ["pve1", "applied"],
        ["pve2", "rolled"],
        ["pve3", "untouched"],
    ]
    assert "iface bond0" in live(cluster, "pve1")
    assert "iface bond0" not in live(cluster, "pve2")
    assert live(cluster, "pve3") == before["pve3"]


@pytest.mark.usefixtures("cluster")
def test_the_same_as_json(run: Run, file: Path, failing: Callable[[str, str], None]) -> None:
    """A line an event: the plan first, each node before its events, the summary last."""
    file.write_text(TAGGED)
    failing("pve2", "never-up=bond0")
    ran = run("apply", "-f", "network.yaml", "--yes", "--json", "--timeout", "3")
    lines = ran.lines
    assert ran.code == lines[-1]["exit"] == 8
    assert (lines[0]["event"], lines[-1]["event"]) == ("planned", "summary")
    assert [line["node"] for line in lines if line["event"] == "node"] == ["pve1", "pve2"]
    assert [(node["node"], node["verdict"]) for node in lines[-1]["nodes"]] == [
        ("pve1", "applied"),
        ("pve2", "rolled_back"),
        ("pve3", "untouched"),
    ]


@pytest.mark.parametrize("how", [[], ["--json"]])
def test_a_reader_who_goes_amidst_stops_no_rollout(  # noqa: PLR0913, PLR0917 - fixtures
    cluster: Path,
    run: Run,
    file: Path,
    failing: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
    how: list[str],
) -> None:
    """Neither between two nodes nor before the summary; and the exit code tells what has failed."""
    file.write_text(TAGGED)
    failing("pve2", "never-up=bond0")

    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    def asked(*_: object) -> None:
        for name in ("stdout", "stderr"):
            monkeypatch.setattr(sys, name, Gone())

    monkeypatch.setattr(Prompt, "confirm", asked)
    assert run("apply", "-f", "network.yaml", "--yes", "--timeout", "3", *how).code == 8
    assert "iface bond0" in live(cluster, "pve1")
    assert "iface bond0" not in live(cluster, "pve2")


def test_the_canary_goes_first(cluster: Path, run: Run, file: Path, failing: Callable[[str, str], None]) -> None:
    """Where it fails, nothing else is touched."""
    file.write_text(TAGGED)
    failing("pve3", "never-up=bond0")
    ran = run("apply", "-f", "network.yaml", "--yes", "--canary", "pve3", "--timeout", "3")
    assert ran.code == 8
    assert [line.split()[0] for line in ran.out.splitlines()[-3:]] == ["pve3", "pve1", "pve2"]
    assert "bond0" not in live(cluster, "pve1")
    ran = run("apply", "-f", "network.yaml", "--yes", "--canary", "pve9")
    assert ran.code == 2
    assert "the canary pve9 is not one of the nodes" in ran.err


@pytest.mark.usefixtures("file")
def test_nothing_is_sent_without_consent(cluster: Path, run: Run) -> None:
    """Neither to the question without a terminal, nor to the way to a node, nor where --json could ask."""
    for words, text in (
        (["--yes"], "this touches the management path of\n  pve1: vmbr0 on ens33"),
        (["--allow-management"], "there is no terminal to ask on"),
        (["--allow-management", "--json"], "--json never asks"),
    ):
        ran = run("apply", "-f", "network.yaml", *words)
        assert ran.code == 7
        assert text in ran.err
    assert all("bond0" not in live(cluster, node) for node in ("pve1", "pve2"))


@pytest.mark.usefixtures("cluster")
def test_a_loss_and_what_is_not_ours_are_refused_for_all_nodes_at_first(run: Run, file: Path, cluster: Path) -> None:
    """Before the first node is touched, whichever node it is about."""
    last = cluster / "pve3/etc/network/interfaces"
    text = last.read_text()
    last.write_text(text.replace("iface ens40 inet manual", "iface ens40 inet dhcp"))
    file.write_text("defaults: {ens40: {type: eth, mtu: 1400}}\nnodes: {pve1: , pve3: }")
    ran = run("apply", "-f", "network.yaml", "--yes")
    assert ran.code == 7
    assert "can't change this on pve3 without a loss" in ran.err
    last.write_text(text)
    last.with_name("interfaces.new").write_text(text + "\nauto vmbr7\niface vmbr7 inet manual\n\tbridge-ports none\n")
    ran = run("apply", "-f", "network.yaml", "--yes")
    assert ran.code == 7
    assert "changes are pending on pve3 that pvenet did not stage" in ran.err
    assert "mtu" not in live(cluster, "pve1")


def test_what_was_staged_and_did_not_go_live_is_taken_back(
    cluster: Path, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt before the reload leaves the node as it was found: exit 130."""
    file.write_text(TAGGED)
    monkeypatch.setattr(rollout, "apply", _interrupted)
    ran = run("apply", "-f", "network.yaml", "--yes")
    assert ran.code == 130
    assert "bond0" not in live(cluster, "pve1")
    assert "bond0" not in live(cluster, "pve2")


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_node_that_changed_since_it_was_shown_is_left_alone(
    cluster: Path, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what was shown is applied: exit 7, nothing staged."""
    file.write_text(TAGGED)
    other = cluster / "pve1/etc/network/interfaces"

    enter = Staging.__enter__

    def meanwhile(self: Staging) -> Staging:
        other.write_text(other.read_text().replace("For management", "Changed"))
        return enter(self)

    monkeypatch.setattr(Staging, "__enter__", meanwhile)
    ran = run("apply", "-f", "network.yaml", "--yes")
    assert ran.code == 7
    assert "pve1 is no longer what it was when this was planned" in ran.err
    assert "bond0" not in live(cluster, "pve1")


@pytest.mark.usefixtures("cluster")
def test_what_was_staged_before_goes_live_with_it(run: Run, file: Path, cluster: Path) -> None:
    """A node whose staging is ours and as the file says is applied, too."""
    run("bond", "create", "--node", "pve1", "--slaves", "ens38,ens39")
    file.write_text("nodes: {pve1: {bond0: {type: bond}}}")
    assert run("apply", "-f", "network.yaml", "--yes").code == 0
    assert "iface bond0" in live(cluster, "pve1")


@pytest.mark.usefixtures("cluster")
def test_what_goes_live_was_shown(run: Run, file: Path, cluster: Path) -> None:
    """Staging of ours that is not in the file is shown before the question, and its risk needs its consent."""
    run("eth", "set", "ens33", "--mtu", "1400", "--node", "pve1")
    file.write_text("nodes: {pve1: , pve2: }")
    ran = run("apply", "-f", "network.yaml", "--yes")
    assert ran.code == 7
    assert "this touches the management path of\n  pve1: vmbr0 on ens33" in ran.err
    ran = run("apply", "-f", "network.yaml", "--yes", "--allow-management")
    assert ran.code == 0
    assert "~ eth ens33: mtu none -> 1400" in ran.out
    assert "mtu 1400" in live(cluster, "pve1")


def test_somebody_elses_staging_on_a_node_without_steps_is_left_alone(run: Run, file: Path, cluster: Path) -> None:
    """It is said, nobody is asked, nothing is reloaded, and nothing of it is ours to take back."""
    theirs = cluster / "pve2/etc/network/interfaces"
    new = theirs.with_name("interfaces.new")
    new.write_text(theirs.read_text().replace("For management", "Theirs"))
    file.write_text("nodes: {pve1: , pve2: }")
    ran = run("apply", "-f", "network.yaml")
    assert ran.code == 0
    assert "something is pending there already that pvenet did not stage from here, and is left alone" in ran.out
    assert new.exists()


@pytest.mark.parametrize("how", ["bridge", "revert"])
def test_nothing_goes_live_that_was_staged_between(
    run: Run, file: Path, cluster: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Another command from here stages between our staging and our reload: nothing of it is reloaded or taken back."""
    file.write_text("nodes: {pve1: {vmbr7: {type: bridge}}}")
    real = apply
    words = {"bridge": ("bridge", "create", "vmbr8", "--node", "pve1"), "revert": ("revert", "--node", "pve1")}

    def meanwhile(*arguments: object) -> object:
        assert run(*words[how]).code == 0
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(rollout, "apply", meanwhile)
    ran = run("apply", "-f", "network.yaml", "--yes")
    assert "vmbr8" not in (cluster / "pve1/etc/network/interfaces").read_text()
    assert ran.code == 7
    if how == "revert":
        assert "what was staged on pve1 is not pending any more" in ran.err
    else:
        assert "something else was staged on pve1 in the meantime; it was not reloaded" in ran.err
        assert (cluster / "pve1/etc/network/interfaces.new").exists()


def test_an_interrupt_says_what_was_changed_before(
    cluster: Path, run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 130; the node at which it came is as it was, and the one before it is not."""
    file.write_text(TAGGED)
    real = apply

    def second(node: Node, *rest: object) -> object:
        if node.name == "pve2":
            raise KeyboardInterrupt
        return real(node, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(rollout, "apply", second)
    ran = run("apply", "-f", "network.yaml", "--yes")
    assert ran.code == 130
    assert "what was staged on pve2 was removed again\napplied before that, and stays: pve1" in ran.err
    assert "bond0" not in live(cluster, "pve2")


@pytest.mark.usefixtures("cluster")
class TestSaved:
    """A plan in a file is good for once, and for the nodes as they were."""

    def test_it_is_applied_once(self, run: Run, file: Path, cluster: Path) -> None:
        """What was shown is what happens, whatever the network file says by now."""
        file.write_text(TAGGED)
        assert run("plan", "-o", "p.json").code == 0
        file.unlink()
        assert run("apply", "p.json", "--yes").code == 0
        assert all("iface bond0" in live(cluster, node) for node in ("pve1", "pve2", "pve3"))
        ran = run("apply", "p.json", "--yes")
        assert ran.code == 7
        assert "this plan was applied already, to pve1, pve2, pve3" in ran.err

    def test_it_is_refused_when_a_node_has_changed(self, run: Run, file: Path, cluster: Path) -> None:
        """Any of them: nothing is sent to the others either."""
        file.write_text(TAGGED)
        run("plan", "-o", "p.json")
        run("bridge", "create", "vmbr7", "--node", "pve2")
        run("apply", "--node", "pve2", "--yes")
        ran = run("apply", "p.json", "--yes")
        assert ran.code == 7
        assert "pve2 is no longer what it was when this was planned" in ran.err
        assert "bond0" not in live(cluster, "pve1")

    def test_it_is_good_for_part_of_its_nodes(self, run: Run, file: Path, cluster: Path) -> None:
        """--node takes one of them; after that the plan is done with."""
        file.write_text(TAGGED)
        run("plan", "-o", "p.json")
        assert run("apply", "p.json", "--yes", "--node", "pve3").code == 0
        assert "bond0" not in live(cluster, "pve1")
        assert run("apply", "p.json", "--yes").code == 7

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda _: "nodes: {}", "is not a saved plan"),
            (lambda text: text.replace('"pvenet_plan": 1', '"pvenet_plan": 2'), "saved by another version"),
            (lambda text: text.replace("balance-rr", "roundrobin"), "was changed after it was saved"),
            (lambda text: text[:-20], "was changed after it was saved"),
            (lambda text: text.replace('"id": "', '"id": "../'), "was changed after it was saved"),
        ],
        ids=["another file", "version", "content", "cut", "id"],
    )
    def test_it_is_refused_when_it_is_none(
        self, run: Run, file: Path, change: Callable[[str], str], message: str
    ) -> None:
        """A matter of usage: exit 2."""
        file.write_text(TAGGED)
        run("plan", "-o", "p.json")
        plan = file.with_name("p.json")
        plan.write_text(change(plan.read_text()))
        ran = run("apply", "p.json", "--yes")
        assert ran.code == 2
        assert message in ran.err

    def test_the_record_may_be_broken(self, run: Run, file: Path, cluster: Path) -> None:
        """Then the plan counts as applied."""
        file.write_text(TAGGED)
        run("plan", "-o", "p.json")
        record = cluster / ".pvenet" / "plans" / f"{json.loads(file.with_name('p.json').read_text())['id']}.json"
        record.parent.mkdir(parents=True)
        record.write_text("{")
        assert run("apply", "p.json", "--yes").code == 7


@pytest.mark.usefixtures("cluster", "file")
def test_words_that_do_not_go_together(run: Run) -> None:
    """Each a matter of usage, with nothing sent."""
    for words in (
        ["-f", "network.yaml", "plan.json"],
        ["-f", "network.yaml", "--no-wait"],
        ["--canary", "pve1"],
        ["--lossy"],
        ["nowhere.json"],
    ):
        assert run("apply", *words, "--yes").code == 2, words
