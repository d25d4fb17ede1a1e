"""What a change is about, looked through once: its subjects, who stands on whom, and the words for a problem."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING

from pvenet.changes import Desired, differences, ovs, same_kind
from pvenet.errors import nearest
from pvenet.model import Interface, Network, canonical
from pvenet.model.addresses import addresses
from pvenet.model.walks import on_circles
from pvenet.plan.order import GATEWAYS, overlaid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pvenet.model.addresses import Address

MOST_GUESSES = 20
"""Looking for a nearest name takes time; nobody reads more of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that stands against a change, or (as a warning) that is worth a second look."""

    interface: str
    field: str
    """The model's name of the field; `name` where it is about the interface as such."""
    value: str
    message: str
    """A clause for people, without a full stop."""
    nearest: str | None = None
    """What was probably meant."""
    warning: bool = False
    other: str | None = None
    """The other interface that it is about."""
    by_change: bool = False
    """Only a change makes it wrong: a node that has it already may keep it."""

    def __str__(self) -> str:
        return f"{self.message} (did you mean {self.nearest}?)" if self.nearest else self.message


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """One interface that a change touches."""

    before: Interface | None
    after: Interface
    """As PVE will keep it."""
    given: Interface
    """As it was asked for."""
    changed: frozenset[str]
    """The fields that are new, or different from before."""
    listed: Interface | None = None
    """What is there now as the node lists it, with what PVE would drop or order otherwise."""

    def asked(self, field: str) -> bool:
        """Whether a field was asked for, and not just carried along from what stands on the node."""
        return bool(getattr(self.listed, field, None) != getattr(self.given, field))

    @property
    def name(self) -> str:
        return self.after.name

    def problem(  # noqa: PLR0913 - what a problem has, each by its name
        self,
        field: str,
        message: str,
        value: object = None,
        *,
        nearest: str | None = None,
        warning: bool = False,
        other: str | None = None,
        by_change: bool = False,
    ) -> Problem:
        """A problem of this interface; the value is the field's unless another is named."""
        shown = getattr(self.after, field, None) if value is None else value
        text = "" if shown is None else str(shown)
        return Problem(
            interface=self.name,
            field=field,
            value=text,
            message=message,
            nearest=nearest,
            warning=warning,
            other=other,
            by_change=by_change,
        )


class Context:
    """The networks before and after the change; each thing in them is looked for once, when it is asked for first."""

    def __init__(self, current: Network, desired: Desired) -> None:
        self.links = current.links
        self.now = current.kept
        self.then = overlaid(self.now, desired)
        self._wanted = Network(interfaces=self.then)
        self.mentioned = desired.keys()
        differing = [name for name in desired if self.then.get(name) not in (None, self.now.get(name))]
        self.subjects = {
            name: _subject(current.interfaces.get(name), given, self.then[name])
            for name in differing
            if (given := desired[name]) is not None
        }
        self.order = {name: number for number, name in enumerate(self.subjects)}
        self.gone = {name for name, given in desired.items() if given is None and name in self.now}
        self._guesses: dict[str, str | None] = {}

    @cached_property
    def listers(self) -> Mapping[str, str]:
        """The bridge of Open vSwitch that will list each port."""
        return ovs.listers(self.then)

    @cached_property
    def users_now(self) -> Mapping[str, Sequence[str]]:
        """Who stands on each name now."""
        return Network(interfaces=self.now).users

    @cached_property
    def users(self) -> Mapping[str, Sequence[str]]:
        """Who will stand on each name."""
        return self._wanted.users

    @cached_property
    def circles(self) -> frozenset[str]:
        """What will stand on itself."""
        return on_circles(self._wanted)

    @cached_property
    def gateways(self) -> Mapping[str, Sequence[str]]:
        """The interfaces that will have each of the default gateways."""
        return {key: [name for name, interface in self.then.items() if getattr(interface, key)] for key in GATEWAYS}

    @cached_property
    def having(self) -> Mapping[object, Sequence[str]]:
        """The interfaces that will have an address."""
        return self._by(lambda address: address.ip)

    @cached_property
    def within(self) -> Mapping[object, Sequence[str]]:
        """The interfaces that will have an address in a subnet."""
        return self._by(lambda address: address.network)

    def _by(self, part: Callable[[Address], object]) -> Mapping[object, Sequence[str]]:
        """The interfaces by a part of their addresses."""
        found: dict[object, list[str]] = defaultdict(list)
        for name, interface in self.then.items():
            for address in addresses(interface):
                found[part(address)].append(name)
        return found

    @cached_property
    def altnames(self) -> Mapping[str, str]:
        """The NICs by their other names."""
        return {alias: name for name, link in self.links.items() for alias in link.altnames}

    def nearest(self, name: str, asking: str) -> str | None:
        """The name of an interface that was probably meant, of others than the one that asks."""
        if name not in self._guesses and len(self._guesses) < MOST_GUESSES:
            others = (other for other in self.then if other != asking)
            self._guesses[name] = self.altnames.get(name) or nearest(name, others, cutoff=0.7)
        return self._guesses.get(name)

    def changed(self, name: str) -> frozenset[str]:
        """The fields of an interface that the change changes."""
        subject = self.subjects.get(name)
        return subject.changed if subject else frozenset()

    def later(self, name: str, other: str) -> bool:
        """Whether of two that collide the first is to be told: the one that changes, or the one named later."""
        return self.order.get(name, -1) > self.order.get(other, -1)


def _subject(listed: Interface | None, given: Interface, after: Interface) -> Subject:
    before = canonical(listed) if listed else None
    if before is not None and (same_kind(before, after) or ovs.passes(before, after)):
        changed = {change.field for change in differences(before, after)}
    else:
        changed = {field.name for field in fields(after)}
    return Subject(before=before, after=after, given=given, changed=frozenset(changed), listed=listed)
