"""Bring a machine up: start qemu, see that it boots, wait until its API answers on both ways."""

from __future__ import annotations

import re
import secrets
import sys
import time
import uuid
from pathlib import Path

from vm import guest_api, image, kept, qemu
from vm.kept import Machine
from vm.launch import launch, settings
from vm.monitor import monitor
from vm.problem import CannotBeHad, Problem

KIND = "debian"
KVM_SECONDS = 15.0
"""By when a machine must have come to its own programs, where the host's processor runs it."""
BOOT_SECONDS = 240.0
"""By when the API must answer; under emulation on two busy processors."""
IN_USERSPACE = "Welcome to"
PANIC = "Kernel panic"
TAIL = 1000
POLL_SECONDS = 0.5
COLOURS = re.compile("\x1b\\[[0-9;?]*[A-Za-z]")


class KernelGaveUp(CannotBeHad):
    """The machine's kernel has stopped while it booted: emulated, it does so now and then, and not the next time."""


def up() -> Machine:
    """A machine whose API answers. Raises CannotBeHad and Problem; leaves nothing running then."""
    qemu.program()
    booted = image.image()
    folder = kept.place(KIND)
    secret = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
    private = {
        "authorized_keys": guest_api.make_key(folder),
        "host_key": guest_api.make_host_key(folder),
        "secret": f"{secret}\n",
    }
    guest_api.deliver(folder / "delivery.tar", private)
    started = time.monotonic()
    try:
        try:
            machine, fingerprint = _booted(booted, secret)
        except KernelGaveUp as problem:
            print(f"{problem}\nit boots once more", file=sys.stderr)
            _end_what_runs()
            machine, fingerprint = _booted(booted, secret)
    except BaseException:
        _end_what_runs()
        kept.forget(KIND)
        raise
    machine = Machine(**{**vars(machine), "boot_seconds": round(time.monotonic() - started, 1)})
    kept.save(machine)
    kept.write_private(folder / "env", kept.exports(settings(machine, guest_api.TOKEN_ID, secret, fingerprint)))
    return machine


def _booted(booted: image.Image, secret: str) -> tuple[Machine, str]:
    """A machine whose API answers, and the fingerprint of its certificate."""
    deadline = time.monotonic() + BOOT_SECONDS
    machine = _running(booted)
    return machine, _wait(machine, secret, deadline)


def _end_what_runs() -> None:
    if left := kept.found(KIND):
        left.end()


def _running(booted: image.Image) -> Machine:
    """A machine that boots: by KVM where that works here, else emulated."""
    if qemu.kvm_may_work() and not _failed_before():
        try:
            machine = _start(booted, qemu.KVM, "kvm")
        except CannotBeHad as problem:  # for another reason, perhaps: then emulation says so, too
            print(f"with KVM, {problem}: emulating", file=sys.stderr)
            return _start(booted, qemu.EMULATION, "emulation")
        if _comes_to_userspace(machine):
            return machine
        machine.end()
        _no_kvm().write_text(_boot_id())
        print(f"KVM does not work here (no userspace within {KVM_SECONDS:.0f} s): emulating", file=sys.stderr)
    else:
        why = "it did not work here before" if qemu.kvm_may_work() else "there is no /dev/kvm that may be used"
        print(f"without KVM ({why}): emulating", file=sys.stderr)
    return _start(booted, qemu.EMULATION, "emulation")


def _start(booted: image.Image, accelerator: tuple[str, ...], name: str) -> Machine:
    ports = kept.free_ports()
    words = qemu.arguments(booted, kept.place(KIND) / "delivery.tar", ports, accelerator)
    return launch(KIND, words, ports, name)


def _comes_to_userspace(machine: Machine) -> bool:
    deadline = time.monotonic() + KVM_SECONDS
    while machine.runs and time.monotonic() < deadline:
        if IN_USERSPACE in console():
            return True
        if _stuck():
            return False
        time.sleep(0.2)
    return False


def _stuck() -> bool:
    """Whether qemu itself has given up: KVM could not emulate an instruction."""
    try:
        with monitor(kept.place(KIND)) as it:
            return str(it.ask("query-status")["status"]) not in {"running", "prelaunch"}
    except Problem:
        return False


def _no_kvm() -> Path:
    path = image.cache() / "no-kvm"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _failed_before() -> bool:
    """Since this host has booted."""
    return _no_kvm().exists() and _no_kvm().read_text() == _boot_id()


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text()


def _wait(machine: Machine, secret: str, deadline: float) -> str:
    """Until the API answers on both ways; the fingerprint of its certificate. Raises CannotBeHad and Problem."""
    fingerprint = wait_for_api(machine, deadline=deadline)
    ways = (machine.ports.api, machine.ports.second)
    while not all(guest_api.answers(port, secret, fingerprint) for port in ways):
        _look(machine, deadline)
    return fingerprint


def wait_for_api(machine: Machine, *, since: int = 0, deadline: float | None = None) -> str:
    """Until the API has started once more than it had; its fingerprint. Raises CannotBeHad and Problem."""
    if deadline is None:
        deadline = time.monotonic() + BOOT_SECONDS
    while len(said := guest_api.told(kept.place(machine.kind))) <= since:
        _look(machine, deadline)
    if "error" in said[-1]:
        raise Problem(f"the API does not start in the machine: {said[-1]['error']}")
    return said[-1]["fingerprint"]


def _look(machine: Machine, deadline: float) -> None:
    """Wait a moment, where there is still something to wait for. Raises CannotBeHad."""
    if not machine.runs:
        raise CannotBeHad(f"the machine has ended while it booted; its last words:\n{last_words()}")
    if PANIC in console():
        raise KernelGaveUp(f"its kernel gave up; the console's last lines:\n{last_words()}")
    if time.monotonic() > deadline:
        raise CannotBeHad(f"its API did not answer in {BOOT_SECONDS:.0f} s; the console's last lines:\n{last_words()}")
    time.sleep(POLL_SECONDS)


def last_words() -> str:
    return "\n".join(line for line in (console() or "(none)").splitlines() if line)[-TAIL:]


def console() -> str:
    """What the machine has printed, without what only moves a terminal's cursor."""
    path = kept.place(KIND) / "console.log"
    return COLOURS.sub("", path.read_text(errors="replace")) if path.exists() else ""
