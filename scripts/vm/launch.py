"""What the kinds have in common: starting qemu, and telling how to reach what it runs."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from vm import kept, qemu
from vm.kept import Machine
from vm.nics import FREE
from vm.problem import CannotBeHad

if TYPE_CHECKING:
    from vm.qemu import Ports

NODE = "vm1"


def launch(kind: str, arguments: list[str], ports: Ports, accelerator: str) -> Machine:
    """Start qemu in the machine's folder, and know it from now on. Raises CannotBeHad where it ends at once."""
    folder = kept.place(kind)
    (folder / "console.log").unlink(missing_ok=True)
    with (folder / "qemu.log").open("w") as log:
        process = subprocess.Popen(
            [qemu.program(), *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    time.sleep(0.2)
    since = kept.started(process.pid)
    if process.poll() is not None or since is None:
        raise CannotBeHad(f"qemu does not start: {(folder / 'qemu.log').read_text().strip() or 'it does not say why'}")
    machine = Machine(
        kind=kind, pid=process.pid, started=since, since=time.time(), accelerator=accelerator, ports=ports
    )
    kept.save(machine)
    return machine


def settings(machine: Machine, token_id: str, secret: str, fingerprint: str) -> dict[str, str]:
    """How to reach it, and what tests may do to it."""
    return {
        "PVENET_ENDPOINT": f"https://127.0.0.1:{machine.ports.api}",
        "PVENET_TOKEN_ID": token_id,
        "PVENET_TOKEN_SECRET": secret,
        "PVENET_FINGERPRINT": fingerprint,
        "PVENET_NODE": NODE,
        "PVENET_LIVE_VM": machine.kind,
        "PVENET_LIVE_SECOND": f"https://127.0.0.1:{machine.ports.second}",
        "PVENET_LIVE_NICS": ",".join(FREE),
        "PVENET_LIVE_SHELL": f"scripts/nested-vm --kind {machine.kind} ssh --",
    }
