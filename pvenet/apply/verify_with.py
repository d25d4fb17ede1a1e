"""Somebody's own check after pvenet's: a command that says by its exit code whether what was applied may stay."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote

from pvenet.events import CheckedWith

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pvenet.apply.runtime import Deadline, Runtime
    from pvenet.connection.session import Credentials
    from pvenet.journal import OpenJournal
    from pvenet.node import Node

LARGEST = 64_000
"""Bytes of its output that are shown: the last ones, where the error stands."""
OURS = ("PVENET_", "PROXMOX_")
"""Beginnings of variables that may lead to the node, and are none of the command's business."""


def environment_for(
    inherited: Mapping[str, str], credentials: Credentials, told: Mapping[str, str], withheld: Collection[str] = ()
) -> dict[str, str]:
    """What a command is given: our own environment without anything that opens the node, and what it is told.

    `withheld`: the names of further variables that hold secrets.
    """
    secret = getattr(credentials, "secret", "") or getattr(credentials, "password", "")
    return {
        name: value
        for name, value in inherited.items()
        if not name.upper().startswith(OURS)
        and name not in withheld
        and not (secret and (secret in value or secret in unquote(value)))  # a URL has a password in its own spelling
    } | dict(told)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a command has said, and how it ended."""

    exit_code: int | None
    """None where it had not ended in time; negative for the signal that ended it."""
    output: tuple[str, ...]


class Check:
    """One run of the command. After a Ctrl-C it is waited for again, and not run a second time."""

    def __init__(
        self, node: Node, book: OpenJournal, runtime: Runtime, command: Sequence[str], withheld: Collection[str]
    ) -> None:
        self._node = node
        self._book = book
        self._runtime = runtime
        self._command = tuple(command)
        self._withheld = withheld
        self._process: subprocess.Popen[bytes] | None = None
        self._output: BinaryIO | None = None

    def problem(self, deadline: Deadline) -> str:
        """Why what was applied may not stay, by the command; empty where it may."""
        shown = shlex.join(self._command)
        try:
            self._begin()
        except OSError as error:
            return f"`{shown}` can't be run: {error.strerror}"
        told = self._wait(deadline, shown)
        self._runtime.emit(
            CheckedWith(node=self._node.name, command=shown, exit_code=told.exit_code, output=told.output)
        )
        if told.exit_code is None:
            return f"`{shown}` had not ended when the time was up"
        if told.exit_code < 0:
            return f"`{shown}` was ended by signal {-told.exit_code}"
        return f"`{shown}` ended with {told.exit_code}" if told.exit_code else ""

    def end(self) -> None:
        """End it where it still runs, with its children; what it has left behind by itself is its own affair."""
        if self._process is not None and self._process.poll() is None:
            with suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _begin(self) -> None:
        if self._process is not None:
            return
        told = {
            "PVENET_NODE": self._node.name,
            "PVENET_ENDPOINT": self._node.connection.endpoint.url,
            "PVENET_JOURNAL": str(self._book.path),
        }
        output = tempfile.TemporaryFile()  # noqa: SIM115 - it is read when the command has ended
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment_for(os.environ, self._node.connection.credentials, told, self._withheld),
                start_new_session=True,  # Ctrl-C is for us, and its children end with it
            )
        except OSError:
            output.close()
            raise
        self._output = output

    def _wait(self, deadline: Deadline, shown: str) -> Told:
        process, output = self._process, self._output
        if process is None or output is None:
            raise LookupError("the check has started and is waited for")
        deadline.say(f"running `{shown}`")
        with suppress(subprocess.TimeoutExpired):
            process.wait(deadline.left)
        code = process.poll()
        self.end()
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - LARGEST))
        text = output.read().decode("utf8", "replace")
        output.close()
        return Told(exit_code=code, output=tuple(text.splitlines()))
