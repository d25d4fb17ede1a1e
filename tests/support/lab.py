"""The lab: a simulated node with a clock that only sleeping moves, every request kept, and a client of it.

No request for the network may arrive while a reload runs: that freezes the flags (pve-api#never-list). Every apply that
is made here is held to it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from clock import FakeTime
from recorder import Recorder, connection, set_nature

from pvenet.apply.apply import apply
from pvenet.apply.options import ApplyOptions
from pvenet.apply.revert import revert
from pvenet.apply.runtime import Runtime
from pvenet.apply.stage import StageOptions, stage
from pvenet.events import Ended, Event, OnFailure, Waiting, Warned
from pvenet.journal import Journals, State
from pvenet.model import Bond, Bridge
from pvenet.node import Node
from pvenet.sim.adapter import SimAdapter
from pvenet.sim.faults import Script
from pvenet.sim.machine.tasks import TaskFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pvenet import errors
    from pvenet.apply.stage import Staged
    from pvenet.changes import Desired

BOND = Bond(name="bond0", slaves=("ens38", "ens39"))
VMBR1 = Bridge(name="vmbr1", ports=("bond0",), comments="For tagged traffic")
TAGGED: Desired = {"bond0": BOND, "vmbr1": VMBR1}
"""Steps 2 and 3 of the walk-through: nothing of it touches the way to the node."""

APPLY = ["GET permissions", "GET cluster/status", "GET tasks", "GET network", "PUT network"]
"""What an apply with consent sends until the reload is out."""
UNDONE = ["GET network", "DELETE network", "GET network"]
"""What taking a whole staging back costs."""


OURS, THEIRS = "root@pam!full", "ops@pve!net"
"""The user that pvenet is here, and somebody else."""


@dataclass
class Lab:
    """One simulated node, one client, and what the client was told."""

    folder: Path
    user: str = OURS
    on_failure: OnFailure = OnFailure.ROLLBACK
    time: FakeTime = field(default_factory=FakeTime)
    events: list[Event] = field(default_factory=list)
    person: Callable[[float], bool | None] = lambda _left: None
    """Who is asked whether a change may stay, with so many seconds left."""
    asleep: list[Callable[[], None]] = field(default_factory=list)
    """What happens in the client's next sleeps, one each."""
    hosts: tuple[str, ...] = ("sim",)
    """The endpoints that the client is given."""
    reload_seconds: float = 0.3
    recorder: Callable[[Path, FakeTime], Recorder] = Recorder

    def __post_init__(self) -> None:
        self.adapter = self.recorder(self.folder, self.time)
        self.nature(reload_seconds=self.reload_seconds)
        self.network_folder = self.folder / "pve1" / "etc" / "network"
        self.node, self.journals = self.client()

    # --- the node ----------------------------------------------------------------------------------------------------

    def nature(self, **changes: object) -> None:
        """Change what the simulated node is like."""
        set_nature(self.folder, **changes)

    def order(self, *faults: str) -> None:
        """Order faults; requests count from 1 again."""
        self.adapter.front.script = Script(faults)

    def somebody(self, words: str, *faults: str, worker: int | None = None, **form: str) -> None:
        """A request by somebody else that nobody counts; at the worker that we have met last, or another."""
        method, path = words.split()
        adapter = SimAdapter(self.folder, clock=self.time.clock, sleep=self.time.sleep, faults=faults)
        adapter.front.caches = self.adapter.front.caches
        adapter._connection = self.adapter._connection if worker is None else worker
        other = connection(adapter, THEIRS, "sim", clock=self.time.clock)
        parts = ("nodes", "pve1", *path.split("/"))
        match method:
            case "GET":
                other.get(*parts)
            case "POST":
                other.post(*parts, form=form)
            case "PUT":
                other.put(*parts, form=form)
            case _:
                other.delete(*parts)

    def foreign(self, bridge: str = "vmbr99") -> None:
        """Somebody else stages a bridge."""
        self.somebody("POST network", iface=bridge, type="bridge")

    @property
    def live(self) -> str:
        return (self.network_folder / "interfaces").read_text()

    @property
    def pending(self) -> str | None:
        path = self.network_folder / "interfaces.new"
        return path.read_text() if path.exists() else None

    @property
    def up(self) -> set[str]:
        return set(self.adapter.sim.node("pve1").advance(self.time.now).up)

    # --- the client --------------------------------------------------------------------------------------------------

    def client(self) -> tuple[Node, Journals]:
        """A new client, as each command on a command line is one."""
        node = Node(connection(self.adapter, self.user, *self.hosts, clock=self.time.clock), "pve1")
        return node, Journals(self.folder / ".pvenet", "pve1")

    def runtime(self) -> Runtime:
        return Runtime(emit=self.events.append, await_confirmation=self._word, clock=self.time.clock, sleep=self.sleep)

    def stage(self, desired: Desired, **consent: bool) -> Staged:
        return stage(self.node, self.journals, desired, StageOptions(**consent), now=self.stamp())  # type: ignore[arg-type]  # flags alone

    def tagged(self) -> None:
        """Stage steps 2 and 3 of the walk-through."""
        self.stage(TAGGED)
        self.forget()

    def widened(self) -> None:
        """Stage step 1 of the walk-through, which touches the way to the node."""
        vmbr0 = self.node.read().network.interfaces["vmbr0"]
        assert isinstance(vmbr0, Bridge)
        self.stage({"vmbr0": replace(vmbr0, ports=("ens33", "ens37"))})
        self.forget()

    def collide(self, seconds: float = 2.0, late: float = 0.5) -> None:
        """Let somebody's reload run that no list shows yet, so that ours ends in exit code 89."""
        self.revert()
        self.nature(reload_seconds=seconds)
        self.somebody("PUT network", f"task-late={late}@PUT network")
        self.tagged()

    def apply(self, ask: Callable[[str], bool] | None = None, **options: Any) -> Ended:
        runtime = self.runtime() if ask is None else replace(self.runtime(), confirm=ask)
        wanted = ApplyOptions(**{"on_failure": self.on_failure, **options})
        try:
            return self.apply_with(runtime, wanted)
        finally:
            killed = sys.exception() is not None and not isinstance(sys.exception(), Exception)
            assert killed or isinstance(self.events[-1], Ended)
            listed = [sent for sent in self.adapter.sent if sent.reloading and sent.text.startswith("GET network")]
            assert not listed or wanted.arm  # what arms makes every worker parse anew, with its writes and its revert

    def apply_with(self, runtime: Runtime, options: ApplyOptions | None = None) -> Ended:
        return apply(self.node, self.journals, options or ApplyOptions(), runtime, now=self.stamp())

    def failed(self, kind: type[errors.PvenetError], **options: Any) -> errors.PvenetError:
        """The error that an apply ends with."""
        with pytest.raises(kind) as caught:
            self.apply(**options)
        error = caught.value
        assert type(error) is kind
        assert (self.end.exit_code, self.end.message) == (error.exit_code, error.message)
        return error

    def after_second_reload(self, act: Callable[[], None]) -> None:
        """Do something just before the second reload of an apply is sent."""
        self.adapter.before["PUT network"] = lambda: self.adapter.before.update({"PUT network": act})

    def revert(self, *, discard: bool = False) -> bool:
        return revert(self.node, self.journals, discard=discard)

    def sleep(self, seconds: float) -> None:
        self.time.sleep(seconds)
        if self.asleep:
            self.asleep.pop(0)()

    def _word(self, left: float, seconds: float) -> bool | None:
        said = self.person(left)
        if said is None:
            self.sleep(seconds)
        return said

    def forget(self) -> None:
        self.adapter.sent.clear()
        self.events.clear()

    def stamp(self) -> str:
        self.time.now += 0.001  # no two journals begin in one moment
        return f"{self.time.now:.3f}"

    # --- what was seen -----------------------------------------------------------------------------------------------

    @property
    def sent(self) -> list[str]:
        return [sent.text for sent in self.adapter.sent]

    @property
    def writes(self) -> list[str]:
        return [text for text in self.sent if not text.startswith("GET")]

    @property
    def after_reload(self) -> list[str]:
        """What was sent after the first reload."""
        return self.sent[self.sent.index("PUT network") + 1 :]

    @property
    def reloads(self) -> int:
        """How often a reload was sent."""
        return self.sent.count("PUT network")

    @property
    def started(self) -> int:
        """How many reloads the node has seen."""
        return len(list(TaskFolder(self.adapter.sim.node("pve1").tasks).all()))

    @property
    def polls(self) -> int:
        return self.sent.count("GET tasks/UPID/status")

    @property
    def end(self) -> Ended:
        last = self.events[-1]
        assert isinstance(last, Ended)
        return last

    @property
    def warnings(self) -> str:
        return "\n".join(event.text for event in self.events if isinstance(event, Warned))

    @property
    def waited(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, Waiting)]

    @property
    def states(self) -> list[State]:
        return [journal.state for journal in self.journals.all()]


def interrupt() -> None:
    """Ctrl-C."""
    raise KeyboardInterrupt
