"""The report of this machine: what its own commands print, and its own files, in PVE's order."""

from __future__ import annotations

import subprocess
from email.utils import formatdate
from typing import TYPE_CHECKING

from pvenet.sim.files import read_file
from pvenet.sim.kernel.report import INTERFACES, NETWORK_COMMANDS, compose

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pvenet.sim.machine.backend import ReportForm

SECONDS = 10.0
"""What PVE gives a command. pve-api#report-cut-off."""


def report(name: str, now: float, nics: Sequence[str], network: Path, form: ReportForm) -> str:
    """The text of this moment: what tells of the network in full, of the rest next to nothing."""
    printed = {"hostname": f"{name}\n", "date -R": f"{formatdate(now)}\n", "pveversion --verbose": f"{form.version}\n"}
    printed |= {line: run(line) for line in NETWORK_COMMANDS}
    settings = {nic: run(f"ethtool {nic}") for nic in sorted(nics)} if form.ethtool else {}
    return compose(printed, files(network), settings)


def files(network: Path) -> dict[str, str]:
    """What is applied, and what is sourced, by the paths that a node has; in the order of the folder."""
    found = {INTERFACES: network / "interfaces"}
    folder = network / "interfaces.d"
    for path in folder.iterdir() if folder.is_dir() else ():
        found[f"{INTERFACES}.d/{path.name}"] = path
    return {path: read_file(place) for path, place in found.items() if place.is_file()}


def run(line: str, seconds: float = SECONDS) -> str:
    """What a command prints, errors included; one that takes too long is told as by PVE (K2-slow-007)."""
    out, words = subprocess.PIPE, line.split()
    try:
        done = subprocess.run(words, stdout=out, stderr=subprocess.STDOUT, check=False, timeout=seconds)  # noqa: S603  ours
    except subprocess.TimeoutExpired as late:
        return f"{_text(late.output or b'')}\nERROR: command '{line}' failed: got timeout\n"
    except OSError as error:
        return f"\nERROR: command '{line}' failed: {error.strerror}\n"
    return _text(done.stdout)


def _text(output: bytes) -> str:
    return output.decode("utf-8", "surrogateescape")
