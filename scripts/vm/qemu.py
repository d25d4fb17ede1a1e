"""How qemu is called: the machine, its disks, its networks and cables."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vm.monitor import SOCKET
from vm.nics import CABLES, MANAGEMENT, NICS, NO_JUMBO, SECOND, USUAL_MTU, mac
from vm.problem import CannotBeHad

if TYPE_CHECKING:
    from pathlib import Path

    from vm.image import Image

PROGRAM = "qemu-system-x86_64"
API_PORT, SSH_PORT = 8006, 22
TOLD = "told"
"""The file for what the machine tells of itself, in the folder in which it is kept."""
KVM = ("-accel", "kvm", "-cpu", "host")
EMULATION = ("-accel", "tcg,thread=multi,tb-size=128", "-cpu", "qemu64,-cx16,-svm")
"""Without CMPXCHG16B, which qemu 7.2 emulates wrongly; and with no more memory for translated code than it needs."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """On loopback: the API over the management bridge, the API over the second way, and SSH over that."""

    api: int
    second: int
    ssh: int


def program() -> str:
    """Raises CannotBeHad where there is no qemu."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise CannotBeHad(f"there is no {PROGRAM}; Debian: apt install qemu-system-x86")
    return found


def kvm_may_work() -> bool:
    return os.access("/dev/kvm", os.R_OK | os.W_OK)


def arguments(image: Image, delivery: Path, ports: Ports, accelerator: tuple[str, ...]) -> list[str]:
    """For a debian machine; its files are relative to the folder in which it is kept."""
    # What was written a second ago outlives a power cut: half a minute of doubt would make every test of one a lottery.
    disk = "root=/dev/nvme0n1 rw rootwait rootflags=commit=1,nodelalloc"
    return [
        *("-name", "pvenet-debian", "-nodefaults", "-display", "none", "-smp", "2", "-m", "640"),
        *accelerator,
        *("-kernel", str(image.kernel), "-append", f"{disk} console=ttyS0 loglevel=5 mitigations=off"),
        *("-drive", f"file={quoted(image.disk)},format=raw,if=none,id=root,snapshot=on,cache=unsafe"),
        # The one kind of disk that the kernel knows without modules. One alone: their names are given in any order.
        *("-device", "nvme,drive=root,serial=root"),
        *("-drive", f"file={quoted(delivery)},format=raw,if=virtio,readonly=on"),
        *("-device", "virtio-rng-pci", "-serial", "file:console.log"),
        *("-chardev", f"file,id=told,path={TOLD}", "-device", "virtio-serial-pci,id=ports"),
        *("-device", "virtserialport,bus=ports.0,chardev=told,name=pvenet.told"),
        *("-qmp", f"unix:{SOCKET},server=on,wait=off"),
        *networks(ports),
    ]


def networks(ports: Ports) -> list[str]:
    """Six NICs: two with a way from the host each, four cabled in pairs."""
    backends = {
        MANAGEMENT: user("10.0.2.0/24", {ports.api: f"10.0.2.15:{API_PORT}"}),
        SECOND: user("10.0.3.0/24", {ports.second: f"10.0.3.15:{API_PORT}", ports.ssh: f"10.0.3.15:{SSH_PORT}"}),
    }
    for number, cable in enumerate(CABLES, start=1):
        backends |= dict.fromkeys(cable, f"hubport,hubid={number}")
    found = []
    for nic in NICS:
        kind, _, rest = backends[nic].partition(",")
        found += ["-netdev", f"{kind},id=net-{nic},{rest}"]
        # LACP bundles links of a known speed only
        device = f"virtio-net-pci,netdev=net-{nic},id={nic},mac={mac(nic)},speed=1000,duplex=full,romfile="
        found += ["-device", f"{device},host_mtu={USUAL_MTU}" if nic in NO_JUMBO else device]
    return found


def user(network: str, forwards: dict[int, str]) -> str:
    """A network of qemu's own, from which nothing leads out; ports of loopback lead in."""
    ways = (f"hostfwd=tcp:127.0.0.1:{port}-{inside}" for port, inside in forwards.items())
    return ",".join(("user", f"net={network}", "restrict=on", *ways))


def quoted(path: Path) -> str:
    """As qemu takes a path that may have commas."""
    return str(path).replace(",", ",,")
