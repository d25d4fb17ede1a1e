"""What of the kind `pve` can be known without PVE's image: its answers, its arguments, and what is handed over.

How far the rest was tried stands in scripts/vm/pve.py and in CONTRIBUTING.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
from vm import answer, pve
from vm.kept import free_ports
from vm.monitor import SOCKET
from vm.problem import Problem
from waiting import until

PASSWORD = 'a"b\\c'
PORTS = free_ports()


def answers() -> dict[str, Any]:
    return tomllib.loads(answer.answer(password=PASSWORD, macs=pve.macs()))


def test_the_answer_file_has_what_the_installer_demands() -> None:
    """Every key that PVE's documentation calls for is there, in the spelling of 9.0 and newer."""
    told = answers()
    assert set(told) == {"global", "network", "disk-setup", "first-boot"}
    assert {"keyboard", "country", "fqdn", "mailto", "timezone", "root-password"} <= set(told["global"])
    assert told["global"]["root-password"] == PASSWORD
    assert told["global"]["fqdn"].startswith("pve1.")
    assert told["global"]["reboot-mode"] == "power-off"
    assert told["disk-setup"]["filesystem"] == "ext4"
    assert told["disk-setup"]["disk-list"] == ["vda"]
    assert told["first-boot"] == {"source": "from-iso", "ordering": "fully-up"}
    assert not [key for section in told.values() for key in section if "_" in key]


def test_the_management_address_is_on_the_nic_that_is_forwarded() -> None:
    """A static address needs all of cidr, dns, gateway and a filter; the filter finds exactly ens33's card."""
    network = answers()["network"]
    assert network["source"] == "from-answer"
    assert (network["cidr"], network["gateway"], network["dns"]) == ("10.0.2.15/24", "10.0.2.2", "10.0.2.3")
    wanted = network["filter"]["ID_NET_NAME_MAC"].removeprefix("*")
    assert [name for name, mac in pve.macs().items() if mac.replace(":", "") == wanted] == ["ens33"]


def test_every_nic_is_pinned_to_its_name() -> None:
    """The six cards get the names that the Debian VM has, none longer than Linux allows, each once."""
    pinning = answers()["network"]["interface-name-pinning"]
    assert pinning["enabled"] is True
    assert {name: mac for mac, name in pinning["mapping"].items()} == pve.macs()
    assert list(pve.macs()) == ["ens33", "ens37", "ens38", "ens39", "ens40", "ens41"]
    assert all(len(name) <= 15 and name.isalnum() for name in pve.macs())


def test_the_mode_file_says_that_the_answers_are_on_the_image() -> None:
    """The mode file parses, and has the three keys that the installer knows."""
    assert tomllib.loads(answer.MODE) == {"mode": "iso", "partition_label": "proxmox-ais", "http": {}}


def test_the_volume_date_is_kept() -> None:
    """The date by which PVE's boot loader finds its image is read from the image and written again."""
    told = f"-volid 'PVE'\n-volume_date uuid '2026010203040500'\n'{answer.CAPABLE}'\n"
    command = answer.adding(Path("copy.iso"), answer.volume_date(told), {"mode": Path("m"), "answer": Path("a")})
    words = " ".join(command)
    assert "-boot_image any keep -volume_date uuid 2026010203040500 -dev copy.iso" in words
    assert "-map m /auto-installer-mode.toml -map a /answer.toml -commit" in words


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("-volume_date uuid '2026010203040500'\n", "no PVE installer"),
        (f"'{answer.CAPABLE}'\n", "no volume date"),
    ],
)
def test_another_image_is_refused(told: str, said: str) -> None:
    """An image that can't install by itself is refused before anything is written."""
    with pytest.raises(Problem, match=said):
        answer.volume_date(told)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "set PVENET_PVE_ISO to its path"),
        ({"PVENET_PVE_ISO": "pve.iso"}, "PVENET_PVE_ISO_SHA256"),
        ({"PVENET_PVE_ISO": "pve.iso", "PVENET_PVE_ISO_SHA256": "abc"}, "is no SHA-256"),
    ],
)
def test_an_image_is_named_with_its_checksum(environ: dict[str, str], said: str) -> None:
    """Without path and checksum nothing begins, and one line says what to set."""
    with pytest.raises(Problem, match=said):
        pve.Image.of(environ)


