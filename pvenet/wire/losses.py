"""What an update would lose: the traps of pve-api#update-loses, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.changes import Update
from pvenet.limits import refused
from pvenet.wire.writing import update_form

if TYPE_CHECKING:
    from pvenet.changes import Plan
    from pvenet.model import Interface
    from pvenet.wire.spelling import Form


def losses_of(plan: Plan) -> tuple[str, ...]:
    """What the updates of a plan would lose besides what they are for, a clause each."""
    return tuple(
        f"{step.name}: {loss}"
        for step in plan.steps
        if isinstance(step, Update)
        for loss in losses(step.before, step.after)
    )


def losses(before: Interface, after: Interface | None = None) -> tuple[str, ...]:
    """What the update from `before` to `after` would lose besides what it is for, a clause each; empty for nothing.

    Without `after`: what an update would lose whatever it is for. pve-api#update-loses.
    """
    after = after or before
    form = update_form(before, after)
    found = ["the stanza without a family becomes `inet`"] if None in before.file_only.families else []
    found += _lost_inet(before, after, form) + _lost_inet6(before, after, form)
    found += [
        f"PVE refuses the address {address} when it is sent again"
        for address, same in ((before.cidr, before.cidr == after.cidr), (before.cidr6, before.cidr6 == after.cidr6))
        if address is not None and same and refused(address)
    ]
    return tuple(found)


def _lost_inet(before: Interface, after: Interface, form: Form) -> list[str]:
    """The inet stanza stays where its address is sent, or no other is; a bare `inet manual` is no loss."""
    kept = before.file_only
    if "inet" not in kept.families:
        return []
    if "cidr" not in form and "cidr6" in form:
        lines = (*_said(gateway=after.gateway), *kept.options)
        empty = not lines and kept.method in ("static", "manual")
        return [] if empty else [_vanishing(f"inet {kept.method}", lines)]
    method = "static" if "cidr" in form else "manual"
    asked = kept.method in ("static", "manual") and before.cidr != after.cidr
    return [] if asked or kept.method == method else [f"`inet {kept.method}` becomes `inet {method}`"]


def _lost_inet6(before: Interface, after: Interface, form: Form) -> list[str]:
    """The inet6 stanza stays where its address is sent, and is static then."""
    kept = before.file_only
    if "inet6" not in kept.families:
        return []
    if "cidr6" in form:
        return [] if kept.method6 == "static" else [f"`inet6 {kept.method6}` becomes `inet6 static`"]
    lines = (*_said(gateway=after.gateway6), *kept.options6)
    asked = before.cidr6 is not None and not lines
    return [] if asked else [_vanishing(f"inet6 {kept.method6}", lines)]


def _said(**lines: object) -> list[str]:
    return [f"{key} {value}" for key, value in lines.items() if value is not None]


def _vanishing(stanza: str, options: tuple[str, ...]) -> str:
    lines = "".join(f", with `{line}`" for line in options)
    return f"the stanza `{stanza}` disappears{lines}"
