"""The fault matrix: one fault at one request of the whole scenario, a cell each.

    .venv/bin/python tests/support/fault_matrix.py guests one drop-after@12      plays one cell and shows every request

A scenario stages over several commands, looks at what is pending, and applies, or reverts it; or rolls back what was
applied before. Each command is a new client, as on a command line. The clock goes only where somebody sleeps. A cell
starts from a copy of the folder as the undisturbed scenario had it before the command that holds the faulty request:
what comes before it is the same in every cell.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from clock import FakeTime
from fault_foreign import KINDS, Mark, mark_of
from fault_kernel import Facts, facts_now
from fault_scenarios import HURT, KERNEL_SCENARIOS, PREPARED, SCENARIOS
from fault_truth import OURS, Described, Truth, described, repair, truth
from lab import Lab
from recorder import Recorder

from pvenet import errors
from pvenet.apply.apply import apply
from pvenet.apply.kernel import Verify
from pvenet.apply.options import ApplyOptions
from pvenet.apply.resume import roll_back
from pvenet.apply.revert import revert
from pvenet.apply.stage import Staging
from pvenet.events import Ended, Event, Verified, Waiting, Warned
from pvenet.journal import Journals, Ours, ownership
from pvenet.kernel.judgement import Require
from pvenet.node import Node
from pvenet.sim.faults import Fault, Script, parse
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.model import Interface, Network
    from pvenet.sim.faults.script import _Ordered as Ordered

Act = Callable[[Node, Journals], bool | None]
ACTS = KINDS | {"foreign-revert", "foreign-reload", "reboot"}
"""Faults in which somebody else does something to the node."""
REPORT = "nodes/pve1/report"
LOST = 595
"""From which status on an answer is none of the node's."""
MOST_REPORTS = 5
"""Three for an apply, two for its rollback."""


LAYOUTS: Mapping[str, tuple[str, ...]] = {"one": ("pve1",), "peer": ("pve1", "pve2")}
"""The endpoints that the client is given."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One scenario with its faults; the last one is the cell's own, the others make the scenario what it is."""

    scenario: str
    layout: str
    faults: tuple[str, ...]
    how: str = ""
    """What of the kernel is wanted: `--verify kernel` and the like."""

    def __str__(self) -> str:
        return " ".join((self.scenario, self.layout, *self.faults, *self.how.split()))

    @property
    def fault(self) -> Fault:
        return parse(self.faults[-1])


