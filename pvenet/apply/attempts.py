"""One attempt after another to put back what was there: look, stage what leads back, reload, verify.

Each begins with what the node has now. What is known of those before it is kept: how much is staged, and whether the
file can still be believed.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.by_hand import put_back_by_hand
from pvenet.apply.kernel import KernelLooks, Verify
from pvenet.apply.reload import Reload
from pvenet.apply.removals import remade, removals
from pvenet.apply.runtime import answered, wait_for_others, wait_for_task
from pvenet.apply.steps import Steps
from pvenet.apply.verification import Purpose
from pvenet.apply.verify import expect_restored, judge
from pvenet.changes import net_changes
from pvenet.connection.session import LONGEST_ANSWER
from pvenet.journal import ARMS, State, is_mine, is_recorded, replay
from pvenet.kernel.judgement import NOTHING_SEEN, scope
from pvenet.model import Network
from pvenet.outcome import Applied, Failed
from pvenet.plan.restore import RestorePlan, restore_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.apply.bystanders import Lost
    from pvenet.apply.runtime import Deadline, Interrupts, Runtime
    from pvenet.changes import Change
    from pvenet.connection.endpoint import Endpoint
    from pvenet.journal import OpenJournal
    from pvenet.kernel.judgement import Look
    from pvenet.node import Node, Reading

_PURPOSE = Purpose(
    restores=True,
    unsent=State.ROLLING_BACK,
    during=State.ROLLING_BACK,
    done=State.ROLLED_BACK,
    words="rolled back and verified",
    excuse="was up before and is not up now; it has no autostart",
)


class LeftAlone(errors.PvenetError):
    """Something that is not ours stands in the way, and stays there."""


class Undecided(errors.StateUnknown):
    """No look at the node can decide it: its reload's end was not seen, or something is wrong inside pvenet."""


