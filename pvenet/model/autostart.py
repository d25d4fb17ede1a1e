"""What a network brings up by itself. pve-api#active."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.model.interfaces import Bond, Bridge, beneath, is_kept_down, kind_of
from pvenet.model.typed import typed

if TYPE_CHECKING:
    from pvenet.model.interfaces import Interface
    from pvenet.model.network import Network

STARTED = frozenset({"eth", "bond", "bridge", "vlan", "OVSBridge", "OVSIntPort", "OVSPort"})
"""The kinds whose `autostart` brings up a link that the kernel shows."""


def should_be_active(network: Network) -> frozenset[str]:
    """Interfaces with autostart, and the ports and slaves beneath them, but for what a line of its own keeps down.

    A VLAN's raw device follows from the VLAN.
    """
    should = set()
    for name, interface in network.interfaces.items():
        if interface.autostart and kind_of(interface) in STARTED:
            should.add(name)
            should.update(_all_beneath(interface, network))
    return frozenset(name for name in should if not is_kept_down(network.interfaces[name]))


def _all_beneath(interface: Interface, network: Network) -> set[str]:
    """The ports and slaves beneath an interface, and what is beneath those."""
    found: set[str] = set()
    waiting = [interface]
    for each in waiting:  # it grows while it is walked
        if isinstance(typed(each), Bond | Bridge):
            new = {name for name in beneath(each) if name in network.interfaces} - found
            found |= new
            waiting += [network.interfaces[name] for name in new]
    return found
