"""`pvenet diff` and `pvenet revert` of several nodes, and what both say of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.cli.listing import read_several
from pvenet.cli.output import painter
from pvenet.cli.prompt import Prompt
from pvenet.render.values import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.cli.context import Context
    from pvenet.journal import Foreign, Nothing, Ours
    from pvenet.node import Node, Reading


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is pending on a node, as `diff` tells it."""

    data: dict[str, Any]
    meaning: str = ""
    """In short."""
    text: str = ""
    note: str = ""

    @property
    def pending(self) -> bool:
        """Whether anything is."""
        return bool(self.data["pending"])

    @property
    def ours(self) -> bool:
        """Whether all of it was staged from here."""
        return bool(self.data["ours"])


def pending_on(name: str, reading: Reading, whose: Nothing | Ours | Foreign) -> Shown:
    """What is pending, what it means, and whose it is."""
    from pvenet.journal import Ours
    from pvenet.render.changes import changes_text, diff_data, folded, pending_text

    ours, steps = isinstance(whose, Ours), whose.steps if isinstance(whose, Ours) else ()
    data = diff_data(name, reading.changes, steps, ours=ours)
    if reading.changes is None:
        return Shown(data=data, note=f"nothing is pending on {name}")
    paint = painter()
    means = changes_text(steps, paint)
    notes = [_way_back(whose)] if isinstance(whose, Ours) and _way_back(whose) else []
    notes += [] if ours else [f"pvenet did not stage this on {name} from here"]
    diff = pending_text(reading.changes, paint)
    return Shown(
        data=data,
        meaning=means or pending_text(folded(reading.changes, None)[0], paint),
        text=f"{means}\n\n{diff}" if means else diff,
        note="\n".join(notes),
    )


def _way_back(whose: Ours) -> str:
    """That what is pending is no change to be applied, but leads back from one."""
    from pvenet.journal import State

    if whose.armed:
        return "this is the way back of an apply that was armed: `pvenet status` says what to do"
    if whose.journal.state is State.ROLLING_BACK:
        return "this is the way back of a rollback that has not ended: `pvenet status` says what to do"
    return ""


def diff_several(context: Context, *, exit_code: bool) -> None:
    """The same of each node, under its name. Raises what the first raises that could not be read, after the others."""
    from pvenet.fleet.nodes import refuse

    found, failed = _pending(context)
    data = {name: {**shown.data, "error": None, "exit": 0} for name, shown in found.items()}
    data |= {name: {"node": name, "pending": None, **_failure(error)} for name, error in failed.items()}
    text = _under_names({name: shown.text for name, shown in found.items()})
    note = "\n".join(context.lead(shown.note, name) for name, shown in found.items() if shown.note)
    context.emit([data[name] for name in context.several], text, note=note)
    refuse(failed)
    if exit_code and any(shown.pending for shown in found.values()):
        raise errors.Differences("")


def revert_several(context: Context, *, discard: bool, yes: bool) -> None:
    """Ask once, then revert node after node; one that fails stops none of the others.

    Raises NeedsConsent, and after the answer what the first raises that failed.
    """
    from pvenet.fleet.nodes import refuse

    found, unread = _pending(context)
    failed = {**unread}
    there = [name for name, shown in found.items() if shown.pending]
    todo = [name for name in there if discard or found[name].ours]
    if todo and not context.options.json:
        context.say(_under_names({name: found[name].meaning for name in todo}) + "\n")
    if todo:
        with Prompt(yes=yes, json=context.options.json) as prompt:
            prompt.confirm(f"Throw this away on {counted(len(todo), 'node')} now?")
    rows = {name: _row(name, reverted=False) for name, shown in found.items() if not shown.pending}
    failed |= {name: _not_ours(name) for name in there if name not in todo}
    rows |= {name: _row(name, reverted=False, error=error) for name, error in failed.items()}
    for name in todo:
        rows[name] = _reverted(context, name, failed, discard=discard)
    done = [name for name in context.several if rows[name]["reverted"]]
    idle = [name for name in context.several if name in found and not found[name].pending]
    notes = [f"reverted what was pending on {', '.join(done)}"] if done else []
    notes += [f"nothing is pending on {', '.join(idle)}"] if idle else []
    context.emit_done([rows[name] for name in context.several], note="\n".join(notes))
    refuse(_in_order(context, failed))


