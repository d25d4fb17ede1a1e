"""The shapes of events, made of their classes; and of an error in the place of an answer."""

from __future__ import annotations

from types import NoneType
from typing import Any, Literal, get_args

from pvenet import events
from pvenet.plan import Risk
from pvenet.render.events import NAMES
from pvenet.render.schemas.changes import CHANGE, IMPACT_FIELDS, PLANNED, REQUESTS
from pvenet.render.schemas.shapes import Either, Many, Record, part

ERROR = Record(name="Error", fields={"error": str, "hint": str, "kind": str, "exit": int})


def record(word: str, node: Any, rest: dict[str, Any]) -> Record:
    """What each has, and then its own."""
    return Record(name=f"Event_{word}", fields={"event": Literal[word], "node": node, "at": str, **rest})


def _of(kind: type[events.Event]) -> Record:
    """An event of one node; of the cluster, or where the node is not known yet, null."""
    own = part(kind, known={"Risk": Risk})
    del own["node"]
    if "impact" in own:
        own = IMPACT_FIELDS
    if "steps" in own:
        own["steps"] = Many(CHANGE)
    if "exit_code" in own:
        own["exit"] = own.pop("exit_code")
    return record(NAMES.get(kind.__name__, kind.__name__.lower()), str | None, own)


_REQUESTS = record("requests", str | None, REQUESTS)
EVENT = Either((*(_of(kind) for kind in get_args(events.Event)), _REQUESTS))
END = _of(events.Ended)

_ROW = Record(
    name="Row",
    fields={"node": str, "verdict": events.Verdict | Literal["untouched"], "exit": int, "message": str, "hint": str},
)
_SUMMARY = {
    "exit": int,
    "message": str,
    "hint": str,
    "kind": str | None,
    "rollout": str | None,
    "nodes": Many(_ROW),
}
NODES = Either((*EVENT.of, record("node", str, {"number": int, "of": int}), record("summary", NoneType, _SUMMARY)))
"""A line of `rollback`: also of a whole rollout."""
ROLLOUT = Either((*NODES.of, record("planned", NoneType, PLANNED)))
"""A line of `apply`: also of a file or a saved plan."""
