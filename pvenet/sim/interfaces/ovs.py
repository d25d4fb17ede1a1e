"""Open vSwitch in the file: what PVE keeps among the words of `ovs_options`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pvenet.sim.interfaces.model import Interface, Property

TAGGED = ("OVSPort", "OVSIntPort", "OVSBond")
"""The types whose tag is a word of `ovs_options`; a bridge's `ovs_tag` is an option of its own (walk 5000)."""

MODES = {
    "active-backup": ("bond_mode=active-backup",),
    "balance-slb": ("bond_mode=balance-slb",),
    "lacp-balance-slb": ("bond_mode=balance-slb", "lacp=active"),
    "lacp-balance-tcp": ("bond_mode=balance-tcp", "lacp=active"),
}
"""Bond modes as the API spells them, and the words that stand for each in the file."""


def read_options(kind: str, properties: dict[str, Property]) -> None:
    """Take the tag and the bond mode out of `ovs_options`; they are properties of their own."""
    words = str(properties.get("ovs_options") or "").split()
    taken: set[str] = set()
    if kind in TAGGED:
        for word in words:
            if word.startswith("tag="):
                properties["ovs_tag"] = word.removeprefix("tag=")
                taken.add(word)
    if kind == "OVSBond":
        taken |= _read_mode(words, properties)
    if taken:
        rest = " ".join(word for word in words if word not in taken)
        properties["ovs_options"] = rest
        if not rest:
            del properties["ovs_options"]


def _read_mode(words: list[str], properties: dict[str, Property]) -> set[str]:
    mode = [word for word in words if word.startswith("bond_mode=")]
    lacp = [word for word in words if word.startswith("lacp=")]
    if mode:
        name = mode[-1].removeprefix("bond_mode=")
        properties["bond_mode"] = f"lacp-{name}" if "lacp=active" in lacp else name
    return {*mode, *lacp}


def option_words(interface: Interface) -> list[str]:
    """The words of `ovs_options` as they are written; PVE's order of them is random (pve-api#ovs-options)."""
    words = list(interface.words("ovs_options"))
    if interface.type in TAGGED and (tag := interface.text("ovs_tag")):
        words = [*(word for word in words if not word.startswith("tag=")), f"tag={tag}"]
    if interface.type == "OVSBond":
        words = [word for word in words if not word.startswith(("bond_mode=", "lacp="))]
        words += MODES[interface.text("bond_mode") or "active-backup"]  # walk 5012
    return words
