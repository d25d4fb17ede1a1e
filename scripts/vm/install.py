"""Installs PVE once, and waits for what its first boot hands over. Not run with PVE's image: see vm.pve."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vm import kept, pve, qemu
from vm.problem import CannotBeHad, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INSTALL_SECONDS = 1800.0
"""With KVM it takes about two minutes; emulated, nobody knows."""
TOKEN_SECONDS = 300.0
POLL_SECONDS = 0.5
SCREEN = "while it runs, a VNC viewer on the socket `screen` in its folder shows what it waits for"


def disk(image: pve.Image, cache: Path, accelerator: Sequence[str], say: Callable[[str], None]) -> Path:
    """The disk with PVE on it, out of the cache or installed now; raises Problem.

    The accelerator is qemu's arguments for it, `-accel kvm -cpu host` say.
    """
    place = pve.installed(image, cache)
    if not place.exists():
        if not shutil.which("qemu-img"):
            raise CannotBeHad("qemu-img is missing: apt install qemu-utils")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=cache) as hidden:
            _install(image, Path(hidden), accelerator, say).rename(place)
    return place


def _install(image: pve.Image, folder: Path, accelerator: Sequence[str], say: Callable[[str], None]) -> Path:
    """Install into a disk in this folder, which only its owner can read: the image in it holds root's password."""
    say("checking PVE's image")
    iso, new = pve.prepare(image, folder), folder / "disk.qcow2"
    pve.run(pve.making(new))
    say(f"installing PVE (once, minutes) in {folder}; {SCREEN}")
    begun = time.monotonic()
    command = [qemu.program(), *accelerator, *pve.install_arguments(new, iso, kept.free_ports())]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise Problem(f"PVE's installation has not ended in {INSTALL_SECONDS:.0f} s; {SCREEN}") from None
    if done.returncode:
        raise Problem(f"qemu failed with {done.returncode}: {done.stderr.strip()[-300:]}")
    say(f"installed PVE in {time.monotonic() - begun:.0f} s")
    return new


def furnish(folder: Path, public_key: str) -> None:
    """What `pve.boot_arguments` expects in the VM's folder: an empty file for the token, and the key to let in."""
    for name, text in ((pve.TOKEN, ""), ("authorized_keys", public_key)):
        (folder / name).unlink(missing_ok=True)
        kept.write_private(folder / name, text)


def token(
    folder: Path,
    alive: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> pve.Handed:
    """Wait for what the first boot hands over; raises Problem where it failed, qemu ended, or nothing comes."""
    limit = clock() + TOKEN_SECONDS
    while True:
        running = alive()  # asked first: what qemu wrote before its end counts
        handed = pve.Handed.parse((folder / pve.TOKEN).read_text(encoding="utf-8", errors="replace"))
        if handed is not None:
            return handed
        if not running:
            raise Problem("qemu has ended before PVE's first boot handed over a token")
        if clock() > limit:
            raise Problem(f"PVE's first boot has handed over no token in {TOKEN_SECONDS:.0f} s")
        sleep(POLL_SECONDS)
