"""A node's interfaces as they shall be, or as they are: planned, staged, applied, exported, rendered."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.apply.runtime import Runtime
from pvenet.automation.options import said
from pvenet.automation.parameters import apply_options_of, file_of, place_of, stage_options_of
from pvenet.fleet import rollout
from pvenet.fleet.plans import plan_nodes, refuse_stale, selected
from pvenet.fleet.stage import refuse_unstageable, stage_all
from pvenet.render.node_plan import node_plan_data, node_plan_text
from pvenet.render.values import plain
from pvenet.spec.export import exported_data, unheld
from pvenet.spec.load import load, of_data
from pvenet.spec.network_spec import Absent, NetworkSpec, NodeSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.automation.answer import Work
    from pvenet.automation.parameters import Parameters, Place
    from pvenet.fleet.stage import Summary
    from pvenet.spec.node_plan import NodePlan

CONFIG = "config"
"""What messages call a configuration that is no file."""


class Wanted(StrEnum):
    """What shall become of the configuration."""

    MERGED = "merged"
    """What it says shall be so, and the rest stays."""
    OVERRIDDEN = "overridden"
    """It is complete: what it does not mention goes, as with `only: true`."""
    DELETED = "deleted"
    """What it names shall be absent."""
    GATHERED = "gathered"
    RENDERED = "rendered"
    PARSED = "parsed"


def interfaces(work: Work) -> None:
    """Make it so, or say how it is. Raises what planning, staging and applying raise."""
    match Wanted(work.parameters.get("state") or Wanted.MERGED):
        case Wanted.GATHERED:
            _gathered(work)
        case Wanted.RENDERED | Wanted.PARSED as state:
            from pvenet.automation.offline import parsed, rendered

            (rendered if state is Wanted.RENDERED else parsed)(work)
        case state:
            _changed(work, state)


def _gathered(work: Work) -> None:
    place = place_of(work.parameters, held=True, warn=work.heard.warn)
    reading = place.node.read()
    name = place.node.name
    work.data |= {"node": name, "gathered": exported_data({name: reading.network})["nodes"][name]}
    for each in unheld(reading.network):
        work.heard.warn(f"{name}: {each}")
    if reading.changes is not None:
        work.heard.warn(f"changes are pending on {name}: `gathered` shows them as if they were live")


def _changed(work: Work, state: Wanted) -> None:
    place = place_of(work.parameters, held=work.check, warn=work.heard.warn)
    name = place.node.name
    spec = spec_of(work.parameters, name, state)
    names = selected(place.fleet, spec, (name,))
    update_hosts = bool(work.parameters.get("update_hosts"))
    found = plan_nodes(place.fleet, spec, names, lambda _: None, update_hosts=update_hosts)
    refuse_stale(found, None)
    (planned,) = found.nodes
    for each in found.warnings:
        work.heard.warn(each.text(spec.file))
    work.data |= {"node": name, "plan": node_plan_data(planned)}
    live = work.parameters.get("apply") is not False
    if planned.plan or (live and planned.goes_live):
        work.diff = said(node_plan_text(planned, plain))
        _done(work, place, planned, live=live)


def _done(work: Work, place: Place, planned: NodePlan, *, live: bool) -> None:
    """Stage the plan, and make it live unless it shall only be staged; of a check only what would stop it."""
    terms = rollout.Terms(
        apply=apply_options_of(work.parameters, place.settings), stage=stage_options_of(work.parameters)
    )
    try:
        if live:
            rollout.refuse_unapproved([planned], terms)
        else:
            refuse_unstageable([planned], terms.stage)
    except errors.RefusedByPvenet as refusal:
        if not work.check:
            raise
        work.would_stop(refusal)
    if work.check:
        work.changed = True
    elif live:
        _became(work, rollout.roll_out(place.fleet, [planned], terms, Runtime(emit=work.heard.emit)))
    else:
        _became(work, stage_all(place.fleet, [planned], terms.stage))


def _became(work: Work, summary: Summary) -> None:
    """What became of the node. Raises what ended it."""
    if summary.failure is not None:
        raise summary.failure
    (row,) = summary.rows
    work.changed = True
    work.data |= {"verdict": str(row.verdict), "message": said(row.message)}


def spec_of(parameters: Parameters, node: str, state: Wanted) -> NetworkSpec:
    """What shall be on a node. Raises UsageError, and InvalidNetwork for what can't be."""
    file, config = file_of(parameters), parameters.get(CONFIG)
    if (file is None) == (config is None):
        raise errors.UsageError(
            f"state {state} needs a `config` or a `file`, but {'neither' if file is None else 'both'} is given",
            hint="`config` is a node's entry of a network file, `file` a whole one",
        )
    if file is not None:
        spec = load(file)
    elif state is Wanted.DELETED:
        spec = of_data({"nodes": {node: _absent(config or {})}}, CONFIG)
    else:
        spec = of_data({"nodes": {node: config}}, CONFIG)
    if node not in spec.nodes:
        raise errors.UsageError(
            f"{spec.file} does not mention the node {node}", hint=f"it has {', '.join(spec.nodes) or 'none'}"
        )
    return NetworkSpec(file=spec.file, nodes={node: _as(state, spec.nodes[node])})


def _absent(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"state": "absent"} for name in config if name != "only"}


def _as(state: Wanted, spec: NodeSpec) -> NodeSpec:
    match state:
        case Wanted.OVERRIDDEN:
            return replace(spec, only=True)
        case Wanted.DELETED:
            gone = {name: Absent(name=name, position=each.position) for name, each in spec.interfaces.items()}
            return replace(spec, interfaces=gone, only=False)
        case _:
            return spec
