"""What the caller may do on a node, and what is lost without each right. Pure. pve-api#enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.access import ZONE, audit_grants, effective, grants, hiding, lock_grants
from pvenet.doctor.finding import Finding, bad, good, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.access import Permissions


@dataclass(frozen=True, kw_only=True)
class Right:
    """A privilege, where it is needed, and what for."""

    privilege: str
    path: str
    """`{node}` stands for the node's name."""
    use: str
    lost: str
    needed: bool = False
    """Nothing can be changed without it."""

    @property
    def check(self) -> str:
        """How the check is called."""
        return f"{self.privilege} /" if self.path == "/" else self.privilege


RIGHTS = (
    Right(
        privilege="Sys.Audit",
        path="/nodes/{node}",
        use="see the network, the kernel and the tasks",
        lost="nothing of the node is visible",
        needed=True,
    ),
    Right(
        privilege="Sys.Modify",
        path="/nodes/{node}",
        use="stage, apply and roll back",
        lost="nothing can be changed",
        needed=True,
    ),
    Right(
        privilege="SDN.Audit",
        path=ZONE,
        use="see every bridge and its ports",
        lost="bridges are missing, and no change can be planned",
        needed=True,
    ),
    Right(
        privilege="VM.Audit",
        path="/vms",
        use="know which guests a change hits",
        lost="which guests a change hits is not known",
    ),
    Right(
        privilege="Sys.Audit",
        path="/",
        use="see quorum, cluster links, HA and /etc/hosts",
        lost="quorum, cluster links, HA and /etc/hosts are not visible",
    ),
    Right(
        privilege="SDN.Allocate",
        path="/sdn",
        use="hold the SDN lock",
        lost="--sdn-lock can't be used, and an SDN apply may come in between",
    ),
)
CHECKS = tuple(right.check for right in RIGHTS)


def right_findings(held: Permissions, who: str, node: str) -> Iterator[Finding]:
    """A line for each right."""
    for right in RIGHTS:
        path = right.path.format(node=node)
        lacking = hiding(held) if path == ZONE else None if right.privilege in effective(held, path) else path
        if lacking is None:
            yield good(right.check, f"on {path}: to {right.use}")
            continue
        tell = bad if right.needed else warning
        lines = "\n  ".join(_grants(right, who, lacking, node))
        yield tell(right.check, f"missing on {lacking}: {right.lost}", f"on the node, as root:\n  {lines}")


def _grants(right: Right, who: str, path: str, node: str) -> tuple[str, ...]:
    if right.needed:
        return grants(who, path, node)
    return lock_grants(who) if right.privilege == "SDN.Allocate" else audit_grants(who, path)
