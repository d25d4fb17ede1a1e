"""The kind `pve`: Proxmox VE itself, installed from its image, which the user has to bring.

    PVENET_PVE_ISO=proxmox-ve_9.x.iso PVENET_PVE_ISO_SHA256=... scripts/nested-vm up --kind pve

The installation happens once, into a disk image that is kept by the digest of what went into it and never booted
itself. Each `up` boots a throw-away view of it, for which it is the first boot: a hook makes a new API token there and
hands it over through a virtio-serial port, which qemu writes into a file that only its owner can read.

Not run: PVE's image could not be had where this was written. The tests cover what is pure here; the commands for the
image and qemu's arguments were tried with an image and a disk that hold nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vm import answer
from vm.monitor import SOCKET
from vm.nics import NICS, mac
from vm.problem import CannotBeHad, Problem
from vm.qemu import networks, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vm.qemu import Ports

FIRST_BOOT = Path(__file__).parent / "pve-first-boot"
DISK_SIZE = "16G"
MEMORY = "4096"
CHUNK = 1 << 20
TOKEN = "token"
"""The file into which the guest writes what it hands over."""
PORT = "pvenet.token"
KEYS = "opt/pvenet/authorized_keys"


@dataclass(frozen=True, kw_only=True)
class Image:
    """PVE's installer image, as the environment names it."""

    path: Path
    sha256: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Image:
        """The image and what it has to be; raises CannotBeHad where either is not said."""
        path, sha256 = environ.get("PVENET_PVE_ISO", ""), environ.get("PVENET_PVE_ISO_SHA256", "").strip().lower()
        if not path or not sha256:
            raise CannotBeHad(
                "the kind pve needs PVE's installer image: set PVENET_PVE_ISO to its path and "
                "PVENET_PVE_ISO_SHA256 to the checksum that Proxmox publishes beside it"
            )
        if not re.fullmatch("[0-9a-f]{64}", sha256):
            raise Problem("PVENET_PVE_ISO_SHA256 is no SHA-256: it has 64 hexadecimal digits")
        return cls(path=Path(path), sha256=sha256)

    def check(self) -> None:
        """Read the whole image; raises Problem where it is not the one that is meant."""
        digest = hashlib.sha256()
        try:
            with self.path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise CannotBeHad(f"{self.path} can't be read: {error.strerror}") from None
        if digest.hexdigest() != self.sha256:
            raise Problem(
                f"{self.path} is not the image that PVENET_PVE_ISO_SHA256 names: it has {digest.hexdigest()}; "
                "fetch it again, or correct the checksum"
            )


@dataclass(frozen=True, kw_only=True)
class Handed:
    """What the first boot hands over."""

    token_id: str
    token_secret: str = field(repr=False)
    fingerprint: str

    @classmethod
    def parse(cls, text: str) -> Handed | None:
        """What has come through the port so far; None while the line is not whole. Raises Problem for an error."""
        lines = [line for line in text.split("\n")[:-1] if line.strip()]
        if not lines:
            return None
        try:
            told = json.loads(lines[-1])
            if "error" in told:
                raise Problem(f"PVE's first boot failed: {told['error']}")
            token = told["token"]
            found = cls(
                token_id=token["full-tokenid"],
                token_secret=token["value"],
                fingerprint=told["fingerprint"].rpartition("=")[2],
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Problem("PVE's first boot handed over something that is no token") from None
        if not re.fullmatch("([0-9A-F]{2}:){31}[0-9A-F]{2}", found.fingerprint):
            raise Problem("PVE's first boot handed over something that is no fingerprint")
        return found


def macs() -> dict[str, str]:
    """The NICs' addresses by their names."""
    return {name: mac(name) for name in NICS}


def digest(image: Image) -> str:
    """Of everything that an installed disk is made of, but for the password."""
    parts = (image.sha256, answer.answer(password="", macs=macs()), FIRST_BOOT.read_text("utf-8"), DISK_SIZE)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def installed(image: Image, cache: Path) -> Path:
    """Where the disk stands on which this image is installed, whether or not it is."""
    return cache / f"pve-{digest(image)}.qcow2"


def making(disk: Path) -> list[str]:
    """The command that makes an empty disk."""
    return ["qemu-img", "create", "-q", "-f", "qcow2", str(disk), DISK_SIZE]


def prepare(image: Image, folder: Path) -> Path:
    """An image that installs by itself, in a folder that only its owner can read; raises Problem."""
    if not shutil.which("xorriso"):
        raise CannotBeHad("xorriso is missing, which adds the answers to PVE's image: apt install xorriso")
    image.check()
    date = answer.volume_date(run(answer.asking(image.path)))
    target = folder / "install.iso"
    password = secrets.token_urlsafe(24)  # nobody needs it again: the hook lets a key in
    texts = {"mode": answer.MODE, "answer": answer.answer(password=password, macs=macs())}
    texts["first-boot"] = FIRST_BOOT.read_text("utf-8")
    files = {kind: folder / kind for kind in texts}
    try:
        for kind, path in files.items():
            path.touch(mode=0o700 if kind == "first-boot" else 0o600)
            path.write_text(texts[kind], encoding="utf-8")
        run(answer.copying(image.path, target))
        target.chmod(0o600)
        run(answer.adding(target, date, files))
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)
    return target


def run(command: list[str]) -> str:
    """What a program printed; raises Problem where it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # xorriso ends with 5 where a file is not there: what it printed says which
    if done.returncode and command[:2] != ["xorriso", "-indev"]:
        raise Problem(f"{command[0]} failed with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


def install_arguments(disk: Path, iso: Path, ports: Ports) -> list[str]:
    """The arguments of qemu for the installation, in its folder: an end when it is done.

    SeaBIOS with an IDE drive, as the image's boot loader is told to fail with SeaBIOS, q35 and SATA.
    """
    return [
        *_machine(disk, ports),
        *("-drive", f"file={quoted(iso)},if=none,id=cd,media=cdrom,readonly=on", "-no-reboot"),
        *("-device", "ide-cd,drive=cd,bootindex=0"),
    ]


def boot_arguments(disk: Path, ports: Ports) -> list[str]:
    """The arguments of qemu for use, in the VM's folder, where `install.furnish` has put what they name."""
    return [
        *_machine(disk, ports),
        *("-snapshot", "-device", "virtio-serial-pci,id=ports", "-chardev", f"file,id=token,path={TOKEN}"),
        *("-device", f"virtserialport,bus=ports.0,chardev=token,name={PORT}"),
        *("-fw_cfg", f"name={KEYS},file=authorized_keys"),
    ]


def _machine(disk: Path, ports: Ports) -> list[str]:
    """The same in installation and use, in the same order, so that every device stays where it was."""
    return [
        *("-name", "pvenet-pve", "-machine", "pc", "-m", MEMORY, "-smp", "2"),
        *("-nodefaults", "-display", "none", "-vga", "std"),
        *("-vnc", "unix:screen"),  # the installer says nothing on a serial port
        *("-serial", "file:console.log", "-qmp", f"unix:{SOCKET},server=on,wait=off"),
        *("-drive", f"file={quoted(disk)},if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap"),
        *("-device", "virtio-blk-pci,drive=disk,bootindex=1"),
        *networks(ports),
    ]
