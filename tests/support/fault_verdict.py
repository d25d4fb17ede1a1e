"""Whether what pvenet said of a node is true. Judged by the node's folder alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fault_foreign import KINDS, mark_of, without_theirs
from fault_kernel_verdict import unseen, wrongly_applied, wrongly_ended, wrongly_rolled_back

from pvenet.events import Verdict
from pvenet.sim.faults import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fault_matrix import Done, Walk
    from fault_truth import Described

    from pvenet.sim.faults import Fault


HARMLESS = (
    *("delay=6.4", "task-late", "freeze", "reload-fails=89", "reload-fails=0"),
    *("path-lost=5", "path-lost=40", "node-lost=5", "node-lost=40"),
)
"""Faults that cost a scenario nothing but time: it ends as it would have without them."""
STAGING = frozenset({"vmbr0", "bond0", "vmbr1"})
LEFT_AS_IT_WAS = frozenset({3, 4, 5, 6, 7, 130})
"""Exit codes that say: nothing was changed."""
FOR_GOOD = frozenset({"", "900"})
"""Values of a lost way that outlast every deadline."""


def wrong(walk: Walk, goal: Described) -> list[str]:
    """What was said and is not so, what was left between, and what of somebody else's was touched."""
    found = [text for done in walk.done for text in _said(walk, done, goal)]
    return [*found, *walk.witness.trespasses, *_between(walk, goal), *_theirs(walk), *_needless(walk)]


def wrong_again(walk: Walk) -> list[str]:
    """The same of the command that comes the next day, with nothing in its way."""
    last = walk.done[-1]
    found = [*_said(walk, last, {}), *_theirs(walk)]
    if last.code == 9:
        found.append(f"the next day nobody can tell: {last.message}")
    return found


def _said(walk: Walk, done: Done, goal: Described) -> Iterator[str]:
    faults = [parse(fault) for fault in walk.cell.faults]
    if done.code == 9 and not (unseen(walk, done) or any(unknowable(fault, walk, done) for fault in faults)):
        yield f"{done.name} says unknown where a request could have told: {done.message}"
    judge = {"diff": _looked, "apply": ended, "again": ended, "rollback": ended, "revert": _reverted}.get(
        done.name, _staged
    )
    yield from (f"{done.name} (exit {done.code}): {text}" for text in judge(walk, done, goal))


def unknowable(fault: Fault, walk: Walk, done: Done) -> bool:
    """Whether no request could have told: the only faults after which `unknown` is a true verdict."""
    witness, for_good = walk.witness, fault.value in FOR_GOOD
    began = witness.begun.get(fault)
    if began is None:
        return False
    reloaded = walk.asked or any(number < began for number, _ in witness.reloads)
    # a reload is behind it, or on its way, that is to be taken back
    back = len(walk.cell.faults) > 1 or (walk.unconfirmed and reloaded) or (walk.asked and began > done.first)
    return {
        # with a peer only where the way is lost in the reload that was to bring it back
        "path-lost": for_good and (walk.cell.layout == "one" or (back and reloaded)),
        "node-lost": for_good,
        "reload-hangs": True,
        "lacks": began > done.first,
        # the node lists what is staged, and a reload that takes ours back would take theirs live
        "reboot": done.name in STAGING | {"revert"} and began > done.first + (walk.cell.layout == "one"),
    }.get(fault.kind, fault.kind in KINDS and (back or _on_ours(fault, walk, done)))


def _on_ours(fault: Fault, walk: Walk, done: Done) -> bool:
    """Whether they have changed what was made from here and is to go, which can't be separated any more."""
    mark = mark_of(fault)
    if mark is None or not mark.field or mark.name in walk.initial.live:
        return False
    return walk.unconfirmed or mark.name == done.name


def _staged(walk: Walk, done: Done, goal: Described) -> Iterator[str]:
    """All of it, or nothing."""
    before, after = (without_theirs(each.view).get(done.name) for each in (done.before, done.after))
    if done.code == 0 and after != without_theirs(goal).get(done.name):
        yield "says that it is staged, and it is not"
    theirs = [without_theirs(made).get(done.name) for made in walk.witness.made_by_others]
    if done.code in LEFT_AS_IT_WAS and after != before and after not in theirs:
        yield "says that nothing changed, and it is staged"
    if not walk.witness.acts and done.code in LEFT_AS_IT_WAS and done.after.view != done.before.view:
        yield "left something staged"
    if done.code == 1:
        yield f"fails without a code of its own: {done.message}"
    if done.sent:
        yield "reloads"


def _reverted(walk: Walk, done: Done, _goal: Described) -> Iterator[str]:
    """Nothing is pending, and nothing that was is live; or it says that this is not so."""
    before, after = done.before, done.after
    live, reverted = without_theirs(before.live), done.code == 0 and done.ours
    if reverted and not (without_theirs(after.view) == without_theirs(after.live) == live):
        yield "says that it is reverted, and it is not"
    word = "reverted" if without_theirs(after.live) == live else "applied"
    if done.code == 0 and not reverted and f"it was {word} elsewhere" not in done.warnings:
        yield "says that nothing was pending, and not why"
    if done.code == 0 and after.pending is not None and "something new is pending" not in done.warnings:
        yield "says nothing of what is pending"
    if not walk.witness.acts and done.code in LEFT_AS_IT_WAS and after.view != before.view:
        yield "says that nothing changed, and something has"
    if done.code == 1 or done.sent:
        yield f"fails without a code of its own, or reloads: {done.message}"