def test_the_checksum_decides(tmp_path: Path) -> None:
    """An image with another checksum, or none at all, is refused; the right one is not."""
    path = tmp_path / "pve.iso"
    path.write_bytes(b"image")
    right = hashlib.sha256(b"image").hexdigest()
    pve.Image.of({"PVENET_PVE_ISO": str(path), "PVENET_PVE_ISO_SHA256": f" {right.upper()}\n"}).check()
    with pytest.raises(Problem, match="is not the image that PVENET_PVE_ISO_SHA256 names"):
        pve.Image(path=path, sha256="0" * 64).check()
    with pytest.raises(Problem, match="can't be read: No such file"):
        pve.Image(path=tmp_path / "nope.iso", sha256=right).check()


def test_a_disk_is_named_by_what_it_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another image or another hook is another disk; the same ones are the same, whatever the password."""
    one, two = (pve.Image(path=Path("x"), sha256=digit * 64) for digit in "ab")
    before = pve.installed(one, Path("cache"))
    assert before == pve.installed(one, Path("cache"))
    assert before != pve.installed(two, Path("cache"))
    monkeypatch.setattr(pve, "DISK_SIZE", "32G")
    assert before != pve.installed(one, Path("cache"))


def test_no_secret_is_in_an_argument() -> None:
    """The arguments of qemu and xorriso name files; what is in them stays there."""
    commands = [
        pve.install_arguments(Path("disk"), Path("iso"), PORTS),
        pve.boot_arguments(Path("disk"), PORTS),
        answer.adding(Path("copy"), "1", dict.fromkeys(answer.PLACES, Path("file"))),
    ]
    assert "password" not in json.dumps(commands)
    assert "file,id=token,path=token" in commands[1]
    assert "name=opt/pvenet/authorized_keys,file=authorized_keys" in commands[1]


def test_a_device_stays_in_its_place() -> None:
    """Installation and use have the same disk and cards in the same order, and what only one has comes after them."""
    install = pve.install_arguments(Path("disk"), Path("iso"), PORTS)
    boot = pve.boot_arguments(Path("disk"), PORTS)
    common = [one for one, two in zip(install, boot, strict=False) if one == two]
    assert install[: len(common)] == boot[: len(common)] == common
    assert sum(word.startswith("virtio-net-pci,") for word in common) == 6
    assert [word for word in common if word.startswith("virtio-blk-pci,")]


def test_the_guest_reaches_nothing_and_the_disk_is_kept() -> None:
    """No network leads out, a reboot ends the installation, and in use nothing is written to the disk."""
    install = pve.install_arguments(Path("disk"), Path("iso"), PORTS)
    assert all("restrict=on" in word for word in install if word.startswith("user,"))
    assert "-no-reboot" in install
    assert "-snapshot" not in install
    assert "-snapshot" in pve.boot_arguments(Path("disk"), PORTS)


@pytest.mark.parametrize("what", ["install", "boot"])
@pytest.mark.skipif(not shutil.which("qemu-system-x86_64") or not shutil.which("qemu-img"), reason="needs qemu")
def test_qemu_takes_the_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Emulation starts with the arguments, stopped before the first instruction, on a disk and an image of nothing."""
    monkeypatch.setattr(pve, "MEMORY", "64")
    folder = tmp_path / "a,b"
    folder.mkdir()
    disk, iso = folder / "disk.qcow2", folder / "install.iso"
    subprocess.run(pve.making(disk), check=True, capture_output=True)
    iso.write_bytes(bytes(1 << 20))
    (folder / "authorized_keys").write_text("ssh-ed25519 AAAA\n")
    words = pve.install_arguments(disk, iso, PORTS) if what == "install" else pve.boot_arguments(disk, PORTS)
    command = ["qemu-system-x86_64", "-accel", "tcg", "-S", *words]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as qemu:
        try:
            until(lambda: (folder / SOCKET).exists() or qemu.poll() is not None)
            time.sleep(0.3)
            running = qemu.poll() is None
        finally:
            qemu.kill()
        assert qemu.stdout is not None
        assert running, qemu.stdout.read()


