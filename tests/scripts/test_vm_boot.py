"""Bringing the Debian VM up, with a qemu that only pretends: what is waited for, said, and left."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from vm import boot, guest_api, image, kept, qemu
from vm.problem import CannotBeHad, Problem
from vm.qemu import PROGRAM, Ports
from waiting import HANGS, until

from pvenet.sim.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.sim.server import Endpoint

pytestmark = [
    pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen"),
    pytest.mark.filterwarnings("ignore:subprocess:ResourceWarning"),  # the machine outlives what started it
]
QEMU = """#!/bin/sh
echo $$ >> "$SAID"
[ "$(wc -l < "$SAID")" -gt "${PANICS:-0}" ] || { printf 'Kernel panic - not syncing' > console.log; exec sleep 60; }
printf '%s\\n' "$@" >> "$SAID.words"
case "$*" in *"accel kvm"*) case "$KVM" in hangs) exec sleep 60 ;; ends) echo "no KVM"; exit 1 ;; esac ;; esac
[ -z "$REFUSES" ] || { echo "$REFUSES" >&2; exit 1; }
printf '%s' "$PRINTS" > console.log
printf '%s' "$TELLS" > told
exec sleep "${LIVES:-60}"
"""


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """An API that the machine's ports lead to, and a qemu that tells of it."""
    program = tmp_path / "bin" / PROGRAM
    program.parent.mkdir()
    program.write_text(QEMU)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SAID", str(tmp_path / "said"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "ROOT", tmp_path)
    monkeypatch.setattr(image, "image", lambda: image.Image(folder=tmp_path))
    monkeypatch.setattr(qemu, "kvm_may_work", lambda: False)
    monkeypatch.setattr(boot, "KVM_SECONDS", 0.4)
    monkeypatch.setattr(boot, "BOOT_SECONDS", 10.0)
    monkeypatch.setattr(boot, "POLL_SECONDS", 0.02)
    with Server(tmp_path / "sim") as server:
        at, port = server.endpoint, int(server.endpoint.url.rpartition(":")[2])
        monkeypatch.setattr(kept, "free_ports", lambda: Ports(api=port, second=port, ssh=port))
        monkeypatch.setattr(uuid, "UUID", lambda **_bits: at.token_secret)  # the secret that this API knows
        monkeypatch.setenv("PRINTS", "\x1b[0;1mWelcome to \x1b[0mDebian\n")
        monkeypatch.setenv("TELLS", f'{{"fingerprint": "{at.fingerprint}"}}\n')
        yield at


def started(tmp_path: Path) -> list[int]:
    """The processes of every qemu that was started."""
    return [int(line) for line in (tmp_path / "said").read_text().split()]


def nothing_is_left(tmp_path: Path) -> bool:
    gone = all(kept.started(pid) is None for pid in started(tmp_path))
    return gone and {path.name for path in (tmp_path / ".vm/debian").iterdir()} <= {"console.log", "lock"}


def test_up_tells_how_to_reach_the_api(api: Endpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The API has answered on both ways; what is written down is its owner's alone, no secret is in qemu's words."""
    machine = boot.up()
    try:
        assert machine.boot_seconds
        assert kept.found("debian") == machine
        env = tmp_path / ".vm/debian/env"
        assert f"export PVENET_TOKEN_SECRET={api.token_secret}\n" in env.read_text()
        assert f"export PVENET_FINGERPRINT={api.fingerprint}\n" in env.read_text()
        assert stat.S_IMODE(env.stat().st_mode) == 0o600
        assert api.token_secret not in (tmp_path / "said.words").read_text()
    finally:
        machine.end()
    assert capsys.readouterr().err == "without KVM (there is no /dev/kvm that may be used): emulating\n"


@pytest.mark.usefixtures("api")
def test_kvm_is_used_where_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose processor comes to its own programs is kept, colours or not."""
    monkeypatch.setattr(qemu, "kvm_may_work", lambda: True)
    machine = boot.up()
    machine.end()
    assert machine.accelerator == "kvm"
    assert len(started(tmp_path)) == 1


@pytest.mark.usefixtures("api")
def test_kvm_that_does_not_work_is_noticed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the machine hangs under KVM it is emulated; the next one is so at once, until the host boots anew."""
    monkeypatch.setattr(qemu, "kvm_may_work", lambda: True)
    monkeypatch.setenv("KVM", "hangs")
    first = boot.up()
    assert [kept.started(pid) is None for pid in started(tmp_path)] == [True, False]
    first.end()
    assert "KVM does not work here" in capsys.readouterr().err
    second = boot.up()
    second.end()
    assert capsys.readouterr().err == "without KVM (it did not work here before): emulating\n"
    assert (first.accelerator, second.accelerator, len(started(tmp_path))) == ("emulation", "emulation", 3)
    assert kept.found("debian") is None
    monkeypatch.setattr(boot, "_boot_id", lambda: "another")
    boot.up().end()
    assert "KVM does not work here" in capsys.readouterr().err


@pytest.mark.usefixtures("api")
def test_a_kvm_that_gives_up_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where KVM could not emulate an instruction, qemu itself says so."""

    class GivenUp:
        def ask(self, what: str) -> dict[str, str]:
            assert what == "query-status"
            return {"status": "internal-error"}

    monkeypatch.setattr(boot, "monitor", lambda _folder: contextlib.nullcontext(GivenUp()))
    looks, stuck = [], boot._stuck

    def look() -> bool:
        looks.append(stuck())
        return looks[-1]

    monkeypatch.setattr(boot, "_stuck", look)
    monkeypatch.setattr(qemu, "kvm_may_work", lambda: True)
    monkeypatch.setenv("KVM", "hangs")
    boot.up().end()
    assert looks == [True]


@pytest.mark.usefixtures("api")
def test_a_qemu_that_can_not_use_kvm_emulates(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it says is told, but not taken for KVM's last word."""
    monkeypatch.setattr(qemu, "kvm_may_work", lambda: True)
    monkeypatch.setenv("KVM", "ends")
    for _ in range(2):
        machine = boot.up()
        machine.end()
        assert machine.accelerator == "emulation"
        assert capsys.readouterr().err == "with KVM, qemu does not start: no KVM: emulating\n"


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("environ", "kind", "said"),
    [
        (
            {"REFUSES": "Could not set up host forwarding rule"},
            CannotBeHad,
            "qemu does not start: Could not set up host",
        ),
        ({"LIVES": "0.5", "TELLS": ""}, CannotBeHad, "the machine has ended while it booted; its last words:\nWelcome"),
        (
            {"PRINTS": "Kernel panic - no root\n", "TELLS": ""},
            CannotBeHad,
            "its kernel gave up.*\nKernel panic - no root",
        ),
        (
            {"TELLS": '{"error": "ModuleNotFoundError: x"}\n'},
            Problem,
            "does not start in the machine: ModuleNotFoundError",
        ),
        ({"TELLS": ""}, CannotBeHad, "did not answer in 1 s; the console's last lines:\nWelcome to Debian$"),
        ({"TELLS": '{"fingerprint": "AA"}\n'}, CannotBeHad, "did not answer in 1 s"),
    ],
)
def test_an_up_that_fails_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], kind: type[Problem], said: str
) -> None:
    """Neither process nor secret is left, and the console's last lines tell what happened."""
    monkeypatch.setattr(boot, "BOOT_SECONDS", 1.0)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(kind, match=said):
        boot.up()
    assert nothing_is_left(tmp_path)