def dry_revert_several(context: Context, *, discard: bool) -> None:
    """What a revert of several nodes would throw away and send, and that nothing was.

    Raises after the answer what the first raises that would fail.
    """
    from pvenet.apply.dry_run import of_revert
    from pvenet.cli.dry_run import NOTHING_SENT, requests
    from pvenet.fleet.nodes import refuse

    found, unread = _pending(context)
    left = {name: _not_ours(name) for name, shown in found.items() if shown.pending and not (discard or shown.ours)}
    failed, todo = {**unread, **left}, {name: shown for name, shown in found.items() if shown.pending}
    rows, texts = {}, {}
    for name in context.several:
        sends = name in todo and name not in left
        data, text = requests([of_revert(name)] if sends else [])
        steps = todo[name].data["steps"] if sends else []
        rows[name] = {**_row(name, reverted=False, error=failed.get(name)), "steps": steps, **data}
        texts[name] = f"would throw away:\n{todo[name].meaning}\n\n{text}" if sends else ""
    idle = [name for name in found if name not in todo]
    notes = [f"nothing is pending on {', '.join(idle)}"] if idle else []
    context.emit([rows[name] for name in context.several], _under_names(texts), note="\n".join([*notes, NOTHING_SENT]))
    refuse(_in_order(context, failed))


def _in_order(context: Context, failed: Mapping[str, errors.PvenetError]) -> Mapping[str, errors.PvenetError]:
    """Why nodes failed, in the order in which they were named; then why places did not say which nodes they have."""
    names = (*(name for name in context.several if name in failed), *failed)
    return {name: failed[name] for name in names}


def _pending(context: Context) -> tuple[Mapping[str, Shown], Mapping[str, errors.PvenetError]]:
    """What is pending on each of the nodes, read at once."""
    from pvenet.journal import ownership

    def use(node: Node, reading: Reading) -> Shown:
        return pending_on(node.name, reading, ownership(context.fleet.journals(node.name).at(node), reading))

    return read_several(context, use)


def _reverted(context: Context, name: str, failed: dict[str, errors.PvenetError], *, discard: bool) -> dict[str, Any]:
    """Revert one node; a failure is kept, and is its row's."""
    from pvenet.apply.revert import revert

    fleet = context.fleet
    try:
        done = revert(fleet.node(name), fleet.journals(name), discard=discard, warn=context.warn)
    except errors.Interrupted:
        raise
    except errors.PvenetError as error:
        failed[name] = error
        unknown = isinstance(error, errors.StateUnknown)
        return _row(name, reverted=None if unknown else False, error=error)
    return _row(name, reverted=done)


def _not_ours(name: str) -> errors.NotOurs:
    return errors.NotOurs(
        f"changes are pending on {name} that pvenet did not stage from here; they are left alone",
        hint=f"`pvenet diff --node {name}` shows them: ask who staged them; `pvenet revert --discard --node {name}` "
        "throws them away, too",
        changes="",
    )


def _row(name: str, *, reverted: bool | None, error: errors.PvenetError | None = None) -> dict[str, Any]:
    return {"node": name, "reverted": reverted, **_failure(error)}


def _failure(error: errors.PvenetError | None) -> dict[str, Any]:
    return {"error": error.message, "exit": error.exit_code} if error else {"error": None, "exit": 0}


def _under_names(texts: Mapping[str, str]) -> str:
    paint = painter()
    return "\n\n".join(f"{paint(f'{name}:', 'bold')}\n{text}" for name, text in texts.items() if text)
