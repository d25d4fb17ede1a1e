"""The configuration of a sim: what is switched on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

from pvenet.sim.files import SimError, read_json

if TYPE_CHECKING:
    from pathlib import Path


WORDS = {"iproute2": ("6.15", "6.1")}
"""The switches that are words, and which."""


@dataclass(frozen=True, kw_only=True)
class SimConfig:
    """What `sim.json` holds. All the awkward sides are off until somebody switches them on."""

    workers: int = 0
    """Server processes that keep parsed files until one changes, so that flags freeze; 0: none."""
    idle_close: float = 0.0
    """Seconds after which an idle connection is closed; 0: never."""
    max_requests: int = 0
    """Requests after which a connection is closed; 0: never."""
    auth_delay: float = 0.0
    """Seconds that a failed authentication takes; PVE's is 3."""
    random_order: bool = False
    """Arrays come in another order each time, as PVE's do."""
    ovs: bool = False
    """Open vSwitch is installed."""
    ifupdown2: bool = True
    """ifupdown2 is installed."""
    reload_seconds: float = 0.3
    """How long `ifreload -a` takes."""
    report_seconds: float = 0.0
    """How long a report takes; PVE's 1 to 30."""
    iproute2: str = "6.15"
    """The release whose words a report has, `6.15` or `6.1` (PVE 8)."""
    ethtool: bool = True
    """Reports tell what `ethtool` says, as PVE's do since 9.2.7."""
    bridges_call: bool = True
    """The server knows the bridges call, as PVE does since 9.1."""

    sdn_lock: bool = True
    """The server knows the SDN lock, as PVE does since 9.0."""
    token_regenerate: bool = True
    """The server can give a token a new secret, as PVE does since 9.1."""
    clock_ahead: float = 0.0
    """Seconds by which the `Date` of its answers is ahead of this machine's clock."""
    pvestatd: bool = True
    """The cluster's list knows the state of guests, as pvestatd reports it."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises `SimError` for what is no switch or no value of one."""
        data = read_json(path)
        if unknown := set(data) - {field.name for field in fields(cls)}:
            raise SimError(f"{path} holds an unknown switch: {', '.join(sorted(unknown))}")
        for name, words in WORDS.items():
            if name in data and data[name] not in words:
                raise SimError(f"{path}: {name} must be {' or '.join(words)}, in quotes")
        if wrong := sorted(name for name in data.keys() - WORDS if not isinstance(data[name], int | float)):
            raise SimError(f"{path}: {', '.join(wrong)} must be a number, true or false")
        return cls(**data)
