"""What stands against a change, all of it at once.

Only what the change touches is judged, and of that only what it changes: a node's file may hold things that nobody
should create, and they are no reason to refuse a change of something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.changes import ovs
from pvenet.model import Ethernet, Interface, Network, Other, OvsPort, looks_like_a_nic
from pvenet.plan import addressing, checks, conflicts, switches
from pvenet.plan.context import Context, Problem, Subject

if TYPE_CHECKING:
    from collections.abc import Collection

    from pvenet.changes import Desired

__all__ = ["Problem", "problems"]


def problems(current: Network, desired: Desired, *, coming: Collection[str] = ()) -> tuple[Problem, ...]:
    """Everything that stands against the change, in the order of the desired interfaces; warnings among them.

    `coming`: NICs that will be there with the next boot, which PVE takes by their names (pve-api#f35).
    """
    context = Context(current, desired)
    found: list[Problem] = []
    for name in desired:
        if subject := context.subjects.get(name):
            found += _unchangeable(subject, coming) or [
                *checks.of_one(subject, context),
                *addressing.of_one(subject, context),
                *conflicts.of_one(subject, context),
                *switches.of_one(subject, context),
            ]
        elif name in context.gone:
            found += _undeletable(context.now[name], current, context) or [
                *conflicts.of_deletion(name, context),
                *switches.of_deletion(name, context),
            ]
    return tuple(dict.fromkeys(found))


def _unchangeable(subject: Subject, coming: Collection[str]) -> list[Problem]:
    """What pvenet or PVE can't do to an interface at all."""
    before, after, name = subject.before, subject.after, subject.name
    for each in (before, after):
        if isinstance(each, Other):
            return [subject.problem("name", each.reason, name)]
    if isinstance(after, ovs.Nic) and not isinstance(before, ovs.Nic) and name not in coming:
        return [subject.problem("name", f"there is no NIC {name}, and a NIC can't be created", name)]
    if isinstance(before, ovs.Nic) and not isinstance(after, ovs.Nic):
        return [subject.problem("name", f"{name} is a NIC and can't become a {after.type}", name)]
    return []


def _undeletable(before: Interface, current: Network, context: Context) -> list[Problem]:
    """A NIC's stanza is there as long as the NIC is, or its name would not be taken for one's when it came back."""
    lister = context.then.get(context.listers.get(before.name, ""))
    if isinstance(before, Ethernet) and before.name in current.links and _is_left(before.name, current):
        return []
    if isinstance(before, Ethernet):
        message = f"{before.name} is a NIC and can't be deleted"
    elif isinstance(before, OvsPort):
        message = f"{before.name} is a NIC and can't be deleted; take it out of the ports of {before.bridge}"
    elif isinstance(before, Other):
        message = before.reason
    elif isinstance(before, ovs.OwnPort) and isinstance(lister, Other):  # which goes from its list with the same write
        message = lister.reason
    else:
        return []
    return [Problem(interface=before.name, field="name", value=before.name, message=message)]


def _is_left(name: str, current: Network) -> bool:
    """Whether the stanza is all that is left of a NIC."""
    return looks_like_a_nic(name) and not current.links[name].exists
