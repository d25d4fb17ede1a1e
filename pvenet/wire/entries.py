"""What the entries of a listing have to be, so that `wire` can read them: from a node, and from a journal."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LISTS = ("altnames", "families", "options", "options6")
_TEXTS = ("iface", "type", "method", "method6", "bond-primary", "ovs_bridge", "vlan-raw-device")
_FAMILIES = frozenset({"inet", "inet6", None})
"""None is a stanza that names none (pve-api#f13)."""

_PLAIN = (str, int, float, NoneType)
"""What can be read as a text."""


def unreadable(entries: Iterable[Mapping[str, Any]]) -> str:
    """Why entries can't be read at all: a clause; empty where they can."""
    return next((why for entry in entries if (why := _wrong(entry))), "")


def _wrong(entry: Mapping[str, Any]) -> str:
    name = entry.get("iface")
    if name in (None, ""):
        return "an entry has no iface"
    if "\n" in str(name):
        return "an interface's name contains a line break"
    texts = [key for key in _TEXTS if key in entry and not isinstance(entry[key], _PLAIN)]
    if texts:
        return f"its {texts[0]} is neither text nor a number"
    lists = [key for key in _LISTS if key in entry and not _is_list(entry[key])]
    if lists:
        return f"its {lists[0]} is not a list of texts"
    if not _FAMILIES.issuperset(entry.get("families") or ()):
        return "its families are not inet and inet6"
    return "" if _is_number(entry.get("priority")) else "its priority is not a number"


def _is_list(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, list | tuple) and all(isinstance(item, _PLAIN) for item in value)


def _is_number(value: object) -> bool:
    if value in (None, ""):
        return True
    try:
        int(str(value))
    except ValueError:
        return False
    return True
