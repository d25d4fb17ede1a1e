"""A journal's steps as changes again: what the node's staged network should be after them.

A command that was killed between a write and its diff has left a journal that is one diff behind. What its steps make
of the baseline says whether the pending network is theirs all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import wire
from pvenet.model import Interface, canonical
from pvenet.plan import Change, Create, Delete, Update, restore_plan
from pvenet.plan.changes import advance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.journal.value import Journal
    from pvenet.model import Network


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What a journal's steps have made of its baseline."""

    then: Mapping[str, Interface]
    """The interfaces after the last step, as PVE keeps them."""
    values: Mapping[str, tuple[Interface | None, ...]]
    """Of each name that any step has changed, itself or by the `auto` of slaves: every value that it has had."""

    @property
    def changed(self) -> frozenset[str]:
        """What differs from the baseline in the end."""
        return frozenset(name for name, values in self.values.items() if values[0] != values[-1])

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.values)


def replay(journal: Journal) -> Replayed:
    """The steps, one after another, on the baseline."""
    before = {name: canonical(interface) for name, interface in journal.network.interfaces.items()}
    then = dict(before)
    seen: dict[str, list[Interface | None]] = {}
    first = True
    for step in journal.steps:
        change = _change(step, then)
        if change is None:
            continue
        advance(then, change, first=first)
        first = False
        for name in then.keys() | before.keys():
            value = then.get(name)
            values = seen.setdefault(name, [before.get(name)])
            if value != values[-1]:
                values.append(value)
    moved = {name: tuple(values) for name, values in seen.items() if len(values) > 1}
    return Replayed(then=then, values=moved)


def _change(step: wire.Request, then: Mapping[str, Interface]) -> Change | None:
    before = then.get(step.name)
    match step.method:
        case "POST":
            return Create(after=wire.interface(dict(step.form)))
        case "PUT" if before is not None:
            return Update(before=before, after=_merged(before, step))
        case "DELETE" if before is not None:
            return Delete(before=before)
        case _:
            return None


def _merged(before: Interface, step: wire.Request) -> Interface:
    """PVE merges what an update gives into what is there (facts, section 7)."""
    form = dict(step.form)
    gone = str(form.pop("delete", "")).split(",")
    kept = {key: value for key, value in wire.create_form(before).items() if key not in gone}
    return wire.interface({**kept, **form, "iface": step.name})


def explains(journal: Journal, network: Network) -> bool:
    """Whether a network is exactly what the steps have made of the baseline.

    It says nothing of lines that the API does not know, and counts only for a journal that is behind.
    """
    now = {name: canonical(interface) for name, interface in network.interfaces.items()}
    return now == dict(replay(journal).then)


def led_back(journal: Journal, network: Network) -> bool:
    """Whether a network has what was there before the journal's steps, as far as the API can put it back."""
    return not restore_plan(journal.network, network, replay(journal).names).todo
