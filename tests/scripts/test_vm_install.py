"""Installing PVE once, with programs that only pretend, and waiting for its token."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from typing import TYPE_CHECKING

import pytest
from clock import FakeTime
from vm import install, kept, pve, pve_boot
from vm.problem import CannotBeHad, Problem
from vm.qemu import PROGRAM, Ports

from pvenet.sim.server import Server

if TYPE_CHECKING:
    from pathlib import Path

XORRISO = """#!/bin/sh
printf -- "-volume_date uuid '2026010203040500'\\n'/auto-installer-capable'\\n"
"""
IMG = """#!/bin/sh
for word; do case "$word" in *.qcow2) echo empty > "$word" ;; esac; done
"""
QEMU = """#!/bin/sh
for word; do
  if [ "$word" = -snapshot ]; then printf '%s\\n' "$TELLS" > token; echo $$ > "$SAID"; exec sleep "$LIVES"; fi
done
printf '%s\\n' "$@" > "$SAID"
case "$ENDS" in 0) ;; late) exec sleep 60 ;; *) echo "no such machine" >&2; exit "$ENDS" ;; esac
for word; do case "$word" in file=*.qcow2,*) word=${word#file=}; echo installed > "${word%%,*}" ;; esac; done
"""
TOLD = {
    "token": {"full-tokenid": "pvenet@pve!nested", "value": "0f5b7c1e"},
    "fingerprint": ":".join(["AB"] * 32),
}


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pve.Image:
    """An image of nothing, and programs that take it for PVE's."""
    for name, text in (("xorriso", XORRISO), ("qemu-img", IMG), (PROGRAM, QEMU)):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("SAID", str(tmp_path / "said"))
    monkeypatch.setenv("ENDS", "0")
    monkeypatch.setenv("LIVES", "60")
    monkeypatch.setenv("TELLS", json.dumps(TOLD))
    monkeypatch.setattr(kept, "ROOT", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "pve.iso").write_bytes(b"image")
    return pve.Image(path=tmp_path / "pve.iso", sha256=hashlib.sha256(b"image").hexdigest())


def test_it_is_installed_once(image: pve.Image, tmp_path: Path) -> None:
    """The first time installs, the second takes what is there; nothing else is left, least of all the answers."""
    said: list[str] = []
    disk = install.disk(image, tmp_path / "cache", ["-accel", "tcg"], said.append)
    assert disk.read_text() == "installed\n"
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [disk.name]
    assert (tmp_path / "said").read_text().startswith("-accel\ntcg\n")
    (tmp_path / "said").unlink()
    assert install.disk(image, tmp_path / "cache", [], said.append) == disk
    assert not (tmp_path / "said").exists()


@pytest.mark.parametrize(("ends", "said"), [("1", "failed with 1: no such machine"), ("late", "has not ended in 0 s")])
def test_a_failed_installation_leaves_nothing(
    image: pve.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: str, said: str
) -> None:
    """An installation that fails, or does not end, leaves no disk that could be taken for one, and no answers."""
    monkeypatch.setenv("ENDS", ends)
    monkeypatch.setattr(install, "INSTALL_SECONDS", 0.4)
    with pytest.raises(Problem, match=said):
        install.disk(image, tmp_path / "cache", [], lambda _line: None)
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_the_guest_writes_into_is_private(tmp_path: Path) -> None:
    """The file for the token is empty and its owner's alone, whatever stood there before."""
    (tmp_path / "token").write_text("an old one\n")
    install.furnish(tmp_path, "ssh-ed25519 AAAA\n")
    assert (tmp_path / "token").read_text() == ""
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("token", "authorized_keys")} == {0o600}


def test_the_token_comes_late(tmp_path: Path) -> None:
    """It is waited for, and taken when the line is whole, also from a qemu that ended right after."""
    install.furnish(tmp_path, "")
    line, time, looks = json.dumps(TOLD) + "\n", FakeTime(), []

    def alive() -> bool:
        looks.append(1)
        (tmp_path / "token").write_text("" if len(looks) == 1 else line[:20] if len(looks) == 2 else line)
        return len(looks) < 3

    assert install.token(tmp_path, alive, time.clock, time.sleep).token_secret == "0f5b7c1e"
    assert time.slept == [install.POLL_SECONDS] * 2


@pytest.mark.parametrize(("lives", "said"), [(False, "qemu has ended"), (True, "no token in 300 s")])
def test_no_token_is_said(tmp_path: Path, lives: bool, said: str) -> None:  # noqa: FBT001  a parameter of the test
    """A qemu that ends, or a hook that hands over nothing, is said in one line."""
    install.furnish(tmp_path, "")
    time = FakeTime()
    with pytest.raises(Problem, match=said):
        install.token(tmp_path, lambda: lives, time.clock, time.sleep)


@pytest.fixture
def named(image: pve.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that names the image."""
    monkeypatch.setenv("PVENET_PVE_ISO", str(image.path))
    monkeypatch.setenv("PVENET_PVE_ISO_SHA256", image.sha256)


@pytest.mark.usefixtures("named")
@pytest.mark.filterwarnings("ignore:subprocess:ResourceWarning")  # the machine outlives what started it
@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen")
def test_up_hands_over_a_node_that_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An `up` installs, boots, waits for the token and an answer with it, and writes down how to reach the node."""
    with Server(tmp_path / "sim") as server:
        at, port = server.endpoint, int(server.endpoint.url.rpartition(":")[2])
        token = {"full-tokenid": at.token_id, "value": at.token_secret}
        monkeypatch.setenv("TELLS", json.dumps({"token": token, "fingerprint": at.fingerprint}))
        monkeypatch.setattr(kept, "free_ports", lambda: Ports(api=port, second=port, ssh=port))
        machine = pve_boot.up()
        try:
            assert machine.runs
            assert kept.found("pve") == machine
            told = (tmp_path / ".vm" / "pve" / "env").read_text()
        finally:
            machine.end()
    assert f"export PVENET_TOKEN_SECRET={at.token_secret}\n" in told
    assert f"export PVENET_FINGERPRINT={at.fingerprint}\n" in told
    assert "export PVENET_LIVE_VM=pve\n" in told


@pytest.mark.usefixtures("named")
@pytest.mark.filterwarnings("ignore:subprocess:ResourceWarning")  # the machine outlives what started it
@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen")
@pytest.mark.parametrize(
    ("tells", "lives", "said"),
    [
        ('{"error": "line 20 of the hook"}', "60", "first boot failed: line 20 of the hook"),
        ("", "0.4", "qemu has ended before PVE's first boot handed over a token"),
        (json.dumps(TOLD), "60", "did not answer on both ways within 1 s"),
    ],
)
def test_an_up_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tells: str, lives: str, said: str
) -> None:
    """Where the hook fails, qemu ends, or no API answers, that is said, and neither process nor token is left."""
    monkeypatch.setenv("TELLS", tells)
    monkeypatch.setenv("LIVES", lives)
    monkeypatch.setattr(pve_boot, "API_SECONDS", 1.0)
    with pytest.raises(Problem, match=said):
        pve_boot.up()
    assert kept.started(int((tmp_path / "said").read_text())) is None
    assert not (tmp_path / ".vm" / "pve" / "token").exists()
    assert kept.found("pve") is None


def test_an_image_that_is_not_named_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without PVE's image nothing begins: this machine can't have such a VM, and one line says why."""
    monkeypatch.setattr(kept, "ROOT", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    with pytest.raises(CannotBeHad, match="set PVENET_PVE_ISO to its path"):
        pve_boot.up()