class Witness(Recorder):
    """Sees what was about to be reloaded, what others made live, and at which request each fault began."""

    def __init__(self, folder: Path, time: FakeTime, count: int = 0, *, arms: bool = False) -> None:
        super().__init__(folder, time)
        self.folder = folder
        self.count = count
        self.arms = arms
        """What arms lists during the reload, and heals that by its writes."""
        self.begun: dict[Fault, int] = {}
        """The requests at which faults began, as they were ordered."""
        self.acts: set[int] = set()
        """The requests at which somebody else has acted."""
        self.reloads: list[tuple[int, Described]] = []
        """The requests that were reloads, and what was pending just before."""
        self.looks: list[tuple[int, Facts]] = []
        """The reports that were answered, and what the kernel had then."""
        self.reports: list[int] = []
        """The reports that this command has asked for."""
        self.report_lost = False
        """One of them is lost, and may still run on the node."""
        self.kernels: dict[int, Facts] = {}
        """The requests that were reloads, and what the kernel had just before."""
        self.writes: list[int] = []
        """The requests that staged or reverted."""
        self.reverts: list[int] = []
        self.removals: dict[int, str] = {}
        """The requests that staged the removal of an interface, and of which."""
        self.made_by_others: list[Described] = []
        self.marks: list[Mark] = []
        self.initial = described(self.sim.node("pve1").applied())
        self.marked = False
        """What somebody else has staged was there once it was."""
        self.log: list[str] = []
        self.trespasses: list[str] = []
        """What must not be sent while a reload of ours runs and is listed."""
        self._ordered: list[tuple[Fault, Ordered]] = []

    def order(self, faults: tuple[str, ...], *, first: int = 1) -> None:
        """Order faults, whose numbers count from this request of the whole run; addressed ones count from now."""
        found = [parse(fault) for fault in faults]
        self.marks = [mark for mark in map(mark_of, found) if mark is not None] or self.marks
        gone = self.count + 1 - first
        here = [fault if fault.address else replace(fault, at=max(1, fault.at - gone)) for fault in found]
        self.front.script = Script(here)
        self._ordered = list(zip(found, self.front.script._waiting, strict=True))

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        _one_at_a_time()
        self.count += 1
        number, node, began = self.count, self.sim.node("pve1"), self.front.clock()
        path = (request.url or "").partition("/api2/json/")[2]
        self._trespass(request.method or "", path)
        if request.method == "PUT" and path == "nodes/pve1/network":
            self.reloads.append((number, described(node.text())))
            self.kernels[number] = facts_now(self.folder, began)
        elif request.method != "GET":
            self.writes.append(number)
            self.reverts += [number] if request.method == "DELETE" and path.endswith("/network") else []
            self.removals |= {number: path.rpartition("/")[2]} if request.method == "DELETE" else {}
        told = "no answer"
        try:
            answer = super().send(request, *args, **kwargs)
        except requests.RequestException as error:
            self.report_lost |= path == REPORT and not isinstance(error, requests.ConnectTimeout)
            raise
        else:
            told = f"{answer.status_code} {answer.reason}"
            self.report_lost |= path == REPORT and answer.status_code >= LOST
            if path == REPORT and answer.ok and not self._odd():
                self.looks.append((number, facts_now(self.folder, began)))
            return answer
        finally:
            if self._acted(number):
                self.acts.add(number)
                self.made_by_others.append(described(node.applied()))
                self.marked |= self._marked(described(node.text()))
            host = (request.url or "").partition("//")[2].partition(".")[0]
            self.log.append(f"{number:3} {self.front.clock() % 1000:8.2f} {request.method} {host}:{path} -> {told}")

    def _acted(self, number: int) -> bool:
        """Note what began with this request; whether somebody else did something to the node."""
        new = [fault for fault, each in self._ordered if each.begun and fault not in self.begun]
        self.begun |= dict.fromkeys(new, number)
        return any(fault.kind in ACTS for fault in new)

    def _odd(self) -> bool:
        """Whether reports have a form by now that nobody reads."""
        return any(fault.kind == "report-odd" and each.begun for fault, each in self._ordered)

    def _trespass(self, method: str, path: str) -> None:
        kinds = ("PUT",) if self.arms else ("GET", "PUT")
        if path == "nodes/pve1/network" and method in kinds and self.reloading(OURS):
            what = "lists, which freezes the flags," if method == "GET" else "reloads"
            self.trespasses.append(f"{what} while its reload runs, at {self.count}")
        if path == REPORT:
            self.reports.append(self.count)
            if self.report_lost:
                self.trespasses.append(f"asks for a report after one was lost, at {self.count}")
            if len(self.reports) > MOST_REPORTS:
                self.trespasses.append(f"asks for a report too often, at {self.count}")

    def begin(self) -> None:
        """Another command."""
        self.reports, self.report_lost = [], False

    def began(self, *kinds: str) -> list[int]:
        """The requests at which faults of these kinds began."""
        return sorted(at for fault, at in self.begun.items() if fault.kind in kinds)

    def _marked(self, view: Described) -> bool:
        return any(mark.there(view, self.initial) for mark in self.marks)

    def repeats(self, number: int) -> bool:
        """Whether it stands amidst equal requests: a poll, to which a fault does what it does to the first and last."""
        near = [line[13:].partition(" -> ")[0] for line in self.log[max(0, number - 2) : number + 1]]
        return len(near) == 3 and len(set(near)) == 1


def _one_at_a_time() -> None:
    """Let a look that is under way end first: the requests of a walk are the same ones in every run."""
    for each in threading.enumerate():
        if each.name.endswith("(_run)") and each is not threading.current_thread():
            each.join()


