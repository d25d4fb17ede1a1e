"""Whether a verdict is true of the node's kernel: applied where all has come, rolled back only for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fault_foreign import without_theirs
from fault_kernel import KINDS, SLOW, Due, Facts, due, facts_now, wanted

from pvenet.apply.kernel import Verify
from pvenet.events import Verdict, VerifiedBy
from pvenet.sim.faults import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fault_kernel import Fact
    from fault_matrix import Done, Walk

BY_FLAGS = "verified only by the list's flags"
CALLED = frozenset({"member", "aware"})
"""Facts that the bridges call alone can show."""


@dataclass(frozen=True, kw_only=True)
class Moments:
    """What the kernel had at the moments that count in one command."""

    before: Facts
    """Just before its first reload."""
    baseline: Facts | None
    """When it was looked at before that; None where no report was answered."""
    after: Facts | None
    """When it was last looked at after the reload, and before the next one."""
    then: Facts
    """Just before the next reload, or at the end."""


def moments(walk: Walk, done: Done, *, last: bool) -> Moments | None:
    """Those of a command's first reload, or with `last` of all of them; None where it has sent none."""
    witness = walk.witness
    sent = [number for number in sorted(witness.kernels) if done.first <= number <= done.last]
    if not sent:
        return None
    begin, end = (sent[-1], done.last + 1) if last else (sent[0], [*sent, done.last + 1][1])
    looks = [(number, found) for number, found in witness.looks if done.first <= number < end]
    return Moments(
        before=witness.kernels[sent[0]],
        baseline=next((found for number, found in reversed(looks) if number < sent[0]), None),
        after=next((found for number, found in reversed(looks) if number > begin), None),
        then=witness.kernels.get(end) or facts_now(walk.folder, walk.time.now),
    )


def wrongly_applied(walk: Walk, done: Done) -> Iterator[str]:
    """What a command calls applied, and the kernel has otherwise, or nobody could see."""
    found = moments(walk, done, last=True)
    if found is None or walk.verify is Verify.FLAGS or done.end is None:
        return
    by_kernel = done.verified is not None and done.verified.by is VerifiedBy.KERNEL
    brought = wanted(done.after.live) - wanted(done.before.live)
    asks = any(fact.what not in CALLED | SLOW for fact in brought)
    if not by_kernel:
        if asks and BY_FLAGS not in done.end.message:
            yield "says applied by flags only, and not that it does"
        return
    if asks and found.after is None:
        yield "says applied by the kernel, and no report was answered"
    if found.after is None:
        return
    told = _due(walk, done, found.baseline, found.after)
    yield from (f"says applied, and the kernel lacks {_words(fact)}" for fact in sorted(told.failures))
    for fact in sorted(told.warnings):
        if fact.subject not in done.warnings:
            yield f"says applied, and not that the kernel lacks {_words(fact)}"


def wrongly_rolled_back(walk: Walk, done: Done) -> Iterator[str]:
    """What a command calls rolled back, and is not there again; or it was healthy, and rolled back for nothing."""
    found = moments(walk, done, last=False)
    if found is None or done.end is None:
        return
    if walk.verify is not Verify.FLAGS and BY_FLAGS not in done.end.message:
        now, back = facts_now(walk.folder, walk.time.now), done.after.live
        gone = due(found.before, now, old=back, new=back).failures
        lost = sorted(fact for fact in gone if fact.what not in SLOW)
        yield from (f"says rolled back, and the kernel lacks {_words(fact)}" for fact in lost)
    if only_the_kernel(walk) and not _reason(walk, done, found):
        yield f"rolls back what is healthy: {done.message}"


def _reason(walk: Walk, done: Done, found: Moments) -> Facts:
    made = next((file for number, file in walk.witness.reloads if done.first <= number <= done.last), done.after.live)
    now = found.then if found.after is None else found.after
    return (
        due(found.before, now, old=done.before.live, new=made, require=walk.require).failures
        | due(found.baseline, now, old=done.before.live, new=made, require=walk.require).failures
    )


def wrongly_ended(walk: Walk, done: Done) -> Iterator[str]:
    """With nothing wrong but the kernel, an apply ends one way or the other."""
    if done.name != "apply" or not only_the_kernel(walk) or done.end is None or walk.verify is Verify.KERNEL:
        return
    if done.end.verdict not in {Verdict.APPLIED, Verdict.ROLLED_BACK}:
        yield f"ends as {done.end.verdict}: {done.message}"


def only_the_kernel(walk: Walk) -> bool:
    """Whether nothing else goes wrong that a flag or an answer would show."""
    kinds = {parse(fault).kind for fault in walk.cell.faults}
    return walk.free and kinds <= KINDS | {"freeze", "task-late"}


def unseen(walk: Walk, done: Done) -> bool:
    """Whether the kernel was required and gave no report after the reload, so that nobody can tell."""
    found = moments(walk, done, last=True)
    return walk.verify is Verify.KERNEL and found is not None and found.after is None


def _due(walk: Walk, done: Done, before: Facts | None, now: Facts) -> Due:
    old, new = (without_theirs(each.live) for each in (done.before, done.after))
    return due(before, now, old=old, new=new, require=walk.require)


def _words(fact: Fact) -> str:
    return " ".join(word for word in fact if word)
