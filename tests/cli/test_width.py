"""On a terminal no line of what a person reads is wider than it, at 80 and at 120 columns; a pipe has a line a row."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pvenet.cli import output
from pvenet.render.lines import cells_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ran

    Run = Callable[..., Ran]

LONG = "LACP to sw1 and sw2, both in rack 12 of the second room, ports 17 and 18; ask the people of the night shift"
FILE = f"""\
defaults:
  bond1: {{type: bond, slaves: [ens40, ens41], mode: 802.3ad, xmit_hash_policy: layer3+4, comments: "{LONG}"}}
nodes:
  pve1: {{}}
  pve2:
    vmbr0: {{type: bridge, ports: [ens33, ens37], vlan_aware: true}}
"""
COMMANDS = [
    "list --node pve1",
    "list --node all",
    "show bond0 --node pve1",
    "links --node pve1",
    "nics --node pve1",
    "guests",
    "guests vmbr0",
    "tree --node pve1",
    "diff --node pve1",
    "diff --node all",
    "status",
    "doctor",
    "history",
    "history show 1 --node pve1",
    "plan",
    "drift",
    "lint",
    "lint -f network.yaml",
    "check",
    "check wrong.yaml",
    "revert --node pve1 --dry-run",
    "apply --node pve1 --yes --dry-run",
    "rescue --node pve2",
    "sim faults",
    "config show --profile lab",
    ["vlan", "create", "--raw-device", "bond0", "--tag", "70", "--node", "pve1", "--comments", LONG],
]
COPIED = re.compile(r" {2,}pve\w+ |  (?:rm|ifreload) |(?:at|journal|task)  |[-+ ]#|(?:---|\+\+\+) | *\S+$")
"""What a person copies, lines of a node's file, paths, and what is one word: they stay whole however wide they are."""


@pytest.fixture
def busy(cluster: Path, file: Path, run: Run) -> Path:
    """Three nodes with a guest of a long name, something staged, a reload that nobody waited for, a failed one."""
    guest = "101:web-frontend-production-01.example.com:vmbr0:20"
    for words in (
        f"sim init {cluster} --node pve4 --guest {guest}",
        f"bond create --slaves ens38,ens39 --node pve1 --mode 802.3ad --comments {LONG.replace(' ', '%')}",
        "bond create --slaves ens38,ens39 --node pve2",
        "apply --node pve2 --yes --no-wait",
        "bridge create --node pve3",
        "apply --node pve3 --yes --on-failure keep --fault reload-fails=1@PUT%network",
    ):
        run(*(word.replace("%", " ") for word in words.split()))
    file.write_text(FILE)
    profile = Path(os.environ["XDG_CONFIG_HOME"]) / "pvenet" / "profiles.d" / "lab.toml"
    profile.parent.mkdir(parents=True, mode=0o700)
    fingerprint = ":".join(["AB"] * 32)
    profile.write_text(f"endpoints = ['https://pve1.example.com:8006']\nfingerprint = '{fingerprint}'\n")
    file.with_name("wrong.yaml").write_text(FILE.replace("802.3ad", "802.3adx").replace("true", "perhaps"))
    return cluster


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words if isinstance(words, str) else words[0])
def test_nothing_is_wider_than_the_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str | list[str], columns: int
) -> None:
    """But what is there to be copied, which stays on its line."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(output, "_is_terminal", lambda stream: stream is not None)
    ran = run(*(command.split() if isinstance(command, str) else command))
    lines = (ran.out + ran.err).splitlines()
    assert lines
    assert [line for line in lines if cells_of(line) > columns and not COPIED.match(line)] == []


def test_what_is_said_is_as_wide_as_the_terminal_that_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stdout is; and whole where stderr is none."""
    monkeypatch.delenv("COLUMNS")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 130, 0, 0))
    words = "word " * 50
    with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, "rb", buffering=0) as shown:
        monkeypatch.setattr(sys, "stderr", terminal)
        output.say(words)
        first, *rest = shown.read(1000).decode().splitlines()
    assert 120 < len(first) <= 130
    assert len(rest) == 1
    piped = io.StringIO()
    monkeypatch.setattr(sys, "stderr", piped)
    output.say(words)
    assert piped.getvalue() == f"{words}\n"


@pytest.mark.parametrize("columns", ["", "wide", "-5", "0", "²", "9" * 5000])
def test_a_width_that_is_none_is_as_if_none_were_said(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """Whatever a shell has exported."""
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LINES", columns)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert output.talk_size() == (80, 24)


@pytest.mark.usefixtures("busy")
def test_a_pipe_has_a_line_a_change(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long: whoever reads it is a program."""
    monkeypatch.setenv("COLUMNS", "80")
    for words in ("plan", "diff --node pve1", "status", "guests", "history show 1 --node pve1"):
        assert max(map(len, run(*words.split()).out.splitlines())) > 80, words
