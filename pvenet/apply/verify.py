"""Are we there? A pure judgement of what was expected against what the node says. pve-api#frozen-flags and
pve-api#active.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pvenet.changes import Create, changed_fields, same_kind
from pvenet.model import (
    Ethernet,
    Interface,
    Network,
    Vlan,
    beneath,
    canonical,
    parent_in,
    typed,
)
from pvenet.model.autostart import should_be_active
from pvenet.nics.gone import absent
from pvenet.nics.names import named_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pvenet.plan.restore import RestorePlan

_ERROR = re.compile(r"\s*(?:(?P<stanza>\S+) : )?error: (?:(?P<name>[^\s:]\S*): )?")
"""How ifupdown2 names whom an error is about."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a reload should have made of a node."""

    wanted: Mapping[str, Interface]
    """The whole network as it was pending."""
    gone: frozenset[str]
    """What was there before and is not wanted."""
    active: frozenset[str]
    """What has to be up."""
    excused: frozenset[str]
    """What should be up, was not before, and was not touched: a warning."""
    untellable: frozenset[str] = frozenset()
    """What should be up, and of which PVE never says so."""
    ours: Mapping[str, frozenset[str]] | None = None
    """The fields that these changes are about, by name; None where whose they are is not known, and all count."""
    was: Mapping[str, Interface] | None = None
    """The whole network before these changes; None where that is not known, or is what is wanted."""
    let_go: frozenset[str] = frozenset()
    """What leaves a bridge or a bond, and was down before it came there."""
    absent: frozenset[str] = frozenset()
    """The NICs that were not there before either, and their VLANs: a reload fails for who names them, as it did."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """How a reading compares with the expectation."""

    down: tuple[str, ...]
    """Should be active and is not."""
    excused: tuple[str, ...]
    """The same, of those that were down before and were not touched."""
    different: tuple[str, ...]
    """Is not configured as it was pending."""
    there: tuple[str, ...]
    """Should be gone and is listed."""
    more: tuple[str, ...] = ()
    """Is otherwise than it was pending, and not by these changes: somebody else's, come live in the same moment."""
    still_up: tuple[str, ...] = ()
    """Has left a bridge or a bond and is up, as it was not before."""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """In which fields each is otherwise; none for one that is there and should not be, or the other way round."""
    theirs: tuple[str, ...] = ()
    """What is different by a value that it neither had before nor was pending: somebody else's."""
    reverted: bool = False
    """Nothing of these changes is live."""

    @property
    def good(self) -> bool:
        """Everything is as it should be."""
        return not (self.down or self.different or self.there)

    @property
    def overridden(self) -> bool:
        """All is as it should be but for values that somebody else has given to fields of ours."""
        return bool(self.different) and self.different == self.theirs and not (self.down or self.there)

    def told(self, names: Iterable[str]) -> str:
        """Names with the fields that are otherwise: `vmbr1, vmbr0 (comments)`."""
        return ", ".join(
            f"{name} ({', '.join(self.fields[name])})" if self.fields.get(name) else name for name in names
        )


_RANKS = ("eno", "ens", "enp", "enx")
"""How udev names a NIC, the first that it can; the others are altnames."""


def _rank(name: str) -> int:
    """0 for a name that somebody has given, or the kernel's own."""
    return next((rank for rank, prefix in enumerate(_RANKS, 1) if name.startswith(prefix)), 0)


def untellable(network: Network, before: Network | None) -> frozenset[str]:
    """The NICs that a stanza calls by an altname, of which PVE never says that they are up (pve-api#altname-active).

    The listing has all names of a NIC and not which one is the kernel's. It is not the one by which the NIC was seen
    to be down although something that is up stood on it before, nor one of which udev would have preferred another.
    """
    up = {name for name, link in network.links.items() if link.active}
    carrying = {low for name, it in before.interfaces.items() if name in up for low in beneath(it)} if before else set()
    return frozenset(
        name
        for name, link in network.links.items()
        if link.altnames and not link.active and (name in carrying or _rank(name) > min(map(_rank, link.altnames)))
    )