@pytest.mark.usefixtures("api")
def test_a_kernel_that_gives_up_boots_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Emulated, it does so now and then; twice is another matter."""
    monkeypatch.setenv("PANICS", "1")
    machine = boot.up()
    assert [kept.started(pid) is None for pid in started(tmp_path)] == [True, False]
    machine.end()
    kept.forget("debian")
    assert "Kernel panic - not syncing\nit boots once more\n" in capsys.readouterr().err
    monkeypatch.setenv("PANICS", "4")
    with pytest.raises(CannotBeHad, match="its kernel gave up"):
        boot.up()
    assert len(started(tmp_path)) == 4
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("dead", ["api", "second"])
def test_both_ways_have_to_answer(api: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dead: str) -> None:
    """A machine with one way is not up: a test that loses one could not come back by the other."""
    port = int(api.url.rpartition(":")[2])
    monkeypatch.setattr(kept, "free_ports", lambda: Ports(**({"api": port, "second": port, "ssh": 9} | {dead: 9})))
    monkeypatch.setattr(boot, "BOOT_SECONDS", 1.0)
    with pytest.raises(CannotBeHad, match="did not answer in 1 s"):
        boot.up()
    assert nothing_is_left(tmp_path)


def test_an_answer_counts_only_to_who_may_ask(api: Endpoint) -> None:
    """An API with other secrets is not the one that is waited for."""
    port, fingerprint = int(api.url.rpartition(":")[2]), api.fingerprint or ""
    assert guest_api.answers(port, api.token_secret, fingerprint)
    assert not guest_api.answers(port, "another", fingerprint)


@pytest.mark.usefixtures("api")
def test_a_reset_is_waited_for(tmp_path: Path) -> None:
    """The API has started once more than before."""
    machine = boot.up()
    try:
        with (tmp_path / ".vm/debian/told").open("a") as told:
            told.write('{"fingerprint": "BB"}\n')
        assert boot.wait_for_api(machine, since=1) == "BB"
        with pytest.raises(CannotBeHad, match="did not answer"):
            boot.wait_for_api(machine, since=2, deadline=time.monotonic())
    finally:
        machine.end()


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_up_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Whoever ends it while the machine boots, the machine goes too, and that is said."""
    for name in ("vm", "nested-vm"):
        source = Path(boot.__file__).parents[1] / name
        target = tmp_path / "scripts" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    folder = tmp_path / "cache/pvenet/vm" / f"debian-{image.digest()}"
    folder.mkdir(parents=True)
    (folder / "disk").touch()
    for tool in ("mmdebstrap", "mke2fs", "zstd", "ssh"):
        (tmp_path / "bin" / tool).symlink_to("/bin/true")
    monkeypatch.setenv("TELLS", "")
    monkeypatch.setenv("PYTHON", sys.executable)
    monkeypatch.setenv("KVM", "hangs")
    # A shell's job in the background is born deaf to Ctrl-C, and so would be its children.
    hears = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    up = [sys.executable, "-c", hears, str(tmp_path / "scripts/nested-vm"), "up"]
    with subprocess.Popen(up, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until((tmp_path / ".vm/debian/machine.json").exists)
        process.send_signal(number)
        out, err = process.communicate(timeout=HANGS)
    assert (process.returncode, out) == (130, "")
    assert "interrupted; nothing is left running" in err
    assert nothing_is_left(tmp_path)
