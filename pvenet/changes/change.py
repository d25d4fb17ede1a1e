"""What a plan is made of: changes of single interfaces, in an order, and what comes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pvenet.changes import ovs
from pvenet.model import (
    Bond,
    Bridge,
    Ethernet,
    FileOnly,
    Interface,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    canonical,
    defaults,
    natural,
    unlike,
)
from pvenet.model.relations import named, outward, start_slaves

if TYPE_CHECKING:
    from collections.abc import Iterable

Desired = Mapping[str, Interface | None]
"""What shall be, by name; None: shall be absent. A name that is not in it is not touched."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One field of an interface, by the model's name, as it is and as it shall be."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, kw_only=True, slots=True)
class Create:
    """An interface that shall be there and is not."""

    after: Interface

    @property
    def name(self) -> str:
        return self.after.name


@dataclass(frozen=True, kw_only=True)
class Update:
    """An interface whose settings shall change; its kind stays."""

    before: Interface
    after: Interface

    @property
    def name(self) -> str:
        return self.after.name

    def fields(self) -> tuple[FieldChange, ...]:
        """The fields that differ, in the model's order."""
        return self._fields

    @cached_property
    def _fields(self) -> tuple[FieldChange, ...]:
        return differences(self.before, self.after)  # a plan asks ten times


@dataclass(frozen=True, kw_only=True, slots=True)
class Delete:
    """An interface that is there and shall not be."""

    before: Interface

    @property
    def name(self) -> str:
        return self.before.name


Change = Create | Update | Delete


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Changes in an order that PVE accepts one by one. Without any it is false."""

    steps: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    @property
    def touched(self) -> frozenset[str]:
        """The names that any step is about."""
        return frozenset(step.name for step in self.steps)


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """What of an interface no call of the API can put back."""

    name: str
    """Empty where it is of no interface, or nobody can tell of which."""
    what: str
    remark: bool = False
    """The kernel does not notice."""
    to: str = ""
    """The interface that gets it, where it becomes another's."""

    def __str__(self) -> str:
        return f"{self.name}: {self.what}" if self.name else self.what


def differences(before: Interface, after: Interface) -> tuple[FieldChange, ...]:
    """The fields in which two interfaces of one kind differ, both as PVE keeps them.

    A NIC that goes on or off a bridge of Open vSwitch is the same NIC; it has a `bridge` then, or none.
    """
    old, new = canonical(before), canonical(after)
    if isinstance(old, Ethernet) and isinstance(new, OvsPort):
        old = ovs.as_port(old, None)
    elif isinstance(old, OvsPort) and isinstance(new, Ethernet):
        new = ovs.as_port(new, None)
    return tuple(
        FieldChange(field=name, before=getattr(old, name), after=getattr(new, name)) for name in unlike(old, new)
    )


def felt(change: Update, before: Mapping[str, Interface], then: Mapping[str, Interface]) -> frozenset[str]:
    """The fields of a change that the interface feels, on the way from one network to another.

    A bridge of Open vSwitch does not feel that it lists an internal port more or less: that port comes or goes, and
    that is a change of its own.
    """
    fields = frozenset(field.field for field in change.fields())
    stay = set(outward(change.before, before)) == set(outward(change.after, then))
    return fields - {"ports"} if stay else fields


def changed_fields(before: Interface | None, after: Interface | None) -> frozenset[str]:
    """The fields in which two values of a name differ; all of them where the second is missing or of another kind.

    Of one that comes new: those of which something is said.
    """
    if before is None and after is not None:
        usual = defaults(type(after))
        return frozenset({"name"} | {field for field, value in usual.items() if getattr(after, field) != value})
    if before is None or after is None or not same_kind(before, after):
        return frozenset(field.name for each in (before, after) if each is not None for field in fields(each))
    return frozenset(unlike(canonical(before), canonical(after)))


def same_kind(before: Interface, after: Interface) -> bool:
    """Whether an update can lead from one to the other; else it takes a delete and a create."""
    return type(before) is type(after)


def outcome(interfaces: Mapping[str, Interface], steps: Iterable[Change]) -> dict[str, Interface]:
    """The interfaces after some steps, as PVE keeps them, with what it does to slaves and OVS ports by itself."""
    then = {name: canonical(interface) for name, interface in interfaces.items()}
    for number, step in enumerate(steps):
        advance(then, step, first=number == 0)
    return then


def advance(interfaces: dict[str, Interface], step: Change, *, first: bool) -> None:
    """What a step does to the interfaces. The first one writes the file as PVE wants all of it."""
    before, after = interfaces.get(step.name), None
    if isinstance(step, Delete):
        interfaces.pop(step.name, None)
    else:
        interfaces[step.name] = after = _written(before, named(canonical(step.after)))
    ovs.follow(interfaces, before, after)
    if first:
        ovs.tidy(interfaces)
        interfaces |= {name: named(interface) for name, interface in interfaces.items()}
    if first or (after is not None and not after.autostart):
        start_slaves(interfaces, list(interfaces.values()))
    elif after is not None:
        start_slaves(interfaces, [after])


def _written(before: Interface | None, after: Interface) -> Interface:
    """An interface with the stanzas that PVE makes of a request: one for each address (pve-api#update-families)."""
    if isinstance(after, Other):
        return after
    left = before.file_only if before else FileOnly()
    odd = before is not None and before.cidr is not None and before.cidr == after.cidr and left.method == "manual"
    addresses = (("inet", after.cidr), ("inet6", after.cidr6))
    families = tuple(family for family, address in addresses if address is not None) or ("inet",)
    file_only = FileOnly(
        method="static" if after.cidr and not odd else "manual",  # an address in a manual stanza is not sent again
        method6="static" if after.cidr6 else "manual",
        families=families,
        options=left.options if "inet" in families else (),
        options6=left.options6 if "inet6" in families else (),
        settings=left.settings,
    )
    return replace(after, file_only=file_only)


def net_changes(current: Mapping[str, Interface], then: Mapping[str, Interface]) -> tuple[Change, ...]:
    """The differences between two networks, whoever made them: NICs, bonds, bridges, VLANs, the rest; then by name.

    This is for reading; the order says nothing about how to get there.
    """
    found: list[Change] = []
    for name in current.keys() | then.keys():
        before, after = current.get(name), then.get(name)
        if before is not after:  # most are the same value
            found += changes_of(before, after)
    return tuple(sorted(found, key=_reading_order))


def changes_of(before: Interface | None, after: Interface | None) -> tuple[Change, ...]:
    """What leads from one value of a name to another."""
    if before is None:
        return () if after is None else (Create(after=after),)
    if after is None:
        return (Delete(before=before),)
    if not same_kind(before, after) and not ovs.passes(before, after):
        return (Delete(before=before), Create(after=after))
    same = before == after or canonical(before) == canonical(after)  # mostly they are equal, which is known at once
    return () if same else (Update(before=before, after=after),)


_RANKS: Mapping[type[Interface], int] = {
    kind: rank
    for rank, kind in enumerate((Ethernet, OvsPort, Bond, OvsBond, Bridge, OvsBridge, Vlan, OvsIntPort, Other))
}


def _reading_order(change: Change) -> tuple[object, ...]:
    interface = change.before if isinstance(change, Delete) else change.after
    return _RANKS[type(interface)], natural(change.name), isinstance(change, Create)
