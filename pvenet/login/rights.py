"""What a token of pvenet's may do, and why. Pure. The table is that of pve-api#enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pvenet.access import ADMIN, AUDIT, GUESTS, LOCK, ZONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Scope: TypeAlias = Literal["change", "read-only", "full"]
"""How much: look and change, look alone, or with guests and the SDN lock."""


@dataclass(frozen=True, kw_only=True)
class Right:
    """Privileges on a path, by a role that has them."""

    privileges: tuple[str, ...]
    path: str
    role: str
    purpose: str
    propagate: bool = True
    """They are handed down to the paths beneath."""


def rights(scope: Scope, nodes: Sequence[str] = ()) -> tuple[Right, ...]:
    """What is needed for a scope, on these nodes or on all."""
    return tuple(_rights(scope, nodes))


def _rights(scope: Scope, nodes: Sequence[str]) -> Iterator[Right]:
    changing = scope != "read-only"
    role = ADMIN if changing else AUDIT
    for path in [f"/nodes/{node}" for node in nodes] or ["/nodes"]:
        if changing:
            own = ("Sys.Audit", "Sys.Modify")
            yield Right(privileges=own, path=path, role=role, purpose="read, stage, reload, revert")
        else:
            yield Right(privileges=("Sys.Audit",), path=path, role=role, purpose="read network, tasks, reports")
    yield Right(privileges=("SDN.Audit",), path=ZONE, role=role, purpose="see the bridges")
    yield Right(privileges=("Sys.Audit",), path="/", role=AUDIT, purpose="quorum, cluster links", propagate=False)
    if scope == "full":
        yield Right(privileges=("VM.Audit",), path="/vms", role=GUESTS, purpose="name the affected guests")
        lock = "hold the SDN lock"
        yield Right(privileges=("SDN.Allocate",), path="/sdn", role=LOCK, purpose=lock, propagate=False)


def lacking(wanted: Sequence[Right], held: Mapping[str, frozenset[str]]) -> tuple[Right, ...]:
    """The rights that are not held; `held` tells the privileges of each of their paths."""
    return tuple(right for right in wanted if not set(right.privileges) <= held.get(right.path, frozenset()))
