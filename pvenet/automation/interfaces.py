"""A node's interfaces as they shall be, or as they are: planned, staged, applied, exported, rendered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.runtime import Runtime
from pvenet.automation.options import said
from pvenet.automation.parameters import apply_options_of, place_of, stage_options_of
from pvenet.automation.wanted import Wanted, spec_of
from pvenet.fleet import rollout
from pvenet.fleet.plans import plan_nodes, refuse_stale, selected
from pvenet.fleet.stage import refuse_unstageable, stage_all
from pvenet.render.node_plan import node_plan_data, node_plan_text
from pvenet.render.values import plain
from pvenet.spec.export import exported_data, unheld

if TYPE_CHECKING:
    from pvenet.automation.parameters import Place
    from pvenet.automation.work import Work
    from pvenet.fleet.stage import Summary
    from pvenet.spec.node_plan import NodePlan


def interfaces(work: Work) -> None:
    """Make it so, or say how it is. Raises what planning, staging and applying raise."""
    match Wanted(work.parameters.get("state") or Wanted.MERGED):
        case Wanted.GATHERED:
            _gathered(work)
        case Wanted.RENDERED | Wanted.PARSED as state:
            from pvenet.automation.offline import parsed, rendered  # they need the simulated node

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
