"""The problems of one interface by itself."""

from __future__ import annotations

import re
from ipaddress import IPv4Interface, IPv6Interface, IPv6Network
from typing import TYPE_CHECKING

from pvenet.limits import (
    DOCUMENTATION,
    LONGEST_NAME,
    MTUS,
    SHORTEST_PREFIX,
    TAGS,
    VIDS,
    line_end,
    refused,
    takes_name,
    takes_vids,
)
from pvenet.model import (
    HASHING_MODES,
    OVS_BOND_WORDS,
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
    from_vlan_name,
    kept_comments,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ipaddress import IPv4Address, IPv6Address

    from pvenet.plan.context import Context, Problem, Subject

_BOND = re.compile(r"bond\d+", re.ASCII)
"""The only names that PVE reads back as a bond; whatever has such a name is read as one (pve-api#bond-name)."""

_VIDS = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)

_LINK_LOCAL = IPv6Network("fe80::/10")


def of_one(subject: Subject, context: Context) -> Iterator[Problem]:
    """All problems that an interface has by itself."""
    if "name" in subject.changed:
        yield from _name(subject, context)
    if "mtu" in subject.changed and subject.after.mtu is not None and subject.after.mtu not in MTUS:
        message = f"mtu {subject.after.mtu} of {subject.name} is outside {MTUS[0]} to {MTUS[-1]}"
        yield subject.problem("mtu", message)
    yield from _comments(subject)
    for cidr, gateway in (("cidr", "gateway"), ("cidr6", "gateway6")):
        yield from _address(subject, cidr)
        if not subject.changed.isdisjoint((cidr, gateway)):
            yield from _gateway(subject, cidr, gateway)
    match subject.given:
        case Bond():
            yield from _bond(subject, subject.given)
        case Bridge():
            yield from _bridge(subject, subject.given)
        case Vlan():
            yield from _vlan(subject, subject.given)
        case OvsBridge() | OvsBond() | OvsIntPort() | OvsPort():
            yield from _ovs(subject, subject.given)
        case Ethernet() | Other():
            pass


def _name(subject: Subject, context: Context) -> Iterator[Problem]:
    name, after = subject.name, subject.after
    if not takes_name(name):
        rule = "two or more letters, digits and _, beginning with a letter"
        yield subject.problem("name", f"PVE does not take the name {name}: it wants {rule}")
    elif name == "lo":
        yield subject.problem("name", "lo is the loopback interface")
    elif len(name) > LONGEST_NAME:
        yield subject.problem("name", f"the name {name} has {len(name)} characters, and Linux takes {LONGEST_NAME}")
    elif isinstance(after, Bond):
        if not _BOND.fullmatch(name):
            message = f"PVE knows a bond by a name like bond0 only and would not recognize {name} as one"
            yield subject.problem("name", message, nearest=_free_bond(context))
    elif _BOND.fullmatch(name) and not isinstance(after, OvsBridge | OvsBond | OvsIntPort):  # its ovs_type tells
        yield subject.problem("name", f"PVE would take {name} for a bond because of its name")
    elif ":" in name or ("." in name and not isinstance(after, Vlan)):
        kind = "an alias" if ":" in name else "a VLAN"
        yield subject.problem("name", f"PVE would take {name} for {kind} because of its name")


def _comments(subject: Subject) -> Iterator[Problem]:
    """PVE writes a comment as it is, and ifupdown2 reads a carriage return in it as the end of the comment."""
    text = subject.given.comments.replace("\r\n", "\n")
    letter = line_end(text)
    if letter and "comments" in subject.changed:
        message = f"comments of {subject.name} hold {letter!a}, which ends a line: what follows it could be run"
        yield subject.problem("comments", message, ascii(text))
    elif "comments" in subject.changed and (cut := [line for line in text.split("\n") if _cut(line)]):
        message = f"PVE cuts the last letter of `{cut[0]}` in the comments of {subject.name}, and keeps U+FFFD for it"
        yield subject.problem("comments", message, warning=True)


