"""`scripts/nested-vm`: bring the machine up, look into it, break it, throw it away."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from vm import boot, guest_api, kept, pve_boot, tools
from vm.monitor import monitor
from vm.nics import NICS, ends
from vm.problem import CannotBeHad, Problem

if TYPE_CHECKING:
    from vm.kept import Machine

KINDS = {"debian": boot.up, "pve": pve_boot.up}
CANNOT = 77
"""The exit code that says: not here, for a reason that was told."""


def main() -> int:
    given = _parser().parse_args()
    try:
        return int(given.run(given) or 0)
    except CannotBeHad as problem:
        print(f"scripts/nested-vm: {problem}", file=sys.stderr)
        return CANNOT
    except Problem as problem:
        print(f"scripts/nested-vm: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("scripts/nested-vm: interrupted; nothing is left running", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/nested-vm", description=__doc__)
    parser.add_argument("--kind", choices=tuple(KINDS), default="debian")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for run, about in (
        (up, "build what is missing, boot, and wait until the API answers; print how to reach it"),
        (down, "throw the machine away"),
        (status, "say whether it is up (exit 0) or not (1)"),
        (env, "print how to reach the one that is up"),
        (ssh, "run a command in it as root; a shell without one"),
        (cable, "pull or plug a NIC's cable"),
        (reset, "cut its power and give it back, and wait until its API has started; what is on its disk stays"),
        (missing, "print the Debian packages that it needs and this machine lacks"),
    ):
        command = commands.add_parser(run.__name__, help=about, description=about)
        command.set_defaults(run=run)
        # also behind the command, where it must not undo what was said before it
        command.add_argument("--kind", choices=tuple(KINDS), default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if run is status:
            command.add_argument("--json", action="store_true")
        if run is ssh:
            command.add_argument("words", nargs=argparse.REMAINDER, metavar="[--] COMMAND...")
        if run is cable:
            command.add_argument("nic", choices=NICS)
            command.add_argument("position", choices=("on", "off"))
    return parser


def up(given: argparse.Namespace) -> None:
    tools.need(given.kind)
    with kept.held(given.kind):
        machine = kept.found(given.kind)
        if machine is None or not machine.boot_seconds:
            if machine is not None:
                machine.end()  # what an `up` that was killed has left
            machine = KINDS[given.kind]()
            print(f"up in {machine.boot_seconds:.0f} s ({machine.accelerator})", file=sys.stderr)
    env(given)


def down(given: argparse.Namespace) -> None:
    with kept.held(given.kind):
        machine = kept.found(given.kind)
        if machine is None:
            print(f"no {given.kind} machine is up", file=sys.stderr)
            return
        machine.end()
        kept.forget(given.kind)
        print(f"the {given.kind} machine is down, and nothing is left of it", file=sys.stderr)


def status(given: argparse.Namespace) -> int:
    machine = kept.found(given.kind)
    if given.json:
        print(json.dumps({"up": machine is not None, **(asdict(machine) if machine else {"kind": given.kind})}))
    elif machine is None:
        print(f"{given.kind}: down")
    else:
        age, ports = time.time() - machine.since, machine.ports
        print(
            f"{machine.kind}: up for {age:.0f} s by {machine.accelerator}, process {machine.pid}, "
            f"API on 127.0.0.1:{ports.api} and :{ports.second}, SSH on :{ports.ssh}"
        )
    return 0 if machine else 1


def env(given: argparse.Namespace) -> None:
    _up(given)
    sys.stdout.write((kept.place(given.kind) / "env").read_text())


def ssh(given: argparse.Namespace) -> None:
    machine = _up(given)
    words = given.words[1:] if given.words[:1] == ["--"] else given.words
    command = guest_api.ssh_words(given.kind, machine.ports.ssh)
    os.execvp(command[0], [*command, *words])  # as root over there, by a key of ours


def cable(given: argparse.Namespace) -> None:
    _up(given)
    with monitor(kept.place(given.kind)) as it:
        for nic in ends(given.nic):
            it.ask("set_link", name=nic, up=given.position == "on")


def reset(given: argparse.Namespace) -> None:
    machine = _up(given)
    before = len(guest_api.told(kept.place(given.kind)))
    with monitor(kept.place(given.kind)) as it:
        it.ask("system_reset")
    if given.kind == boot.KIND:  # a PVE tells of itself at its first boot only
        boot.wait_for_api(machine, since=before)


def missing(given: argparse.Namespace) -> None:
    for package in tools.lacking(given.kind):
        print(package)


def _up(given: argparse.Namespace) -> Machine:
    machine = kept.found(given.kind)
    if machine is None:
        raise Problem(f"no {given.kind} machine is up; `scripts/nested-vm up` brings one up")
    return machine


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)  # what is half up goes away then, too
    sys.exit(main())
