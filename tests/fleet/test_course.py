"""Who begins when, how far it goes, and what a Ctrl-C does; with nodes that are only names."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvenet import errors
from pvenet.apply.runtime import Runtime
from pvenet.events import Ended, Event, Reloading, Verdict, Waiting, Warned
from pvenet.fleet import crew
from pvenet.fleet.course import Course, Halted, Pace, Skipped, next_of
from pvenet.model import runs
from pvenet.outcome import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.fleet.stage import Summary


def cluster(name: str) -> str:
    """`a1` and `a2` are members of one cluster."""
    return name[0]


@dataclass
class Road:
    """Nodes on their course: what each does, and what was seen of it."""

    work: Callable[[str, Runtime], None] = lambda _name, _runtime: None
    events: list[Event] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    at_work: Counter[str] = field(default_factory=Counter)
    most: int = 0
    most_of_one: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def go(self, names: str, **pace: object) -> Summary:
        """Send them on their way."""
        course = Course(
            names=tuple(names.split()),
            pace=Pace(**pace),  # type: ignore[arg-type]
            cluster=cluster,
            work=self._work,
            runtime=Runtime(emit=self._heard),
            begun=self.begun.append,
        )
        return course.run()

    def _heard(self, event: Event) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.events.append(event)

    def _work(self, name: str, runtime: Runtime) -> Ended:
        with self.lock:
            self.at_work[cluster(name)] += 1
            self.most = max(self.most, self.at_work.total())
            self.most_of_one = max(self.most_of_one, *self.at_work.values())
        try:
            self.work(name, runtime)
        finally:
            with self.lock:
                self.at_work[cluster(name)] -= 1
        return Ended(node=name, verdict=Verdict.APPLIED, exit_code=0, message="applied")


def verdicts(summary: Summary) -> dict[str, str]:
    """How each ended, in the order that is told."""
    return {row.node: str(row.verdict or "untouched") for row in summary.rows}


def breathe(_: str, runtime: Runtime) -> None:
    """Work that takes a moment, and tells of it."""
    runtime.emit(Waiting(reason="it works", elapsed=0.0))
    time.sleep(0.02)


@given(
    names=st.lists(st.from_regex("[abc][1-9]", fullmatch=True), unique=True, max_size=9).map(tuple),
    at_once=st.integers(1, 9),
    in_cluster=st.booleans(),
    canary=st.booleans(),
)
def test_whoever_may_begin_is_allowed_to_by_the_pace(
    names: tuple[str, ...], at_once: int, *, in_cluster: bool, canary: bool
) -> None:
    """Never more than at once, never two of a cluster unless asked for, the canary alone; and everybody has a turn."""
    pace = Pace(at_once=at_once, in_cluster=in_cluster, canary=names[0] if names and canary else "")
    waiting, at_work, done = list(names), list[str](), list[str]()
    while waiting or at_work:
        name = next_of(waiting, at_work, cluster, pace)
        if name is None:
            assert at_work, "nobody is at work, and nobody may begin"
            done.append(at_work.pop(0))
            continue
        waiting.remove(name)
        at_work.append(name)
        assert len(at_work) <= at_once
        assert in_cluster or len({cluster(each) for each in at_work}) == len(at_work)
        assert pace.canary not in at_work or len(at_work) == 1
    assert sorted(done) == sorted(names)


def test_two_members_of_a_cluster_are_not_at_work_at_once() -> None:
    """Of three clusters one each; all of them are told in their order, whoever was first."""
    road = Road(breathe)
    summary = road.go("a1 a2 b1 b2 c1 c2", at_once=6)
    assert (road.most, road.most_of_one) == (3, 1)
    assert list(verdicts(summary)) == ["a1", "a2", "b1", "b2", "c1", "c2"]


def test_where_it_is_asked_for_they_are() -> None:
    """As many as were asked for."""
    road = Road(breathe)
    road.go("a1 a2 a3 a4", at_once=2, in_cluster=True)
    assert road.most_of_one == 2


def failing(*names: str) -> Callable[[str, Runtime], None]:
    """Work that fails on these nodes."""

    def work(name: str, _: Runtime) -> None:
        if name in names:
            raise errors.RolledBack(f"{name} failed")

    return work


def test_it_ends_at_the_first_failure_and_says_who_was_not_reached() -> None:
    """Those behind it are untouched."""
    summary = Road(failing("b1")).go("a1 b1 c1 d1 e1")
    assert verdicts(summary) == {
        "a1": "applied",
        "b1": "rolled_back",
        "c1": "untouched",
        "d1": "untouched",
        "e1": "untouched",
    }
    assert summary.failure is not None
    assert summary.failure.message == "b1 failed\nnot reached: c1, d1, e1"


def test_so_many_may_fail() -> None:
    """One more ends it; of those that are alike the error is that of the first, and it names them all."""
    summary = Road(failing("a1", "c1", "e1")).go("a1 b1 c1 d1 e1 f1", max_failures=2)
    assert verdicts(summary)["d1"] == "applied"
    assert verdicts(summary)["f1"] == "untouched"
    assert summary.failure is not None
    assert summary.failure.message == "a1 failed\nfailed: a1, c1, e1\nnot reached: f1"


BAD, WORSE, WORST = (
    errors.RolledBack("rolled back", hint="correct it"),
    errors.ApplyFailed("failed", hint="look"),
    errors.StateUnknown("cut off", hint="go to its console"),
)


@pytest.mark.parametrize("ends", [*permutations((BAD, WORSE, WORST))])
def test_the_worst_counts_whichever_came_first(ends: tuple[errors.PvenetError, ...]) -> None:
    """After 9 nobody knows how a node is, after 1 it is not as before, after 8 it is: in this order, with its hint."""
    nodes = ("a1", "b1", "c1")
    how = dict(zip(nodes, ends, strict=True))

    def work(name: str, _: Runtime) -> None:
        raise how[name]

    summary = Road(work).go(" ".join(nodes), max_failures=9)
    assert summary.failure is not None
    assert (summary.failure.exit_code, summary.failure.hint) == (9, WORST.hint)
    assert how[summary.of] is WORST
    assert {row.node: row.hint for row in summary.rows} == {node: error.hint for node, error in how.items()}
    two = {name: error for name, error in how.items() if error is not WORST}
    summary = Road(work).go(" ".join(two), max_failures=9)
    assert summary.failure is not None
    assert summary.failure.exit_code == 1


def test_every_exit_code_of_a_failure_has_its_place_in_that_order() -> None:
    """Those after which nothing has changed come behind those after which something has, an interrupt last."""
    kinds: list[type[errors.PvenetError]] = [errors.PvenetError, *errors.PvenetError.__subclasses__()]
    codes = {each.exit_code for each in kinds} - {errors.Differences.exit_code}
    assert set(WORST_FIRST) == codes
    assert len(WORST_FIRST) == len(codes)
    assert WORST_FIRST[:3] == (9, 1, 8)
    assert WORST_FIRST[-1] == errors.Interrupted.exit_code


@pytest.mark.parametrize("first", ["a1", "b1"])
def test_of_two_that_ended_alike_the_file_says_which_counts(first: str) -> None:
    """Not the moment at which each of them ended."""
    ended = threading.Event()

    def work(name: str, _: Runtime) -> None:
        assert name == first or ended.wait(30)
        if name == first:
            threading.Timer(0.05, ended.set).start()
        raise errors.StateUnknown(f"{name} is cut off")

    summary = Road(work).go("a1 b1", at_once=2, max_failures=9)
    assert summary.failure is not None
    assert summary.failure.message == "a1 is cut off\nfailed: a1, b1"


def test_what_halts_it_is_said_beside_what_is_worse() -> None:
    """A node that was rolled back before is no reason to keep still about the quorum."""

    def work(name: str, _: Runtime) -> None:
        if name == "a1":
            raise errors.RolledBack("a1 failed")
        raise Halted(errors.RefusedByPvenet("the cluster has lost its quorum"))

    summary = Road(work).go("a1 b1 c1", max_failures=9)
    assert summary.failure is not None
    assert summary.failure.message == "a1 failed\nthe cluster has lost its quorum\nnot reached: b1, c1"


def test_a_canary_that_fails_ends_it_whatever_may_fail() -> None:
    """It is there to be believed."""
    summary = Road(failing("a1")).go("a1 b1", max_failures=9, canary="a1")
    assert verdicts(summary) == {"a1": "rolled_back", "b1": "untouched"}


def test_those_at_work_end_with_their_verdict_when_another_fails() -> None:
    """Nobody is begun after a failure, and nobody is broken off by it."""
    failed = threading.Event()

    def work(name: str, _: Runtime) -> None:
        if name == "a1":
            failed.set()
            raise errors.RolledBack("a1 failed")
        assert failed.wait(30)
        time.sleep(0.05)

    summary = Road(work).go("a1 b1 c1", at_once=2)
    assert verdicts(summary) == {"a1": "rolled_back", "b1": "applied", "c1": "untouched"}


def test_a_canary_is_never_skipped() -> None:
    """It has not gone well, so that nobody follows."""

    def work(name: str, _: Runtime) -> None:
        raise Skipped(errors.Unreachable(f"{name} does not answer"))

    road = Road(work)
    summary = road.go("a1 b1 c1", canary="a1", max_failures=9, skip_unreachable=True)
    assert summary.failure is not None
    assert summary.failure.message == "a1 does not answer\nnot reached: b1, c1"
    assert [row.verdict for row in summary.rows] == [Verdict.FAILED, None, None]


def test_who_is_skipped_is_no_failure_and_who_halts_is_untouched() -> None:
    """The one says why and the others follow; after the other nobody does."""

    def work(name: str, _: Runtime) -> None:
        if name == "a1":
            raise Skipped(errors.Unreachable("a1 does not answer"))
        if name == "c1":
            raise Halted(errors.RefusedByPvenet("the cluster has lost its quorum"))

    summary = Road(work).go("a1 b1 c1 d1", max_failures=9)
    assert [row.message for row in summary.rows] == ["skipped: a1 does not answer", "applied", "", ""]
    assert summary.failure is not None
    assert summary.failure.message == "the cluster has lost its quorum\nnot reached: c1, d1"


def test_a_record_that_can_not_be_written_ends_it() -> None:
    """Whoever comes after would not know how far it has come."""

    def full(_: object) -> None:
        raise errors.PvenetError("no space left")

    course = Course(
        names=("a1", "b1"),
        pace=Pace(),
        cluster=cluster,
        work=Road()._work,
        runtime=Runtime(emit=lambda _: None),
        noted=full,
    )
    summary = course.run()
    assert verdicts(summary) == {"a1": "applied", "b1": "untouched"}
    assert summary.failure is not None


def test_a_listener_that_raises_stops_the_node_that_had_something_to_say() -> None:
    """As where a node is alone; and the rollout raises it when the others have ended."""

    def work(name: str, runtime: Runtime) -> None:
        if name == "a1":
            runtime.emit(Warned(text="broken"))

    class BrokenError(Exception):
        pass

    def broken(_: Event) -> None:
        raise BrokenError

    course = Course(
        names=("a1", "b1"), pace=Pace(), cluster=cluster, work=Road(work)._work, runtime=Runtime(emit=broken)
    )
    with pytest.raises(BrokenError):
        course.run()


def test_a_bug_of_ours_waits_for_those_at_work() -> None:
    """Nobody is begun after it, the others end with their verdict, and then it is raised."""
    broken = threading.Event()
    noted: list[str] = []

    def work(name: str, _: Runtime) -> None:
        if name == "a1":
            broken.set()
            raise ZeroDivisionError
        assert broken.wait(30)
        time.sleep(0.05)  # it ends after that was heard

    road = Road(work)
    course = Course(
        names=("a1", "b1", "c1"),
        pace=Pace(at_once=2, max_failures=9),
        cluster=cluster,
        work=road._work,
        runtime=Runtime(emit=lambda _: None),
        begun=road.begun.append,
        noted=lambda row: noted.append(row.node),
    )
    with pytest.raises(ZeroDivisionError):
        course.run()
    assert (road.begun, noted) == (["a1", "b1"], ["b1"])


# --- Ctrl-C ----------------------------------------------------------------------------------------------------------


def ctrl_c() -> None:
    """As a terminal sends it."""
    os.kill(os.getpid(), signal.SIGINT)


def patient(reach: Callable[[str], None], *, sends_another: bool = False) -> Callable[[str, Runtime], None]:
    """Work as an apply does it: a first Ctrl-C is heard and it goes on, a second one gives it up.

    It goes on until it has heard one, or two where `a1` sends another when it has heard the first.
    """

    def work(name: str, runtime: Runtime) -> None:
        runtime.emit(Reloading(node=name, upid=f"UPID:{name}"))
        reach(name)
        heard = 0
        until = time.monotonic() + 30
        while heard <= sends_another and time.monotonic() < until:
            try:
                runtime.sleep(0.01)
            except KeyboardInterrupt:
                heard += 1
                if heard == 1 and sends_another and name == "a1":
                    ctrl_c()
        if heard > 1:
            raise errors.StateUnknown(f"{name} goes on")

    return work


def test_a_ctrl_c_lets_nobody_begin_and_those_at_work_end() -> None:
    """With their verdicts; exit 130 says that not all were reached."""
    both = threading.Barrier(2)

    def reach(name: str) -> None:
        both.wait(30)
        if name == "a1":
            ctrl_c()

    road = Road(patient(reach))
    summary = road.go("a1 b1 c1 d1", at_once=2)
    assert verdicts(summary) == {"a1": "applied", "b1": "applied", "c1": "untouched", "d1": "untouched"}
    assert isinstance(summary.failure, errors.Interrupted)
    assert "applied before that, and stays: a1, b1\nnot reached: c1, d1" in summary.failure.message
    assert Warned(text="interrupted: c1, d1 will not be started") in road.events
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_has_happened_is_told_though_a_ctrl_c_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops the work, and takes nothing from who listens."""

    def work(_: str, runtime: Runtime) -> None:
        ctrl_c()
        time.sleep(0.2)  # until it was heard
        with pytest.raises(KeyboardInterrupt):
            runtime.emit(Warned(text="sent"))
        runtime.emit(Warned(text="going on"))

    monkeypatch.setattr(crew, "SILENCE", 0.05)
    road = Road(work)
    assert verdicts(road.go("a1")) == {"a1": "applied"}
    assert road.events == [Warned(text="sent"), Warned(text="going on")]


