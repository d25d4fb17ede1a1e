"""Bring a machine of the kind `pve` up: install it where it is not yet, boot it, wait for its token and its API.

Not run with PVE's image: see vm.pve. Emulated it would take long, and nobody knows how long.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from vm import guest_api, image, install, kept, pve, qemu
from vm.launch import launch, settings
from vm.problem import Problem

if TYPE_CHECKING:
    from vm.kept import Machine

KIND = "pve"
API_SECONDS = 120.0
"""From the token to an answer on both ways; the hook has seen the API answer by then."""


def up() -> Machine:
    """A machine whose API answers. Raises CannotBeHad and Problem; leaves nothing running then."""
    qemu.program()
    accelerator, name = (qemu.KVM, "kvm") if qemu.kvm_may_work() else (qemu.EMULATION, "emulation")
    if accelerator is not qemu.KVM:
        print("without KVM (there is no /dev/kvm that may be used): emulating, which takes long", file=sys.stderr)
    disk = install.disk(pve.Image.of(os.environ), image.cache(), accelerator, _say)
    folder = kept.place(KIND)
    install.furnish(folder, guest_api.make_key(folder))
    begun = time.monotonic()
    ports = kept.free_ports()
    machine = launch(KIND, [*accelerator, *pve.boot_arguments(disk, ports)], ports, name)
    try:
        handed = install.token(folder, lambda: machine.runs)
        _wait(machine, handed)
    except BaseException:
        machine.end()
        kept.forget(KIND)
        raise
    machine = replace(machine, boot_seconds=round(time.monotonic() - begun, 1))
    kept.save(machine)
    kept.write_private(
        folder / "env", kept.exports(settings(machine, handed.token_id, handed.token_secret, handed.fingerprint))
    )
    return machine


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _wait(machine: Machine, handed: pve.Handed) -> None:
    """Until the API answers on both ways."""
    deadline = time.monotonic() + API_SECONDS
    while time.monotonic() < deadline:
        if not machine.runs:
            raise Problem("qemu has ended before PVE's API answered")
        ways = (machine.ports.api, machine.ports.second)
        if all(guest_api.answers(port, handed.token_secret, handed.fingerprint, handed.token_id) for port in ways):
            return
        time.sleep(install.POLL_SECONDS)
    raise Problem(f"PVE's API did not answer on both ways within {API_SECONDS:.0f} s")
