"""The rows of the bridges call to bridges and their ports. pve-api#bridges-answer.

PVE's types are not those of its schema (pve-api#bridges-types): numbers come as text and text as numbers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pvenet.kernel.links import BridgePorts, Port
from pvenet.kernel.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAME = re.compile(r"[^\s/]+")
_VLANS = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?", re.ASCII)
_VIDS = range(1, 4095)
_VMIDS = range(1, 10**9)


def read_bridges(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, BridgePorts]:
    """The bridges by name, sorted. Raises Unreadable, of which the message quotes nothing."""
    found = sorted((_bridge(row) for row in rows), key=lambda bridge: bridge.name)
    by_name = {bridge.name: bridge for bridge in found}
    if len(by_name) < len(found):
        raise Unreadable("a bridge is listed twice")
    return by_name


def _bridge(row: object) -> BridgePorts:
    fields = _object(row)
    if "vlan_filtering" not in fields:
        raise Unreadable("a bridge does not say whether the kernel has it")
    ports = tuple(sorted((_port(port) for port in _list(fields, "ports")), key=lambda port: port.name))
    if len({port.name for port in ports}) < len(ports):
        raise Unreadable("a port is listed twice")
    return BridgePorts(name=_name(fields), vlan_filtering=_switch(fields["vlan_filtering"]), ports=ports)


def _port(row: object) -> Port:
    """pve-api#bridges-guests."""
    fields = _object(row)
    return Port(
        name=_name(fields),
        vmid=_number(fields, "vmid", _VMIDS),
        index=_text(fields, "index"),
        primary_vlan=_number(fields, "primary_vlan", _VIDS),
        vlans=tuple(_vlans(word) for word in _list(fields, "vlans")),
    )


def _object(row: object) -> Mapping[str, Any]:
    if not isinstance(row, dict):
        raise Unreadable("a bridge or a port is not an object")
    return row


def _list(fields: Mapping[str, Any], key: str) -> Sequence[object]:
    value = fields.get(key)
    if value is None and key != "ports":
        return ()
    if not isinstance(value, list):
        raise Unreadable(f"{key} is not a list")
    return value


def _name(fields: Mapping[str, Any]) -> str:
    name = fields.get("name")
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise Unreadable("a bridge or a port has no name")
    return name


def _text(fields: Mapping[str, Any], key: str) -> str | None:
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"{key} is not text")
    return value or None


def _number(fields: Mapping[str, Any], key: str, within: range) -> int | None:
    """A number that comes as one, or as text."""
    value = fields.get(key)
    if value is None:
        return None
    text = str(value)
    if isinstance(value, bool | float) or not (text.isascii() and text.isdigit()) or int(text[:10]) not in within:
        raise Unreadable(f"{key} is not a valid number")
    return int(text)


def _switch(value: object) -> bool | None:
    """Null is a bridge that the kernel does not have. pve-api#bridges-null."""
    if value is None:
        return None
    if not isinstance(value, int | str) or str(int(value) if isinstance(value, bool) else value) not in ("0", "1"):
        raise Unreadable("vlan_filtering is neither on nor off")
    return str(int(value)) == "1"


def _vlans(word: object) -> str:
    text = str(word) if isinstance(word, int | str) and not isinstance(word, bool) else ""
    found = _VLANS.fullmatch(text)
    ends = [int(end) for end in found.groups() if end] if found else []
    if not ends or any(end not in _VIDS for end in ends) or ends != sorted(ends):
        raise Unreadable("a port has an invalid VLAN")
    return text
