"""What stands against a change, all of it at once.

Only what the change touches is judged, and of that only what it changes: a node's file may hold things that nobody
should create, and they are no reason to refuse a change of something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.model import Ethernet, Interface, Network, Other, OvsPort
from pvenet.plan import addressing, checks, conflicts, ovs, switches
from pvenet.plan.context import Context, Problem, Subject

if TYPE_CHECKING:
    from pvenet.plan.changes import Desired

__all__ = ["Problem", "problems"]


def problems(current: Network, desired: Desired) -> tuple[Problem, ...]:
    """Everything that stands against the change, in the order of the desired interfaces; warnings among them."""
    context = Context(current, desired)
    found: list[Problem] = []
    for name in desired:
        if subject := context.subjects.get(name):
            found += _unchangeable(subject) or [
                *checks.of_one(subject, context),
                *addressing.of_one(subject, context),
                *conflicts.of_one(subject, context),
                *switches.of_one(subject, context),
            ]
        elif name in context.gone:
            found += _undeletable(context.now[name]) or [
                *conflicts.of_deletion(name, context),
                *switches.of_deletion(name, context),
            ]
    return tuple(dict.fromkeys(found))


def _unchangeable(subject: Subject) -> list[Problem]:
    """What pvenet or PVE can't do to an interface at all."""
    before, after, name = subject.before, subject.after, subject.name
    for each in (before, after):
        if isinstance(each, Other):
            return [subject.problem("name", each.reason, name)]
    if isinstance(after, ovs.Nic) and not isinstance(before, ovs.Nic):
        return [subject.problem("name", f"there is no NIC {name}, and a NIC can't be created", name)]
    if isinstance(before, ovs.Nic) and not isinstance(after, ovs.Nic):
        return [subject.problem("name", f"{name} is a NIC and can't become a {after.type}", name)]
    return []


def _undeletable(before: Interface) -> list[Problem]:
    if isinstance(before, Ethernet):
        message = f"{before.name} is a NIC and can't be deleted"
    elif isinstance(before, OvsPort):
        message = f"{before.name} is a NIC and can't be deleted; take it out of the ports of {before.bridge}"
    elif isinstance(before, Other):
        message = before.reason
    else:
        return []
    return [Problem(interface=before.name, field="name", value=before.name, message=message)]
