"""Tasks that are processes of this machine: started, looked for, stopped, and their logs read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.sim.machine.tasks import Task, TaskFolder

PYTHON = (sys.executable, "-I", "-S")
"""With nothing loaded that a worker does not need."""
WORKER = Path(__file__).with_name("worker.py")
PROCESSES = Path("/proc")
STOP_SECONDS = 1.0
"""How long an interrupted task is given to say so, before the request that stops it is answered."""
POLL_SECONDS = 0.01


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process by the number that it has, and the moment of its start: numbers are given again."""

    pid: int
    started: int
    """In ticks since the machine did; 0 where it has ended before anybody could look."""

    @classmethod
    def of(cls, task: Task) -> Process:
        return cls(pid=task.name.pid, started=task.name.pstart)

    def lives(self) -> bool:
        return _started(self.pid) == self.started

    def stop(self) -> None:
        """A signal to the worker and its command; what they make of it, the log tells (pve-api#stop-reload)."""
        if self.lives():
            os.killpg(self.pid, signal.SIGTERM)
        for _ in range(int(STOP_SECONDS / POLL_SECONDS)):
            if not self.lives():
                break
            time.sleep(POLL_SECONDS)


def start(log: Path, command: Sequence[str]) -> Process:
    """Run a command with this log, in a session of its own, so that it outlives this process."""
    none = subprocess.DEVNULL
    whole = [*PYTHON, str(WORKER), str(log), *command]
    process = subprocess.Popen(whole, stdin=none, stdout=none, stderr=none, cwd="/", start_new_session=True)  # noqa: S603  nothing of a client's is in it
    threading.Thread(target=process.wait, daemon=True).start()  # else it stays as a zombie
    return Process(pid=process.pid, started=_started(process.pid) or 0)


def _started(pid: int) -> int | None:
    """When a process started; None where it has ended."""
    try:
        text = (PROCESSES / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *rest = text.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else int(rest[18])


def log_of(folder: TaskFolder, number: str) -> Path:
    return folder.folder / f"{number}.log"


def refreshed(task: Task, log: Path, now: float) -> Task:
    """A task with what it has said, and with its end where it has ended."""
    lives = Process.of(task).lives()  # asked before the log is read, which may get its last line in between
    lines = _read(log)
    return task.but(log=lines) if lives else _ended(task, lines, _seconds(log, task, now))


def _read(log: Path) -> tuple[str, ...]:
    try:
        return tuple(log.read_text(encoding="utf-8", errors="replace").splitlines())
    except FileNotFoundError:
        return ()


def _seconds(log: Path, task: Task, now: float) -> float:
    """How long a task ran that has ended: its last line was written at its end, and clocks are set."""
    try:
        end = min(log.stat().st_mtime, now)
    except FileNotFoundError:
        end = now
    return max(end - task.start, 0.0)


def _ended(task: Task, lines: tuple[str, ...], duration: float) -> Task:
    """A task whose process is gone; without a last line nobody knows what became of it (E062, H012)."""
    last = lines[-1] if lines else ""
    ok, failed = last == "TASK OK", last.startswith("TASK ERROR: ")
    said = "OK" if ok else last.removeprefix("TASK ERROR: ") if failed else "unexpected status"
    closing = ok or failed
    return task.but(duration=duration, exitstatus=said, closing=closing, log=lines[:-1] if closing else lines)