@dataclass(kw_only=True)
class Done:
    """One command of a scenario, and the node before and after it."""

    name: str
    code: int
    message: str
    first: int
    """Its first request."""
    last: int
    before: Truth
    after: Truth
    end: Ended | None = None
    warnings: str = ""
    verified: Verified | None = None
    ours: bool | None = None
    """What a look at the pending changes said, or a revert."""

    @property
    def sent(self) -> bool:
        """Whether a reload of ours was started."""
        return self.after.reloads > self.before.reloads


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The undisturbed scenario before one of its commands."""

    folder: Path
    command: int
    count: int
    now: float
    origin: Described


@dataclass(kw_only=True)
class Walk:
    """One run of a scenario."""

    cell: Cell
    folder: Path
    start: Snapshot | None = None
    keep: Path | None = None
    """Where snapshots go."""
    done: list[Done] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    make: Callable[..., Witness] = Witness

    def __post_init__(self) -> None:
        time = FakeTime()
        if self.start is not None:
            shutil.copytree(self.start.folder, self.folder)
            time.now, self.origin = self.start.now, self.start.origin
        else:
            self._prepare(time)
        self.witness = self.make(self.folder, time, self.start.count if self.start else 0, arms=self.arms)
        hosts = LAYOUTS[self.cell.layout]
        self.lab = Lab(self.folder, time=time, hosts=hosts, reload_seconds=0.15, recorder=lambda *_: self.witness)
        self.initial = truth(self.folder, time.now)
        self.witness.order(self.cell.faults)

    def _prepare(self, time: FakeTime) -> None:
        Sim.open(self.folder)
        hosts = LAYOUTS[self.cell.layout]
        for name in hosts[1:]:
            Sim.init(self.folder, node=name)
        self.origin = truth(self.folder, time.now).live
        """What is live before anything is applied."""
        if self.cell.scenario in PREPARED:
            lab = Lab(self.folder, time=time, hosts=hosts, reload_seconds=0.15)
            lab.stage({name: make(lab.node.read().network) for name, make in PREPARED[self.cell.scenario]})
            lab.order(*HURT.get(self.cell.scenario, ()))
            lab.apply(verify=Verify.FLAGS)
            time.now += 120.0

    @property
    def time(self) -> FakeTime:
        return self.lab.time

    @property
    def events(self) -> list[Event]:
        return self.lab.events

    def run(self) -> Walk:
        """Play the scenario; it ends with the first command that fails, as a script would."""
        commands = list(self._commands())
        for number, (name, act) in enumerate(commands):
            if self.start is not None and number < self.start.command:
                continue
            if self.keep is not None:
                self._snapshot(number)
            self.play(name, act)
            if self.done[-1].code and name != "diff":
                break
        return self

    def again(self) -> None:
        """The next day: nothing is disturbed any more, and somebody says `pvenet apply` once more, or rolls back."""
        self.witness.order(())
        repair(self.folder)
        self.time.now += 120.0
        self.play("again", self._roll_back if self.asked else self._apply)

    def client(self) -> tuple[Node, Journals]:
        """A new client, as each command is one."""
        return self.lab.client()

    def _commands(self) -> Iterator[tuple[str, Act]]:
        for name, make in {**SCENARIOS, **KERNEL_SCENARIOS}[self.cell.scenario]:
            yield name, partial(self._stage, name, make)
        if self.cell.scenario == "revert":
            yield "revert", self._revert
        elif self.asked:
            yield "rollback", self._roll_back
        else:
            yield "diff", lambda node, journals: isinstance(ownership(journals, node.read()), Ours)
            yield "apply", self._apply

    def _stage(self, name: str, make: Callable[[Network], Interface | None], node: Node, journals: Journals) -> None:
        with Staging(node, journals, now=self.lab.stamp()) as staging:
            staging.stage({name: make(staging.network)})

    def _apply(self, node: Node, journals: Journals) -> None:
        apply(node, journals, self.options, self.lab.runtime(), now=self.lab.stamp())

    @property
    def options(self) -> ApplyOptions:
        """What its apply is told."""
        return ApplyOptions(
            allow_management=True,
            arm=self.arms,
            confirm_within=30.0 if self.unconfirmed else None,
            verify=self.verify,
            require=self.require,
        )

    def _revert(self, node: Node, journals: Journals) -> bool:
        return revert(node, journals, discard=False, warn=self.lab.runtime().warn)

    def _roll_back(self, node: Node, journals: Journals) -> None:
        roll_back(node, journals, ApplyOptions(allow_management=True), self.lab.runtime())

    def play(self, name: str, act: Act) -> None:
        self.events.clear()
        self.witness.begin()
        first, before = self.witness.count + 1, truth(self.folder, self.time.now)
        code, message, answer = 0, "", None
        try:
            answer = act(*self.client())
        except errors.PvenetError as error:
            code, message = error.exit_code, error.message
        warnings = "\n".join(event.text for event in self.events if isinstance(event, Warned))
        done = Done(name=name, code=code, message=message, first=first, last=self.witness.count, before=before,
                    after=truth(self.folder, self.time.now), warnings=warnings)  # fmt: skip
        done.end = next((event for event in self.events if isinstance(event, Ended)), None)
        done.verified = next((event for event in reversed(self.events) if isinstance(event, Verified)), None)
        done.ours = answer
        self.done.append(done)

    def _snapshot(self, number: int) -> None:
        assert self.keep is not None
        place = self.keep / str(number)
        shutil.copytree(self.folder, place)
        self.snapshots.append(Snapshot(folder=place, command=number, count=self.witness.count, now=self.time.now,
                                       origin=self.origin))  # fmt: skip

    @property
    def verify(self) -> Verify:
        return Verify(found[1]) if (found := self._option("--verify")) else Verify.AUTO

    @property
    def require(self) -> frozenset[Require]:
        return frozenset({Require(found[1])} if (found := self._option("--require")) else ())

    def _option(self, name: str) -> list[str]:
        words = self.cell.how.split()
        return words[words.index(name) :][:2] if name in words else []

    @property
    def arms(self) -> bool:
        return self.cell.scenario == "armed" or "--arm" in self.cell.how

    @property
    def unconfirmed(self) -> bool:
        """Somebody has to say that it may stay, and nobody does."""
        return self.cell.scenario == "unconfirmed"

    @property
    def asked(self) -> bool:
        """Somebody wants to have back what was there before."""
        return self.cell.scenario == "rollback"

    @property
    def as_guests(self) -> bool:
        """Until its reload or its revert it is the scenario of the guests, whose cells it need not repeat."""
        return self.arms or self.unconfirmed or self.cell.scenario == "revert"

    @property
    def free(self) -> bool:
        """Nothing but the faults of its cell decides how its apply ends."""
        return not (self.asked or self.unconfirmed)

    @property
    def goes_well(self) -> int:
        """The exit code where nothing is in its way."""
        return 8 if self.unconfirmed else 0

    @property
    def lost(self) -> bool:
        """The way to the node is lost for good."""
        return self.witness.sim.node("pve1").machine().silent(self.time.now + 120.0)

    @property
    def settled(self) -> Truth:
        """The node when every reload that ends has ended."""
        return truth(self.folder, self.time.now + 120.0)


def main(words: list[str]) -> None:
    """Play one cell, and show what was sent and how each command ended."""
    scenario, layout, *faults = words
    how = " ".join(faults[faults.index(option) :]) if (option := next((w for w in faults if w[:2] == "--"), "")) else ""
    faults = [word for word in faults if word not in how.split()]
    with tempfile.TemporaryDirectory() as folder:
        walk = Walk(
            cell=Cell(scenario=scenario, layout=layout, faults=tuple(faults), how=how), folder=Path(folder) / "lab"
        ).run()
        for done in walk.done:
            sys.stdout.write("\n".join(walk.witness.log[done.first - 1 : done.last]) + "\n")
            verdict = f" {done.end.verdict}" if done.end else ""
            sys.stdout.write(f"{done.name}: exit {done.code}{verdict} {done.message}\n  {done.warnings}\n\n")
        for event in walk.events:
            if not isinstance(event, Waiting):
                sys.stdout.write(f"{event}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
