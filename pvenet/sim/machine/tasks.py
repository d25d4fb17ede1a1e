"""Tasks of a node: their names, their files, and how PVE tells about them (pve-api#task-status, groups B and E)."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from pvenet.sim.access.users import Identity
from pvenet.sim.files import OTHERWISE, SimError, read_json, write_json
from pvenet.sim.machine.reload import Step
from pvenet.sim.machine.settings import Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

UPID = re.compile(
    r"UPID:(?P<node>[A-Za-z0-9][A-Za-z0-9-]*):(?P<pid>[0-9A-Fa-f]{8}):(?P<pstart>[0-9A-Fa-f]{8,9})"
    r":(?P<starttime>[0-9A-Fa-f]{8}):(?P<type>[^:\s]+):(?P<id>[^:\s]*):(?P<user>[^:\s]+):"
)
"""The trailing colon belongs to it (E073)."""
HALF = 0.5
HAPPENED = "settled"
"""How the file calls what has happened."""


@dataclass(frozen=True, kw_only=True)
class Upid:
    """A task's name, which says what it is."""

    node: str
    pid: int
    pstart: int
    starttime: int
    type: str
    id: str
    user: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        match = UPID.fullmatch(text)
        if match is None:
            return None
        parts: dict[str, Any] = match.groupdict()
        return cls(**parts | {name: int(parts[name], 16) for name in ("pid", "pstart", "starttime")})

    def __str__(self) -> str:
        numbers = f"{self.pid:08X}:{self.pstart:08X}:{self.starttime:08X}"
        return f"UPID:{self.node}:{numbers}:{self.type}:{self.id}:{self.user}:"


def exitstatus(code: int) -> str:
    """How PVE tells the exit code of a reload's command."""
    return f"command 'ifreload -a' failed: exit code {code}" if code else "OK"


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a task's file holds. What will become of it is written down when it starts."""

    upid: str
    start: float
    duration: float
    exitstatus: str
    log: tuple[str, ...] = ()
    """Lines before the last."""
    closing: bool = True
    """The log ends in TASK OK or TASK ERROR."""
    steps: tuple[Step, ...] = ()
    happened: int = 0
    """How many of the steps have happened to the machine."""
    told: tuple[Told, ...] = ()
    """What the kernel is told of its links meanwhile."""
    restores_path: bool = False
    """Its end brings the way to the node back, which an earlier reload had cut."""
    listed_from: float = 0.0
    """Lists don't show it before."""
    addresses: tuple[str, ...] | None = None
    """What the machine answers at when half of it is over; None where that stays."""
    live: bool = False
    """A process of this machine runs it: its lines come while it runs."""

    @property
    def end(self) -> float:
        return self.start + self.duration

    @property
    def name(self) -> Upid:
        upid = Upid.parse(self.upid)
        if upid is None:
            raise ValueError(f"not a UPID: {self.upid}")
        return upid

    def running(self, now: float) -> bool:
        return now < self.end

    def due(self, now: float) -> int:
        """How many steps have happened by now; a clock that was set back undoes none."""
        return max(self.happened, sum(self.start + step.at * self.duration <= now for step in self.steps))

    def heard(self, now: float) -> tuple[Told, ...]:
        """What the kernel has been told by now."""
        return tuple(told for told in self.told if self.start + told.at * self.duration <= now)

    def halfway(self, now: float) -> bool:
        """Whether half of it is over, which is when the way to its node changes (pve-api#management-dies)."""
        return now >= self.start + HALF * self.duration

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def lines(self, now: float) -> list[str]:
        if self.running(now):
            return list(self.log) if self.live else []
        ok = self.exitstatus == "OK"
        last = "TASK OK" if ok else f"TASK ERROR: {self.exitstatus}"
        return [*self.log, last] if self.closing else list(self.log)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        known = dict(data)
        known["log"] = tuple(known.get("log", ()))
        known["steps"] = tuple(Step(**step) for step in known.get("steps", ()))
        known["told"] = tuple(map(Told.of, known.get("told", ())))
        known["addresses"] = None if (addresses := known.get("addresses")) is None else tuple(addresses)
        known["happened"] = known.pop(HAPPENED, 0)
        return cls(**known)

    def data(self) -> dict[str, Any]:
        found = asdict(replace(self, told=())) | {"told": [told.data() for told in self.told]}
        return {HAPPENED if name == "happened" else name: value for name, value in found.items()}

    def status(self, now: float) -> dict[str, Any]:
        """What .../status says."""
        running = self.running(now)
        known = _entry(self.name, self.upid) | {"status": "running" if running else "stopped"}
        return known if running else known | {"exitstatus": self.exitstatus}

    def finished(self) -> dict[str, Any]:
        """How the list of finished tasks shows it."""
        return _entry(self.name, self.upid) | {"endtime": int(self.end), "status": self.exitstatus}

    def active(self) -> dict[str, Any]:
        """How the list of active tasks shows it: with another spelling of the user (E036)."""
        entry = _entry(self.name, self.upid) | {"status": "RUNNING", "saved": "0", "user": self.name.user}
        entry.pop("tokenid", None)
        return entry


def _entry(name: Upid, upid: str) -> dict[str, Any]:
    who = Identity.of(name.user)
    entry: dict[str, Any] = {
        "upid": upid,
        "node": name.node,
        "pid": name.pid,
        "pstart": name.pstart,
        "starttime": name.starttime,
        "type": name.type,
        "id": name.id,
        "user": who.user,
    }
    return entry if who.token is None else entry | {"tokenid": who.token}


class TaskFolder:
    """The tasks of a node on disk, a file each, numbered as they started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def next(self) -> str:
        """The number of the next task."""
        self.folder.mkdir(exist_ok=True)
        return f"{max((int(path.stem) for path in self.folder.glob('[0-9]*.json')), default=0) + 1:06}"

    def add(self, task: Task) -> str:
        number = self.next()
        self.put(number, task)
        return number

    def put(self, number: str, task: Task) -> None:
        write_json(self._path(number), task.data())

    def get(self, number: str) -> Task | None:
        """Raises `SimError` for a file that holds no task."""
        path = self._path(number)
        try:
            return Task.of(read_json(path))
        except FileNotFoundError:
            return None
        except OTHERWISE as error:
            raise SimError(f"{path} does not describe a task: {error}") from error

    def _path(self, number: str) -> Path:
        return self.folder / f"{number}.json"

    def all(self) -> Iterator[tuple[str, Task]]:
        """Every task, the newest first; who has found what was wanted reads no further."""
        for number in sorted((path.stem for path in self.folder.glob("[0-9]*.json")), reverse=True):
            if (task := self.get(number)) is not None:
                yield number, task

    def find(self, upid: str) -> tuple[str, Task] | None:
        return next(((number, task) for number, task in self.all() if task.upid == upid), None)
