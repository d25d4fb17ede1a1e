"""What a cluster's own network is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterLink:
    """One node's end of a link of corosync. pve-api#cluster-nodes."""

    node: str
    number: int
    address: str
    """As corosync's configuration has it: an address, or a name."""
    ip: str | None = None
    """The address itself; None for a name that nobody has looked up."""
