"""Open vSwitch in the file: what PVE keeps among the words of `ovs_options`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.sim.interfaces.characters import words

if TYPE_CHECKING:
    from pvenet.sim.interfaces.model import Interface, Property

PORTS = ("OVSPort", "OVSIntPort", "OVSBond")
"""What a bridge of Open vSwitch has; their tag is a word of `ovs_options`. A bridge's `ovs_tag` is an option."""

MODES = {
    "active-backup": "active-backup",
    "balance-slb": "balance-slb",
    "lacp-balance-slb": "balance-slb",
    "lacp-balance-tcp": "balance-tcp",
}
"""Bond modes as the API spells them, and as the file does, which says `lacp=active` besides."""


def read_options(kind: str, properties: dict[str, Property]) -> None:
    """Take the tag and the bond mode out of `ovs_options`; they are properties of their own (pve-api#f49)."""
    if kind not in PORTS:
        return
    options = _options(str(properties.pop("ovs_options", None) or ""))
    if "tag" in options:
        properties["ovs_tag"] = options.pop("tag")  # pve-api#f50
    if kind == "OVSBond":
        properties["bond_mode"] = _mode(options.pop("bond_mode", None), options.pop("lacp", None))
    if options:
        properties["ovs_options"] = _text(options)


def _options(text: str) -> dict[str, str]:
    """Words with an equals sign, the last of each key."""
    pairs = (word.partition("=") for word in words(text))
    return {key: value for key, equals, value in pairs if equals}


def _text(options: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in options.items())


def _mode(mode: str | None, lacp: str | None) -> str | None:
    """The mode as the API spells it (pve-api#f51)."""
    if mode == "balance-tcp" or (mode == "balance-slb" and lacp == "active"):
        return f"lacp-{mode}"
    return mode


def mode_of(interface: Interface) -> str:
    """The mode of an OVSBond that is written."""
    mode = interface.text("bond_mode")
    return "active-backup" if mode in {"", "0"} else mode


def written_options(interface: Interface) -> str:
    """`ovs_options` as they are written (pve-api#f83, pve-api#f84). PVE's order of the words is random."""
    text, tag = interface.text("ovs_options"), interface.given("ovs_tag")
    if interface.type != "OVSBond" and not tag:
        return text
    options = _options(text)
    if tag:
        options["tag"] = tag
    if interface.type == "OVSBond":
        mode = mode_of(interface)
        options.pop("lacp", None)
        options["bond_mode"] = MODES[mode]
        if mode.startswith("lacp-"):
            options["lacp"] = "active"
    return _text(options)
