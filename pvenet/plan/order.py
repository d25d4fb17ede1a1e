"""From what is to what shall be, in an order that PVE accepts while it checks the whole file at every step.

PVE writes the whole file with every staged change and refuses one that leaves a slave, a port or a parent missing,
a port used twice or with an address, a second default gateway, or MTUs that don't fit (pve-api#refusals and
pve-api#whole-file-checked). So:

1. What is given up comes before what takes it: a port, an address, a gateway, a name.
2. Interfaces are deleted from the top down and created from the bottom up; then others attach to them.
3. An MTU is raised from the bottom up and lowered from the top down; but a bond comes before its slaves where it is
   raised, and after them where it is lowered.

Each rule is an edge between two changes. An update gives up and takes in one step; where that makes a circle (two
bridges that swap ports), one of them gives up first, in an intermediate update, and takes the rest later. Where that
does not help (a VLAN moves to a bond that shall take the NIC it was on), the bond is there first without its members.

What Open vSwitch's bridges and ports do to each other is in `ovs`. Here their bridges list NICs only; the ports that
are there for a bridge come and go with steps of their own, and an update of the bridge says those that are there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet.changes import Change, Create, Delete, Desired, Plan, Update, advance, ovs, same_kind
from pvenet.model import (
    Bond,
    Bridge,
    Interface,
    Network,
    OvsBond,
    OvsBridge,
    Vlan,
    beneath,
    canonical,
    natural,
    typed,
    with_values,
)
from pvenet.model.relations import members, mtus_fit, start_slaves, supports
from pvenet.plan.walk import Node, Until, Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ADDRESSES = ("cidr", "gateway", "cidr6", "gateway6")
GATEWAYS = ("gateway", "gateway6")

AnyBond = Bond | OvsBond

GIVES, DELETES, CREATES, TAKES = range(4)
"""What comes first where no rule decides."""


def plan(current: Network, desired: Desired) -> Plan:
    """The changes that lead from the current network to the desired one; none where nothing is to be done."""
    return plan_and_outcome(current, desired)[0]


def plan_and_outcome(current: Network, desired: Desired) -> tuple[Plan, dict[str, Interface]]:
    """The same, and the interfaces to which it leads, as PVE keeps them."""
    now = current.kept
    asked = overlaid(now, desired)
    then = dict(asked)
    start_slaves(then, list(then.values()))
    changed = {name for name in desired if now.get(name) not in (then.get(name), asked.get(name))}
    changed |= {name for name, old in now.items() if old is not (new := then.get(name)) and ovs.passes(old, new)}
    enslaved = {slave for each in then.values() if isinstance(typed(each), AnyBond) for slave in beneath(each)}
    by_itself = {name for name in changed & enslaved if _is_started(now.get(name), then.get(name))}
    if by_itself != changed:
        changed -= by_itself
    rules = _Rules(ovs.nics_only(now), ovs.nics_only(then), changed, enslaved)
    there = dict(now)
    steps = tuple(_witnessed(Walk(rules.nodes()), there))
    return Plan(steps=tuple(_as_asked(step, then, desired) for step in steps)), there


def _is_started(before: Interface | None, after: Interface | None) -> bool:
    """Whether nothing is asked for but the autostart that PVE gives to a slave by itself, with any other step."""
    return before is not None and not before.autostart and replace(before, autostart=True) == after


def _witnessed(steps: Iterable[Change], state: dict[str, Interface]) -> Iterator[Change]:
    """The steps that are left to do when each finds what PVE has done to slaves and OVS ports before.

    `state`: what is there, which changes with each step.
    """
    first = True
    for step in steps:
        done = step
        if not isinstance(step, Create) and state[step.name] is not step.before:
            done = replace(step, before=state[step.name])
        if isinstance(done, Update) and isinstance(done.after, OvsBridge):
            done = replace(done, after=ovs.with_own_ports(done.after, state))
        if not (isinstance(done, Update) and done.before == done.after):
            advance(state, done, first=first)
            first = False
            yield done


def _as_asked(step: Change, then: Mapping[str, Interface], desired: Desired) -> Change:
    """A step to the final value keeps the order of slaves and ports: a bond has its first slave's MAC address."""
    asked = desired.get(step.name)
    if isinstance(step, Delete) or asked is None or step.after != then[step.name]:
        return step
    match step.after, asked:
        case Bond() as bond, Bond():
            after: Interface = with_values(bond, slaves=tuple(dict.fromkeys(asked.slaves)))
        case Bridge() as bridge, Bridge():
            after = with_values(bridge, ports=tuple(dict.fromkeys(asked.ports)))
        case _:
            return step
    return step if after is step.after else replace(step, after=after)


