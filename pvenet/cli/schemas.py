"""The JSON Schema of what each command prints with `--json`. A command that comes needs its line here."""

from __future__ import annotations

from types import NoneType
from typing import Any

from pvenet import errors
from pvenet.apply.rescue import Rescue
from pvenet.apply.status import Status
from pvenet.cli.answer import STREAMS
from pvenet.cli.nouns import NOUNS
from pvenet.journal import State
from pvenet.render.schemas import changes, events, journals, looks, settings
from pvenet.render.schemas.shapes import Either, Keyed, Many, Record, json_schema, part

_STATUS = Many(Record(name="Status", fields=part(Status, known={"State": State})))
_WATCHED = Either((_STATUS, events.record("status", NoneType, {"nodes": _STATUS}), events.END))
"""All at once, or with --watch a line a change; the end is told where it is bad."""
_STAGING = {f"{noun.command} {verb}": changes.STAGED for noun in NOUNS for verb in noun.verbs}
OUTPUTS: dict[str, Any] = {
    **_STAGING,
    "list": changes.LISTED,
    "show": changes.INTERFACE,
    "links": looks.LINKS,
    "guests": looks.GUESTS,
    "tree": looks.TREE,
    "doctor": looks.DOCTOR,
    "diff": changes.DIFF,
    "apply": events.ROLLOUT,
    "rollback": events.NODES,
    "revert": settings.REVERTED,
    "confirm": settings.CONFIRMED,
    "wait": events.EVENT,
    "status": _WATCHED,
    "history": journals.HISTORY,
    "rescue": Record(name="Rescue", fields=part(Rescue)),
    "check": changes.CHECKED,
    "lint": looks.LINT,
    "schema": Keyed(Any),
    "export": Keyed(changes.NETWORK),
    "plan": Either((changes.PLAN, changes.SAVED)),
    "drift": changes.PLAN,
    "login": Either((settings.LOGIN, settings.LOGIN_LINES)),
    "logout": settings.LOGOUT,
    "config show": settings.CONFIG,
    "sim init": settings.SIM_NODE,
    "sim serve": settings.SIM_PLACE,
    "sim faults": settings.SIM_FAULTS,
    "sim show": settings.SIM_NODES,
    "sim check": settings.SIM_FILES,
}
"""By the command's words. Of one that streams it is a line: an event."""
ERROR = "error"
"""The word for what stands there where a command fails before it could answer."""


def output_schema(command: str, *, closed: bool = False) -> dict[str, Any]:
    """The schema of a command's output. Raises UsageError where there is no such command."""
    words = " ".join(command.split())
    if words == ERROR:
        return json_schema(events.ERROR, "an error, in place of any command's output", closed=closed)
    if words not in OUTPUTS:
        near = errors.nearest(words, [*OUTPUTS, ERROR])
        hint = f"did you mean {near}?" if near else f"as in `pvenet schema --output list`, or {ERROR}"
        raise errors.UsageError(f"there is no command {words or command!r} whose output has a schema", hint=hint)
    what = "an event of" if words in STREAMS else "the output of"
    return json_schema(OUTPUTS[words], f"{what} pvenet {words} --json", closed=closed)
