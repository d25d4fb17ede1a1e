"""The problems between interfaces: who takes, misses or contradicts what of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.changes import ovs, same_kind
from pvenet.model import (
    Bond,
    Bridge,
    Ethernet,
    Interface,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    beneath,
    kind_of,
    parent_in,
    typed,
)
from pvenet.model.relations import has_member, members, mtu_of, mtus_fit, supports
from pvenet.plan.context import Problem
from pvenet.plan.order import addressed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pvenet.plan.context import Context, Subject

_ROLES = {"slaves": "slave", "ports": "port", "raw_device": "raw device", "bridge": "bridge"}


def of_one(subject: Subject, context: Context) -> Iterator[Problem]:
    """All problems that an interface has with others."""
    match subject.after:
        case Bond() | OvsBond():
            yield from _members(subject, context, "slaves")
        case Bridge() | OvsBridge():
            yield from _members(subject, context, "ports")
        case Vlan():
            yield from _raw_device(subject, subject.after, context)
        case Ethernet() | OvsIntPort() | OvsPort() | Other():
            pass
    yield from _renewal(subject, context)
    yield from _own_address(subject, context)
    yield from _gateways(subject, context)
    yield from _mtus(subject, context)
    if (
        not subject.changed.isdisjoint(_ROLES)
        and subject.name in context.users  # else it is on no circle
        and subject.name in context.circles
    ):
        yield subject.problem("name", f"{subject.name} would be on top of itself")


def _renewal(subject: Subject, context: Context) -> Iterator[Problem]:
    """A change of kind takes a deletion, and a VLAN can't be without its raw device meanwhile."""
    if subject.before is None or same_kind(subject.before, subject.after) or isinstance(subject.after, OvsPort):
        return
    for user in context.users_now.get(subject.name, ()):
        if (
            isinstance(typed(context.now[user]), Vlan)
            and isinstance(typed(context.then.get(user)), Vlan)
            and user in context.users.get(subject.name, ())
        ):
            message = f"{subject.name} can't become a {kind_of(subject.after)} while it is the raw device of {user}"
            yield subject.problem("name", message, subject.name)


def of_deletion(name: str, context: Context) -> list[Problem]:
    """Who still stands on what shall go."""
    standing = context.users.get(name)
    if not standing:
        return []
    message = f"{name} is in use: {_uses(name, standing, context)}"
    return [Problem(interface=name, field="name", value=name, message=message)]


def _uses(name: str, standing: Iterable[str], context: Context) -> str:
    return ", ".join(f"{_role(name, context.then[user])} of {user}" for user in standing)


def _role(name: str, user: Interface) -> str:
    """What an interface is to one that stands on it, with its article."""
    match typed(user):
        case Bond():
            return "a slave"
        case OvsBond(slaves=slaves):
            return "a slave" if name in slaves else "the bridge"
        case OvsIntPort():
            return "the bridge"
        case Bridge() | OvsBridge():
            return "a port" if name in beneath(user) else "beneath a port"
        case Vlan():
            return "the raw device"
        case Ethernet() | OvsPort() | Other():
            return "a part"


def _members(subject: Subject, context: Context, field: str) -> Iterator[Problem]:
    if field not in subject.changed:
        return
    before = members(subject.before) if subject.before else ()
    for name in members(subject.after):
        if name in before:
            continue
        problem = missing(subject, field, name, context) or _wrong_kind(subject, field, name, context)
        if problem:
            yield problem
        else:
            yield from _taken(subject, field, name, context)
            yield from _addressed_member(subject, field, name, context)


def missing(subject: Subject, field: str, name: str, context: Context) -> Problem | None:
    """What an interface names and is not there."""
    role = _ROLES[field]
    if name in context.then or name in context.gone:
        return None  # whoever is deleted says who stands on it
    if name in context.altnames:
        message = f"{role} {name} of {subject.name}: PVE knows this NIC only as {context.altnames[name]}"
    elif isinstance(subject.after, Bridge) and parent_in(name) in context.then:
        return None  # a VLAN that needs no stanza of its own (pve-api#vlan-port)
    else:
        message = f"{role} {name} of {subject.name} does not exist"
    return subject.problem(field, message, name, nearest=context.nearest(name, subject.name))


def _wrong_kind(subject: Subject, field: str, name: str, context: Context) -> Problem | None:
    other = typed(context.then.get(name))
    if other is None or name == subject.name:
        return None
    after, kind = subject.after, kind_of(other)
    if isinstance(other, ovs.OwnPort) and not isinstance(after, Vlan):
        if other.bridge == subject.name:
            return None
        message = f"{_ROLES[field]} {name} of {subject.name} is already a port of {other.bridge}"
    elif isinstance(after, OvsBridge) and not isinstance(other, Ethernet | OvsPort):
        message = f"port {name} of {subject.name} is a {kind}; an OVS bridge takes NICs and ports of its own"
    elif isinstance(after, OvsBond) and not isinstance(other, Ethernet | OvsPort):
        message = f"slave {name} of {subject.name} is a {kind}; an OVS bond takes NICs"
    elif isinstance(after, Bond) and not isinstance(other, Ethernet | Bond | OvsPort):
        message = f"slave {name} of {subject.name} is a {kind}; a bond takes NICs and bonds"
    elif isinstance(after, Bridge) and isinstance(other, Bridge | OvsBridge):
        message = f"port {name} of {subject.name} is a bridge, and a bridge can't be a port"
    elif isinstance(after, Vlan) and not isinstance(other, Ethernet | Bond | Bridge | Vlan):
        message = f"raw device {name} of {subject.name} is of the kind {kind}, on which PVE puts no VLAN"
    else:
        return None
    return subject.problem(field, message, name)


