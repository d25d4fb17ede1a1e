"""The fault matrix: one fault at one request of the whole story, a cell each.

    .venv/bin/python tests/fault_matrix.py guests one drop-after@12      plays one cell and shows every request

A story stages over several commands, looks at what is pending, and applies; each command is a new client, as on a
command line. The clock goes only where somebody sleeps. A cell starts from a copy of the folder as the undisturbed
story had it before the command that holds the faulty request: what comes before it is the same in every cell.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conftest import FakeTime
from fault_foreign import KINDS, Mark, mark_of
from fault_truth import OURS, Described, Truth, described, repair, truth

from pvenet import errors
from pvenet.apply import ApplyOptions, Runtime, Staging, apply
from pvenet.connection import Connection
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.session import Token
from pvenet.events import Ended, Event, Waiting, Warned
from pvenet.journal import Journals, Ours, ownership
from pvenet.model import Bond, Bridge, Interface
from pvenet.node import Node
from pvenet.sim.adapter import SimAdapter
from pvenet.sim.faults import Fault, Script, parse
from pvenet.sim.machine.tasks import TaskFolder
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

    from pvenet.model import Network

Act = Callable[[Node, Journals], bool | None]
Change = tuple[str, Callable[["Network"], Interface]]

ACTS = KINDS | {"foreign-revert", "foreign-reload", "reboot"}
"""Faults in which somebody else does something to the node."""


def _widened(network: Network) -> Interface:
    vmbr0 = network.interfaces["vmbr0"]
    assert isinstance(vmbr0, Bridge)
    return replace(vmbr0, ports=("ens33", "ens37"))


WIDEN: Change = ("vmbr0", _widened)
BOND: Change = ("bond0", lambda _: Bond(name="bond0", slaves=("ens38", "ens39")))
BRIDGE: Change = ("vmbr1", lambda _: Bridge(name="vmbr1", ports=("bond0",), comments="For tagged traffic"))
STORIES: Mapping[str, tuple[Change, ...]] = {
    "guests": (BOND, BRIDGE),
    "management": (WIDEN, BOND, BRIDGE),
    "armed": (BOND, BRIDGE),
    "unconfirmed": (BOND, BRIDGE),
}
LAYOUTS: Mapping[str, tuple[str, ...]] = {"one": ("pve1",), "peer": ("pve1", "pve2")}
"""The endpoints that the client is given."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One story with its faults; the last one is the cell's own, the others make the story what it is."""

    story: str
    layout: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.story, self.layout, *self.faults))

    @property
    def fault(self) -> Fault:
        return parse(self.faults[-1])


class Witness(SimAdapter):
    """The simulated cluster in process; sees what was about to be reloaded, and what others made live."""

    def __init__(self, folder: Path, time: FakeTime, count: int = 0, *, arms: bool = False) -> None:
        super().__init__(folder, clock=time.clock, sleep=time.sleep)
        self.count = count
        self.arms = arms
        """What arms lists during the reload, and heals that by its writes."""
        self.acts: set[int] = set()
        self.reloads: list[tuple[int, Described]] = []
        """The requests that were reloads, and what was pending just before."""
        self.writes: list[int] = []
        """The requests that staged or reverted."""
        self.reverts: list[int] = []
        self.made_by_others: list[Described] = []
        self.marks: list[Mark] = []
        self.initial = described(self.sim.node("pve1").applied())
        self.marked = False
        """What somebody else has staged was there once it was."""
        self.log: list[str] = []
        self.trespasses: list[str] = []
        """What must not be sent while a reload of ours runs and is listed."""

    def order(self, faults: tuple[str, ...]) -> None:
        """Order faults, whose requests count from the story's first."""
        found = [parse(fault) for fault in faults]
        self.acts |= {fault.at for fault in found if fault.kind in ACTS}
        self.marks = [mark for mark in map(mark_of, found) if mark is not None] or self.marks
        late = [fault if fault.address else replace(fault, at=max(1, fault.at - self.count)) for fault in found]
        self.front.script = Script(late)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.count += 1
        number, node = self.count, self.sim.node("pve1")
        path = (request.url or "").partition("/api2/json/")[2]
        kinds = ("PUT",) if self.arms else ("GET", "PUT")
        if path == "nodes/pve1/network" and request.method in kinds and self._reloading():
            what = "lists, which freezes the flags," if request.method == "GET" else "reloads"
            self.trespasses.append(f"{what} while its reload runs, at {number}")
        if request.method == "PUT" and path == "nodes/pve1/network":
            self.reloads.append((number, described(node.text())))
        elif request.method != "GET":
            self.writes.append(number)
            self.reverts += [number] if request.method == "DELETE" and path.endswith("/network") else []
        told = "no answer"
        try:
            answer = super().send(request, *args, **kwargs)
            told = f"{answer.status_code} {answer.reason}"
            return answer
        finally:
            if number in self.acts:
                self.made_by_others.append(described(node.applied()))
                self.marked |= self._marked(described(node.text()))
            host = (request.url or "").partition("//")[2].partition(".")[0]
            self.log.append(f"{number:3} {self.front.clock() % 1000:8.2f} {request.method} {host}:{path} -> {told}")

    def _marked(self, view: Described) -> bool:
        return any(mark.there(view, self.initial) for mark in self.marks)

    def _reloading(self) -> bool:
        tasks, now = TaskFolder(self.sim.node("pve1").tasks), self.front.clock()
        return any(task.running(now) and task.listed_from <= now and task.name.user == OURS for _, task in tasks.all())

    def repeats(self, number: int) -> bool:
        """Whether it stands amidst equal requests: a poll, to which a fault does what it does to the first and last."""
        near = [line[13:].partition(" -> ")[0] for line in self.log[max(0, number - 2) : number + 1]]
        return len(near) == 3 and len(set(near)) == 1


