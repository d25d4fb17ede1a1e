"""Apply what is staged, say that it may stay, or put back what was there before: of one node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply import keep
from pvenet.apply.apply import apply as make_live
from pvenet.apply.dry_run import dry_apply, dry_confirm, dry_rollback
from pvenet.apply.resume import roll_back
from pvenet.apply.runtime import Runtime
from pvenet.automation.parameters import Place, apply_options_of, place_of
from pvenet.events import Verdict
from pvenet.journal import State
from pvenet.render.requests import requests_data

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pvenet.automation.work import Work
    from pvenet.events import Ended, WouldSend

KEPT = frozenset({State.CONFIRMED, State.APPLIED})
"""What was applied stays already."""


def apply(work: Work) -> None:
    """Make live what is staged, and wait for its verdict. Raises what an apply raises."""
    place = place_of(work.parameters, held=work.check, warn=work.heard.warn)
    options, runtime = apply_options_of(work.parameters, place.settings), Runtime(emit=work.heard.emit)
    work.data["node"] = place.node.name
    if work.check:
        _foreseen(work, lambda: dry_apply(place.node, place.journals, options, runtime))
    else:
        _ended(work, make_live(place.node, place.journals, options, runtime))


def rollback(work: Work) -> None:
    """Put back what was there before the last apply, or before a journal. Raises what a rollback raises."""
    place = place_of(work.parameters, held=work.check, warn=work.heard.warn)
    options, runtime = apply_options_of(work.parameters, place.settings), Runtime(emit=work.heard.emit)
    name = work.parameters.get("journal") or ""
    work.data["node"] = place.node.name
    if work.check:
        _foreseen(work, lambda: dry_rollback(place.node, place.journals, options, runtime, name=name, same_node=False))
    else:
        _ended(work, roll_back(place.node, place.journals, options, runtime, name=name))


def confirm(work: Work) -> None:
    """Say that what was applied may stay; what stays already is no change. Raises RefusedByPvenet."""
    place = place_of(work.parameters, held=work.check, warn=work.heard.warn)
    node, journals, warn = place.node, place.journals, work.heard.warn
    work.data["node"] = node.name
    try:
        if work.check:
            dry_confirm(node, journals, same_node=False, warn=warn)
        else:
            work.data["journal"] = keep.confirm(node, journals, warn=warn).id
    except errors.RefusedByPvenet:
        if not _stays(place):
            raise
        return
    work.changed = True


def _stays(place: Place) -> bool:
    """Whether what was applied last stays already, by its journal: whoever begins an apply now is not disturbed."""
    journals = place.journals.at(place.node).all()
    return bool(journals) and journals[-1].state in KEPT


def _ended(work: Work, end: Ended) -> None:
    work.changed = end.verdict is not Verdict.NOTHING


def _foreseen(work: Work, find: Callable[[], Sequence[WouldSend]]) -> None:
    """What a run would send, as far as a check can tell."""
    try:
        found = find()
    except errors.RefusedByPvenet as refusal:
        work.would_stop(refusal)
        work.changed = bool(work.heard.shown)
        found = ()
    else:
        work.changed = bool(found)
    work.heard.end = None  # what ended was the look
    work.data["requests"] = requests_data(found)
