"""The looks at the kernel that one apply takes: before the question, before the reload, after it, and a last one.

A report takes seconds and one of PVE's three workers (pve-api#report-occupies): there are few of them, one after
another, and none more once one was not to be had in time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.kernel.judgement import NOTHING_SEEN, Consequences, Look, judge_kernel
from pvenet.kernel.left import left_behind
from pvenet.observe import REPORT_TIMEOUT, NotToBeHad, bridges, report
from pvenet.parallel import Background

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pvenet.apply.runtime import Deadline, Runtime
    from pvenet.impact import Card
    from pvenet.kernel.difference import Difference
    from pvenet.kernel.judgement import Require, Scope
    from pvenet.kernel.links import BridgePorts
    from pvenet.model import Network
    from pvenet.node import Node

REPORTS = 3
"""How many an apply asks for at most: before, after, and a last one."""
REPORTS_OF_ROLLBACK = 2
"""How many a rollback asks for at most, one after each of its reloads."""
LAST = 40.0
"""Seconds after the reload's task: LACP has come by then, and the ports of a bridge with STP forward."""
SLOW_LACP = 31.0
"""Seconds after it in which slow switches and STP are through: an earlier look than the last would blame them."""
CARRIER = 10.0
"""Seconds after which a NIC that was down before has carrier, or none."""
OFTEN = 2.0
"""Seconds between two bridges calls while a reload runs."""
BRIEF = 3.0
"""Seconds that such a call may take: nothing depends on it."""