def expect(*, before: Network | None, wanted: Network, touched: Collection[str] | None) -> Expectation:
    """What to expect of a reload that makes `wanted` live.

    `before` is the network before the changes, and `touched` what they changed; None for changes that are not ours,
    of which everything with autostart is expected to be active.
    """
    should = should_be_active(wanted)
    hidden = should & untellable(wanted, before)
    should -= hidden
    excused = frozenset[str]()
    if touched is not None:
        near = set(touched).union(*(beneath(wanted.interfaces[n]) for n in touched if n in wanted.interfaces))
        excused = frozenset(n for n in should - near if n in wanted.links and not wanted.links[n].active)
    gone = frozenset(before.interfaces if before else ()) - frozenset(wanted.interfaces)
    ours = None
    if touched is not None:
        was = before.interfaces if before else {}
        ours = {name: changed_fields(was.get(name), wanted.interfaces.get(name)) for name in touched}
    return Expectation(
        wanted=wanted.interfaces,
        gone=gone,
        active=should - excused,
        excused=excused,
        untellable=hidden,
        ours=ours,
        was=before.interfaces if before else None,
    )


def expect_restored(baseline: Network, restore: RestorePlan) -> Expectation:
    """What to expect of a reload that makes a restore plan live: up again is what was up in the baseline."""
    up = {name for name, link in baseline.links.items() if link.active} & restore.wanted.keys()
    should = should_be_active(Network(interfaces=restore.wanted, links=baseline.links))
    return Expectation(
        wanted=restore.wanted,
        gone=restore.gone,
        active=frozenset(up & should),
        excused=frozenset(up - should),  # nothing brings up what has no autostart
        ours=restore.ours,
        let_go=frozenset(_left_by(restore) - up - should) & baseline.links.keys(),
        absent=absent(Network(interfaces=restore.wanted, links=baseline.links)),
    )


def _left_by(restore: RestorePlan) -> set[str]:
    """What stands beneath an interface, and shall do so no more."""
    below = {name for step in restore.todo.steps if not isinstance(step, Create) for name in beneath(step.before)}
    return below - {name for interface in restore.wanted.values() for name in beneath(interface)}


def judge(expectation: Expectation, now: Network) -> Judgement:
    """Compare what a node lists now with what was expected of it."""
    up = {name for name, link in now.links.items() if link.active}
    up |= {alias for name in up for alias in now.links[name].altnames}
    different, others, fields = [], [], {}
    for name, wanted in expectation.wanted.items():
        here = now.interfaces.get(name)
        odd = changed_fields(wanted, here)
        ours = odd if expectation.ours is None else odd & expectation.ours.get(name, frozenset())
        different += [name] if ours else []
        others += [name] if odd and not ours else []
        if here is not None and same_kind(wanted, here):
            fields[name] = tuple(sorted(ours or odd))
    others += [
        name
        for name, interface in now.interfaces.items()
        if name not in expectation.wanted.keys() | expectation.gone and not isinstance(typed(interface), Ethernet)
    ]
    taken = {name for name in others if name not in now.interfaces}
    return Judgement(
        down=tuple(sorted(expectation.active - up - taken)),
        excused=tuple(sorted(expectation.excused - up)),
        different=tuple(sorted(different)),
        there=tuple(sorted(expectation.gone & now.interfaces.keys())),
        more=tuple(sorted(others)),
        still_up=tuple(sorted(expectation.let_go & up)),
        fields=fields,
        theirs=tuple(sorted(name for name in different if _is_theirs(expectation, now, name, fields.get(name, ())))),
        reverted=_is_reverted(expectation, now),
    )


