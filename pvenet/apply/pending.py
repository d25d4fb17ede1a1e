"""What an apply makes live: what is pending, whose it is, and what has to be so afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.management import touched_path
from pvenet.apply.unfinished import refuse_armed
from pvenet.apply.verify import Expectation, expect
from pvenet.journal import Journals, Nothing, Ours, not_ours, ownership, replay
from pvenet.plan.restore import restore_plan

if TYPE_CHECKING:
    from pvenet.apply.options import ApplyOptions
    from pvenet.changes import Change, Plan
    from pvenet.cluster import Cluster
    from pvenet.journal import Journal
    from pvenet.model import Network
    from pvenet.node import Node, Reading


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What is about to go live."""

    reading: Reading
    journal: Journal | None
    """None where it is not ours."""
    before: Network | None
    """The network before the changes; None where they are not ours."""
    steps: tuple[Change, ...]
    """What they mean; empty where they are not ours."""
    expectation: Expectation

    @property
    def inverse(self) -> Plan | None:
        """What leads back from what is pending to what was before."""
        if self.before is None or self.journal is None:
            return None
        return restore_plan(self.before, self.reading.network, replay(self.journal).values()).todo


def gate(node: Node, journals: Journals, reading: Reading, options: ApplyOptions) -> Pending:
    """What is about to go live, and whose it is. Raises NotOurs, and RefusedByPvenet for what leads back."""
    whose = ownership(journals, reading)
    refuse_armed(journals, whose)
    if isinstance(whose, Ours):
        journal: Journal | None = whose.journal
        before: Network | None = whose.journal.network
        steps, touched = whose.steps, frozenset(step.name for step in whose.steps)
        expectation = expect(before=before, wanted=reading.network, touched=touched)
    elif isinstance(whose, Nothing) or options.adopt:
        journal = None if isinstance(whose, Nothing) else whose.adopted
        before, steps = None, ()
        expectation = expect(before=None, wanted=reading.network, touched=None)
    else:
        raise not_ours(node.name, whose.changes, "apply them with `pvenet apply --adopt`", whose.note)
    return Pending(reading=reading, journal=journal, before=before, steps=steps, expectation=expectation)


def refuse_irreversible(node: str, pending: Pending, options: ApplyOptions) -> None:
    """Raises RefusedByPvenet where what was asked for needs something that leads back, and there is nothing."""
    asked = {"--confirm-within": options.confirm_within is not None, "--arm": options.arm}
    for option, wanted in asked.items():
        if wanted and pending.before is None:
            raise errors.RefusedByPvenet(
                f"what is pending on {node} was not staged by pvenet and can't be rolled back, which {option} needs; "
                "nothing was sent",
                hint=f"apply it without {option}",
            )
    if options.arm and pending.steps and not pending.inverse:
        raise errors.RefusedByPvenet(
            f"the API can't stage a way back from what is pending on {node}, which --arm needs; nothing was sent",
            hint="apply it without --arm",
        )


def touches_path(node: Node, cluster: Cluster, pending: Pending) -> bool:
    """Whether it is known to touch the management path."""
    before, wanted = pending.before, pending.reading.network
    return before is not None and touched_path(node, cluster, before, wanted) is not None
