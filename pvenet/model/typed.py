"""Interfaces as PVE's rules between them take them: by their type, whatever else their stanzas hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args, overload

from pvenet.model.interfaces import Ethernet, Interface, Other, settable

if TYPE_CHECKING:
    from collections.abc import Mapping

_TYPES: Mapping[str, type[Interface]] = {kind.type: kind for kind in get_args(Interface) if kind is not Other}

_BENEATH = {
    "bond": "slaves",
    "OVSBond": "slaves",
    "bridge": "ports",
    "OVSBridge": "ports",
    "vlan": "raw_device",
    "OVSIntPort": "bridge",
}
"""The field that says what one of a kind stands on."""

_COMMON = ("name", *settable(Ethernet), "file_only")


def own_values(interface: Interface) -> tuple[tuple[str, Any], ...]:
    """What an interface has beside what every kind has, and beside what it stands on."""
    shared = (*_COMMON, _BENEATH.get(interface.type))
    return tuple((name, getattr(interface, name)) for name in settable(type(interface)) if name not in shared)


@overload
def typed(interface: Interface) -> Interface: ...
@overload
def typed(interface: Interface | None) -> Interface | None: ...
def typed(interface: Interface | None) -> Interface | None:
    """An interface as one of its kind, with what can be read of it; itself where its kind is not modelled.

    One value that can't be read makes an `Other` of a bond, and a bond it is all the same for whatever is on it or
    beneath it (pve-api#f61, pve-api#f63). Rules that ask what an interface is ask it of this; what compares or writes
    values takes the interface itself, because a value that could not be read is none here.
    """
    if not isinstance(interface, Other) or (kind := _TYPES.get(interface.kind)) is None:
        return interface
    fields: dict[str, Any] = {name: getattr(interface, name) for name in _COMMON}
    fields |= dict(interface.own)
    if field := _BENEATH.get(interface.kind):
        many = field in ("slaves", "ports")
        fields[field] = interface.beneath if many else next(iter(interface.beneath), None)
    return kind(**fields)