def _is_theirs(expectation: Expectation, now: Network, name: str, fields: Iterable[str]) -> bool:
    """Whether one of these fields has a value that it did not have before either."""
    if expectation.was is None:
        return False
    was = expectation.was.get(name)
    return any(not _same(was, now.interfaces.get(name), each) for each in fields)


def _is_reverted(expectation: Expectation, now: Network) -> bool:
    """Whether all that these changes are about is as it was before them."""
    was, here = expectation.was, now.interfaces
    if was is None or not expectation.ours:
        return False
    return all(
        (name in was) == (name in here) and all(_same(was.get(name), here.get(name), each) for each in fields)
        for name, fields in expectation.ours.items()
    )


def _same(one: Interface | None, other: Interface | None, name: str) -> bool:
    """Whether two values of a name agree in a field; two that are not there do."""
    if one is None or other is None or not same_kind(one, other):
        return one is other
    return bool(getattr(canonical(one), name) == getattr(canonical(other), name))


def went_through(exitstatus: str) -> bool:
    """Whether a reload that failed has gone through the whole file (pve-api#ifreload-3.3.0).

    One that somebody has ended, or that found another running (pve-api#exit-89), has not: its log may be about a part.
    """
    return exitstatus.endswith("'ifreload -a' failed: exit code 1")


def failing_elsewhere(expectation: Expectation, log: Iterable[str]) -> tuple[str, ...]:
    """The interfaces for which a reload failed, by its log, where the changes touch none of them, nor what is near.

    Empty where one of the errors says nothing of whom it is about.
    """
    found = [_ERROR.match(line) for line in _errors(log)]
    names = {error and (error["stanza"] or error["name"]) for error in found}
    ours = set(expectation.ours or ())
    wanted = expectation.wanted
    near = ours.union(*(beneath(wanted[name]) for name in ours if name in wanted))
    while above := {name for name, it in wanted.items() if near & {*beneath(it), parent_in(name)}} - near:
        near |= above
    if expectation.ours is None or not names <= wanted.keys() or names & near:
        return ()
    return tuple(sorted(filter(None, names)))


def failing_as_before(expectation: Expectation, log: Sequence[str]) -> tuple[str, ...]:
    """The absent NICs and VLANs that a reload's failure is about, where it is about nothing else of these changes.

    Of a VLAN on nothing no line tells (pve-api#vlan-on-nothing).
    """
    errors = tuple(_errors(log))
    names = {named_in(line, expectation.absent) for line in errors}
    if "" in names and not failing_elsewhere(expectation, about_others(expectation, errors)):
        return ()
    wanted = expectation.wanted
    silent = {name for name in expectation.absent & wanted.keys() if isinstance(typed(wanted[name]), Vlan)}
    return tuple(sorted((names - {""}) or {name for name in silent if wanted[name].autostart}))


def fails_for_nothing(expectation: Expectation, log: Sequence[str]) -> bool:
    """Whether a log has no error, and nothing is there for which a reload fails without a word."""
    return not any(_errors(log)) and not failing_as_before(expectation, log)


def about_others(expectation: Expectation, log: Iterable[str]) -> tuple[str, ...]:
    """The lines that name nothing absent."""
    return tuple(line for line in log if not named_in(line, expectation.absent))


def _errors(log: Iterable[str]) -> Iterator[str]:
    return (line for line in log if re.search(r"\berror: ", line))


def cause(log: Iterable[str]) -> str:
    """The line of a reload's log that says what went wrong; empty where none does."""
    return next((line.strip() for line in log if _ERROR.match(line)), "")


def how_far(judgement: Judgement) -> str:
    """What a node lacks, in words."""
    parts = []
    if judgement.down:
        parts.append(f"not active: {', '.join(judgement.down)}")
    if judgement.different:
        parts.append(f"not configured as it was pending: {judgement.told(judgement.different)}")
    if judgement.there:
        parts.append(f"still there: {', '.join(judgement.there)}")
    return "; ".join(parts) or "no interface is listed as down, which does not mean that anything was applied"
