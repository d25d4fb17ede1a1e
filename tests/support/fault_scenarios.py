"""What the fault matrix does to a node: the changes that it stages, one after another, and those made before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Interface
from typing import TYPE_CHECKING, TypeVar

from pvenet.model import Bond, BondMode, Bridge, Ethernet, Interface, Vlan, XmitHashPolicy

if TYPE_CHECKING:
    from pvenet.model import Network

Change = tuple[str, Callable[["Network"], Interface | None]]
Kind = TypeVar("Kind", Bond, Bridge, Ethernet)


def _there(kind: type[Kind], network: Network, name: str) -> Kind:
    found = network.interfaces[name]
    assert isinstance(found, kind)
    return found


def _made(interface: Interface) -> Change:
    return interface.name, lambda _: interface


def _gone(name: str) -> Change:
    return name, lambda _: None


WIDEN: Change = ("vmbr0", lambda now: replace(_there(Bridge, now, "vmbr0"), ports=("ens33", "ens37")))
BOND = _made(Bond(name="bond0", slaves=("ens38", "ens39")))
BRIDGE = _made(Bridge(name="vmbr1", ports=("bond0",), comments="For tagged traffic"))
SCENARIOS: Mapping[str, tuple[Change, ...]] = {
    "guests": (BOND, BRIDGE),
    "management": (WIDEN, BOND, BRIDGE),
    "armed": (BOND, BRIDGE),
    "unconfirmed": (BOND, BRIDGE),
    "delete": (_gone("vmbr1"), _gone("bond0")),
    "revert": (BOND, BRIDGE),
    "rollback": (),
}

LACP = _made(Bond(name="bond0", slaves=("ens38", "ens39"), mode=BondMode.LACP))
AWARE = _made(Bridge(name="vmbr1", ports=("bond0",), vlan_aware=True, vids=("2-4094",)))
HASHED: Change = (
    "bond0",
    lambda now: replace(
        _there(Bond, now, "bond0"), slaves=("ens38", "ens39", "ens40"), xmit_hash_policy=XmitHashPolicy.LAYER3_4
    ),
)
REHASHED: Change = (
    "bond0",
    lambda now: replace(_there(Bond, now, "bond0"), xmit_hash_policy=XmitHashPolicy.LAYER3_4),
)
"""Without a slave that is new, so that none may be outside of the LAG."""
JUMBO_PORT: Change = ("ens33", lambda now: replace(_there(Ethernet, now, "ens33"), mtu=9000))
JUMBO_BRIDGE: Change = ("vmbr0", lambda now: replace(_there(Bridge, now, "vmbr0"), mtu=9000))
TAGGED = _made(Vlan(name="ens40.50", cidr=IPv4Interface("10.50.0.2/24")))
MOVED: Change = (
    "vmbr0",
    lambda now: replace(_there(Bridge, now, "vmbr0"), ports=("ens33", "ens37"), gateway=IPv4Address("192.168.171.1")),
)
ELSEWHERE = _made(Bridge(name="vmbr2", ports=("ens40",), mtu=1400))
KERNEL_SCENARIOS: Mapping[str, tuple[Change, ...]] = {
    "lacp made": (LACP, AWARE),
    "lacp changed": (HASHED,),
    "beside lacp": (ELSEWHERE,),
    "beside hurt": (ELSEWHERE,),
    "hurt changed": (HASHED,),
    "path mtu": (JUMBO_PORT, JUMBO_BRIDGE),
    "vlan": (TAGGED,),
    "gateway": (MOVED,),
    "lacp rehashed": (REHASHED,),
}
"""Scenarios of which the kernel has something to say."""

PREPARED: Mapping[str, tuple[Change, ...]] = {
    "delete": (BOND, BRIDGE),
    "rollback": (BOND, BRIDGE),
    "lacp changed": (LACP, AWARE),
    "lacp rehashed": (LACP, AWARE),
    "beside lacp": (LACP, AWARE),
    "beside hurt": (LACP, AWARE),
    "hurt changed": (LACP, AWARE),
}
"""What was applied before."""
HURT: Mapping[str, tuple[str, ...]] = {
    "beside hurt": ("not-joined=ens39@PUT network", "port-missing=ens33@PUT network"),
    "hurt changed": ("not-joined=ens39@PUT network",),
}
"""What that did not bring; whoever does not bring it either is not to be blamed."""
