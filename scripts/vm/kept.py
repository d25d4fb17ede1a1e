"""What is known of a machine between two calls: its process, its ports, its key, all in a folder of the checkout."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import signal
import socket
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vm.problem import Problem
from vm.qemu import Ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
END_SECONDS = 10.0


def place(kind: str) -> Path:
    """The folder of the machine of this kind, for its owner alone."""
    folder = ROOT / ".vm" / kind
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


@dataclass(frozen=True, kw_only=True)
class Machine:
    """One that was started."""

    kind: str
    pid: int
    started: int
    """When, in ticks since the host's boot: a process id may be given away again."""
    since: float
    accelerator: str
    ports: Ports
    boot_seconds: float = 0.0
    """From its start to the API's first answer; 0 before that."""

    @property
    def runs(self) -> bool:
        return started(self.pid) == self.started

    def end(self) -> None:
        """Kill it, and nothing else."""
        if self.runs:
            os.kill(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + END_SECONDS
        while self.runs and time.monotonic() < deadline:
            time.sleep(0.05)


def started(pid: int) -> int | None:
    """When a process was started; None where there is none, or it has ended and nobody has looked."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def save(machine: Machine) -> None:
    write_private(place(machine.kind) / "machine.json", json.dumps(asdict(machine), indent=1) + "\n")


def found(kind: str) -> Machine | None:
    """The machine that runs; what one has left that does not is cleared away."""
    path = place(kind) / "machine.json"
    try:
        data = json.loads(path.read_text())
        machine = Machine(**{**data, "ports": Ports(**data["ports"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise Problem(f"{path} is not what was written there; remove it once no qemu runs: {error}") from error
    if machine.runs:
        return machine
    forget(kind)
    return None


def forget(kind: str) -> None:
    """Everything of a machine but its console, which may tell why it ended."""
    for path in place(kind).iterdir():
        if path.name not in {"console.log", "lock"}:
            path.unlink()


def write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


@contextmanager
def held(kind: str) -> Iterator[None]:
    """Nobody else brings this kind up or down meanwhile. Raises Problem where somebody does."""
    with (place(kind) / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(f"somebody brings the {kind} machine up or down just now; wait for it") from None
        yield


def free_ports() -> Ports:
    """Three ports of loopback that nobody uses now."""
    with socket.socket() as one, socket.socket() as two, socket.socket() as three:
        for each in (one, two, three):
            each.bind(("127.0.0.1", 0))
        api, second, ssh = (int(each.getsockname()[1]) for each in (one, two, three))
    return Ports(api=api, second=second, ssh=ssh)


def exports(settings: Mapping[str, str]) -> str:
    """Settings as a shell takes them."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items())
