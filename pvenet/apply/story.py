"""The second half of the story: check, gate, show, compare; then `reload` makes it live.

Time and the person are arguments: `Runtime` holds the clock, the sleep, the question and the ear for events, so
that a test, a terminal and a JSON stream run the same story.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet import access, errors
from pvenet.apply.back import way_back
from pvenet.apply.consent import consent, proposal
from pvenet.apply.console import armed_still
from pvenet.apply.course import Course
from pvenet.apply.leftover import failed_last, finish, refuse_armed, refuse_unfinished
from pvenet.apply.logbook import Logbook
from pvenet.apply.reload import Reload
from pvenet.apply.replay import ours as ours_of
from pvenet.apply.replay import replay
from pvenet.apply.rollback import Rollback
from pvenet.apply.stage import not_ours
from pvenet.apply.verify import Expectation, expect
from pvenet.apply.wait import Runtime, utc_now, wait_until_idle
from pvenet.apply.ways import doors, kept, learn_peers
from pvenet.apply.word import refusal
from pvenet.events import Ended, OnFailure, Verdict, Warned
from pvenet.journal import ARMS, Journal, Journals, State
from pvenet.node import members
from pvenet.plan import Change, Plan, net_changes

if TYPE_CHECKING:
    from pvenet.apply.ways import Doors
    from pvenet.model import Network
    from pvenet.node import Member, Node, Reading


@dataclass(frozen=True, kw_only=True)
class ApplyOptions:
    """What the caller wants of an apply, and has agreed to."""

    timeout: float = 60.0
    """Seconds from the reload to the verdict."""
    wait: bool = True
    on_failure: OnFailure = OnFailure.ROLLBACK
    confirm_within: float | None = None
    """Seconds within which a person has to say that it may stay; else it is rolled back."""
    arm: bool = False
    """Keep the way back staged until the reload has ended and the node answers: a power cycle then boots the network
    from before. Nothing is armed without `wait`."""
    adopt: bool = False
    allow_management: bool = False


def apply(node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, *, now: str | None = None) -> Ended:
    """Make what is pending live, wait, and say the truth about the end.

    Raises NotOurs, ManagementRisk, NeedsConsent, Stale, Busy and PermissionMissing with nothing sent, RefusedByPVE and
    Unreachable with nothing started; RolledBack where the reload failed, something did not come up or the time was
    over, and everything is as it was before; ApplyFailed where that was not to be put back; StateUnknown where waiting
    was given up, or nobody can tell. Whatever the end, the last event is `Ended`.
    """
    story = _Story(node, journals, options, runtime, now or utc_now())
    try:
        with journals.lock():
            end = story.run()
    except KeyboardInterrupt:
        error = story.interrupted()
        runtime.emit(_ended(node.name, error))
        raise error from None
    except errors.PvenetError as error:
        runtime.emit(_ended(node.name, error))
        raise
    runtime.emit(end)
    return end


def _ended(node: str, error: errors.PvenetError) -> Ended:
    match error:
        case errors.StateUnknown():
            verdict = Verdict.UNKNOWN
        case errors.RolledBack():
            verdict = Verdict.ROLLED_BACK
        case _:
            verdict = Verdict.FAILED
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
    """What they mean; empty where they are not ours."""
    expectation: Expectation

    @property
    def inverse(self) -> Plan | None:
        """What leads back from what is pending to what was before."""
        if self.before is None or self.journal is None:
            return None
        return way_back(self.before, self.reading.network, replay(self.journal).names).todo


def _tell_armed(error: errors.PvenetError, book: Logbook) -> None:
    """Say with an end that nobody puts back what stays behind on the node."""
    if book.journal.state in ARMS:
        error.hint += f"\n{armed_still(book.journals, book.journal)}"


class _Story:
    def __init__(self, node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, now: str) -> None:
        self._node = node
        self._journals = journals
        self._options = options
        self._runtime = runtime
        self._now = now
        self._members: tuple[Member, ...] = ()
        self._reload: Reload | None = None

    def run(self) -> Ended:
        refuse_unfinished(self._node, self._journals)
        access.check(self._node)
        self._meet()
        known = self._idle()
        reading = self._node.read()
        if reading.pending is None:
            return self._nothing(reading)
        pending = self._gate(reading)
        if self._consent(pending):
            known = self._compare(reading)
        way_in = doors(self._node, self._members, pending.before, reading.network)
        reload = self._reload = self._ready(pending, way_in)
        try:
            end = reload.carry_out(pending.expectation, pending.changes, known, wait=self._options.wait)
        except (errors.ApplyFailed, errors.StateUnknown) as error:
            if reload.abandoned or not self._goes_back(pending):
                _tell_armed(error, reload.book)
                raise
            raise self._rolled_back(reload.book, way_in, error.message) from error
        if reload.book.journal.state is State.CONFIRMING:
            end = self._confirmed(end, reload.book, way_in)
        return end

    def _confirmed(self, end: Ended, book: Logbook, way_in: Doors) -> Ended:
        """The end, where a person says in time that it may stay. Raises RolledBack, or StateUnknown."""
        refused = refusal(self._journals, book.journal, self._runtime, self._options.confirm_within or 0.0)
        if refused:
            raise self._rolled_back(book, way_in, refused)
        with suppress(errors.PvenetError):  # the word stands beside it
            self._journals.write(replace(book.journal, state=State.CONFIRMED))
        return replace(end, message=f"{end.message}; confirmed")

    def _goes_back(self, pending: _Pending) -> bool:
        """Whether a failure is rolled back: where it is ours, unless the caller wants it kept."""
        return pending.before is not None and self._options.on_failure is OnFailure.ROLLBACK

    def _rolled_back(self, book: Logbook, way_in: Doors, why: str) -> errors.RolledBack:
        """Everything is as it was. Raises StateUnknown where it is not, or not surely."""
        back = Rollback(self._node, book, self._runtime, timeout=self._options.timeout, door=way_in.before)
        done = back.carry_out(why)
        return errors.RolledBack(
            f"{why}\n{done}",
            hint=f"change what was wrong and stage it again; what was tried is in\n  {book.path}",
        )

    def interrupted(self) -> errors.PvenetError:
        """The truth about a Ctrl-C that ended the story."""
        if self._reload is not None and self._reload.sent:
            return self._reload.given_up()
        return errors.Interrupted(
            f"interrupted; nothing was sent, and what is pending on {self._node.name} stays pending"
        )

    # --- what is there -----------------------------------------------------------------------------------------------

    def _meet(self) -> None:
        """Who else is in the cluster; asked before the look at what is pending.

        Whatever stands between that look and the reload widens the window in which somebody else can stage.
        """
        self._members = members(self._node.connection)
        learn_peers(self._node, self._members)

    def _idle(self) -> frozenset[str]:
        """The reload tasks that are known, once none of them runs.

        Nothing is listed before: a listing during a reload would freeze the flags (facts, section 11).
        """
        return wait_until_idle(self._node, self._runtime, self._options.timeout)

    def _nothing(self, reading: Reading) -> Ended:
        """Nothing is pending; but what became of what was staged or reloaded before is told."""
        for text in finish(self._node, self._journals, reading):
            self._warn(text)
        if (failed := failed_last(self._journals)) is not None:
            self._warn(
                f"the last apply from here to {self._node.name} failed; what was there before it is in\n"
                f"  {self._journals.path(failed)}"
            )
        return Ended(
            node=self._node.name,
            verdict=Verdict.NOTHING,
            exit_code=0,
            message=f"nothing is pending on {self._node.name}",
        )

    def _gate(self, reading: Reading) -> _Pending:
        journal = ours_of(self._journals, reading)
        refuse_armed(self._journals, journal)
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

    # --- consent -----------------------------------------------------------------------------------------------------

    def _refuse_without_way_back(self, pending: _Pending) -> None:
        """Raises RefusedByPvenet where what was asked for needs a way back, and there is none."""
        asked = {"--confirm-within": self._options.confirm_within is not None, "--arm": self._options.arm}
        for option, wanted in asked.items():
            if wanted and pending.before is None:
                raise errors.RefusedByPvenet(
                    f"what is pending on {self._node.name} is not pvenet's own and can't be rolled back, so that there "
                    f"is nothing to {'confirm' if option != '--arm' else 'arm it with'}; nothing was sent",
                    hint=f"apply it without {option}",
                )
        if self._options.arm and pending.changes and not pending.inverse:
            raise errors.RefusedByPvenet(
                f"the API can stage no way back from what is pending on {self._node.name}, so that there is nothing to "
                "arm it with; nothing was sent",
                hint="apply it without --arm",
            )

    def _consent(self, pending: _Pending) -> bool:
        """Show, and get consent; whether somebody was asked, so that time has passed. Raises what was not agreed."""
        self._refuse_without_way_back(pending)
        then = pending.reading.network
        proposed = proposal(
            f"Apply this to {self._node.name} now?",
            before=pending.before,
            judged=(pending.journal.network if pending.journal else then, then),
            pending=pending.reading.changes or "",
        )
        vital = self._options.allow_management
        return consent(self._node, proposed, self._runtime, self._members, vital=vital)

    def _compare(self, shown: Reading) -> frozenset[str]:
        """After a question: nobody reloads, and what is pending is still what was shown. Raises Stale."""
        known = self._idle()
        now = self._node.read()
        if now.pending is None:
            raise errors.Stale(
                f"nothing is pending on {self._node.name} any more: somebody else has applied or reverted it; "
                "nothing was sent",
                hint="`pvenet list` shows what is there",
            )
        if now.pending != shown.pending:
            raise errors.Stale(
                f"what is pending on {self._node.name} is no longer what was shown; nothing was sent",
                hint="look again: `pvenet diff`, then `pvenet apply`",
            )
        return known

    def _ready(self, pending: _Pending, way_in: Doors) -> Reload:
        journal = pending.journal or self._journals.begin(
            endpoint=str(self._node.connection.endpoint),
            baseline=pending.reading.entries,
            now=self._now,
            adopted=True,
        )
        journal = replace(
            journal,
            pending=pending.reading.pending,
            behind=False,
            state=State.STAGING,
            upid=None,
            ways=kept(self._node),
        )
        self._journals.keep_diff(journal)
        timeout = self._options.timeout
        course = Course(
            done=State.APPLIED if self._options.confirm_within is None else State.CONFIRMING,
            inverse=pending.inverse if self._options.arm else None,
        )
        book = Logbook(self._journals, journal, self._runtime)
        return Reload(self._node, book, self._runtime, timeout=timeout, course=course, door=way_in.after)

    def _warn(self, text: str) -> None:
        self._runtime.emit(Warned(text=text))
