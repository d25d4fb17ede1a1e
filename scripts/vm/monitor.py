"""qemu's monitor (QMP): whether the machine runs, its cables, its power."""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vm.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOCKET = "monitor"


class Monitor:
    """A conversation with qemu."""

    def __init__(self, link: socket.socket) -> None:
        self._stream = link.makefile("rw", encoding="utf-8")
        self._receive()  # its greeting
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: object) -> Any:
        """Raises Problem with qemu's words where it refuses."""
        self._stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._stream.flush()
        while True:
            answer = self._receive()
            if "error" in answer:
                raise Problem(f"qemu refuses {command}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]

    def _receive(self) -> dict[str, Any]:
        line = self._stream.readline()
        if not line:
            raise Problem("qemu has gone away")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def monitor(folder: Path) -> Iterator[Monitor]:
    """The monitor of the machine that is kept in this folder. Raises Problem where nobody listens."""
    # By the folder's descriptor: a socket's path may have 107 bytes at most.
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(10.0)
            link.connect(f"/proc/self/fd/{here}/{SOCKET}")
            yield Monitor(link)
    except OSError as error:
        raise Problem(f"the machine's monitor does not answer: {error.strerror or error}") from error
    finally:
        os.close(here)
