"""How long the simulated node's file and the planner take for 10, 100 and 1,000 interfaces, in process.

Half of the interfaces are NICs and half are bridges with a port and an address each. The plan passes every port on to
the next bridge, which no single step can do.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pvenet import wire
from pvenet.kernel.report import read_report
from pvenet.model import Bridge, Network
from pvenet.plan import plan, problems
from pvenet.sim import interfaces
from pvenet.sim.interfaces import Host
from pvenet.sim.kernel.report import Facts, report
from pvenet.sim.machine.hardware import Guest
from pvenet.sim.machine.kernel import kernel_of
from pvenet.sim.machine.machine import Machine
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.changes import Desired

SIZES = (10, 100, 1000)
RUNS = 5


def main() -> None:
    """Measure and print."""
    print(f"medians of {RUNS} runs in process, milliseconds; growth: 1,000 over 100")
    print(f"{'interfaces':45}" + "".join(f"{size:>9,}" for size in SIZES) + "   growth")
    files = {size: file(size) for size in SIZES}
    seen = {size: read(files[size]) for size in SIZES}
    row("the sim reads the file and lists it", [timed(lambda size=size: read(files[size])) for size in SIZES])
    row("the sim writes it with one more interface", [timed(lambda size=size: written(files[size])) for size in SIZES])
    row("the sim shows the difference", [timed(difference(files[size])) for size in SIZES])
    row("pvenet looks for problems", [timed(lambda n=seen[size]: problems(n, passed_on(n))) for size in SIZES])
    reports = {size: report_of(size) for size in SIZES}
    row(
        "pvenet reads a report of so many links",
        [timed(lambda text=reports[size]: read_report(text)) for size in SIZES],
    )
    row("pvenet plans", [timed(lambda n=seen[size]: plan(n, passed_on(n))) for size in SIZES])


def report_of(size: int) -> str:
    """The report of a node with so many links: guests behind the firewall have four each."""
    guests = tuple(Guest(vmid=100 + n, index=0, bridge="vmbr0", firewall=True) for n in range(size // 4))
    with tempfile.TemporaryDirectory() as folder:
        node = Sim(Path(folder)).node("pve1")
        node.interfaces.parent.mkdir(parents=True)
        node.interfaces.write_text("auto vmbr0\niface vmbr0 inet manual\n\tbridge-ports none\n")
        machine = Machine.fresh((), node.applied()).but(guests=guests)
        kernel = kernel_of(node, machine, time.time())
    return report(Facts(node="pve1", now=0.0, kernel=kernel, files={}))


def host(size: int) -> Host:
    """A machine with the file's NICs."""
    return Host(nics={f"ens{number}": () for number in range(size // 2)}, up=frozenset())


def file(size: int) -> str:
    """A file of so many interfaces, as PVE writes it."""
    nics = "".join(f"iface ens{number} inet manual\n\n" for number in range(size // 2))
    bridges = "".join(
        f"auto vmbr{n}\niface vmbr{n} inet static\n\taddress 10.{n // 250}.{n % 250}.1/24\n\tbridge-ports ens{n}\n"
        f"\tbridge-stp off\n\tbridge-fd 0\n#bridge {n}\n\n"
        for n in range(size // 2)
    )
    return interfaces.rewrite(interfaces.parse(nics + bridges, host(size)), host(size))


def read(text: str) -> Network:
    """The file as the client sees it."""
    return wire.network(interfaces.listing(interfaces.parse(text, host(0))))


def written(text: str) -> str:
    """The file after one staging call, reading included."""
    machine = host(0)
    return interfaces.create(
        interfaces.parse(text, machine), {"iface": "bond9", "type": "bond", "autostart": 1}, machine
    )


def difference(text: str) -> Callable[[], object]:
    """The diff that a listing shows after it."""
    new = written(text)
    return lambda: interfaces.changes(text, new)


def passed_on(current: Network) -> Desired:
    """Every bridge with the port of the one before."""
    bridges = [each for each in current.interfaces.values() if isinstance(each, Bridge)]
    return {
        each.name: replace(each, ports=before.ports)
        for each, before in zip(bridges, [bridges[-1], *bridges[:-1]], strict=True)
    }


def timed(work: Callable[[], object]) -> float:
    """The median milliseconds of some work."""
    seconds = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return 1000 * statistics.median(seconds)


def row(what: str, milliseconds: list[float]) -> None:
    """Print the figures of one job, and how much the last ten times the interfaces cost."""
    figures = "".join(f"{each:9.1f}" for each in milliseconds)
    print(f"{what:45}{figures}   {milliseconds[-1] / milliseconds[-2]:.1f}")


if __name__ == "__main__":
    main()
