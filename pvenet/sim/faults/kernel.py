"""Faults that no flag shows: every link is up, the task says OK, and the kernel has something else than the file says.

Cables and switches stay as they are from the request on, also for later commands: they are in `machine.json`. What a
reload does not bring, the next one does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet.sim.faults.kind import Kind, seconds
from pvenet.sim.files import SimError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from pvenet.sim.faults.foreign import Act
    from pvenet.sim.faults.scene import Scene
    from pvenet.sim.machine.machine import Machine
    from pvenet.sim.state import Node, Sim

TOO_LONG = 45.0
"""Seconds of a report for which PVE does not wait: pve-api#report-cut-off."""


def _cables(change: Callable[[Machine, str], Machine]) -> Callable[[Scene, str], Scene]:
    """Somebody does something to what the machine is cabled to, just before."""

    def play(scene: Scene, value: str) -> Scene:
        return scene.but(foreign=(*scene.foreign, _act(value)))

    def _act(value: str) -> Act:
        def act(node: Node, _sim: Sim, _now: float) -> None:
            try:
                node.save(change(node.machine(), value))
            except LookupError:
                raise SimError(
                    f"there is no NIC {value} on {node.name}, only {', '.join(node.machine().nics)}"
                ) from None

        return act

    return play


def _pulled(machine: Machine, nic: str) -> Machine:
    if nic not in machine.nics:
        raise LookupError(nic)
    return machine.but(hardware={**machine.hardware, nic: machine.nic(nic).but(carrier=False)})


def _slow(scene: Scene, value: str) -> Scene:
    takes = seconds(value)
    return _cables(lambda machine, _: machine.but(lacp_takes=takes))(scene, value)


def _lacking(name: str) -> Callable[[Scene, str], Scene]:
    """The next reload does not bring this; several of them add up."""

    def play(scene: Scene, value: str) -> Scene:
        lacks = scene.orders.lacks
        changed: Any = getattr(lacks, name) | {value} if value else True
        return scene.order(lacks=replace(lacks, **{name: changed}))

    return play


def _report(scene: Scene, value: str) -> Scene:
    return scene.order(report_seconds=seconds(value))


KINDS: Mapping[str, Kind] = {
    "no-carrier": Kind(
        about="the cable of this NIC is pulled just before, and stays out",
        when="request",
        play=_cables(_pulled),
        value="NIC",
        made_up=True,
    ),
    "no-partner": Kind(
        about="the switch does not answer this bond's LACP from here on, even if the bond comes later",
        when="request",
        play=_cables(lambda machine, bond: machine.but(partnerless=machine.partnerless | {bond})),
        value="BOND",
        made_up=True,
    ),
    "partner-splits": Kind(
        about="the last slave of this bond leads to a different switch from here on",
        when="request",
        play=_cables(lambda machine, bond: machine.but(split=machine.split | {bond})),
        value="BOND",
        made_up=True,
    ),
    "lacp-takes": Kind(
        about="LACP takes this long after a reload that creates or changes a bond",
        when="request",
        play=_slow,
        value="SECONDS",
        made_up=True,
    ),
    "not-joined": Kind(
        about="this slave does not join its bond, or leaves it",
        when="reload",
        play=_lacking("slaves"),
        value="SLAVE",
        made_up=True,
    ),
    "port-missing": Kind(
        about="this port does not join its bridge, or leaves it",
        when="reload",
        play=_lacking("ports"),
        value="PORT",
        made_up=True,
    ),
    "mtu-stays": Kind(
        about="this interface keeps the MTU that it had",
        when="reload",
        play=_lacking("mtus"),
        value="IFACE",
        made_up=True,
    ),
    "address-missing": Kind(
        about="this interface has none of its addresses",
        when="reload",
        play=_lacking("addresses"),
        value="IFACE",
        made_up=True,
    ),
    "route-missing": Kind(
        about="there is no default route",
        when="reload",
        play=_lacking("routes"),
        made_up=True,
    ),
    "report-slow": Kind(
        about="the node's report takes this long; after 30 s the answer is 596",
        when="lasting",
        play=_report,
        value="SECONDS",
    ),
    "report-too-late": Kind(
        about="the node's report takes longer than PVE waits: 596 after 30 s",
        when="lasting",
        play=lambda scene, _: scene.order(report_seconds=TOO_LONG),
    ),
    "report-odd": Kind(
        about="the network section of the node's report has an unknown form",
        when="lasting",
        play=lambda scene, _: scene.order(report_odd=True),
    ),
}
