"""Real shells on a pseudo-terminal: a line is typed with a TAB at its end, and the shell says what it became."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BIN = Path(sys.executable).parent
PATIENCE = 30.0
"""Seconds until a shell that says nothing is given up."""
_HOME = "\x01"
"""Ctrl-A: to the beginning of the line."""
_ANSWER = re.compile(r"\r?\nTHEN: (.*?)\r?\n")


def script(shell: str) -> str:
    """What Typer has a shell read."""
    environment = os.environ | {"_PVENET_COMPLETE": f"source_{shell}"}
    return subprocess.run([BIN / "pvenet"], env=environment, capture_output=True, text=True, check=True).stdout


def typed(shell: str, line: str, folder: Path, environment: Mapping[str, str]) -> str:
    """A line as it is after a TAB."""
    source = folder / f"completion.{shell}"
    source.write_text(script(shell))
    (folder / ".bashrc").write_text(f"PS1='READY> '\nsource {source}\n")
    (folder / ".zshrc").write_text(f"PS1='READY> '\nbindkey -e\nautoload -Uz compinit\ncompinit -u\nsource {source}\n")
    command = {
        "bash": ["bash", "--noprofile", "--rcfile", f"{folder}/.bashrc", "-i"],
        "zsh": ["zsh", "--no-globalrcs", "-i"],
    }[shell]
    surroundings = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": f"{folder}",
        "ZDOTDIR": f"{folder}",
        "TERM": "dumb",
        **environment,
    }
    return _dialog(command, f"{line}\t{_HOME}echo THEN: \n", folder, surroundings)


def offered_by_fish(line: str, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """The words that fish offers for a line."""
    source = folder / "completion.fish"
    source.write_text(script("fish"))
    surroundings = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": f"{folder}", **environment}
    command = ["fish", "--no-config", "-c", f"source {source}; complete --do-complete '{line}'"]
    done = subprocess.run(command, env=surroundings, cwd=folder, capture_output=True, text=True, check=True)
    assert not done.stderr
    return [word.partition("\t")[0] for word in done.stdout.splitlines()]


def _dialog(command: list[str], keys: str, folder: Path, environment: Mapping[str, str]) -> str:
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env={**environment}, start_new_session=True
    )
    os.close(theirs)
    try:
        _read(ours, re.compile("READY> "))
        os.write(ours, keys.encode())
        return _read(ours, _ANSWER)[1]
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


def _read(terminal: int, until: re.Pattern[str]) -> re.Match[str]:
    seen, end = "", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if select.select([terminal], [], [], 1.0)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
            if found := until.search(seen):
                return found
    raise AssertionError(f"the shell has said only: {seen!r}")
