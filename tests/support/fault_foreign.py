"""What somebody else does to a node in the fault matrix, and by what it is known afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.sim.faults import Fault
    from pvenet.sim.interfaces import Property

    Described = Mapping[str, frozenset[tuple[str, Property]]]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An interface that they make, or a field of one that they set."""

    name: str
    field: str = ""
    value: str = ""
    """Empty: whatever it was, and is not any more, is theirs."""

    def there(self, interfaces: Described, before: Described) -> bool:
        """Whether it is in a file; `before` has it not."""
        if self.name not in interfaces:
            return False
        if not self.field:
            return True
        now = dict(interfaces[self.name]).get(self.field)
        if self.value:
            return str(now).strip() == self.value
        return now != dict(before.get(self.name, ())).get(self.field)


COMMENT = "Somebody else was here"
EDITS: Mapping[str, Mark] = {
    "foreign-edit": Mark(name="vmbr99"),
    "foreign-alias": Mark(name="vmbr0:1"),
    "foreign-comment=ens41": Mark(name="ens41", field="comments", value=COMMENT),
    "foreign-comment=vmbr0": Mark(name="vmbr0", field="comments", value=COMMENT),
    "foreign-comment=bond0": Mark(name="bond0", field="comments", value=COMMENT),
    "foreign-autostart=ens41": Mark(name="ens41", field="autostart"),
    "foreign-set=ens40:mtu=1400": Mark(name="ens40", field="mtu", value="1400"),
    "foreign-set=vmbr0:mtu=1400": Mark(name="vmbr0", field="mtu", value="1400"),
}
"""Another interface or the same, a comment, an autostart, a kind that is not modelled; by the fault that does it."""
KINDS = frozenset(name.partition("=")[0] for name in EDITS)


def mark_of(fault: Fault) -> Mark | None:
    """By what an edit is known; None for a fault that is none."""
    return EDITS.get(f"{fault.kind}={fault.value}" if fault.value else fault.kind)


def without_theirs(interfaces: Described) -> dict[str, frozenset[tuple[str, Property]]]:
    """All but what somebody else may stage: equal for equal values of everything else."""
    made = {mark.name for mark in EDITS.values() if not mark.field}
    fields = {(mark.name, mark.field) for mark in EDITS.values()}
    return {
        name: frozenset((key, value) for key, value in values if (name, key) not in fields)
        for name, values in interfaces.items()
        if name not in made
    }
