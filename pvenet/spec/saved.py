"""A plan in a file: what shall be on each node, and the fingerprint of what it was planned against."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.changes import change_data
from pvenet.model import beneath, settable
from pvenet.spec.diagnostics import NOWHERE
from pvenet.spec.load import text_of
from pvenet.spec.network_spec import Absent, InterfaceSpec, NetworkSpec, NodeSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pvenet.changes import Change
    from pvenet.model import Interface
    from pvenet.spec.node_plan import NodePlan

VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """A saved plan."""

    id: str
    spec: NetworkSpec
    """What shall be, in full: nothing of an interface is left to the node."""
    against: Mapping[str, str]
    """The fingerprint of each node's network when it was planned."""
    shown: Mapping[str, Mapping[str, Any]]
    """What was shown of each node, as the file has it: that may be anything."""

    def shows(self, plan: NodePlan) -> bool:
        """Whether what was shown of a node is what would be done there, or nothing was shown of it.

        What was staged from here when it was saved may have gone live since.
        """
        shown, staged = self.shown[plan.node], plan.pending.steps if plan.pending else ()
        return _alike(shown.get("steps"), plan.steps) and (not staged or _alike(shown.get("staged"), staged))


def saved_data(found: Sequence[NodePlan], shown: Mapping[str, Any], *, plan_id: str, made: str) -> dict[str, Any]:
    """The plan as JSON data, beside what was shown of it; only the nodes on which something goes live."""
    desired = {each.node: each for each in found}
    nodes = [
        {
            **node,
            "against": desired[node["node"]].against,
            "nics": _nics(desired[node["node"]]),
            "desired": {name: _entry(each) for name, each in desired[node["node"]].desired.items()},
        }
        for node in shown["nodes"]
        if node["steps"] or node["ours"]
    ]
    return {"pvenet_plan": VERSION, "id": plan_id, "made": made, **shown, "nodes": nodes}


def _nics(plan: NodePlan) -> dict[str, str]:
    """The MACs of the NICs that a plan names."""
    said = {name for name, each in plan.desired.items() for name in (name, *(beneath(each) if each else ()))}
    return {name: mac for name, mac in plan.nics.items() if name in said}


def _entry(interface: Interface | None) -> dict[str, Any]:
    if interface is None:
        return {"state": "absent"}
    said = {name: getattr(interface, name) for name in settable(type(interface))}
    return {"type": interface.type, **{name: _plain(value) for name, value in said.items()}}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return value if value is None or isinstance(value, bool | int) else str(value)


def is_saved(text: str) -> bool:
    """Whether a text means to be a saved plan, and no network file."""
    return text.lstrip().startswith("{") and '"pvenet_plan"' in text[:200]


def read(path: Path) -> Saved:
    """The plan of a file. Raises UsageError for one that can't be read, or was not written by `plan -o`."""
    return read_with_shown(path)[0]


def read_with_shown(path: Path) -> tuple[Saved, dict[str, Any]]:
    """The same with all the data, of which what was shown is as the file has it, for people."""
    from pydantic import ValidationError

    from pvenet.spec.file import SavedPlan

    hint = "name a plan that `pvenet plan -o PLAN` has saved; a network file goes with -f FILE"
    text = text_of(path, what="the saved plan ", hint=hint)
    if not is_saved(text):
        raise errors.UsageError(
            f"{path} is not a saved plan", hint=f"`pvenet plan -o FILE` saves one; a network file goes with -f {path}"
        )
    try:
        data = json.loads(text)
        json.dumps(data, ensure_ascii=False).encode()  # half a letter is no text
        if data.get("pvenet_plan") != VERSION:
            raise errors.UsageError(f"{path} was saved by another version of pvenet", hint="plan again")
        found = SavedPlan.model_validate(data)
    except (ValidationError, ValueError, RecursionError):
        raise changed_since(path) from None
    nodes = {node.node: _node(node) for node in found.nodes}
    if len(nodes) < len(found.nodes):
        raise changed_since(path)
    shown = {node["node"]: node for node in data["nodes"]}
    against = {node.node: node.against for node in found.nodes}
    return Saved(id=found.id, spec=NetworkSpec(file=str(path), nodes=nodes), against=against, shown=shown), data


def _alike(shown: Any, steps: Sequence[Change]) -> bool:
    """Whether the steps of a file, which may be anything, are these ones; their risk is judged anew."""
    if shown is None:
        return True
    rest = [_without_risk(each) for each in shown] if isinstance(shown, list) else shown
    return json.dumps(rest, sort_keys=True) == json.dumps([change_data(each) for each in steps], sort_keys=True)


def _without_risk(step: Any) -> Any:
    return {key: value for key, value in step.items() if key != "risk"} if isinstance(step, dict) else step


def changed_since(path: Path) -> errors.UsageError:
    """The refusal of a saved plan that `plan -o` has not written so."""
    return errors.UsageError(f"{path} was changed after it was saved", hint="plan again")


def _node(saved: Any) -> NodeSpec:
    interfaces = {name: _interface_spec(name, entry) for name, entry in saved.desired.items()}
    return NodeSpec(node=saved.node, position=NOWHERE, interfaces=interfaces, nics=saved.nics)


def _interface_spec(name: str, entry: Any) -> InterfaceSpec | Absent:
    if entry.state != "present":
        return Absent(name=name, position=NOWHERE)
    said = entry.model_fields_set - {"type", "state"}
    return InterfaceSpec(
        name=name, type=entry.type, fields={key: getattr(entry, key) for key in said}, position=NOWHERE
    )