def _cut(line: str) -> bool:
    """Whether PVE takes the last byte of a letter for a blank (pve-api#f2)."""
    return kept_comments(line).count("\ufffd") > line.count("\ufffd")


def _free_bond(context: Context) -> str:
    return next(name for number in range(len(context.then) + 1) if (name := f"bond{number}") not in context.then)


def _address(subject: Subject, field: str) -> Iterator[Problem]:
    address: IPv4Interface | IPv6Interface | None = getattr(subject.after, field)
    if address is None or field not in subject.changed:
        return
    if address.network.prefixlen < SHORTEST_PREFIX:
        family = f"IPv{address.version} addresses with a prefix of {SHORTEST_PREFIX} to {address.max_prefixlen}"
        yield subject.problem(field, f"PVE takes {family}, not {address}")
    if address.ip.is_multicast or address.ip.is_unspecified or address.ip.is_loopback:
        yield subject.problem(field, f"{address.ip} is not an address that {subject.name} can have")
    elif isinstance(address, IPv6Interface) and address in DOCUMENTATION:
        yield subject.problem(field, f"PVE refuses {address.ip}: {DOCUMENTATION} is for documentation only")
    elif isinstance(address, IPv6Interface) and address.network.prefixlen >= SHORTEST_PREFIX and refused(address):
        yield subject.problem(field, f"PVE refuses {address.ip}: it is in none of the nets that hosts use")


def _gateway(subject: Subject, field: str, key: str) -> Iterator[Problem]:
    address: IPv4Interface | IPv6Interface | None = getattr(subject.after, field)
    gateway: IPv4Address | IPv6Address | None = getattr(subject.after, key)
    if gateway is None:
        return
    if address is None:
        yield subject.problem(key, f"{subject.name} has {key} {gateway} but no {field}")
    elif gateway == address.ip:
        yield subject.problem(key, f"{key} {gateway} is {subject.name}'s own address")
    elif not (gateway in address.network or gateway in _LINK_LOCAL or address.network.num_addresses <= 2):  # noqa: PLR2004 - /31 and /32: hosters route so
        message = f"{key} {gateway} is outside {subject.name}'s net {address.network}"
        yield subject.problem(key, message, warning=True)


def _bond(subject: Subject, bond: Bond) -> Iterator[Problem]:
    yield from _twice(subject, "slaves", "slave", bond.slaves)
    policy, changed = bond.xmit_hash_policy, subject.changed
    if policy is not None and bond.mode not in HASHING_MODES and subject.asked("xmit_hash_policy"):
        modes = " and ".join(sorted(HASHING_MODES))
        message = f"{bond.name}'s mode {bond.mode} ignores xmit-hash-policy; {modes} use one"
        yield subject.problem("xmit_hash_policy", message, policy)
    if bond.primary is None:
        return
    if bond.mode is not BondMode.ACTIVE_BACKUP:
        if subject.asked("primary"):
            message = f"{bond.name}'s mode {bond.mode} has no primary; {BondMode.ACTIVE_BACKUP} has one"
            yield subject.problem("primary", message, bond.primary)
    elif bond.primary not in bond.slaves and not changed.isdisjoint(("primary", "slaves", "mode")):
        yield subject.problem("primary", f"primary {bond.primary} is not a slave of {bond.name}")
    elif "primary" in changed and isinstance(subject.before, Bond):
        message = f"a primary set on {bond.name} now takes effect only when the bond is deleted and created again"
        yield subject.problem("primary", message, warning=True)


def _bridge(subject: Subject, bridge: Bridge) -> Iterator[Problem]:
    yield from _twice(subject, "ports", "port", bridge.ports)
    if bridge.vids and not bridge.vlan_aware:
        if subject.asked("vids"):
            yield subject.problem(
                "vids", f"vids need a VLAN-aware bridge, which {bridge.name} is not", " ".join(bridge.vids)
            )
    elif "vids" in subject.changed:
        for vid in (vid for vid in bridge.vids if not takes_vids(vid)):
            yield from _vid(subject, vid)


