"""What the simulated node claims of a reload, to be held against what a real machine did. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.sim.machine.releases import PVES
from pvenet.sim.machine.reload import applied, ifreload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from pvenet.sim.machine.machine import Machine
    from pvenet.sim.machine.releases import Release

EXIT_CODE = re.compile(r"command 'ifreload -a' failed: exit code (\d+)")


@dataclass(frozen=True, kw_only=True)
class Reload:
    """What a reload has come to."""

    exit_code: int
    log: tuple[str, ...]
    """Without the last line and without blanks at the ends, sorted: the order is not claimed."""
    up: frozenset[str]
    """Links that are up afterwards."""
    gone: frozenset[str]
    """Virtual links that were there before."""


def claimed(machine: Machine, text: str, release: Release = PVES) -> Reload:
    """What the sim says of a machine that gets a file; `Machine.fresh` is one that has booted with another."""
    outcome = ifreload(text, machine.nics, machine.up, machine.made, slaves=machine.slaves, release=release)
    up, made = applied(outcome.steps, machine.up, machine.made, machine.nics)
    gone = frozenset(machine.made) - made
    return Reload(exit_code=outcome.exit_code, log=_sorted(outcome.log), up=up, gone=gone)


def seen(
    exitstatus: str, log: Iterable[str], *, before: AbstractSet[str], after: AbstractSet[str], up: Iterable[str]
) -> Reload:
    """What a task said, and the kernel's links: those before, those after, and those of them that are up.

    Raises `ValueError` for a task whose command did not end by itself.
    """
    found = EXIT_CODE.fullmatch(exitstatus)
    if found is None and exitstatus != "OK":
        raise ValueError(f"no exit code in: {exitstatus}")
    lines = (line for line in log if not line.startswith("TASK "))
    code = int(found[1]) if found else 0
    return Reload(exit_code=code, log=_sorted(lines), up=frozenset(up), gone=frozenset(before - after))


def differences(claim: Reload, real: Reload) -> Iterator[str]:
    """A sentence for everything in which a claim is wrong."""
    if claim.exit_code != real.exit_code:
        yield f"exit code {real.exit_code}, claimed {claim.exit_code}"
    for line in real.log:
        if line not in claim.log:
            yield f"not claimed: {line}"
    for line in claim.log:
        if line not in real.log:
            yield f"claimed, and not said: {line}"
    for what, ours, theirs in (("up", claim.up, real.up), ("gone", claim.gone, real.gone)):
        if ours - theirs:
            yield f"claimed to be {what}: {', '.join(sorted(ours - theirs))}"
        if theirs - ours:
            yield f"{what}, and not claimed: {', '.join(sorted(theirs - ours))}"


def _sorted(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(line.strip() for line in lines))
