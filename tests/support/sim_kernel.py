"""The kernel of a simulated node, and in what two of them differ."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from pvenet.sim.machine.kernel import kernel_of

if TYPE_CHECKING:
    from sim_client import Client

    from pvenet.sim.kernel.value import Kernel, Link


def kernel(client: Client) -> Kernel:
    """What the node has when its client's clock says what it says."""
    return kernel_of(client.node, client.node.advance(client.now), client.now)


def link(found: Kernel, name: str) -> Link:
    """A link that must be there."""
    there = found.link(name)
    assert there is not None, f"{name} is not there"
    return there


def differences(one: Kernel, other: Kernel) -> dict[str, set[str]]:
    """The links of two kernels that are not alike, and in what; the order in which they were made apart."""
    names = {each.name for each in (*one.links, *other.links)}
    found = {name: _differences(one.link(name), other.link(name)) for name in sorted(names)}
    return {name: what for name, what in found.items() if what}


def _differences(one: Link | None, other: Link | None) -> set[str]:
    if one is None or other is None:
        return {"there"}
    names = {field.name for field in fields(one)} - {"index"}
    return {name for name in names if getattr(one, name) != getattr(other, name)}
