"""The console blocks of a document, run one after another in a folder of their own, where time goes only by waiting."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from difflib import SequenceMatcher, get_close_matches
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import playbooks
import pytest
from clock import FakeTime
from documents import BLOCK

from pvenet import cli
from pvenet.apply.runtime import Runtime
from pvenet.cli import prompt
from pvenet.connection import Connection
from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
"""A line that somebody typed, and what is shown beneath it."""
ELISION = "...\n"
"""Stands for any lines; at the end of a line, for the rest of it."""
FIXED = (
    (re.compile(r"UPID:(\w+):[^\s'\"`]*"), r"UPID:\1:..."),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9} [+-]\d{4}"), "2026-11-26 10:00:00.000000000 +0000"),
    (re.compile(r"\d{8}T\d{6}\.\d{3}[+-]\d{4}-[0-9a-f]{6}"), "20261126T100000.000+0000-2eeb91"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"), "2026-11-26T10:00:00+00:00"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?!:)"), "2026-11-26 10:00"),
    (re.compile(r"\(\d+\.\d s\)"), "(0.3 s)"),
    (re.compile(r'"elapsed": \d+\.\d+'), '"elapsed": 0.3'),
)
"""What is otherwise in every run, and what stands for it in a document: tasks, times of files, journals, seconds."""


def fixed(printed: str) -> str:
    """What a run has printed, as any other would."""
    for pattern, instead in FIXED:
        printed = pattern.sub(instead, printed)
    return printed


def _whole(printed: str) -> str:
    """The same as lines of a document, which has no blanks at their ends."""
    return "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())


def matches(printed: str, shown: str) -> bool:
    """Whether a document shows what was printed: `...` stands for any lines, or for the rest of a line."""
    pattern = "".join(
        r"(?:.*\n)*" if line == ELISION else re.escape(line.removesuffix(ELISION)) + ".*\n" * line.endswith(ELISION)
        for line in shown.splitlines(keepends=True)
    )
    return re.fullmatch(pattern, printed) is not None


def renewed(printed: str, shown: str) -> str:
    """What a document should show instead, where it shows something else: no more than it did before."""
    printed = _cut(printed, shown)
    old, new = _anchored(shown, printed), printed.splitlines(keepends=True)
    lines: list[str] = []
    for kind, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        elided = kind != "equal" and ELISION in old[start:end]
        lines += [ELISION] if elided else new[first:last]
    return "".join(lines)


def _cut(printed: str, shown: str) -> str:
    """What was printed, with the lines as short as a document has them."""
    begun = [line.removesuffix(ELISION) for line in shown.splitlines(keepends=True) if line.endswith(ELISION)]
    return "".join(
        next((each + ELISION for each in begun if each and line.startswith(each)), line)
        for line in printed.splitlines(keepends=True)
    )


def _anchored(shown: str, printed: str) -> list[str]:
    """The lines that are shown, each as it is printed now: the next one that begins like it, or else is like it."""
    lines, left = [], printed.splitlines(keepends=True)
    for line in shown.splitlines(keepends=True):
        begun = [each for each in left if each.startswith(line.rstrip())] or get_close_matches(line, left, n=1)
        if line.strip() in ("", "...") or not begun:
            lines.append(line)
            continue
        lines.append(begun[0])
        left = left[left.index(begun[0]) + 1 :]
    return lines


def clocked(clock: FakeTime) -> Iterator[tuple[dict[str, object], str, object]]:
    """What has to be set that a clock is the one at which pvenet and the simulated node look."""
    ours = {"clock": clock.clock, "sleep": clock.sleep}
    for each in (Runtime, SimAdapter, Connection):
        defaults = each.__init__.__kwdefaults__ or {}
        yield from ((defaults, name, ours[name]) for name in defaults.keys() & ours)


@dataclass
class Session:
    """One document's: what it exports, the exit code before, and the text with what was printed in the place of what is
    shown, wherever that is something else.
    """

    monkeypatch: pytest.MonkeyPatch
    clock: FakeTime = field(default_factory=lambda: FakeTime(now=time.time()))
    code: int = 0
    ran: int = 0

    def play(self, text: str) -> str:
        """Run a document's blocks in their order; one that begins with a file's name is that file."""
        self._slow_nobody_down()
        return BLOCK.sub(self._block, text)

    def _block(self, block: re.Match[str]) -> str:
        language, body = block["language"], block["body"]
        if language == "console":
            return f"```console\n{COMMAND.sub(self._step, body)}```"
        if (name := re.match(r"# ([\w.-]+)\n", body)) and language in ("yaml", "text"):
            Path(name[1]).write_text(body if language == "yaml" else body[name.end() :], encoding="utf8")
        if language == "toml" and (name := re.match(r"# ~/\.config/(\S+)\n", body)):
            path = Path(os.environ["XDG_CONFIG_HOME"], name[1])
            path.parent.mkdir(parents=True)
            path.write_text(body, encoding="utf8")
        return block[0]

    def _step(self, step: re.Match[str]) -> str:
        line, shown = step.groups()
        printed = _whole(fixed(self._run(shlex.split(line, comments=True))))
        self.ran += 1
        return f"$ {line}\n{shown if matches(printed, shown) else renewed(printed, shown)}"

    def _run(self, words: list[str]) -> str:
        """What a command prints, stdout and stderr in their order. Raises ValueError for one that can't be run here."""
        match words:
            case ["export", setting]:
                self.monkeypatch.setenv(*setting.split("=", 1))
                return ""
            case ["echo", "$?"]:
                return f"{self.code}\n"
            case ["cat", name]:
                return Path(name).read_text(encoding="utf8")
            case ["pvenet", *rest, ">", name]:
                written, printed = StringIO(), StringIO()
                self._pvenet(rest, written, printed)
                Path(name).write_text(written.getvalue(), encoding="utf8")
                return printed.getvalue()
            case ["pvenet", *rest]:
                both = StringIO()
                self._pvenet(rest, both, both)
                return both.getvalue()
            case ["ansible-playbook", *rest]:
                return self._ansible_playbook(rest)
            case _:
                raise ValueError(f"a document can't run {shlex.join(words)}")

    def _ansible_playbook(self, words: list[str]) -> str:
        """What the real one prints, with the collection of this checkout."""
        if not playbooks.BIN.joinpath("ansible-playbook").exists():
            pytest.skip(playbooks.MISSING)
        home = Path(".home").absolute()
        home.mkdir(exist_ok=True)
        environment = {**os.environ, **playbooks.environment(home), "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            [str(playbooks.BIN / "ansible-playbook"), *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.code = done.returncode
        self.clock.now = time.time()
        return done.stdout + done.stderr

    def _pvenet(self, words: list[str], out: StringIO, err: StringIO) -> None:
        with redirect_stdout(out), redirect_stderr(err):
            self.code = cli.main(words)
        self.clock.now += 1

    def _slow_nobody_down(self) -> None:
        """Wherever pvenet and the simulated node look at a clock or sleep, it is the session's."""
        for defaults, name, value in clocked(self.clock):
            self.monkeypatch.setitem(defaults, name, value)
        self.monkeypatch.setattr(prompt, "time", SimpleNamespace(sleep=self.clock.sleep))