def test_it_does_so_also_where_one_follows_another() -> None:
    """The next one is not begun because the first one has ended well."""
    road = Road(patient(lambda _: ctrl_c()))
    summary = road.go("a1 a2")
    assert verdicts(summary) == {"a1": "applied", "a2": "untouched"}
    assert road.begun == ["a1"]


def test_a_second_ctrl_c_gives_all_of_them_up() -> None:
    """Each as it does where it is alone."""
    both = threading.Barrier(2)

    def reach(name: str) -> None:
        both.wait(30)
        if name == "a1":
            ctrl_c()

    summary = Road(patient(reach, sends_another=True)).go("a1 b1 c1", at_once=2)
    assert verdicts(summary) == {"a1": "unknown", "b1": "unknown", "c1": "untouched"}


def test_a_ctrl_c_that_wakes_nobody_is_heard_all_the_same() -> None:
    """The system may hand it to another thread than the one that waits, or just before that begins to."""
    road = Road(patient(lambda _: signal.pthread_kill(threading.get_ident(), signal.SIGINT), sends_another=True))
    assert verdicts(road.go("a1 b1")) == {"a1": "unknown", "b1": "untouched"}


def slept(runtime: Runtime) -> None:
    """Sleep until a Ctrl-C is heard."""
    while True:
        runtime.sleep(0.01)


