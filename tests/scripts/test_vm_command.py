"""`scripts/nested-vm` as it is typed, with a process in place of qemu: what is done, printed, and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from vm import __main__ as command
from vm import boot, kept, tools
from vm.kept import Machine
from vm.problem import CannotBeHad, Problem
from vm.qemu import Ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:subprocess:ResourceWarning")  # the machine outlives what started it
PORTS = Ports(api=4001, second=4002, ssh=4003)


class Host:
    """A machine's host: what was asked of it, and the machines that were started."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.machines: list[Machine] = []

    def start(self, kind: str = "debian", *, boot_seconds: float = 1.0) -> Machine:
        """A machine that runs, as `up` leaves it; one that is still booting has no boot_seconds."""
        process = subprocess.Popen(["sleep", "60"])
        since = kept.started(process.pid)
        assert since is not None
        machine = Machine(
            kind=kind,
            pid=process.pid,
            started=since,
            since=0.0,
            accelerator="emulation",
            ports=PORTS,
            boot_seconds=boot_seconds,
        )
        kept.save(machine)
        kept.write_private(kept.place(kind) / "env", f"export PVENET_NODE={kind}\n")
        self.machines.append(machine)
        return machine

    @contextmanager
    def monitor(self, _folder: Path) -> Iterator[Host]:
        yield self

    def ask(self, what: str, **arguments: object) -> None:
        self.asked.append((what, *arguments.values()))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    host = Host()
    monkeypatch.setattr(kept, "ROOT", tmp_path)
    monkeypatch.setattr(tools, "need", lambda _kind: None)
    monkeypatch.setattr(command, "monitor", host.monitor)
    monkeypatch.setattr(boot, "wait_for_api", lambda machine, since: host.asked.append(("wait", machine.kind, since)))
    monkeypatch.setattr(os, "execvp", lambda _program, words: host.asked.append(("exec", *words)))
    monkeypatch.setitem(command.KINDS, "debian", host.start)
    yield host
    for machine in host.machines:
        machine.end()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Types a command line; its exit code."""

    def run(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["nested-vm", *words])
        return command.main()

    return run


def test_what_is_up_stays_up(host: Host, typed: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """The second `up` starts nothing; both print how to reach the machine, and nothing else on stdout."""
    assert [typed("up"), typed("up")] == [0, 0]
    assert len(host.machines) == 1
    out, err = capsys.readouterr()
    assert out == "export PVENET_NODE=debian\n" * 2
    assert err == "up in 1 s (emulation)\n"


def test_what_an_up_that_was_killed_has_left_is_ended(host: Host, typed: Callable[..., int]) -> None:
    """A machine that nobody has waited for to its end is started anew, and does not run beside the new one."""
    half = host.start(boot_seconds=0.0)
    assert typed("up") == 0
    assert not half.runs
    assert kept.found("debian") == host.machines[-1] != half


def test_down_leaves_nothing(host: Host, typed: Callable[..., int]) -> None:
    """The process is gone and so are the secrets; a second `down` has nothing to do."""
    machine = host.start()
    assert [typed("down"), typed("down")] == [0, 0]
    assert not machine.runs
    assert not (kept.place("debian") / "env").exists()


@pytest.mark.parametrize("words", [("--kind", "pve", "status"), ("status", "--kind", "pve")])
def test_the_kind_is_named_before_or_behind(
    host: Host, typed: Callable[..., int], capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """The exit code says whether that kind is up, whatever the other one is."""
    host.start("debian")
    assert typed("status") == 0
    assert typed(*words) == 1
    assert capsys.readouterr().out.endswith("pve: down\n")
    host.start("pve")
    assert typed(*words) == 0


def test_status_can_be_read_by_a_script(
    host: Host, typed: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed("status", "--json") == 1
    assert json.loads(capsys.readouterr().out) == {"up": False, "kind": "debian"}
    machine = host.start()
    assert typed("status", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["up"], told["pid"], told["ports"]["api"]) == (True, machine.pid, 4001)


@pytest.mark.parametrize("words", [("ip", "-br", "link"), ("--", "ip", "-br", "link")])
def test_a_command_is_run_in_it(host: Host, typed: Callable[..., int], words: tuple[str, ...]) -> None:
    """Whatever looks like an option behind it is the command's."""
    host.start()
    assert typed("ssh", *words) == 0
    ((what, *line),) = host.asked
    assert what == "exec"
    assert line[line.index("-p") :] == ["-p", "4003", "root@127.0.0.1", "ip", "-br", "link"]


def test_a_cable_has_two_ends(host: Host, typed: Callable[..., int]) -> None:
    host.start()
    assert [typed("cable", "ens38", "off"), typed("cable", "ens33", "on")] == [0, 0]
    assert sorted(host.asked[:2]) == [("set_link", "ens37", False), ("set_link", "ens38", False)]
    assert host.asked[2:] == [("set_link", "ens33", True)]


def test_a_reset_ends_when_the_api_has_started_once_more(host: Host, typed: Callable[..., int]) -> None:
    """How often it had before is counted before the power is cut. A PVE tells of itself at its first boot only."""
    host.start()
    (kept.place("debian") / "told").write_text('{"fingerprint": "AA"}\n')
    assert typed("reset") == 0
    assert host.asked == [("system_reset",), ("wait", "debian", 1)]
    host.start("pve")
    assert typed("reset", "--kind", "pve") == 0
    assert host.asked[2:] == [("system_reset",)]


@pytest.mark.parametrize("words", [("env",), ("ssh", "true"), ("cable", "ens38", "off"), ("reset",)])
@pytest.mark.usefixtures("host")
def test_without_a_machine_the_way_to_one_is_named(
    typed: Callable[..., int], capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert typed(*words) == 1
    assert capsys.readouterr() == (
        "",
        "scripts/nested-vm: no debian machine is up; `scripts/nested-vm up` brings one up\n",
    )


@pytest.mark.parametrize(("problem", "code"), [(CannotBeHad("no qemu"), 77), (Problem("broken"), 1)])
@pytest.mark.usefixtures("host")
def test_what_can_not_be_had_here_has_its_own_code(
    typed: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    problem: Problem,
    code: int,
) -> None:
    """CI skips the machine with the first, and fails with the second."""

    def up() -> Machine:
        raise problem

    monkeypatch.setitem(command.KINDS, "debian", up)
    assert typed("up") == code
    assert capsys.readouterr() == ("", f"scripts/nested-vm: {problem}\n")
