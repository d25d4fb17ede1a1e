"""A rollout that was killed is gone on with: first what became of the nodes whose end nobody has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.revert import revert
from pvenet.apply.sdn_lock import left_behind
from pvenet.apply.unfinished import meet
from pvenet.apply.wait import LEFT, wait
from pvenet.events import Ended, Verdict
from pvenet.fleet.book import UNDONE, UNTOUCHED, by_now, digest
from pvenet.fleet.course import Course, Pace
from pvenet.fleet.ends import Ends
from pvenet.fleet.locks import SdnLocks
from pvenet.journal import OPEN, LockJournals, State
from pvenet.model import runs
from pvenet.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.runtime import Runtime
    from pvenet.events import Row
    from pvenet.fleet.book import Rollout, RolloutBook, Rollouts
    from pvenet.fleet.course import Turn
    from pvenet.fleet.nodes import Fleet
    from pvenet.fleet.stage import Summary
    from pvenet.journal import Journal, Journals
    from pvenet.spec.network_spec import NetworkSpec


def going_on(rollouts: Rollouts, spec: NetworkSpec) -> str:
    """How the youngest rollout of what a file says goes on, a clause; empty where it does not."""
    last = next((each for each in reversed(rollouts.all()) if each.digest == digest(spec)), None)
    now = by_now(rollouts.folder.parent, last) if last else None
    if now is None or not now.left or any(each.stands == UNDONE for each in now.members):
        return ""
    return f"the same command with --resume goes on with the rollout {now.id}"


def resumable(
    fleet: Fleet, rollouts: Rollouts, spec: NetworkSpec, anew: str = "leave out --resume to start a new rollout"
) -> Rollout:
    """The youngest rollout of what a file says on these nodes, unless all of them are as it wants them.

    `anew`: what starts a new one, where none is to be gone on with.

    Raises UsageError where there is none, or a name is that of nodes of two places, and Stale where the file says
    something else than it did, or where it was of nodes elsewhere that have the same names.
    """
    kept, wanted = rollouts.all(), digest(spec)
    every = [each for each in kept if each.digest == wanted]
    if every:
        fleet.names()  # an answer shows whose nodes these are
    found = [each for each in every if not _is_elsewhere(fleet, each)]
    if every and not found:
        raise errors.Stale(
            f"the rollout {every[-1].id} of {spec.file} was of nodes elsewhere that have the same names; nothing was "
            "sent",
            hint=anew,
        )
    if not found:
        former = [each for each in kept if each.file == spec.file]
        if former:
            raise errors.Stale(
                f"{spec.file} has changed since the rollout {former[-1].id} started; nothing was sent",
                hint=anew,
            )
        raise errors.UsageError(f"no rollout of {spec.file} was started from here", hint="leave out --resume")
    last = by_now(rollouts.folder.parent, found[-1])
    if undone := [each.node for each in last.members if each.stands == UNDONE]:
        raise errors.Stale(
            f"the rollout {last.id} of {spec.file} was rolled back on {runs(undone)}; nothing was sent",
            hint=anew,
        )
    if not last.left:
        raise errors.UsageError(
            f"nothing is left of the rollout {last.id}: it has ended well on all its nodes",
            hint=f"{anew}; `pvenet plan -f {spec.file}` shows whether they still are as the file says",
        )
    return last


def _is_elsewhere(fleet: Fleet, rollout: Rollout) -> bool:
    """Whether a rollout has changed a node of another cluster that has the name of one here."""
    return any(
        each.rollout == rollout.id
        for member in rollout.members
        for each in fleet.journals(member.node).at(Node(fleet.place(member.node), member.node)).others()
    )


def release_locks(fleet: Fleet, warn: Callable[[str], None]) -> None:
    """Release the SDN locks that a rollout which was killed has held, whether the rest of it wants one or not."""
    for profile, place in fleet.connections.items():
        for text in () if profile in fleet.silent else left_behind(place, LockJournals(fleet.state_dir)):
            warn(text)


def take_up(  # noqa: PLR0913, PLR0917 - as `roll_out`
    fleet: Fleet,
    book: RolloutBook,
    options: ApplyOptions,
    runtime: Runtime,
    announce: Callable[[Turn], None] = lambda _: None,
    only: Collection[str] | None = None,
) -> Summary:
    """See what became of the nodes that were begun and whose end was not seen, one after another.

    A reload is waited for, and ends as its apply would have; what was only staged is taken back, so that the node can
    be planned for again. Ends at the first that fails.
    """
    names = tuple(each.node for each in book.now.unseen if only is None or each.node in only)

    def work(name: str, runtime: Runtime) -> Ended:
        node = fleet.node(name)
        try:
            locks.take(name)
            return _seen(node, fleet.journals(name), book.id, options, runtime)
        finally:
            node.connection.close()

    def noted(row: Row) -> None:
        locks.ended(row.node)
        book.note(row, stands=UNTOUCHED if row.verdict is Verdict.NOTHING else "")

    course = Course(
        names=names,
        pace=Pace(),
        cluster=fleet.place,
        work=work,
        runtime=book.listening(runtime),
        announce=announce,
        noted=noted,
    )
    with SdnLocks(fleet, names, course.steady, wanted=options.sdn_lock) as locks:
        return course.run()


def _seen(node: Node, journals: Journals, rollout: str, options: ApplyOptions, runtime: Runtime) -> Ended:
    """How a node ended; `NOTHING` where it is as it was before the rollout. Raises what `wait` raises."""
    bound = journals.at(node)
    meet(node, bound, *OPEN)
    ended: Ended | None = None
    if any(each.state in (*LEFT, State.ROLLING_BACK, State.CONFIRMING) for each in bound.all()):
        ended = _waited(node, journals, options, runtime, rollout)
        if ended is not None and ended.verdict is not Verdict.NOTHING:
            return ended
    last = _last(bound, rollout)
    if last is not None and last.state is State.STAGING:
        revert(node, journals, discard=False, warn=runtime.warn)
    if last is not None and last.state in (State.APPLIED, State.CONFIRMED):
        return Ended(node=node.name, verdict=Verdict.APPLIED, exit_code=0, message="its end was not seen; applied")
    return ended or Ended(node=node.name, verdict=Verdict.NOTHING, exit_code=0, message="none of it is live")


def _waited(node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, rollout: str) -> Ended | None:
    """The end of a reload that was left; None, and nothing told, where it has never reached the node."""
    ends = Ends(runtime)
    try:
        ended = wait(node, journals, options, ends.runtime)
    except errors.PvenetError:
        last = _last(journals.at(node), rollout)
        if last is not None and last.state is State.STAGING:
            return None
        ends.tell()
        raise
    ends.tell()
    return ended


def _last(journals: Journals, rollout: str) -> Journal | None:
    """The youngest journal of a node that was begun for a rollout."""
    return next((each for each in reversed(journals.all()) if each.rollout == rollout), None)