class Attempts:
    """The attempts of one rollback."""

    def __init__(  # noqa: PLR0913 - what is put back, and what says how
        self,
        node: Node,
        book: OpenJournal,
        runtime: Runtime,
        *,
        deadline: Deadline,
        interrupts: Interrupts,
        routes: tuple[Endpoint, ...],
        verify: Verify,
        baseline: Look,
        lost: Lost | None,
    ) -> None:
        self._node = node
        self._book = book
        self._runtime = runtime
        self._deadline = deadline
        self._interrupts = interrupts
        self._routes = routes
        """Where the node has to answer in the end."""
        self._verify = verify
        self._baseline = baseline
        """The kernel before what is put back was applied, where somebody has looked."""
        self._looks: KernelLooks | None = None
        self._lost = lost
        """Finds out who was lost by what is put back, and did not come back with it."""
        self._warned = False
        self._lossy = False
        """Something can't be put back through the API."""
        self._reloaded = False
        """A reload of what leads back has ended, and not well."""
        self._armed = book.now.state in ARMS
        """It was staged before, so that somebody's reload may have made it live: of which nobody has seen the end."""
        self.staged = book.now.state is State.ARMED
        """What leads back is pending, whole, as far as we know."""
        self._steps: Steps | None = None

    def attempt(self) -> str:
        """Put back what is not as before; what was done. Raises what stands against it."""
        self._deadline.say(f"looking at {self._node.name} before putting anything back")
        self._idle()
        reading = self._read()
        if reading.pending is not None:
            reading = self._own(reading)
        elif self._book.now.pending is not None:
            self._book.record(pending=None)
        self.begin()
        restore = self._restore_plan(reading)
        if restore.conflicts:
            raise LeftAlone(
                f"somebody else has changed {', '.join(map(str, restore.conflicts))} on {self._node.name} since then; "
                "that is left alone, and nothing is put back over it",
                hint=put_back_by_hand(self._book.journals, self._book.now),
            )
        self._warn_of_losses(restore)
        if restore.todo:
            self._stage(reading, restore)
        elif reading.pending is None and self._surely_back(restore, reading):
            return self.back_already()
        self.staged = bool(restore.todo) or reading.pending is not None
        return self._reload(restore)

    def begin(self) -> None:
        """Whatever is staged from here on leads back. What is armed stays so, as long as the node says nothing."""
        journal = self._book.now
        if journal.state is not State.ROLLING_BACK:
            self._book.record(
                state=State.ROLLING_BACK, back=len(journal.steps) if journal.back is None else journal.back
            )

    def _idle(self) -> frozenset[str]:
        """The reloads that are known, once none runs: a running one is never cancelled (pve-api#stop-reload)."""
        if self._book.now.upid:
            wait_for_task(self._node, self._book.now.upid, self._deadline, forgotten=True)
        return wait_for_others(self._node, self._deadline)[0]

    def _read(self) -> Reading:
        return answered(self._node, self._seen, self._deadline, what="the way back is not live")

    def _seen(self) -> Reading:
        return self._node.read(timeout=LONGEST_ANSWER)

    def _restore_plan(self, reading: Reading) -> RestorePlan:
        return restore_plan(self._book.now.network, reading.network, replay(self._book.now).values())

    def _own(self, reading: Reading) -> Reading:
        """What is pending, where it is ours: what leads back so far; what was never live or is a no-op is reverted."""
        journal = self._book.now
        if not is_mine(journal, reading):
            raise self._foreign()
        self._book.record(pending=reading.pending)
        if len(journal.steps) != journal.back and not journal.refreshing:
            return reading
        self._node.revert(timeout=LONGEST_ANSWER)
        self._book.record(pending=None)
        return self._read()

    def _stage(self, reading: Reading, restore: RestorePlan) -> None:
        if reading.pending is None:
            self._book.record(pending=None)
        self._deadline.say(f"staging what was on {self._node.name} before")
        self._steps = Steps(self._node, self._book, reading, must=False, timeout=LONGEST_ANSWER)
        try:
            self._steps.forward(restore.todo)
        except errors.NotOurs as error:
            raise self._foreign() from error

    def _warn_of_losses(self, restore: RestorePlan) -> None:
        """What stays lost, once."""
        if self._warned:
            return
        self._warned = True
        anew = remade(restore.todo)
        gone = removals(self._book.now, self._book.journals.kept_diff(self._book.now))
        lost = (*restore.lost, *(loss for loss in gone if loss.name not in anew))
        self._lossy = any(not loss.remark for loss in lost)
        for loss in lost:
            self._book.warn(f"this can't be put back through the API: {loss}")

    def _reload(self, restore: RestorePlan) -> str:
        """Make it live. Raises StateUnknown or ApplyFailed where that did not succeed."""
        known = self._idle()
        self._compare()
        reload = Reload(
            self._node,
            self._book,
            self._runtime,
            timeout=max(1.0, self._deadline.left),
            purpose=_PURPOSE,
            interrupts=self._interrupts,
            routes=self._routes,
            looks=self._kernel_looks(restore),
            lost=self._lost,
        )
        expectation = expect_restored(self._book.now.network, restore)
        try:
            outcome = reload.run(expectation, self._told_of(restore), known, wait=True)
        except errors.PvenetError:
            self.staged &= not reload.sent
            raise
        finally:
            if reload.sent:  # it may be live: taking it back would stage the failed change again
                self._steps = None
        match outcome:
            case Failed() if outcome.elsewhere or outcome.absent:
                self._book.record(state=State.ROLLING_BACK, pending=None)
                self._book.record(state=State.ROLLED_BACK)
                return f"{self._node.name} has what was there before; its reload fails {_as_before(outcome)}"
            case Failed():
                self._book.record(state=State.ROLLING_BACK, pending=None)
                self.staged = False
                again, self._reloaded = self._reloaded, True
                raise (errors.StateUnknown if again else errors.ApplyFailed)(outcome.message)
            case Applied():
                return outcome.message
            case _:
                self.staged &= not reload.sent
                if not self._interrupts.given_up and self.is_back():
                    return self.back_already()
                self._book.record(unproven=True)
                raise Undecided(outcome.message)

    def _kernel_looks(self, restore: RestorePlan) -> KernelLooks:
        """The looks after the reloads of this rollback: few in all, and nothing waits for what takes its time."""
        if self._looks is None:
            before, applied = self._book.now.network, Network(interfaces=replay(self._book.now.forward).then)
            asked = scope(restore.ours, applied, Network(interfaces=restore.wanted), management=False)
            verify = Verify.FLAGS if self._verify is Verify.FLAGS else Verify.AUTO
            self._looks = KernelLooks(
                self._node,
                self._runtime,
                asked,
                verify=verify,
                before=before if self._baseline is not NOTHING_SEEN else None,
                baseline=self._baseline,
                restores=True,
                guests=self._lost is not None,
            )
        return self._looks

    def _told_of(self, restore: RestorePlan) -> Sequence[Change]:
        """What goes back with this reload; what was staged before leads back from what was applied."""
        applied = replay(self._book.now.forward).then
        return restore.todo.steps or net_changes(applied, self._book.now.network.interfaces)

    def _compare(self) -> None:
        """What is pending is still what was staged to go back, and nothing else. PVE has no lock."""
        pending = self._read().pending
        if pending == self._book.now.pending:
            return
        if pending is not None:
            raise self._foreign()
        raise errors.Stale("somebody has applied or reverted it in the meantime")

    def is_back(self) -> bool:
        """One last look where the time is over: a power cycle makes what is staged live, and leaves no task."""
        with suppress(errors.PvenetError, KeyboardInterrupt):
            if any(task.running for task in self._node.reloads(timeout=LONGEST_ANSWER).values()):
                return False
            reading = self._seen()
            restore = self._restore_plan(reading)
            return reading.pending is None and not restore.todo and self._surely_back(restore, reading)
        return False

    def _surely_back(self, restore: RestorePlan, reading: Reading) -> bool:
        """Whether all is as it was; the file alone proves nothing where a reload of it has failed, or may have."""
        unsure = self._reloaded or self._armed or self._book.now.unproven
        return not unsure and judge(expect_restored(self._book.now.network, restore), reading.network).good

    def back_already(self) -> str:
        self._book.record(state=State.ROLLED_BACK)
        far = ", as far as the API can put it back" if self._lossy else ""
        return f"{self._node.name} has what was there before{far}, and nothing is pending"

    # --- what is left of them -----------------------------------------------------------------------------------------

    def take_back(self) -> None:
        """A part of what leads back that was staged and can't go live is nobody's help at the next reboot."""
        if self.staged:
            return
        with suppress(errors.PvenetError, KeyboardInterrupt):
            reading = self._node.glance(timeout=LONGEST_ANSWER)
            if is_recorded(self._book.now, reading):
                self._node.revert(timeout=LONGEST_ANSWER)
                self._book.record(pending=None)

    def leave(self) -> None:
        """Somebody else's stays; what was staged to go back goes."""
        self.staged = False
        if self._steps is not None:
            with suppress(errors.PvenetError, KeyboardInterrupt):
                self._steps.take_back()
        self._book.record(state=State.FAILED, pending=None)

    def _foreign(self) -> LeftAlone:
        return LeftAlone(
            f"changes are pending on {self._node.name} that pvenet did not stage from here; they are left alone, and "
            "while they are pending nothing can be put back"
        )


def _as_before(failed: Failed) -> str:
    """Why the reload of what leads back fails, where that is not by what leads back."""
    found = [f"for {', '.join(failed.elsewhere)}, which this does not touch"] if failed.elsewhere else []
    if failed.absent:
        are = "are" if len(failed.absent) > 1 else "is"
        found.append(f"because {', '.join(failed.absent)} {are} not there, as before")
    return ", and ".join(found)