@dataclass(kw_only=True)
class Done:
    """One command of a story, and the node before and after it."""

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
    ours: bool | None = None
    """What a look at the pending changes said."""

    @property
    def sent(self) -> bool:
        """Whether a reload of ours was started."""
        return self.after.reloads > self.before.reloads


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The undisturbed story before one of its commands."""

    folder: Path
    command: int
    count: int
    now: float


@dataclass(kw_only=True)
class Walk:
    """One run of a story."""

    cell: Cell
    folder: Path
    start: Snapshot | None = None
    keep: Path | None = None
    """Where snapshots go."""
    done: list[Done] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.start is not None:
            shutil.copytree(self.start.folder, self.folder)
            self.time = FakeTime(now=self.start.now)
        else:
            Sim.open(self.folder)
            for name in LAYOUTS[self.cell.layout][1:]:
                Sim.init(self.folder, node=name)
            nature = self.folder / "sim.json"
            nature.write_text(json.dumps(json.loads(nature.read_text()) | {"reload_seconds": 0.15}))
            self.time = FakeTime()
        self.initial = truth(self.folder, self.time.now)
        self.witness = Witness(self.folder, self.time, self.start.count if self.start else 0, arms=self.arms)
        self.witness.order(self.cell.faults)

    def run(self) -> Walk:
        """Play the story; it ends with the first command that fails, as a script would."""
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
        """The next day: nothing is disturbed any more, and somebody says `pvenet apply` once more."""
        self.witness.order(())
        repair(self.folder)
        self.time.now += 120.0
        self.play("again", self._apply)

    def client(self) -> tuple[Node, Journals]:
        """A new client, as each command is one."""
        token = Token(id=OURS, secret=str(self.witness.sim.users().tokens[OURS]["secret"]))
        names = LAYOUTS[self.cell.layout]
        endpoints = [Endpoint(host=f"{name}.invalid", adapter=self.witness) for name in names]
        connection = Connection(endpoints, token, clock=self.time.clock)
        return Node(connection, "pve1"), Journals(self.folder / "state", "pve1")

    def _commands(self) -> Iterator[tuple[str, Act]]:
        for name, make in STORIES[self.cell.story]:
            yield name, partial(self._stage, name, make)
        yield "diff", lambda node, journals: isinstance(ownership(journals, node.read()), Ours)
        yield "apply", self._apply

    def _stage(self, name: str, make: Callable[[Network], Interface], node: Node, journals: Journals) -> None:
        with Staging(node, journals, now=self.stamp()) as staging:
            staging.stage({name: make(staging.network)})

    def _apply(self, node: Node, journals: Journals) -> None:
        options = ApplyOptions(allow_management=True, arm=self.arms, confirm_within=30.0 if self.unconfirmed else None)
        apply(node, journals, options, self.runtime(), now=self.stamp())

    def runtime(self) -> Runtime:
        return Runtime(
            emit=self.events.append, await_confirmation=self._say, clock=self.time.clock, sleep=self.time.sleep
        )

    def _say(self, _left: float, seconds: float) -> None:
        """Nobody is there."""
        self.time.sleep(seconds)

    def play(self, name: str, act: Act) -> None:
        self.events.clear()
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
        done.ours = answer
        self.done.append(done)

    def _snapshot(self, number: int) -> None:
        assert self.keep is not None
        place = self.keep / str(number)
        shutil.copytree(self.folder, place)
        self.snapshots.append(Snapshot(folder=place, command=number, count=self.witness.count, now=self.time.now))

    def stamp(self) -> str:
        self.time.now += 0.001  # no two journals begin in one moment
        return f"{self.time.now:.3f}"

    @property
    def arms(self) -> bool:
        return self.cell.story == "armed"

    @property
    def unconfirmed(self) -> bool:
        """Somebody has to say that it may stay, and nobody does."""
        return self.cell.story == "unconfirmed"

    @property
    def as_guests(self) -> bool:
        """Until its reload it is the story of the guests, whose cells it need not repeat."""
        return self.arms or self.unconfirmed

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
    story, layout, *faults = words
    with tempfile.TemporaryDirectory() as folder:
        walk = Walk(cell=Cell(story=story, layout=layout, faults=tuple(faults)), folder=Path(folder) / "lab").run()
        for done in walk.done:
            sys.stdout.write("\n".join(walk.witness.log[done.first - 1 : done.last]) + "\n")
            verdict = f" {done.end.verdict}" if done.end else ""
            sys.stdout.write(f"{done.name}: exit {done.code}{verdict} {done.message}\n  {done.warnings}\n\n")
        for event in walk.events:
            if not isinstance(event, Waiting):
                sys.stdout.write(f"{event}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
