"""The nested VM without qemu: what is delivered to it, and what is kept of it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tarfile
import threading
from typing import TYPE_CHECKING

import pytest
from vm import guest_api, image, kept, qemu
from vm.kept import Machine
from vm.monitor import SOCKET, monitor
from vm.problem import Problem
from vm.qemu import Ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PORTS = Ports(api=4001, second=4002, ssh=4003)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a machine, in a checkout of nothing."""
    monkeypatch.setattr(kept, "ROOT", tmp_path)
    return kept.place("debian")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is there."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def machine(process: subprocess.Popen[bytes], *, started: int | None = None) -> Machine:
    since = kept.started(process.pid) if started is None else started
    assert since is not None
    return Machine(kind="debian", pid=process.pid, started=since, since=0.0, accelerator="emulation", ports=PORTS)


# What is delivered


def test_what_is_delivered_starts_with_nothing_installed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has Python and no package of ours: the delivery brings all that the API needs."""
    root = image.FILES.parents[2]
    monkeypatch.setattr(guest_api, "ROOT", root)
    guest_api.deliver(place / "delivery.tar", {"secret": "s3cr3t\n"})
    assert stat.S_IMODE((place / "delivery.tar").stat().st_mode) == 0o600
    with tarfile.open(place / "delivery.tar") as archive:
        assert archive.getmember("secret").mode == 0o600
        assert not [name for name in archive.getnames() if "__pycache__" in name]
    (place / "run").mkdir()
    subprocess.run(["tar", "-xf", place / "delivery.tar", "-C", place / "run"], check=True)  # as the machine does
    code = f"import sys; sys.path.insert(0, {str(place / 'run')!r}); import serve, pvenet; print(pvenet.__file__)"
    done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(place / "run" / "pvenet" / "__init__.py")


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen")
def test_no_other_machine_is_taken_for_it(place: Path) -> None:
    """SSH knows the machine by the key that was delivered to it; a PVE, which makes its own, is taken as it comes."""
    assert "StrictHostKeyChecking=no" in guest_api.ssh_words("debian", 4003)
    assert "BEGIN OPENSSH PRIVATE KEY" in guest_api.make_host_key(place)
    name, kind, _ = (place / "known_hosts").read_text().split(maxsplit=2)
    words = guest_api.ssh_words("debian", 4003)
    assert (name, kind) == (guest_api.HOST, "ssh-ed25519")
    assert f"HostKeyAlias={name}" in words
    assert "StrictHostKeyChecking=yes" in words
    assert stat.S_IMODE((place / "host_key").stat().st_mode) == 0o600


def test_what_the_machine_tells_is_read_when_the_line_is_whole(place: Path) -> None:
    assert guest_api.told(place) == []
    (place / qemu.TOLD).write_text('{"fingerprint": "AA"}\n{"error": "no')
    assert guest_api.told(place) == [{"fingerprint": "AA"}]


# What is kept of it


def test_what_is_kept_is_the_owners_alone(place: Path) -> None:
    """The folder and the file with the secret are nobody else's to read, and a shell takes every value as it is."""
    kept.write_private(place / "env", kept.exports({"PVENET_TOKEN_ID": "root@pam!full", "B": "it's $HOME"}))
    assert (stat.S_IMODE(place.stat().st_mode), stat.S_IMODE((place / "env").stat().st_mode)) == (0o700, 0o600)
    script = f'. "{place / "env"}"; printf "%s %s" "$PVENET_TOKEN_ID" "$B"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == (
        "root@pam!full it's $HOME"
    )


def test_a_machine_that_runs_is_found_and_ended(place: Path, sleeper: subprocess.Popen[bytes]) -> None:
    """It is known by its process and when that was started; ending it waits until it is gone."""
    kept.save(machine(sleeper))
    found = kept.found("debian")
    assert found == machine(sleeper)
    found.end()
    assert sleeper.wait() < 0
    assert kept.found("debian") is None
    assert not (place / "machine.json").exists()


def test_whose_number_was_given_away_is_left_alone(place: Path, sleeper: subprocess.Popen[bytes]) -> None:
    """After a reboot another process may have its number: that one is not ended, and what was kept is thrown away."""
    for name in ("console.log", "env"):
        (place / name).write_text("")
    stale = machine(sleeper, started=1)
    kept.save(stale)
    stale.end()
    assert sleeper.poll() is None
    assert kept.found("debian") is None
    assert [path.name for path in place.iterdir()] == ["console.log"]


def test_what_is_kept_may_be_broken(place: Path) -> None:
    """A file that is not ours to understand is named, and nothing is thrown away."""
    (place / "machine.json").write_text('{"kind": "debian"}')
    with pytest.raises(Problem, match=re.escape(f"{place / 'machine.json'} is not what was written there")):
        kept.found("debian")


@pytest.mark.usefixtures("place")
def test_two_at_once_are_told_apart() -> None:
    """Who comes second is told so at once; another kind is another matter."""
    with kept.held("debian"):
        with (
            pytest.raises(Problem, match="somebody brings the debian machine up or down just now"),
            kept.held("debian"),
        ):
            pass
        with kept.held("pve"):
            pass
    with kept.held("debian"):
        pass


def test_ports_are_three_and_free() -> None:
    ports = kept.free_ports()
    assert len({ports.api, ports.second, ports.ssh}) == 3
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports.api))


# qemu's monitor


@pytest.fixture
def qmp(tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    """A monitor that refuses one command, in a folder whose path is too long for a socket's address."""
    folder, heard = tmp_path / ("x" * 120), list[str]()
    folder.mkdir()
    here = os.open(folder, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{here}/{SOCKET}")
        listener.listen()
        listener.settimeout(5)
        os.close(here)

        def serve() -> None:
            try:
                link, _ = listener.accept()
            except TimeoutError:
                return
            link.settimeout(5)
            with link, link.makefile("rw", newline="\n") as lines:
                lines.write('{"QMP": {}}\n')
                lines.flush()
                for line in lines:
                    heard.append(line)
                    refused = '{"event": "RESET"}\n{"error": {"desc": "Device not found"}}\n'
                    lines.write(refused if "ens99" in line else '{"event": "RESET"}\n{"return": {}}\n')
                    lines.flush()

        thread = threading.Thread(target=serve)
        thread.start()
        yield folder, heard
        thread.join(timeout=5)


def test_the_monitor_is_asked(qmp: tuple[Path, list[str]]) -> None:
    """An answer is told from events; a refusal is a problem in qemu's words."""
    folder, heard = qmp
    with monitor(folder) as it:
        assert it.ask("set_link", name="ens38", up=False) == {}
        with pytest.raises(Problem, match="qemu refuses set_link: Device not found"):
            it.ask("set_link", name="ens99", up=False)
    assert '{"name": "ens38", "up": false}' in heard[1]


def test_a_monitor_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="the machine's monitor does not answer"), monitor(tmp_path):
        pass