def overlaid(now: Mapping[str, Interface], desired: Desired) -> dict[str, Interface]:
    """The whole network when what is desired has come, each as PVE keeps it."""
    then = dict(now)
    for name, interface in desired.items():
        if interface is None:
            then.pop(name, None)
        elif interface is not then.get(name):
            then[name] = canonical(interface)
    return ovs.coupled(now, then, desired)


class _Rules:
    """The changes as nodes, and the rules as edges between them."""

    def __init__(
        self, now: Mapping[str, Interface], then: Mapping[str, Interface], changed: set[str], enslaved: set[str]
    ) -> None:
        self.now = now
        self.then = then
        self.enslaved = enslaved
        both = changed & now.keys() & then.keys()
        self.passing = {name for name in both if ovs.passes(now[name], then[name])}
        """The NICs that a bridge of Open vSwitch takes or lets go, which makes another kind of them."""
        self.renewed = {name for name in both - self.passing if _is_renewed(now[name], then[name])}
        """What is deleted and created again, as another kind or as another bridge's port."""
        shaken = {name for name, old in now.items() if self.renewed.intersection(members(old))} if self.renewed else ()
        self.going: dict[str, Node] = {}
        """Who takes the present value of a name away; an update is both."""
        self.coming: dict[str, Node] = {}
        """Who brings the future value of a name."""
        for name in sorted(changed.union(shaken), key=natural):
            self._add(name)
        self.takers = self._takers()

    def nodes(self) -> Iterable[Node]:
        for name in self.going:
            self._order_what_goes(name)
        for name in self.coming:
            self._order_what_comes(name)
        for key in GATEWAYS:
            self._order_gateways(key)
        return (*self.going.values(), *self.coming.values())

    def _add(self, name: str) -> None:
        old, new = self.now.get(name), self.then.get(name)
        if isinstance(old, ovs.Nic) and isinstance(new, ovs.Nic) and name in self.passing:
            left, found = ovs.handed_on(old, new, started=name in self.enslaved)
            self.going[name], self.coming[name] = Node(old, left, GIVES), Node(found, new, TAKES)
            self.going[name].edge(self.coming[name])
            return
        if old and new and name not in self.renewed:
            rank = TAKES if self._takes(old, new) else GIVES
            self.going[name] = self.coming[name] = Node(old, new, rank, renewed=self.renewed)
            return
        if old:
            self.going[name] = Node(old, None, DELETES)
        if new:
            self.coming[name] = Node(None, new, CREATES)
        if old and new:
            self.going[name].edge(self.coming[name])

    def _takes(self, old: Interface, new: Interface) -> bool:
        """Whether an update does more than give up."""
        more = set(supports(new, self.then)).difference(supports(old, self.now))
        return bool(more) or any(getattr(new, key) not in (None, getattr(old, key)) for key in ADDRESSES)

    def _takers(self) -> dict[str, list[Node]]:
        """The changes that take a name for themselves alone and did not have it."""
        found: dict[str, list[Node]] = {}
        for name, node in self.coming.items():
            for member in members(self.then[name]):
                if not self._kept(name, member):
                    found.setdefault(member, []).append(node)
        return found

    def _kept(self, name: str, support: str) -> bool:
        """Whether an interface stands on the same one before and after, without a break."""
        if name not in self.now or name not in self.then or not self.renewed.isdisjoint((name, support)):
            return False
        return support in supports(self.now[name], self.now) and support in supports(self.then[name], self.then)

    def _order_what_goes(self, name: str) -> None:
        """Rules 1 and 2: others take, delete and change what an interface stands on when it has let go."""
        node, old = self.going[name], self.now[name]
        for support in supports(old, self.now):
            if self._kept(name, support):
                continue
            joined = support in members(old)
            if joined:
                for taker in self.takers.get(support, ()):
                    node.edge(taker, Until.GIVEN_UP, joins=True)
            there = self.going.get(support) or self.coming.get(support)  # a port may have had no stanza of its own
            if there and support in self.passing and isinstance(old, OvsBridge):
                there.edge(node)
                node.edge(self.coming[support], Until.GIVEN_UP)
            elif there and (support in self.passing or there.after is None or not _suits(old, there.after)):
                node.edge(there, Until.GIVEN_UP if joined or _gives_up(old) else Until.DONE)

    def _order_what_comes(self, name: str) -> None:
        """Rules 1 to 3: what an interface shall stand on is there, has no address, and has the MTU."""
        node, new = self.coming[name], self.then[name]
        for support in supports(new, self.then):
            there = self.coming.get(support)
            if there is None:
                continue
            joins = support in members(new) or _gives_up(new)
            if support in self.passing and isinstance(new, OvsBridge):
                self.going[support].edge(node, joins=True)
                node.edge(there)
            elif support in self.passing or there.before is None:
                there.edge(node, joins=joins)
            elif self._kept(name, support):
                _order_mtus(node, there)
            else:
                if joins and addressed(there.before) and there.after and not addressed(there.after):
                    there.edge(node, Until.GIVEN_UP, joins=joins)
                if not mtus_fit(new, there.before):
                    there.edge(node, joins=joins)

    def _order_gateways(self, key: str) -> None:
        """Rule 1: the one default gateway of a family is given up before another interface takes it."""
        givers = [
            node for node in self.going.values() if getattr(node.before, key) and not getattr(node.after, key, None)
        ]
        for node in self.coming.values():
            if getattr(node.after, key) not in (None, getattr(node.before, key, None)):
                for giver in givers:
                    giver.edge(node, Until.GIVEN_UP)