def _looked(walk: Walk, done: Done, _goal: Described) -> Iterator[str]:
    theirs = any(mark.there(done.after.view, walk.initial.live) for mark in walk.witness.marks)
    if done.code == 0 and done.ours and theirs:
        yield "takes somebody else's for ours"


def ended(walk: Walk, done: Done, _goal: Described) -> Iterator[str]:
    """An apply's end, which is told twice: by its exit code, and by the last event."""
    if done.end is None or done.end.exit_code != done.code:
        yield f"ends with {done.end}"
        return
    judge = {
        Verdict.APPLIED: _applied,
        Verdict.ROLLED_BACK: _rolled_back,
        Verdict.NOTHING: _nothing,
        Verdict.FAILED: _untouched if done.code in LEFT_AS_IT_WAS else _failed,
        Verdict.UNKNOWN: _unknown,
    }[done.end.verdict]
    yield from judge(walk, done)
    yield from wrongly_ended(walk, done)


def _applied(walk: Walk, done: Done) -> Iterator[str]:
    if done.code != 0 or without_theirs(done.after.live) != _reloaded(walk, done):
        yield "says applied, and the file is another"
    if not done.after.agrees:
        yield "says applied, and the kernel has it not"
    yield from wrongly_applied(walk, done)
    if walk.unconfirmed and done.name == "apply":
        yield "says applied, and nobody has confirmed it"
    if walk.lost:
        yield "says applied, and the way that was used is lost"


def _rolled_back(walk: Walk, done: Done) -> Iterator[str]:
    code, before = (0, walk.origin) if walk.asked else (8, done.before.live)
    if done.code != code or without_theirs(done.after.live) != without_theirs(before):
        yield "says rolled back, and the file is another"
    if not done.after.agrees:
        yield "says rolled back, and the kernel has it not"
    yield from wrongly_rolled_back(walk, done)


def _nothing(walk: Walk, done: Done) -> Iterator[str]:
    if walk.asked and without_theirs(done.after.live) != without_theirs(walk.origin):
        yield "says that there is nothing to roll back"
    if done.code != 0 or done.sent or done.after.pending is not None:
        yield "says that nothing was pending"
    if "ended well" in done.warnings and not done.after.agrees:
        yield "says that the last reload ended well"


def _untouched(walk: Walk, done: Done) -> Iterator[str]:
    if done.sent:
        yield "says that nothing was sent, and a reload was started"
    before, after = done.before, done.after
    if not walk.witness.acts and (after.live, after.pending) != (before.live, before.pending):
        yield "says that nothing changed, and something has"


def _failed(_walk: Walk, done: Done) -> Iterator[str]:
    yield f"is left failed: {done.message}"


def _unknown(walk: Walk, done: Done) -> Iterator[str]:
    if done.code != 9:
        yield "says unknown with another code"
    if walk.arms and walk.lost and done.after.view != walk.initial.live:
        yield "is armed, nothing can reach it, and a power cycle would not boot the network from before"


def _reloaded(walk: Walk, done: Done) -> Described | None:
    """What a command was about to make live."""
    sent = [pending for number, pending in walk.witness.reloads if done.first <= number <= done.last]
    return without_theirs(sent[0]) if sent else None


def _between(walk: Walk, goal: Described) -> Iterator[str]:
    """The wanted state or the one before, and the kernel with it; what others made live is the one before, too."""
    last = walk.done[-1]
    if last.code == 9:
        return
    truth = walk.settled
    good = [without_theirs(each) for each in (walk.initial.live, last.before.live, goal, *walk.witness.made_by_others)]
    if without_theirs(truth.live) not in [*good, _reloaded(walk, last)]:
        yield "the file is between"
    if not truth.agrees:
        yield "the kernel is between"


def _needless(walk: Walk) -> Iterator[str]:
    """A fault that is borne leaves nothing to say."""
    if (
        len(walk.cell.faults) == 1
        and walk.cell.faults[0].startswith(HARMLESS)
        and (walk.done[-1].code != walk.goes_well)
    ):
        yield f"fails needlessly: {walk.done[-1].message}"


def _theirs(walk: Walk) -> Iterator[str]:
    """Nobody else's staging is thrown away, and none made live, but in the one request that nobody can close."""
    fault = parse(walk.cell.faults[-1])
    mark, at = mark_of(fault), walk.witness.begun.get(fault)
    if mark is None or at is None or not walk.witness.marked:
        return
    done, initial = walk.done[-1], walk.initial.live
    window = at in [number for number, _ in walk.witness.reloads]
    taken = at in walk.witness.reverts or walk.witness.removals.get(at) == mark.name
    if not mark.there(done.after.view, initial) and not taken:
        yield "somebody else's staging is gone"
    elif mark.there(done.after.live, initial) and not window:
        yield "somebody else's staging was made live"
    elif window and done.name in ("apply", "rollback") and done.code == 0 and mark.name not in done.warnings:
        yield "somebody else's staging went live, and nobody was told"