def _vid(subject: Subject, text: str) -> Iterator[Problem]:
    found = _VIDS.fullmatch(text)
    if not found:
        yield subject.problem(
            "vids", f"vids of {subject.name}: {text} is neither a VLAN id nor a range like 2-4094", text
        )
        return
    ends = [int(end) for end in found.groups() if end]
    if any(end not in VIDS for end in ends):
        yield subject.problem("vids", f"vids of {subject.name}: {text} is outside {VIDS[0]} to {VIDS[-1]}", text)
    else:
        yield subject.problem("vids", f"vids of {subject.name}: {text} must ascend", text)


def _vlan(subject: Subject, vlan: Vlan) -> Iterator[Problem]:
    if subject.changed.isdisjoint(("raw_device", "tag")):
        return
    name = vlan.name
    raw_device, tag = from_vlan_name(name)
    if raw_device and vlan.raw_device not in (None, raw_device):
        yield subject.problem(
            "raw_device", f"the name {name} says that it is on {raw_device}, not on {vlan.raw_device}"
        )
    elif not (raw_device or vlan.raw_device):
        yield subject.problem("raw_device", f"VLAN {name} needs a raw device")
    if tag is not None and vlan.tag not in (None, tag):
        yield subject.problem("tag", f"the name {name} says that its tag is {tag}, not {vlan.tag}")
    elif tag is None and vlan.tag is None:
        yield subject.problem("tag", f"VLAN {name} needs a tag")
    elif (tag or vlan.tag) not in TAGS:
        yield subject.problem("tag", f"tag {tag or vlan.tag} of {name} is outside {TAGS[0]} to {TAGS[-1]}")


def _ovs(subject: Subject, given: OvsBridge | OvsBond | OvsIntPort | OvsPort) -> Iterator[Problem]:
    if isinstance(given, OvsBridge):
        yield from _twice(subject, "ports", "port", given.ports)
        return
    yield from _ovs_port(subject, given)
    if isinstance(given, OvsBond):
        yield from _twice(subject, "slaves", "slave", given.slaves)
        yield from _ovs_bond(subject, given)


def _ovs_port(subject: Subject, port: OvsBond | OvsIntPort | OvsPort) -> Iterator[Problem]:
    if not port.autostart and subject.asked("autostart"):
        message = f"{port.name} starts with its bridge, whatever its autostart says"
        yield subject.problem("autostart", message, port.autostart)
    after = subject.after
    if isinstance(after, OvsBond | OvsIntPort | OvsPort) and after.tag is not None and "tag" in subject.changed:
        if after.tag not in TAGS:
            yield subject.problem("tag", f"tag {after.tag} of {port.name} is outside {TAGS[0]} to {TAGS[-1]}")
        words = [word for word in port.options.split() if word.startswith("tag=")]
        if any(word != f"tag={after.tag}" for word in words):
            message = f"{port.name} has the tag {after.tag}, but its options say {' '.join(words)}"
            yield subject.problem("options", message, port.options)


def _ovs_bond(subject: Subject, bond: OvsBond) -> Iterator[Problem]:
    words = [word for word in bond.options.split() if word.startswith(OVS_BOND_WORDS)]
    if words and subject.asked("options"):
        message = f"PVE drops {' '.join(words)} from the options of {bond.name}: its mode says that"
        yield subject.problem("options", message, bond.options)
    for field in ("cidr", "cidr6"):
        if getattr(bond, field) and field in subject.changed:
            message = f"{bond.name} is a port of {bond.bridge} and can't have an address; an internal port can"
            yield subject.problem(field, message)


def _twice(subject: Subject, field: str, word: str, names: tuple[str, ...]) -> Iterator[Problem]:
    if not subject.asked(field):
        return
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield subject.problem(field, f"{word} {name} of {subject.name} is listed twice", name)
