"""What the kernel holds to between links, and between a link's flags and its state. A text without that is not true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.kernel import words
from pvenet.kernel.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pvenet.kernel.ip_lines import Block

_FLAGS = frozenset(
    (
        *("LOOPBACK", "BROADCAST", "POINTOPOINT", "MULTICAST", "NOARP", "ALLMULTI", "PROMISC", "MASTER", "SLAVE"),
        *("DEBUG", "DYNAMIC", "AUTOMEDIA", "PORTSEL", "NOTRAILERS", "UP", "LOWER_UP", "DORMANT", "ECHO"),
        *("NO-CARRIER", "M-DOWN"),
    )
)
_STATES = frozenset(("UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"))
_RUNNING = ("UP", "UNKNOWN")


def check(blocks: Sequence[Block]) -> None:
    """Raises Unreadable.

    Nothing is made of the order: until Linux 6.9 links come by the last byte of their index.
    """
    by_name = {block.name: block for block in blocks}
    altnames = [name for block in blocks if "altname" not in block.made_up for name in block.altnames]
    if not blocks or len({block.index for block in blocks}) < len(blocks) or len(by_name) < len(blocks):
        raise Unreadable("a link is listed twice, or none at all")
    if len({*altnames, *by_name}) < len(altnames) + len(by_name):
        raise Unreadable("two links have one name")
    members: dict[str, set[str]] = {}
    for block in blocks:
        _check_state(block)
        _check_master(block, by_name, members)
        _check_parent(block, by_name)
        _check_labels(block, by_name)
    for block in blocks:
        _check_slaves(block, members.get(block.name, set()))


def _check_state(block: Block) -> None:
    """pve-api#ip-header. NO-CARRIER is ip's word for a link that is up and does not run."""
    flags, state = block.flags, words.choice(words.required(block.header, "state"), _STATES)
    up, carrier, without = ("UP" in flags), ("LOWER_UP" in flags), ("NO-CARRIER" in flags)
    if not flags <= _FLAGS:
        raise Unreadable("a flag is none")
    sound = without != (state in _RUNNING) and (carrier or without) if up else not carrier and not without
    if not sound or not (up or state in ("DOWN", "NOTPRESENT")):
        raise Unreadable("a link's flags are not those of its state")


def _check_master(block: Block, by_name: Mapping[str, Block], members: dict[str, set[str]]) -> None:
    """Who has a master has a line of what it is to it, which begins with the master's kind."""
    name = words.after(block.header, "master")
    slave_of = block.slave[0].removesuffix("_slave") if block.slave else None
    if name is not None:
        master = by_name.get(name)
        if master is None or slave_of is None or master.kind[:1] != (slave_of,):
            raise Unreadable("a link's master is not there, or of another kind")
        members.setdefault(name, set()).add(block.name)
    if slave_of == "bridge" and "LOWER_UP" not in block.flags and words.after(block.slave, "state") != "disabled":
        raise Unreadable("a port without carrier is not disabled")
    if (name is None) != (slave_of is None) or ("SLAVE" in block.flags) != (slave_of == "bond"):
        raise Unreadable("a link has a master, or has none")


def _check_parent(block: Block, by_name: Mapping[str, Block]) -> None:
    here = block.at is not None and "link-netnsid" not in block.link and block.at != "NONE"
    parent = by_name.get(block.at or "")
    if here and parent is None:
        raise Unreadable("what a link is on top of is not there")
    if block.at is not None and not block.kind:
        raise Unreadable("a link is on top of another one, but has no kind")
    if block.kind[:1] == ("vlan",) and block.at is None:
        raise Unreadable("a VLAN is on top of nothing")
    if here and parent and block.kind[0] == "veth" and (parent.at, parent.kind[:1]) != (block.name, ("veth",)):
        raise Unreadable("a veth is not its peer's peer")


def _check_labels(block: Block, by_name: Mapping[str, Block]) -> None:
    """An address of IPv4 ends with the name of its link, or with one that is no other link's."""
    for line in block.addresses:
        owner = line.words[-1].partition(":")[0]
        if line.words[0] == "inet" and owner != block.name and owner in by_name:
            raise Unreadable("an address is another link's")


def _check_slaves(block: Block, members: set[str]) -> None:
    is_bond = block.kind[:1] == ("bond",)
    if ("MASTER" in block.flags) != (is_bond or block.kind[:1] == ("vrf",)):
        raise Unreadable("a link is a bond, or is none")
    if is_bond:
        named = {words.after(block.kind, "active_slave"), words.after(block.kind, "primary")} - {None}
        if not named <= members:
            raise Unreadable("a bond names a slave that it does not have")
