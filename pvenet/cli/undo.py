"""`pvenet rollback --rollout ID`: what a whole rollout has changed is put back, the last node first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.cli.progress import progress
from pvenet.cli.prompt import Prompt
from pvenet.cli.rollout import announcer, sum_up
from pvenet.foreign import one_line
from pvenet.model import runs
from pvenet.render.values import aligned, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.apply.options import ApplyOptions
    from pvenet.cli.context import Context
    from pvenet.fleet.undo import ToUndo


def undo(context: Context, name: str, options: ApplyOptions, *, yes: bool) -> None:
    """Ask once, and put back node after node. Raises what the first node that fails raises, after the summary."""
    from pvenet.fleet.book import Rollouts
    from pvenet.fleet.stage import Summary
    from pvenet.fleet.undo import to_undo
    from pvenet.fleet.undo import undo as put_back

    fleet = context.fleet
    rollouts = Rollouts(fleet.state_dir)
    with rollouts.taken_up(rollouts.named(name)) as book:
        wanted = to_undo(fleet, book.now)
        if not wanted:
            note = f"there is nothing to roll back of the rollout {name}"
            sum_up(context, Summary(rows=()), name, note=note)
            return
        if not yes:
            context.say(f"what the rollout {name} of {one_line(book.now.file)} has changed:\n{_what(context, wanted)}")
        with Prompt(yes=yes, json=context.options.json) as prompt:
            prompt.confirm(f"Put back what was there on {counted(len(wanted), 'node')} now, the last one first?")
            with progress(context, sums_up=True) as listener:
                runtime = prompt.runtime(listener.emit)
                summary = put_back(fleet, book, wanted, options, runtime, announcer(context, prompt))
                book.end()
        note = _what_is_left(name, [each.node for each in to_undo(fleet, book.now)])
    sum_up(context, summary, name, note=note)


def _what_is_left(rollout: str, nodes: Sequence[str]) -> str:
    """How it goes on where it has not come to its end."""
    if not nodes:
        return ""
    alone = f"; `pvenet rollback --node {nodes[-1]}` puts back {nodes[-1]} alone" if len(nodes) > 1 else ""
    return f"left of the rollout {rollout}: {runs(nodes)}. `pvenet rollback --rollout {rollout}` goes on with it{alone}"


def _what(context: Context, wanted: Sequence[ToUndo]) -> str:
    """What is put back, a line a node."""
    from pvenet.journal import history
    from pvenet.render.history import summary

    lines = []
    for each in wanted:
        past = next(past for past in history(context.fleet.journals(each.node)) if past.journal.id == each.journal.id)
        lines.append((f"  {each.node}", f"journal {past.called}", summary(past)))
    return aligned(lines)