class Verify(StrEnum):
    """What an apply is verified by."""

    AUTO = "auto"
    """The kernel, where it can be asked; else the flags of the list."""
    KERNEL = "kernel"
    FLAGS = "flags"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the looks so far have left."""

    left: int = REPORTS
    """How many reports may still be asked for."""
    no_report: str = ""
    """Why none is asked for any more."""
    no_bridges: bool = False
    """The bridges call is not to be had."""


@dataclass(frozen=True, kw_only=True)
class KernelVerdict:
    """What the kernel says of a reload that the flags call good."""

    consequences: Consequences = field(default_factory=Consequences)
    missing: str = ""
    """Why it could not be asked, or not all that was wanted; empty where it was."""
    look: Look = NOTHING_SEEN
    """The last one."""

    @property
    def proof(self) -> str:
        """What stands behind it, where it is less than was wanted: a clause with the reason."""
        if not self.missing:
            return ""
        what = "flags" if self.look.bridges is None else "flags and its bridges' ports"
        return f"verified only by the list's {what}: {self.missing}"

    @property
    def lacks(self) -> str:
        """What it has otherwise than it should, in words; empty where that fails nothing."""
        return "; ".join(each.text for each in self.consequences.failures)

    def warnings(self, node: str) -> Iterator[str]:
        """What it has otherwise, and fails nothing."""
        yield from (each.text for each in self.consequences.warnings)
        if (number := self.consequences.as_before) > 0:
            what = "one more thing" if number == 1 else f"{number} more things"
            yield f"{node} differs from its file in {what}, as before; `pvenet links` shows them"


class KernelLooks:
    """The looks of one apply, or of its rollback."""

    def __init__(  # noqa: PLR0913 - what is looked at, and what is wanted of it
        self,
        node: Node,
        runtime: Runtime,
        scope: Scope,
        *,
        verify: Verify = Verify.AUTO,
        require: Collection[Require] = (),
        before: Network | None = None,
        baseline: Look = NOTHING_SEEN,
        asked: Asked | None = None,
        restores: bool = False,
        guests: bool = False,
    ) -> None:
        self._node = node
        self._runtime = runtime.unfailing()
        self._require = require
        self._before = before
        """The network to which the baseline belongs; None where it is not known."""
        self._restores = restores
        always, never = verify is Verify.KERNEL, verify is Verify.FLAGS
        self._judges = not never
        self._report_wanted = (scope.report or always) and not never
        self._bridges_wanted = guests or ((scope.bridges or always) and not never)
        """Also for the guests alone, who hang on the bridges."""
        self.required = always
        """The flags alone are not enough."""
        self.scope = scope
        self.baseline = baseline
        self.asked = asked or Asked(left=REPORTS_OF_ROLLBACK if restores else REPORTS)
        self._first: Look | None = None
        """The first one after the reload: after a Ctrl-C what was waited for is waited for still."""
        self._took = 0.0
        """Seconds that it took."""
        self._look: Background[Look] | None = None
        """One that is under way: after a Ctrl-C it is waited for again, and no second one sent."""
        self._ended: float | None = None
        """When the reload's task had ended, by the clock."""
        self._asked_at = 0.0

    @property
    def wanted(self) -> bool:
        """Whether anything is to be asked of the kernel at all."""
        return self._report_wanted or self._bridges_wanted

    @property
    def judges(self) -> bool:
        """Whether the kernel has a word in the verdict: not where it is asked for the guests alone."""
        return self._judges and self.wanted

    @property
    def slow(self) -> bool:
        """Whether the looks take so long that somebody may stage meanwhile."""
        return self._report_wanted

    # --- before ------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Take the first look while a person reads; where it has to succeed, before.

        Raises RefusedByPvenet where the kernel has to be asked and can't be.
        """
        if self.wanted:
            self.baseline = Look(bridges=self._bridges() if self._bridges_wanted else None)
            self._start(REPORT_TIMEOUT, self.baseline.bridges)
        if self.required:
            self.begun()
            if self.baseline.missing:
                raise errors.RefusedByPvenet(
                    f"{self.baseline.missing}; --verify kernel needs that, so nothing was sent",
                    hint="`pvenet doctor` says what is missing; with --verify auto the flags of the list are enough",
                )

    def of_guests(self, names: Collection[str], unplaced: Collection[Card]) -> Look:
        """The first look, as far as it has to be for the guests on these bridges: the quick call, and the report where
        that leaves out a bridge (pve-api#bridges-staged), or a card that runs.
        """
        if unplaced or not set(names) <= (self.baseline.bridges or {}).keys():
            self.begun()
            if self.baseline.report is None and not self.asked.no_report:
                self._start(REPORT_TIMEOUT, self.baseline.bridges, report_wanted=True)
                self.begun()
        return self.baseline

    def begun(self) -> None:
        """Wait for the first look: nothing is staged on a node while a report of ours runs
        (pve-api#report-occupies).
        """
        if self._look is not None:
            self.baseline = self._taken()

    def again(self) -> None:
        """The bridges' ports as they are just before the reload."""
        if self._bridges_wanted and (found := self._bridges()) is not None:
            self.baseline = replace(self.baseline, bridges=found)

    # --- while the reload runs ---------------------------------------------------------------------------------------

    def ports_so_far(self, elapsed: float) -> str:
        """Which ports are on their bridges already, in words; asked now and then, and nothing is frozen by it
        (pve-api#bridges-freeze-nothing).
        """
        if not self._bridges_wanted or self.asked.no_bridges or elapsed - self._asked_at < OFTEN:
            return ""
        found, ours = self._bridges(timeout=BRIEF), self.scope.ours or {}
        self._asked_at = elapsed if found is not None else math.inf  # a way that is cut keeps nobody waiting twice
        return "; ".join(
            f"{name} has {', '.join(port.name for port in bridge.ports)}"
            for name, bridge in sorted((found or {}).items())
            if bridge.ports and (name in ours or self.scope.ours is None)
        )

    # --- after -------------------------------------------------------------------------------------------------------

    def verdict(self, wanted: Network, deadline: Deadline) -> KernelVerdict:
        """What the kernel says of the network that should be live; what takes its time has it, within the deadline."""
        if not self.wanted:
            return KernelVerdict()
        if self._ended is None:
            self._ended = self._runtime.clock()
        if self._first is None:
            began = self._runtime.clock()
            self._first = self._after(deadline)
            self._took = self._runtime.clock() - began
        found = self._concluded(wanted, self._first, self._ended, deadline)
        self._first = None  # another reload has its own
        return found

    def _concluded(self, wanted: Network, look: Look, ended: float, deadline: Deadline) -> KernelVerdict:
        """What the first look tells, or a last one where something is waited for."""
        if not self._judges:
            return KernelVerdict(look=look)
        consequences = self._judged(wanted, look)
        if self._restores:  # the configuration is back, and nobody is kept from hearing that by a switch
            consequences = _given_up(consequences)
        if consequences.failures or not consequences.waits:
            return KernelVerdict(consequences=consequences, missing=look.missing, look=look)
        until = _last_look(ended, deadline.at, self._took) if consequences.long else min(deadline.at, ended + CARRIER)
        while (left := until - self._runtime.clock()) > 0:
            deadline.pause(f"waiting for {_subjects(consequences)}", min(left, OFTEN), until=until)
        spent = self.asked.left <= 0 and self._look is None
        if spent or look.report is None:
            return KernelVerdict(consequences=_given_up(consequences), missing=look.missing, look=look)
        look = self._after(deadline)
        if look.report is None:
            return KernelVerdict(consequences=_given_up(consequences), missing=look.missing, look=look)
        return KernelVerdict(consequences=self._judged(wanted, look, last=True), missing=look.missing, look=look)

    def _after(self, deadline: Deadline) -> Look:
        if self._look is None:
            deadline.say(f"asking the kernel of {self._node.name}")
            ports = self._bridges(timeout=deadline.answer) if self._bridges_wanted else None
            self._start(max(1.0, min(REPORT_TIMEOUT, deadline.left)), ports)
        return self._taken()

    def _judged(self, wanted: Network, look: Look, *, last: bool = False) -> Consequences:
        before = self.baseline.differences(self._before) if self._before is not None else ()
        return judge_kernel(
            (*look.differences(wanted), *self._left_behind(wanted, look)),
            scope=self.scope,
            before=before,
            baseline=self.baseline,
            require=self._require,
            last=last,
        )

    def _left_behind(self, wanted: Network, look: Look) -> Iterable[Difference]:
        reports = self.baseline.report, look.report
        if self._before is None or self.scope.ours is None or reports[0] is None or reports[1] is None:
            return ()
        return left_behind(self.scope.ours, self._before, wanted, reports[0], reports[1])

    # --- asking ------------------------------------------------------------------------------------------------------

    def _start(self, timeout: float, ports: Mapping[str, BridgePorts] | None, *, report_wanted: bool = False) -> None:
        """Ask for what the quick call has not told, beside whatever goes on."""
        own = self._node.another()

        def look() -> Look:
            try:
                return self._seen(own, timeout, ports, report_wanted=report_wanted or self._report_wanted)
            finally:
                own.connection.close()

        self._look = Background(look)  # kept before it is begun: Ctrl-C may come at any moment
        self._look.begin()

    def _taken(self) -> Look:
        if self._look is None:
            return NOTHING_SEEN
        found = self._look.result()
        self._look = None
        return found

    def _seen(
        self, node: Node, timeout: float, ports: Mapping[str, BridgePorts] | None, *, report_wanted: bool
    ) -> Look:
        """One look: the report only where it is wanted, or the bridges call could not be had."""
        if not report_wanted and (ports is not None or not self._judges):
            return Look(bridges=ports)
        if self.asked.left <= 0 or self.asked.no_report:
            return Look(bridges=ports, missing=self.asked.no_report or f"{node.name} was asked often enough")
        self.asked = replace(self.asked, left=self.asked.left - 1)
        try:
            return Look(report=report(node, timeout=timeout), bridges=ports)
        except (NotToBeHad, errors.RefusedByPVE, errors.AccessError) as error:
            self.asked = replace(self.asked, no_report=error.message)
            return Look(bridges=ports, missing=error.message)
        except errors.PvenetError as error:  # this time
            return Look(bridges=ports, missing=error.message)

    def _bridges(self, *, timeout: float | None = None) -> Mapping[str, BridgePorts] | None:
        if self.asked.no_bridges:
            return None
        try:
            return bridges(self._node, timeout=timeout)
        except (NotToBeHad, errors.RefusedByPVE, errors.AccessError):
            self.asked = replace(self.asked, no_bridges=True)
        except errors.PvenetError:  # this time
            pass
        return None


def _last_look(ended: float, due: float, took: float) -> float:
    """When to look for the last time: late, but so that a look which takes as long as the one before is in time."""
    in_time = due - took - 1
    return min(due, ended + LAST, max(in_time, ended + SLOW_LACP))


def _given_up(consequences: Consequences) -> Consequences:
    """What was waited for and could not be looked at again is a warning: nobody can tell."""
    return replace(consequences, waits=(), warnings=(*consequences.warnings, *consequences.waits))


def _subjects(consequences: Consequences) -> str:
    return ", ".join(dict.fromkeys(each.subject or each.name for each in consequences.waits))
