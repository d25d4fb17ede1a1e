"""What a node stands on: a machine that is made up, or the one that this runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pvenet.sim.machine.lacks import NO_LACKS, Lacks

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.sim.kernel.value import Kernel
    from pvenet.sim.machine.folder import NodeFolder
    from pvenet.sim.machine.machine import Machine
    from pvenet.sim.machine.tasks import Task


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a reload, or a staging call, is told to do by faults."""

    exit_code: int | None = None
    log: tuple[str, ...] = ()
    whole: bool = False
    """A failed reload has applied everything all the same."""
    hangs: bool = False
    late: float = 0.0
    """Seconds for which the task's lists don't show it."""
    never_up: frozenset[str] = frozenset()
    silent: float | None = None
    """Seconds for which the way to the node is lost; -1: for good."""
    cut_off: bool = False
    """Its peers don't reach it either."""
    locked: bool = False
    """Somebody else holds the lock of the interfaces file."""
    lost_guests: frozenset[int] = frozenset()
    """Running guests whose ports leave their bridges."""
    lost_links: frozenset[int] = frozenset()
    """Links to the cluster that die."""
    lacks: Lacks = NO_LACKS
    """What the kernel does not get, whatever the reload says."""
    report_seconds: float | None = None
    """How long a report takes, in place of what the sim's configuration says."""
    report_odd: bool = False
    """The network section of reports has a form that nobody knows."""


NO_ORDERS = Orders()
LOCKED = "can't lock file '/etc/network/.pve-interfaces.lock' - got timeout"
"""What is said to a call that waited for that lock in vain (E078)."""


@dataclass(frozen=True, kw_only=True)
class Reload:
    """A reload that somebody has asked for."""

    node: NodeFolder
    machine: Machine
    """As it is when the reload starts."""
    now: float
    user: str
    seconds: float
    """How long one takes, where that can be chosen."""
    frr: bool
    """FRR's configuration is to be made anew."""
    orders: Orders

    @property
    def listed_from(self) -> float:
        """When the lists show its task."""
        return self.now + self.orders.late if self.orders.late else 0.0


@dataclass(frozen=True, kw_only=True)
class ReportForm:
    """What a server writes into a report."""

    iproute2: str
    """The release of `ip`."""
    ethtool: bool
    """It asks `ethtool` about NICs."""
    version: str
    """The server's own."""


class Backend(Protocol):
    """The places where the API meets the machine: `machine/simulated.py` and `system/this_machine.py`."""

    @property
    def real(self) -> bool:
        """Whether what it does happens to the machine that this runs on."""

    def observe(self, machine: Machine) -> Machine:
        """The machine of this description, with the links that it has now."""

    def advance(self, node: NodeFolder, now: float) -> Machine:
        """The machine as it is now; what has happened since the last request is written down."""

    def kernel(self, node: NodeFolder, machine: Machine, now: float) -> Kernel:
        """What the kernel has at this moment."""

    def report(self, node: NodeFolder, machine: Machine, now: float, form: ReportForm) -> Callable[[], str]:
        """The report of this moment; what is returned writes it, while nobody holds the folder."""

    def reload(self, wanted: Reload) -> str:
        """Take what is staged and start `ifreload -a`; the UPID of its task."""

    def stop(self, node: NodeFolder, number: str, task: Task, now: float) -> None:
        """Interrupt a running task: what it had done stays done."""
