"""The second half of the story: check, gate, show, compare, reload, wait, verify.

Time and the person are arguments: `Surroundings` holds the clock, the sleep, the question and the ear for events, so
that a test, a terminal and a JSON stream run the same story.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import access, errors
from pvenet.apply.refresh import read_settled
from pvenet.apply.stage import not_ours
from pvenet.apply.verify import Expectation, Judgement, expect, judge
from pvenet.apply.wait import Surroundings, find_reload, wait_for_task, wait_until_idle
from pvenet.connection import AnswerLost
from pvenet.events import Ended, Reloading, Shown, TaskEnded, Verdict, Verified, Waiting, Warned
from pvenet.journal import Journal, Journals, State
from pvenet.node import members
from pvenet.plan import Change, Management, Risk, management, net_changes, risk

if TYPE_CHECKING:
    from pvenet.model import Network
    from pvenet.node import Node, Reading, Task

EXIT_ALREADY_RUNNING = "exit code 89"
"""ifreload's way to say that another one runs: ours has consumed the staging and applied nothing (facts, 16)."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the caller wants of an apply, and has agreed to."""

    timeout: float = 60.0
    """Seconds from the reload to the verdict."""
    wait: bool = True
    adopt: bool = False
    allow_management: bool = False


def apply(node: Node, journals: Journals, options: Options, around: Surroundings, *, now: str) -> Ended:
    """Make what is pending live, wait, and say the truth about the end.

    Raises NotOurs, ManagementRisk, NeedsConsent, Stale, Busy and PermissionMissing with nothing sent; ApplyFailed
    where the reload failed or something did not come up; StateUnknown where waiting was given up. Whatever the end,
    the last event is `Ended`.
    """
    story = _Story(node, journals, options, around, now)
    try:
        with journals.lock():
            end = story.run()
    except KeyboardInterrupt:
        error = errors.Interrupted(f"interrupted; nothing was sent, and what is pending on {node.name} stays pending")
        around.tell(_ended(node.name, error))
        raise error from None
    except errors.PvenetError as error:
        around.tell(_ended(node.name, error))
        raise
    around.tell(end)
    return end


def _ended(node: str, error: errors.PvenetError) -> Ended:
    verdict = Verdict.UNKNOWN if isinstance(error, errors.StateUnknown) else Verdict.FAILED
    return Ended(node=node, verdict=verdict, exit_code=error.exit_code, message=error.message)


@dataclass(frozen=True, kw_only=True)
class _Pending:
    """What is about to go live."""

    reading: Reading
    journal: Journal | None
    """None where it is not ours."""
    before: Network | None
    """The network before the changes; None where they are not ours."""
    changes: tuple[Change, ...]
    expectation: Expectation


