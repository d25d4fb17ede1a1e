"""One form for equal values: an interface as PVE keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from pvenet.model.interfaces import (
    ALL_VIDS,
    HASHING_MODES,
    OVS_BOND_WORDS,
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    Interface,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
)
from pvenet.model.names import from_vlan_name

BLANKS = " \t\n\r\f\v\x85\xa0"
"""What PVE cuts at the end of a line, which it takes byte by byte (pve-api#f2)."""


def kept_comments(text: str) -> str:
    """Comments as PVE lists them after it has written them: lines that each end in a newline.

    The blanks at a line's end go, with the last byte of letters such as `à`, and so do the lines at the end that are
    empty when they are written (pve-api#f18).
    """
    lines = text.replace("\r\n", "\n").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    return "".join(f"{_kept_line(line)}\n" for line in lines)


def _kept_line(line: str) -> str:
    written = line.encode("utf8", "surrogatepass").decode("latin-1").rstrip(BLANKS)
    return written.encode("latin-1").decode("utf8", "replace")


def canonical(interface: Interface) -> Interface:
    """The interface as PVE keeps it, so that two ways to say one thing compare equal.

    PVE sorts slaves and ports and lists each once (pve-api#field-ports), drops a primary outside active-backup, a hash
    policy outside balance-xor and 802.3ad, and vids without VLAN awareness, and fills in the vids of a VLAN-aware
    bridge (pve-api#auto-filled). It reads a VLAN's raw device and tag from its name where that says them
    (pve-api#field-vlan). A port of Open vSwitch starts with its bridge; its tag and its bond's mode are not among its
    options, whose words come in any order (pve-api#ovs-options). Comments are what PVE reads of its own lines.
    """
    if interface.comments and not isinstance(interface, Other):
        interface = with_values(interface, comments=kept_comments(interface.comments).rstrip("\n"))
    match interface:
        case Ethernet() | Other():
            return interface
        case Bond():
            return with_values(
                interface,
                slaves=tuple(sorted(set(interface.slaves))),
                primary=interface.primary if interface.mode is BondMode.ACTIVE_BACKUP else None,
                xmit_hash_policy=interface.xmit_hash_policy if interface.mode in HASHING_MODES else None,
            )
        case Bridge():
            vids = (interface.vids or ALL_VIDS) if interface.vlan_aware else ()
            return with_values(interface, ports=tuple(sorted(set(interface.ports))), vids=vids)
        case Vlan():
            if interface.raw_device and interface.tag is not None:
                return interface
            raw_device, tag = from_vlan_name(interface.name)
            return with_values(
                interface,
                raw_device=interface.raw_device or raw_device,
                tag=tag if interface.tag is None else interface.tag,
            )
        case OvsBridge() | OvsBond() | OvsIntPort() | OvsPort():
            return _canonical_ovs(interface)


_Kind = TypeVar("_Kind", bound="Interface")


def with_values(interface: _Kind, **values: Any) -> _Kind:
    """The interface with these values; itself where it has them, as most have: a copy takes several times as long."""
    for name, value in values.items():
        had = getattr(interface, name)
        if had is not value and had != value:
            return replace(interface, **values)
    return interface


def _canonical_ovs(interface: OvsBridge | OvsBond | OvsIntPort | OvsPort) -> Interface:
    match interface:
        case OvsBridge():
            ports = tuple(sorted(set(interface.ports)))
            return with_values(interface, ports=ports, options=_options(interface.options))
        case OvsBond():
            bond = _canonical_port(interface)
            slaves = tuple(sorted(set(bond.slaves)))
            return with_values(bond, slaves=slaves, options=_options(bond.options, but=OVS_BOND_WORDS))
        case OvsIntPort():
            return _canonical_port(interface)
        case OvsPort():
            return _canonical_port(interface)


_Port = TypeVar("_Port", OvsBond, OvsIntPort, OvsPort)


def _canonical_port(port: _Port) -> _Port:
    tags = [word.removeprefix("tag=") for word in port.options.split() if word.startswith("tag=")]
    tag = int(tags[-1]) if port.tag is None and tags and tags[-1].isdecimal() else port.tag
    return with_values(port, autostart=True, tag=tag, options=_options(port.options, but=("tag=",)))


def _options(text: str, *, but: tuple[str, ...] = ()) -> str:
    return " ".join(sorted({word for word in text.split() if not word.startswith(but)}))