def _taken(subject: Subject, field: str, name: str, context: Context) -> Iterator[Problem]:
    for user in context.users.get(name, ()):
        other = context.then[user]
        if user == subject.name or name not in members(other):
            continue
        new_there = user in context.subjects and name not in members(context.now.get(user, Ethernet(name=user)))
        if not new_there or context.later(subject.name, user):
            yield subject.problem(field, f"{name} is already {_role(name, other)} of {user}", name)


def _addressed_member(subject: Subject, field: str, name: str, context: Context) -> Iterator[Problem]:
    """A port with an address (PVE refuses it: pve-api#port-address), or a slave with one (it would not be used)."""
    other = context.then.get(name)
    if other and addressed(other) and not isinstance(typed(other), ovs.OwnPort) and not _address_is_new(name, context):
        address = other.cidr or other.cidr6
        role = _ROLES[field]
        message = f"{role} {name} of {subject.name} has the address {address}, and a {role} can't have one"
        yield subject.problem(field, message, name)


def _address_is_new(name: str, context: Context) -> bool:
    subject = context.subjects.get(name)
    return subject is not None and not subject.changed.isdisjoint(("cidr", "cidr6"))


def _own_address(subject: Subject, context: Context) -> Iterator[Problem]:
    if not addressed(subject.after) or not _address_is_new(subject.name, context):
        return
    field = "cidr" if subject.after.cidr else "cidr6"
    for user in context.users.get(subject.name, ()):
        other = context.then[user]
        if subject.name in members(other):
            role = _role(subject.name, other)
            message = f"{subject.name} is {role} of {user} and can't have an address"
            yield subject.problem(field, message)


def _raw_device(subject: Subject, vlan: Vlan, context: Context) -> Iterator[Problem]:
    name = vlan.raw_device
    if name is None or subject.changed.isdisjoint(("raw_device", "tag", "name")):
        return
    problem = missing(subject, "raw_device", name, context) or _wrong_kind(subject, "raw_device", name, context)
    if problem:
        yield problem
    for user in context.users.get(name, ()):
        other = typed(context.then[user])
        if user != vlan.name and isinstance(other, Vlan) and other.tag == vlan.tag and context.later(vlan.name, user):
            yield subject.problem("tag", f"tag {vlan.tag} of {name} is already {user}")


def _gateways(subject: Subject, context: Context) -> Iterator[Problem]:
    for key, family in (("gateway", "IPv4"), ("gateway6", "IPv6")):
        if getattr(subject.after, key) is None or key not in subject.changed:
            continue
        for holder in context.gateways[key]:
            if holder != subject.name and (key not in context.changed(holder) or context.later(subject.name, holder)):
                message = f"{subject.name} can't have the default gateway for {family}: {holder} has it"
                yield subject.problem(key, message)


def _mtus(subject: Subject, context: Context) -> Iterator[Problem]:
    """MTUs that PVE refuses beside each other (pve-api#mtu-relation), told of the interface that the change is
    about.
    """
    after = subject.after
    for name in supports(after, context.then):
        if name not in context.then and name not in members(after):
            continue
        support = context.then.get(name)
        if not mtus_fit(after, support) and not _old_misfit(subject.name, name, context):
            if support is not None and has_member(after, support):
                message = f"{name}'s mtu {support.mtu} is above the {mtu_of(after)} of its {_whole(after)} {after.name}"
            else:
                message = f"mtu {after.mtu} of {after.name} is above the {mtu_of(support)} of {name} beneath it"
            yield subject.problem("mtu", message)
    for name in context.users.get(after.name, ()):
        user = context.then[name]
        if name not in context.subjects and not mtus_fit(user, after) and not _old_misfit(name, after.name, context):
            if has_member(user, after):
                message = f"mtu {after.mtu} of {after.name} is above the {mtu_of(user)} of its {_whole(user)} {name}"
            else:
                message = (
                    f"mtu {mtu_of(after)} of {after.name} is below the {user.mtu} of {name}, which is on top of it"
                )
            yield subject.problem("mtu", message, mtu_of(after))


def _whole(interface: Interface) -> str:
    return "bridge" if isinstance(typed(interface), OvsBridge) else "bond"


def _old_misfit(user: str, support: str, context: Context) -> bool:
    """Whether the two did not fit before either, and nothing about that changes."""
    old, new = context.now.get(user), context.then[user]
    beneath_old, beneath_new = context.now.get(support), context.then.get(support)
    if old is None or support not in supports(old, context.now):
        return False
    return old.mtu == new.mtu and mtu_of(beneath_old) == mtu_of(beneath_new)