def handed(**changes: Any) -> str:
    token = {"full-tokenid": "pvenet@pve!nested", "info": {"privsep": "0"}, "value": "0f5b7c1e"}
    fingerprint = "sha256 Fingerprint=" + ":".join(["AB"] * 32)
    return json.dumps({"token": token, "fingerprint": fingerprint} | changes) + "\n"


def test_the_token_is_read_from_the_port() -> None:
    """The last whole line is the token, its secret and the fingerprint; half a line is not there yet."""
    assert pve.Handed.parse("") is None
    assert pve.Handed.parse(handed()[:40]) is None
    found = pve.Handed.parse(handed())
    assert found is not None
    assert (found.token_id, found.token_secret) == ("pvenet@pve!nested", "0f5b7c1e")
    assert found.fingerprint == ":".join(["AB"] * 32)
    assert "0f5b7c1e" not in repr(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"error": "line 20 of the hook"}\n', "first boot failed: line 20 of the hook"),
        ("garbage\n", "no token"),
        ("[]\n", "no token"),
        (handed(token=None), "no token"),
        (handed(fingerprint="unable to load certificate"), "no fingerprint"),
    ],
)
def test_what_is_no_token_is_refused(text: str, said: str) -> None:
    """A hook that failed, or something else on the port, is said and not taken for a token."""
    with pytest.raises(Problem, match=said):
        pve.Handed.parse(text)


def test_the_hook_makes_what_the_client_asks_for() -> None:
    """The hook is a script that bash can read, and its role has the privileges that pvenet names."""
    script = pve.FIRST_BOOT.read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", str(pve.FIRST_BOOT)], check=True)
    assert "--privs Sys.Audit,Sys.Modify,SDN.Audit" in script
    assert f"/dev/virtio-ports/{pve.PORT}" in script
    assert f"by_name/{pve.KEYS}/raw" in script


FAKE = """#!/bin/sh
case "$1" in
  -indev) printf -- "-volume_date uuid '2026010203040500'\\n'/auto-installer-capable'\\n"; exit "$XORRISO_ENDS" ;;
esac
printf '%s\\n' "$*" > "$XORRISO_SAID"
while [ $# -gt 0 ]; do if [ "$1" = -map ]; then cp "$2" "$XORRISO_SAID.$(basename "$3")"; fi; shift; done
"""


def test_the_image_is_prepared_in_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy gets mode, answers and hook; it is its owner's alone, and the password is left in no other file."""
    tool, said = tmp_path / "bin" / "xorriso", tmp_path / "said"
    tool.parent.mkdir()
    tool.write_text(FAKE)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("XORRISO_SAID", str(said))
    monkeypatch.setenv("XORRISO_ENDS", "0")
    iso, folder = tmp_path / "pve.iso", tmp_path / "private"
    iso.write_bytes(b"image")
    folder.mkdir(mode=0o700)
    target = pve.prepare(pve.Image(path=iso, sha256=hashlib.sha256(b"image").hexdigest()), folder)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["install.iso"]
    assert iso.read_bytes() == b"image"
    password = tomllib.loads(Path(f"{said}.answer.toml").read_text())["global"]["root-password"]
    assert len(password) >= 24
    assert password not in said.read_text()
    assert Path(f"{said}.proxmox-first-boot").read_text() == pve.FIRST_BOOT.read_text()
    assert Path(f"{said}.auto-installer-mode.toml").read_text() == answer.MODE


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without xorriso one line says how to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Problem, match="apt install xorriso"):
        pve.prepare(pve.Image(path=tmp_path / "x", sha256="0" * 64), tmp_path)
