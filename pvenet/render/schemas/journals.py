"""The shapes of journals."""

from __future__ import annotations

from typing import Any

from pvenet.journal import State
from pvenet.render.schemas.changes import CHANGE, NETWORK
from pvenet.render.schemas.shapes import Either, Keyed, Many, Record

_ROW: dict[str, Any] = {
    "node": str,
    "number": int | None,
    "name": str,
    "begun": str,
    "endpoint": str,
    "state": State,
    "open": bool,
    "ended": str,
    "what": str,
    "todo": str,
    "journal": str,
    "rollout": str | None,
}
_REQUEST = Record(name="SentRequest", fields={"method": str, "path": str, "form": Keyed(int | str)})
_WHOLE: dict[str, Any] = {
    **_ROW,
    "upid": str | None,
    "adopted": bool,
    "steps": Many(CHANGE),
    "before": NETWORK,
    "changes": str | None,
    "requests": Many(_REQUEST),
    "back": int | None,
}
_MEMBER = Record(name="RolloutMember", fields={"node": str, "stands": str, "message": str, "journal": str | None})
_ROLLOUT = Record(
    name="Rollout",
    fields={
        "rollout": str,
        "file": str,
        "begun": str,
        "ended": str | None,
        "canary": str | None,
        "nodes": Many(_MEMBER),
    },
)
HISTORY = Either((Many(Record(name="JournalRow", fields=_ROW)), Record(name="Journal", fields=_WHOLE), _ROLLOUT))
"""The table, one in full, or a rollout."""