def _is_renewed(before: Interface, after: Interface) -> bool:
    """Whether only a deletion and a creation lead from one to the other; an OVS port of its own can't move."""
    moves = isinstance(before, ovs.OwnPort) and isinstance(after, ovs.OwnPort) and before.bridge != after.bridge
    return moves or not same_kind(before, after)


def _gives_up(interface: Interface) -> bool:
    """Whether it can be without what it stands on for a while; a VLAN can't, nor an OVS bond or internal port."""
    return not isinstance(interface, Vlan | ovs.OwnPort)


def addressed(interface: Interface) -> bool:
    return interface.cidr is not None or interface.cidr6 is not None


def _suits(user: Interface, support: Interface) -> bool:
    """Whether an interface may become this while the user still stands on it.

    No address while it is a port, no autostart taken from it while it is a slave (PVE starts slaves on every write:
    pve-api#slaves-auto), no MTU that does not fit.
    """
    if support.name in members(user) and (addressed(support) or not support.autostart):
        return False
    return mtus_fit(user, support)


def _order_mtus(user: Node, support: Node) -> None:
    """Rule 3: two that stay together and both change; at no time may their MTUs not fit."""
    if user.before and user.after and support.before and support.after:
        if not mtus_fit(user.after, support.before):
            support.edge(user)
        if not mtus_fit(user.before, support.after):
            user.edge(support)
