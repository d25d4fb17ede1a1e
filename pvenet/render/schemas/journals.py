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
HISTORY = Either((Many(Record(name="JournalRow", fields=_ROW)), Record(name="Journal", fields=_WHOLE)))
"""The table, or one in full."""