class _Story:
    def __init__(self, node: Node, journals: Journals, options: Options, around: Surroundings, now: str) -> None:
        self._node = node
        self._journals = journals
        self._options = options
        self._around = around
        self._now = now
        self._sent = 0.0

    def run(self) -> Ended:
        access.check(self._node)
        known = self._idle()
        reading = self._node.read()
        if reading.pending is None:
            self._journals.drop_stale(str(self._node.connection.endpoint))
            return self._end(Verdict.NOTHING, f"nothing is pending on {self._node.name}")
        pending = self._gate(reading)
        if self._consent(pending):
            known = self._compare(reading)
        upid = self._reload(pending, known)
        if not self._options.wait:
            return self._end(Verdict.APPLIED, f"the reload was sent to {self._node.name}; it is task {upid}")
        return self._patiently(pending, upid)

    # --- before the reload -------------------------------------------------------------------------------------------

    def _idle(self) -> frozenset[str]:
        """The reload tasks that are known, once none of them runs.

        Nothing is listed before: a listing during a reload would freeze the flags (facts, section 11).
        """
        return wait_until_idle(self._node, self._around, self._options.timeout)

    def _gate(self, reading: Reading) -> _Pending:
        journal = self._journals.ours(reading.pending)
        if (journal is None or journal.adopted) and not self._options.adopt:
            raise not_ours(self._node.name, reading.changes or "", "apply them with `pvenet apply --adopt`")
        before = None if journal is None or journal.adopted else journal.network
        changes = net_changes(before.interfaces, reading.network.interfaces) if before else ()
        touched = None if before is None else frozenset(change.name for change in changes)
        return _Pending(
            reading=reading,
            journal=journal,
            before=before,
            changes=changes,
            expectation=expect(before=before, wanted=reading.network, touched=touched),
        )

    def _consent(self, pending: _Pending) -> bool:
        """Show, and get consent; whether somebody was asked, so that time has passed. Raises what was not agreed."""
        danger, path = self._danger(pending)
        ours = pending.before is not None
        self._around.tell(
            Shown(
                node=self._node.name,
                changes=pending.changes,
                pending=pending.reading.changes or "",
                risk=danger,
                ours=ours,
            )
        )
        if not ours:
            self._warn("these changes are not pvenet's own: what they touch, and how to undo them, it can't tell")
        if danger is Risk.MANAGEMENT:
            way = f"this touches the way to {self._node.name}: {' on '.join(path.path)} ({path.reason})"
            if not self._options.allow_management:
                raise errors.ManagementRisk(way, hint="if that is meant, add --allow-management")
            self._warn(way)
        return self._around.ask(f"Apply this to {self._node.name} now?")

    def _danger(self, pending: _Pending) -> tuple[Risk, Management]:
        before = pending.before or pending.reading.network
        addresses = self._node.connection.endpoint.addresses()
        cluster = {member.address for member in members(self._node.connection) if member.name == self._node.name}
        path = management(before, addresses | {address for address in cluster if address})
        found = [risk(change, path, before, pending.reading.network) for change in pending.changes]
        return max(found, default=Risk.NONE), path

    def _compare(self, shown: Reading) -> frozenset[str]:
        """After a question: nobody reloads, and what is pending is still what was shown. Raises Stale."""
        known = self._idle()
        if self._node.read().pending != shown.pending:
            raise errors.Stale(
                f"what is pending on {self._node.name} is no longer what was shown; nothing was sent",
                hint="look again: `pvenet diff`, then `pvenet apply`",
            )
        return known

    # --- the reload and after ----------------------------------------------------------------------------------------

    def _reload(self, pending: _Pending, known: frozenset[str]) -> str:
        journal = pending.journal or self._journals.begin(
            endpoint=str(self._node.connection.endpoint),
            baseline=pending.reading.entries,
            now=self._now,
            adopted=True,
        )
        self._journal = self._journals.write(replace(journal, pending=pending.reading.pending, state=State.RELOADING))
        self._sent = self._around.clock()
        try:
            upid = self._send_reload(known)
        except (errors.RefusedByPVE, errors.AccessError):
            self._record(State.STAGING)
            raise
        self._journal = self._journals.write(replace(self._journal, upid=upid))
        self._around.tell(Reloading(node=self._node.name, upid=upid))
        return upid

    def _send_reload(self, known: frozenset[str]) -> str:
        """Send the reload, once; the task that it became, found among the node's tasks where the answer is lost."""
        try:
            return self._node.reload()
        except AnswerLost as lost:
            return find_reload(self._node, self._around, known, lost, self._deadline)
        except errors.Unreachable:
            self._record(State.STAGING)
            raise

    @property
    def _deadline(self) -> float:
        return self._sent + self._options.timeout

    def _patiently(self, pending: _Pending, upid: str) -> Ended:
        """Wait and verify. The first Ctrl-C says what is under way, the second stops waiting."""
        for last in (False, True):
            try:
                return self._conclude(pending, upid)
            except KeyboardInterrupt:
                if last:
                    break
                self._warn(
                    f"the reload of {self._node.name} is under way and can't be called back; "
                    "Ctrl-C again stops waiting for it"
                )
        raise errors.StateUnknown(
            f"waiting was given up; the reload of {self._node.name} goes on as task\n  {upid}",
            hint=f"when it has ended, look with `pvenet diff --node {self._node.name}` and `pvenet list`; "
            f"what was there before is in\n  {self._journals.path(self._journal)}",
        )

    def _conclude(self, pending: _Pending, upid: str) -> Ended:
        task = wait_for_task(self._node, upid, self._around, since=self._sent, deadline=self._deadline)
        if EXIT_ALREADY_RUNNING in task.exitstatus:
            task = self._again(task)
        self._report(task)
        judgement = self._verify(pending)
        if not task.ok:
            raise self._failed(task, judgement)
        if not judgement.good:
            raise self._not_there(judgement)
        for name in judgement.excused:
            self._warn(f"{name} has autostart and is not active; it was not before, and nothing here touches it")
        self._around.tell(
            Verified(active=tuple(sorted(pending.expectation.active)), gone=tuple(sorted(pending.expectation.gone)))
        )
        self._record(State.APPLIED)
        names = ", ".join(change.name for change in pending.changes) or "what was pending"
        return self._end(Verdict.APPLIED, f"applied and verified on {self._node.name}: {names}")

    def _again(self, task: Task) -> Task:
        """Another ifreload ran: ours took the staging and applied nothing. Wait for it, look, reload once more."""
        self._warn(f"another reload was running on {self._node.name}; reloading once more when it has ended")
        known = wait_until_idle(self._node, self._around, self._deadline - self._around.clock())
        if self._node.read().pending is not None:
            raise errors.ApplyFailed(
                f"another reload was running on {self._node.name}, ours applied nothing ({task.exitstatus}), and "
                "somebody has staged something new meanwhile",
                hint="ask who; then `pvenet apply --adopt` makes all of it live",
            )
        upid = self._send_reload(known)
        self._around.tell(Reloading(node=self._node.name, upid=upid))
        return wait_for_task(self._node, upid, self._around, since=self._sent, deadline=self._deadline)

    def _report(self, task: Task) -> None:
        log = self._node.log(task.upid)
        self._around.tell(TaskEnded(upid=task.upid, exitstatus=task.exitstatus, log=log))
        for line in log:
            if " warning: " in line and task.ok:
                self._warn(f"the reload says: {line.strip()}")

    def _verify(self, pending: _Pending) -> Judgement:
        self._around.tell(Waiting(reason="looking at the interfaces", elapsed=self._around.clock() - self._sent))
        reading = read_settled(self._node, pending.expectation, self._around, self._deadline)
        if reading.pending is not None:
            self._warn(f"something new is pending on {self._node.name}: somebody staged it after the reload")
        return judge(pending.expectation, reading.network)

    def _failed(self, task: Task, judgement: Judgement) -> errors.ApplyFailed:
        self._record(State.FAILED)
        return errors.ApplyFailed(
            f"the reload of {self._node.name} failed: {task.exitstatus}; {_how_far(judgement)}",
            hint=_way_back(self._journals.path(self._journal), self._node.name),
            log=self._node.log(task.upid),
        )

    def _not_there(self, judgement: Judgement) -> errors.ApplyFailed:
        self._record(State.FAILED)
        return errors.ApplyFailed(
            f"the reload of {self._node.name} ended well, but {_how_far(judgement)}",
            hint=_way_back(self._journals.path(self._journal), self._node.name),
        )

    # --- beneath -----------------------------------------------------------------------------------------------------

    def _record(self, state: State) -> None:
        self._journal = self._journals.write(replace(self._journal, state=state))

    def _warn(self, text: str) -> None:
        self._around.tell(Warned(text=text))

    def _end(self, verdict: Verdict, message: str) -> Ended:
        elapsed = self._around.clock() - self._sent if verdict is not Verdict.NOTHING else 0.0
        return Ended(node=self._node.name, verdict=verdict, exit_code=0, message=message, elapsed=elapsed)


def _how_far(judgement: Judgement) -> str:
    """What a node lacks, in words."""
    parts = []
    if judgement.down:
        parts.append(f"not active: {', '.join(judgement.down)}")
    if judgement.different:
        parts.append(f"not configured as it was pending: {', '.join(judgement.different)}")
    if judgement.there:
        parts.append(f"still there: {', '.join(judgement.there)}")
    return "; ".join(parts) or "every interface is up as it should be"


def _way_back(journal: object, node: str) -> str:
    return (
        "a failed reload takes nothing back (`pvenet revert` neither): the new file is in place.\n"
        f"`pvenet list --node {node}` shows how far it came; change what is wrong and `pvenet apply` again.\n"
        f"what was there before is in\n  {journal}"
    )
