"""What changes do to the way to the node: one that only adds a path keeps every present one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.changes import Update, net_changes
from pvenet.model.relations import outward
from pvenet.severity import Severity

if TYPE_CHECKING:
    from pvenet.model import Network
    from pvenet.plan.risk import ManagementPath


class PathEffect(Severity):
    """What changes do to the management path."""

    NONE = "does not touch"
    WIDENS = "widens"
    """Every present path stays, and another one comes."""
    TOUCHES = "touches"
    NARROWS = "narrows"
    """One of several paths goes."""
    CUTS = "cuts"
    """The last path goes."""


def effect_on(path: ManagementPath, before: Network, then: Network) -> PathEffect:
    """The worst that the changes do to the way to the node."""
    found = {PathEffect.TOUCHES} if _moved(path, before, then) else set()
    for name in path.names & before.interfaces.keys():
        new = then.interfaces.get(name)
        old = before.interfaces[name]
        now, left = set(outward(old, before.interfaces)), set(outward(new, then.interfaces)) if new else set()
        if new is None and (now or name in path.holders):
            found.add(PathEffect.CUTS)
        elif now - left:
            found.add(PathEffect.NARROWS if now & left else PathEffect.CUTS)
        elif left - now:
            found.add(PathEffect.WIDENS)
    if not found or (found == {PathEffect.WIDENS} and _more(path, before, then)):
        found.add(PathEffect.TOUCHES)
    return max(found)


def _moved(path: ManagementPath, before: Network, then: Network) -> bool:
    """Whether an address or a gateway of a carrier changes."""
    keys = ("cidr", "cidr6", "gateway", "gateway6")
    return any(
        getattr(before.interfaces.get(name), key, None) != getattr(then.interfaces.get(name), key, None)
        for name in path.holders
        for key in keys
    )


def _more(path: ManagementPath, before: Network, then: Network) -> bool:
    """Whether an interface of the way changes in anything beside what stands beneath it."""
    for change in net_changes(before.interfaces, then.interfaces):
        fields = change.fields() if isinstance(change, Update) else ()
        if change.name in path.names and any(field.field not in ("ports", "slaves", "autostart") for field in fields):
            return True
    return False
