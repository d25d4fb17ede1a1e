"""The process of a real task: `worker.py LOG COMMAND...` runs a command and writes its log as PVE's workers do.

It outlives the request that started it, and the server too. All that anybody learns of it stands in the log: the last
line tells how it ended, and a log without such a line, of a process that is gone, that nobody knows. Run by its path,
so that nothing but the standard library is loaded.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLD = re.compile(rb"(?:warning|error): (\S+):")
"""Which lines of the command's stderr PVE logs, behind the name in them; no others (pve-api#log-lines)."""


class Interrupted(Exception):
    """Somebody has stopped the task."""


def main(log: str, *command: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    shown = " ".join([Path(command[0]).name, *command[1:]])
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fault = _run(command, out)
    except Interrupted:
        # The command has had the same signal, and is left to itself: PVE looks no further either (pve-api#stop-reload).
        fault = "received interrupt"
    except OSError as error:
        fault = error.strerror or str(error)
    os.write(out, f"TASK ERROR: command '{shown}' failed: {fault}\n".encode() if fault else b"TASK OK\n")


def _run(command: Sequence[str], out: int) -> str | None:
    """Run the command and log what it says; what there is to say of its end, if that is not good."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE)  # noqa: S603  the server's own
    for line in process.stderr or ():
        if told := TOLD.search(line):
            os.write(out, told[1] + b" : " + line.rstrip(b"\n") + b" \n")
    code = process.wait()
    if code < 0:
        return f"got signal {-code}"  # from PVE's texts, not recorded
    return f"exit code {code}" if code else None


def _interrupt(*_: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise Interrupted


if __name__ == "__main__":
    main(*sys.argv[1:])
