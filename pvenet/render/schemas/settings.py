"""The shapes of what says where a command goes: settings and logins; and of small answers."""

from __future__ import annotations

from typing import Any

from pvenet.login.rights import Right
from pvenet.render.schemas.changes import CHANGE, REQUESTS, several
from pvenet.render.schemas.shapes import Either, Keyed, Many, Record, part

CONFIG = Keyed(Record(name="Setting", fields={"value": str, "source": str}))
_RIGHT = Record(name="Right", fields=part(Right, "privileges", "path", "propagate", "purpose"))
LOGIN = Record(
    name="LoggedIn",
    fields={
        "profile": str,
        "file": str,
        "endpoint": str,
        "fingerprint": str | None,
        "token_id": str,
        "secret": str,
        "made": list[str],
        "rights": Many(_RIGHT),
        "lacking": Many(_RIGHT),
    },
)
LOGIN_LINES = Record(name="Pveum", fields={"pveum": list[str]})
LOGOUT = Record(
    name="LoggedOut",
    fields={"profile": str, "token_id": str | None, "removed": bool, "remove_with": str | None},
)
_REVERT: dict[str, Any] = {"node": str, "reverted": bool | None}
REVERTED = Either(
    (
        *several("Reverted", _REVERT).of,
        Record(name="RevertForeseen", fields={**_REVERT, "steps": Many(CHANGE), **REQUESTS}),
    )
)
_CONFIRM: dict[str, Any] = {"node": str, "confirmed": bool}
CONFIRMED = Either(
    (
        Record(name="Confirmed", fields={**_CONFIRM, "journal": str}),
        Record(name="Extended", fields={**_CONFIRM, "left": float}),
        Record(name="ConfirmForeseen", fields={**_CONFIRM, **REQUESTS}),
    )
)

SIM_NODE = Record(name="SimNode", fields={"folder": str, "node": str})
SIM_PLACE = Record(
    name="SimPlace",
    fields={
        "token_id": str,
        "token_secret": str,
        "user": str,
        "password": str,
        "fingerprint": str | None,
        "also": list[str],
        "endpoint": str,
    },
)
SIM_FAULTS = Many(Record(name="Fault", fields={"fault": str, "about": str}))
_TASK = Record(
    name="Task",
    fields={
        "upid": str,
        "type": str,
        "user": str,
        "start": float,
        "seconds": float | None,
        "status": str,
        "log": list[str],
    },
)
SIM_NODES = Many(
    Record(
        name="SimView",
        fields={
            "node": str,
            "state": str,
            "online": bool,
            "address": str,
            "up": list[str],
            "down": list[str],
            "tasks": Many(_TASK),
        },
    )
)
_STANZA = Record(
    name="FileInterface",
    fields={"name": str, "type": str, "autostart": bool, "stanzas": list[str], "on": list[str]},
)
_NOTE = Record(name="FileNote", fields={"line": int | None, "name": str, "text": str})
SIM_FILES = Many(
    Record(
        name="SimFile",
        fields={
            "node": str | None,
            "file": str,
            "refused": str | None,
            "changes": str | None,
            "interfaces": Many(_STANZA),
            "notes": Many(_NOTE),
        },
    )
)
