"""Many nodes as a library changes them: planned in parallel, rolled out in turn, without a command line."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from pvenet import errors
from pvenet.apply.options import ApplyOptions
from pvenet.apply.runtime import Runtime
from pvenet.apply.stage import StageOptions
from pvenet.events import Event, Reloading, Verdict
from pvenet.fleet import rollout
from pvenet.fleet.course import Pace, Turn
from pvenet.fleet.nodes import Fleet, one_or_all, read
from pvenet.fleet.plans import FleetPlan, plan_nodes, selected
from pvenet.fleet.rollout import Terms, ordered, refuse_unapproved, roll_out
from pvenet.fleet.saved import Record
from pvenet.settings import Identity, Settings, connect
from pvenet.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pvenet.node import Node, Reading

BOND = "defaults: {bond0: {type: bond, slaves: [ens38, ens39]}}\nnodes: {pve1: , pve2: , pve3: }\n"
_SOMEBODY = Identity(token_id="root@pam!test", token_secret="11111111-1111-1111-1111-111111111111")
TERMS = Terms(apply=ApplyOptions(timeout=3.0), stage=StageOptions())


@pytest.fixture
def fleet(cluster: Path, tmp_path: Path) -> Fleet:
    """Three simulated nodes."""
    state = tmp_path / "journals"
    return Fleet(connection=connect(Settings(sim=cluster, state_dir=state)), state_dir=state)


@pytest.fixture
def planned(fleet: Fleet, file: Path) -> Callable[[str], FleetPlan]:
    """Plans a network file's text."""

    def go(text: str) -> FleetPlan:
        file.write_text(text)
        spec = load(file)
        return plan_nodes(fleet, spec, selected(fleet, spec, ()), lambda _: None)

    return go


def test_a_rollout_takes_each_node_in_its_turn(fleet: Fleet, planned: Callable[[str], FleetPlan]) -> None:
    """The canary first; who it is is announced before, and its events are heard in between."""
    said: list[str] = []

    def emit(event: Event) -> None:
        if isinstance(event, Reloading):
            said.append(f"reload {event.node}")

    def announce(turn: Turn) -> None:
        said.append(f"{turn.number}/{turn.of} {turn.node} after {turn.after or 'nobody'}")

    terms = Terms(apply=ApplyOptions(), stage=StageOptions(), pace=Pace(canary="pve2"))
    found = planned(BOND)
    summary = roll_out(fleet, ordered(found, "pve2"), terms, Runtime(emit=emit), announce)
    assert found.changes
    assert said == [
        "1/3 pve2 after nobody",
        "reload pve2",
        "2/3 pve1 after pve2",
        "reload pve1",
        "3/3 pve3 after nobody",
        "reload pve3",
    ]
    assert [(row.node, row.verdict) for row in summary.rows] == [
        (name, Verdict.APPLIED) for name in ("pve2", "pve1", "pve3")
    ]
    assert summary.failure is None
    assert not planned(BOND).changes


def test_who_announces_can_end_a_rollout(fleet: Fleet, planned: Callable[[str], FleetPlan]) -> None:
    """What is raised there is its failure, with that node and those behind it untouched."""

    def announce(turn: Turn) -> None:
        if turn.number == 2:
            raise errors.NeedsConsent("no further")

    summary = roll_out(fleet, planned(BOND).nodes, TERMS, Runtime(emit=lambda _: None), announce)
    assert [row.verdict for row in summary.rows] == [Verdict.APPLIED, None, None]
    assert isinstance(summary.failure, errors.NeedsConsent)


def test_a_rollout_asks_nobody(fleet: Fleet, planned: Callable[[str], FleetPlan]) -> None:
    """Consent was given to all of it beforehand."""

    def confirm(question: str) -> bool:
        raise AssertionError(question)

    summary = roll_out(fleet, planned(BOND).nodes[:1], TERMS, Runtime(emit=lambda _: None, confirm=confirm))
    assert summary.failure is None


def test_a_saved_plan_is_used_up_by_the_first_node(
    fleet: Fleet, planned: Callable[[str], FleetPlan], tmp_path: Path
) -> None:
    """Also where the second one fails: the record has the first."""
    record = Record.unused(tmp_path, "0" * 16)

    def announce(turn: Turn) -> None:
        if turn.number == 2:
            raise errors.NeedsConsent("no further")

    roll_out(fleet, planned(BOND).nodes, TERMS, Runtime(emit=lambda _: None), announce, record)
    with pytest.raises(errors.Stale, match="applied already, to pve1 at"):
        Record.unused(tmp_path, "0" * 16)


def test_what_would_stop_a_node_is_refused_before_any_is_touched(planned: Callable[[str], FleetPlan]) -> None:
    """The way to two of the nodes, both named; with that agreed to, nothing."""
    found = planned("defaults: {vmbr0: {type: bridge, ports: [ens33, ens37]}}\nnodes: {pve1: , pve3: }\n")
    with pytest.raises(errors.ManagementRisk, match=r"pve1: .*\n.*pve3: "):
        refuse_unapproved(found.nodes, TERMS)
    agreed = Terms(apply=ApplyOptions(allow_management=True), stage=StageOptions())
    refuse_unapproved(found.nodes, agreed)


def test_nodes_are_read_in_any_order_and_told_in_theirs(fleet: Fleet) -> None:
    """With those that failed apart, and each one counted."""
    counted: list[int] = []
    other = threading.Event()

    def use(node: Node, reading: Reading) -> tuple[str, int]:
        if node.name == "pve3":
            assert other.wait(30)
            time.sleep(0.05)  # the other's answer is on its way
        other.set()
        return node.name, len(reading.entries)

    found, failed = read(fleet, ["pve3", "nope", "pve1"], use, counted.append)
    assert list(found.items()) == [("pve3", ("pve3", 7)), ("pve1", ("pve1", 7))]
    assert list(failed) == ["nope"]
    assert counted == [1, 2, 3]


def test_where_nobody_answers_the_journals_say_which_nodes_there_are(tmp_path: Path) -> None:
    """Without any the error stands."""
    closed = Settings(endpoints=("http://127.0.0.1:1",), state_dir=tmp_path, identity=_SOMEBODY)
    fleet = Fleet(connection=connect(closed), state_dir=tmp_path)
    with pytest.raises(errors.Unreachable):
        one_or_all(fleet, "")
    for name in ("pve2", "pve1"):
        (tmp_path / "journals" / name).mkdir(parents=True)
    (tmp_path / "journals" / ".DS_Store").touch()
    assert [node.name for node in one_or_all(fleet, "")] == ["pve1", "pve2"]
    assert [node.name for node in one_or_all(fleet, "pve7")] == ["pve7"]


def test_what_can_not_be_taken_back_is_told_with_what_went_wrong(
    fleet: Fleet, planned: Callable[[str], FleetPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node's failure keeps its kind and its hint."""

    def refuse(*_: object, **__: object) -> None:
        raise errors.RefusedByPVE("no", hint="grant it", status=403)

    def lost(*_: object, **__: object) -> None:
        raise errors.Unreachable("pve1 does not answer")

    monkeypatch.setattr(rollout, "apply", refuse)
    monkeypatch.setattr(rollout, "revert", lost)
    summary = roll_out(fleet, planned(BOND).nodes[:1], TERMS, Runtime(emit=lambda _: None))
    assert isinstance(summary.failure, errors.RefusedByPVE)
    assert (summary.failure.status, summary.failure.hint) == (403, "grant it")
    assert summary.failure.message == "no\nand what was staged on pve1 is still pending: pve1 does not answer"
