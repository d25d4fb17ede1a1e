"""What an apply hands over to whoever takes it up: what it knew before its reload, and what it was told to do.

It is kept beside the journal, in a file of its owner's alone, once, right before the reload is sent. Of the node's
report it has the network section's values, as far as a verdict rests on them (`kernel.kept`), and of the command of
--verify-with the program's name: its arguments may hold a secret.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pvenet import errors, wire
from pvenet.apply.bystanders import Bystanders
from pvenet.apply.kernel import Asked
from pvenet.apply.options import ApplyOptions
from pvenet.cluster import Cluster
from pvenet.impact import BridgeImpact, Impact, Known
from pvenet.kernel.judgement import Look, Require
from pvenet.kernel.kept import kept
from pvenet.kernel.links import BridgePorts, Report
from pvenet.plain import frozen, plain

if TYPE_CHECKING:
    from pvenet.journal import Journal, Journals
    from pvenet.model import Network

_WORDS = {each.__name__: each for each in (ApplyOptions, Asked, BridgePorts, Cluster, Report, Require)}
"""What the modules of these values import for typing alone, this one among them."""


@dataclass(frozen=True, kw_only=True)
class Handover:
    """What a verdict rests on beside the journal."""

    options: ApplyOptions
    """What decides; of the command that has the last word its first word alone."""
    entries: tuple[dict[str, Any], ...]
    """The listing just before the reload."""
    known: frozenset[str]
    """The reload tasks that the node listed before."""
    management: bool
    """The management path is touched."""
    baseline: Look
    asked: Asked
    """What the looks before have left of those that an apply takes."""
    hanging: tuple[tuple[int, str, str], ...] = ()
    """Where the cards of the guests that ran hung: guest, card, bridge."""
    ports: tuple[BridgePorts, ...] = ()
    """The bridges with which that was known."""
    hit: tuple[BridgeImpact, ...] = ()
    """Whom the changes hit on which bridge."""
    cluster: Cluster | None = None
    """As it was, where one of its links was touched."""

    def bystanders(self, before: Network, wanted: Network) -> Bystanders:
        """Who depended on the node's network, as far as they are looked for afterwards."""
        return Bystanders(
            before=before,
            wanted=wanted,
            known=Known(ports=self.ports),
            impact=Impact(bridges=self.hit),
            hanging={(vmid, index): bridge for vmid, index, bridge in self.hanging},
            cluster=self.cluster,
        )


def handover(  # noqa: PLR0913 - all that an apply knows
    options: ApplyOptions,
    there: Bystanders,
    *,
    entries: tuple[dict[str, Any], ...],
    known: frozenset[str],
    management: bool,
    baseline: Look,
    asked: Asked,
) -> Handover:
    """What one apply hands over. Nobody waits with the SDN lock or the secrets of another process."""
    program = options.verify_with[:1]
    decided = replace(options, wait=True, sdn_lock=False, verify_with=program, withheld=frozenset())
    return Handover(
        options=decided,
        entries=entries,
        known=known,
        management=management,
        baseline=kept(baseline),
        asked=asked,
        hanging=tuple((vmid, index, bridge) for (vmid, index), bridge in there.hanging.items()),
        ports=there.known.ports,
        hit=there.impact.bridges,
        cluster=there.cluster,
    )


def keep(journals: Journals, journal: Journal, given: Handover) -> None:
    """Put it beside the journal; where no disk takes it, whoever takes it up has to do without."""
    journals.keep_handover(journal, json.dumps(plain(given), ensure_ascii=False, separators=(",", ":")))


def read(journals: Journals, journal: Journal) -> Handover | None:
    """What was handed over; None where nothing was, as by an older pvenet, or it can't be read."""
    try:
        given: Handover = frozen(Handover, json.loads(journals.handover(journal)), _WORDS)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, errors.UsageError):
        return None
    return None if wire.unreadable(given.entries) else given
