"""The shapes of interfaces, changes, and whom they hit."""

from __future__ import annotations

from dataclasses import replace
from types import NoneType
from typing import Any, Literal

from pvenet.access import NotKnown
from pvenet.changes.pending import PendingKind
from pvenet.impact import Effect, GuestImpact
from pvenet.model import Interface, Other, own_first
from pvenet.plan import Problem, Risk
from pvenet.render.schemas.shapes import Either, Keyed, Many, Record, part
from pvenet.spec.diagnostics import Diagnostic
from pvenet.spec.network_spec import KINDS

VALUE = Either((bool, int, str, list[str], NoneType))
"""What a field of an interface says."""


def _interface(word: str, kind: type[Interface]) -> Record:
    """An interface of a kind: its fields flat, beside what the file and the kernel have."""
    own = {"ovs_options" if name == "options" else name: each for name, each in part(kind, *own_first(kind)).items()}
    told = {"name": str, "type": str if kind is Other else Literal[word], "active": bool | None}
    kept = {"method": str, "method6": str, "options": list[str], "options6": list[str], "altnames": list[str]}
    return Record(name=f"Interface_{word}", fields={**told, **own, **kept}, open=kind is Other)


def _listed(record: Record, **more: Any) -> Record:
    """The same as a list has it."""
    return replace(record, name=f"Listed{record.name}", fields={**more, **record.fields, "pending": PendingKind | None})


_INTERFACES = tuple(_interface(word, kind) for word, kind in {**KINDS, "other": Other}.items())
NETWORK = Many(Either(_INTERFACES))
INTERFACE = Either(tuple(_listed(each) for each in _INTERFACES))
_OF_NODES = tuple(replace(_listed(each, node=str), name=f"NodeListed{each.name}") for each in _INTERFACES)
LISTED = Many(Either((*INTERFACE.of, *_OF_NODES)))
"""What is listed; of several nodes, each with its node."""

_FIELD = Record(name="Field", fields={"before": VALUE, "after": VALUE})
_CHANGE: dict[str, Any] = {
    "action": Literal["create", "update", "delete"],
    "name": str,
    "type": str,
    "fields": Keyed(_FIELD),
}
CHANGE = Record(name="Change", fields=_CHANGE)
RISKY = Record(name="RiskyChange", fields={**_CHANGE, "risk": Risk})

UNKNOWN = Record(name="NotKnown", fields=part(NotKnown))
_CARD = Record(
    name="GuestImpact",
    fields=part(GuestImpact, "vmid", "name", "index", "running", "pending", "tag", "trunks", "effect", "why"),
)
_BRIDGE = Record(name="BridgeImpact", fields={"name": str, "effect": Effect, "guests": Many(_CARD)})
_LINK = Record(
    name="LinkImpact",
    fields={
        "node": str,
        "number": int,
        "address": str,
        "ip": str | None,
        "carrier": str | None,
        "effect": Effect,
        "why": str,
    },
)
_PATH = Record(name="PathImpact", fields={"carrier": str, "chain": str})
IMPACT_FIELDS: dict[str, Any] = {
    "bridges": Many(_BRIDGE),
    "cluster_links": Many(_LINK),
    "management_path": Either((_PATH, NoneType)),
    "guests_cut": list[int],
    "guests_perhaps_cut": list[int],
    "not_known": Many(UNKNOWN),
}
IMPACT = Record(name="Impact", fields=IMPACT_FIELDS)

_REQUEST = Record(name="Request", fields={"method": str, "path": str, "form": Keyed(int | str), "when": str})
REQUESTS: dict[str, Any] = {"dry_run": bool, "requests": Many(_REQUEST)}
"""What a dry run has besides: what would be sent."""
FAILED: dict[str, Any] = {"error": str | None, "exit": int}
"""What each of several nodes has besides."""


def several(name: str, one: dict[str, Any]) -> Either:
    """The answer of a command about one node, or about several; a row that failed has no more than its error."""
    rows = Record(name=f"{name}Row", fields={**one, **FAILED}, optional=frozenset(one) - {"node"})
    return Either((Record(name=name, fields=one), Many(rows)))


_PROBLEM = Record(name="Problem", fields=part(Problem, "interface", "field", "value", "message", "nearest"))
_TOUCHED = Record(name="PathTouched", fields={"does": str, "chain": str, "reason": str})
STAGED = Record(
    name="Staged",
    fields={
        "node": str,
        "steps": Many(CHANGE),
        "warnings": Many(_PROBLEM),
        "pending": bool,
        "impact": IMPACT,
        "notes": list[str],
        "management": Either((_TOUCHED, NoneType)),
        **REQUESTS,
    },
    optional=frozenset(REQUESTS),
)
_RENAMES = {
    "renames": Many(Record(name="Rename", fields={"old": str, "new": str})),
    "by_hand": list[str],
    "early": list[str],
}
RENAMED = Either(
    (
        Record(name="Renamed", fields={**STAGED.fields, **_RENAMES}, optional=STAGED.optional),
        Record(name="Forgotten", fields={"node": str, **_RENAMES}),
    )
)
DIFF = several(
    "Diff", {"node": str, "pending": bool | None, "ours": bool, "changes": str | None, "steps": Many(CHANGE)}
)

_SPOT: dict[str, Any] = {"line": int, "column": int, **part(Diagnostic, "message", "nearest", "warning")}
CHECKED = Many(Record(name="FileDiagnostic", fields={"file": str, **_SPOT}))
_PLANNED_NODE: dict[str, Any] = {
    "node": str,
    "steps": Many(RISKY),
    "risk": Risk,
    "not_rolled_back": list[str],
    "losses": list[str],
    "warnings": Many(Record(name="Diagnostic", fields=_SPOT)),
    "kept": list[str],
    "pending": bool,
    "ours": bool,
    "armed": bool,
    "staged": Many(RISKY),
    "changes": str | None,
    "impact": IMPACT,
    "hosts": Many(Record(name="HostsLine", fields={"old": str, "new": str})),
    "notes": list[str],
    "management": Many(Record(name="TouchedPath", fields={"chain": list[str], "reason": str})),
}
_NODE_PLAN = Record(name="NodePlan", fields=_PLANNED_NODE)
_COUNTS = Record(name="Counts", fields={"create": int, "update": int, "delete": int})
PLANNED: dict[str, Any] = {"file": str, "nodes": Many(_NODE_PLAN), "counts": _COUNTS}
PLAN = Record(name="Plan", fields={**PLANNED, "errors": dict[str, str]})
_SAVED_NODE = Record(
    name="SavedNodePlan", fields={**_PLANNED_NODE, "against": str, "nics": dict[str, str], "desired": Keyed(Any)}
)
SAVED = Record(
    name="SavedPlan",
    fields={**PLANNED, "nodes": Many(_SAVED_NODE), "pvenet_plan": int, "id": str, "made": str},
)
"""What `plan show` gives: a saved plan as its file has it."""
