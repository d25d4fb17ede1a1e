"""Values to form parameters. Exact: nothing is sent that need not be. pve-api#create and pve-api#update."""

from __future__ import annotations

from pvenet.model import Interface, Vlan, canonical, kind_of, settable
from pvenet.wire.spelling import Form, spelled


def create_form(after: Interface) -> Form:
    """The parameters of POST /nodes/{node}/network that create an interface as it is given."""
    form: Form = {"iface": after.name, "type": kind_of(after)}
    for name in _sent(after):
        text = _written(getattr(after, name))
        if text is not None:
            form[spelled(type(after), name)] = text
    return form


def update_form(before: Interface, after: Interface) -> Form:
    """The parameters of PUT /nodes/{node}/network/{iface} that change `before` into `after`, and nothing else.

    `type`, the current cidr and cidr6, what changes, and `delete` for what goes: PVE rebuilds method and families
    from each request alone and merges the rest (pve-api#update-families), so that less would lose the address and more
    could overwrite what somebody else has changed meanwhile.
    """
    form: Form = {"type": kind_of(after)}
    gone = []
    old, new = canonical(before), canonical(after)
    resent = _resent(before, after)
    for name in _sent(after):
        text = _written(getattr(new, name))
        changed = getattr(old, name, None) != getattr(new, name)
        if text is not None and (changed or name in resent):
            form[spelled(type(after), name)] = text
        elif changed:
            gone.append(spelled(type(after), name))
    if gone:
        form["delete"] = ",".join(gone)
    return form


def _resent(before: Interface, after: Interface) -> frozenset[str]:
    """The fields that every update sends again, lest PVE drop them.

    An `inet manual` stanza with an address (what a careless update leaves behind) stays manual when the address is
    not sent, and would turn static when it is. Beside an inet6 address it would not stay at all.
    """
    kept = before.file_only
    if kept.method == "manual" and "inet" in kept.families and after.cidr6 is None:
        return frozenset({"cidr6"})
    return frozenset({"cidr", "cidr6"})


def _sent(value: Interface) -> tuple[str, ...]:
    """The fields that a form may have; a name like `bond0.50` says the raw device and the tag itself."""
    names = settable(type(value))
    in_name = ("raw_device", "tag") if isinstance(value, Vlan) and "." in value.name else ()
    return tuple(name for name in names if name not in in_name)


def _written(value: object) -> str | int | None:
    """A value as a form writes it; None where the parameter is left out, or deleted.

    An empty list is left out: PVE writes `none` for it. `False` too, because `bridge_vlan_aware=0` turns it on
    (pve-api#vlan-aware-0).
    """
    if value is None or value is False or value in ((), ""):
        return None
    if value is True:
        return 1
    if isinstance(value, int):
        return value
    if isinstance(value, tuple):
        return " ".join(str(word) for word in value)
    return str(value)