def test_who_does_not_answer_after_the_second_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end is unknown, and nobody waits for its request; when that returns, the node's work is broken off."""
    monkeypatch.setattr(crew, "GRACE", 0.05)
    answers, broken = threading.Event(), threading.Event()

    def work(_: str, runtime: Runtime) -> None:
        ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            slept(runtime)
        ctrl_c()  # after the first was heard: two signals at once are one
        assert answers.wait(30)
        try:
            runtime.emit(Warned(text="late"))
        except KeyboardInterrupt:
            broken.set()
            raise

    road = Road(work)
    summary = road.go("a1")
    answers.set()
    assert verdicts(summary) == {"a1": "unknown"}
    assert isinstance(summary.failure, errors.StateUnknown)
    assert broken.wait(30)
    assert Warned(text="late") not in road.events


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("", ""),
        ("pve1", "pve1"),
        ("pve1 pve2", "pve1, pve2"),
        ("pve1 pve2 pve3", "pve1 to pve3"),
        ("n08 n09 n10 n11 web1", "n08 to n11, web1"),
        ("n8 n9 n10", "n8 to n10"),
        ("n09 n10 n011", "n09, n10, n011"),
        ("a b c", "a, b, c"),
        ("pve3 pve2 pve1", "pve3, pve2, pve1"),
    ],
)
def test_names_in_a_row_are_said_by_their_ends(names: str, said: str) -> None:
    """Only where nobody could mean another one between."""
    assert runs(names.split()) == said
