"""What is said of one thing in the picture of a node, beside its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.model import (
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    typed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.kernel.links import BondStatus, KernelLink, Report
    from pvenet.model import Interface


_WORDS: dict[type[Interface], str] = {
    Ethernet: "NIC",
    Bond: "bond",
    Bridge: "bridge",
    OvsBridge: "OVS bridge",
    OvsBond: "OVS bond",
    OvsIntPort: "OVS port",
    OvsPort: "NIC",
}


_MODE = "bond_mode "
"""What stands before the mode that can't be read."""


def facts(interface: Interface, link: KernelLink | None, report: Report | None) -> tuple[str, ...]:
    """What it is first, then what makes it that, and its addresses."""
    mtu = (f"MTU {interface.mtu}",) if interface.mtu else ()
    return (*_own(interface, link, report), *address_facts(interface, link), *mtu)


def address_facts(interface: Interface, link: KernelLink | None) -> tuple[str, ...]:
    """Addresses and gateways, of the file; where it says `dhcp` or `auto`, those that the kernel was given."""
    given = [interface.cidr, interface.cidr6]
    words = [str(each) for each in given if each]
    for method in sorted({interface.file_only.method, interface.file_only.method6} & {"dhcp", "auto"}):
        words.append(method)
        family = 4 if method == interface.file_only.method else 6
        had = (each.address for each in (link.addresses if link else None) or () if each.scope == "global")
        words += [str(each) for each in had if each.version == family and each not in given]
    return (*words, *(f"gateway {each}" for each in (interface.gateway, interface.gateway6) if each))


def _own(given: Interface, link: KernelLink | None, report: Report | None) -> Iterator[str]:
    interface = typed(given)
    if isinstance(interface, Vlan):
        yield f"VLAN {interface.tag}" if interface.tag is not None else "VLAN"
        return
    yield interface.kind if isinstance(interface, Other) else _WORDS[type(interface)]
    match interface:
        case Bond():
            yield _unread_mode(given) or interface.mode
            if link and link.bond:
                yield from _bond(interface, link.bond, report)
        case OvsBond():
            yield _unread_mode(given) or interface.mode
            yield from _tag(interface.tag)
        case Bridge() if interface.vlan_aware:
            yield f"VLANs {' '.join(interface.vids)}" if interface.vids else "VLAN-aware"
        case OvsIntPort():
            yield from _tag(interface.tag)
        case _:
            pass


def _unread_mode(interface: Interface) -> str:
    """The mode of a bond as the file has it, where it is none that can be read."""
    values = interface.unread if isinstance(interface, Other) else ()
    return next((value.removeprefix(_MODE) for value in values if value.startswith(_MODE)), "")


def _tag(tag: int | None) -> Iterator[str]:
    if tag is not None:
        yield f"tag {tag}"


def _bond(wanted: Bond, status: BondStatus, report: Report | None) -> Iterator[str]:
    """What the kernel says of it: who has not joined, who is active, whether the switch answers."""
    joined = sum(link.master == wanted.name for link in (report.links.values() if report else ()))
    if joined < len(set(wanted.slaves)):
        yield f"{joined} of {len(set(wanted.slaves))} slaves"
    if status.active_slave and status.mode == BondMode.ACTIVE_BACKUP:
        yield f"active {status.active_slave}"
    if status.mode == BondMode.LACP:
        yield f"LACP partner {status.partner_mac}" if status.partner_mac else "no LACP partner"
