"""What a network file would do, node by node: as text, and as JSON data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.plan import Create, Delete, Risk, Update
from pvenet.render.changes import change_data, changes_text
from pvenet.render.foreign import indented
from pvenet.render.values import aligned

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pvenet.events import Row
    from pvenet.render.values import Paint
    from pvenet.spec.node_plan import NodePlan


FEW = 5
"""Nodes that are named; of more the number says as much."""


def node_plan_text(found: NodePlan, paint: Paint) -> str:
    """One node's changes in their order, the risk of each, and what is worth knowing before."""
    lines = [paint(f"{found.node}:", "bold") if found.plan else f"{found.node}: no changes"]
    for step, risk in zip(found.changes, found.risks, strict=True):
        lines.append(f"  {changes_text([step], paint)}{_mark(risk, paint)}")
    if worst(found) is Risk.MANAGEMENT:
        path = found.management
        lines.append(f"  this touches the way to {found.node}: {' on '.join(path.chain)} ({path.reason})")
    lines += [f"  can't be rolled back: {loss}" for loss in found.not_rolled_back]
    lines += [f"  would be lost: {loss} (refused without --lossy)" for loss in found.losses]
    lines += [f"  {line}" for line in found.kept]
    if found.pending is not None:
        lines.append("  something is pending there already (`pvenet diff` shows it); this would come on top of it")
    return "\n".join(indented(line) for line in lines)


def _mark(risk: Risk, paint: Paint) -> str:
    if risk is Risk.NONE:
        return ""
    return "  " + paint(f"(risk: {risk})", "red" if risk is Risk.MANAGEMENT else "yellow")


def worst(found: NodePlan) -> Risk:
    """The worst risk of a node's steps."""
    return max(found.risks, default=Risk.NONE)


def counts_text(found: Sequence[NodePlan], file: str) -> str:
    """The last line: how much there is to do."""
    touched = [each for each in found if each.plan]
    nodes = f"{len(found)} node{'' if len(found) == 1 else 's'}"
    if not touched:
        names = ", ".join(each.node for each in found) if 0 < len(found) <= FEW else nodes
        return f"no changes: {names} {'is' if len(found) == 1 else 'are'} as {file} says"
    made, changed, gone = _counts(found).values()
    return f"plan: {made} to create, {changed} to change, {gone} to delete on {len(touched)} of {nodes}"


def _counts(found: Iterable[NodePlan]) -> dict[str, int]:
    """Interfaces, each once also where it takes two steps."""
    kinds = {"create": Create, "update": Update, "delete": Delete}
    return {
        word: sum(len({step.name for step in each.changes if isinstance(step, kind)}) for each in found)
        for word, kind in kinds.items()
    }


def node_plans_data(found: Sequence[NodePlan], file: str) -> dict[str, Any]:
    """What `plan --json` prints."""
    return {"file": file, "nodes": [node_plan_data(each) for each in found], "counts": _counts(found)}


def node_plan_data(found: NodePlan) -> dict[str, Any]:
    """One node of it."""
    steps = [{**change_data(step), "risk": str(risk)} for step, risk in zip(found.changes, found.risks, strict=True)]
    return {
        "node": found.node,
        "steps": steps,
        "risk": str(worst(found)),
        "not_rolled_back": [str(loss) for loss in found.not_rolled_back],
        "losses": list(found.losses),
        "warnings": [diagnostic.data() for diagnostic in found.diagnostics if diagnostic.warning],
        "kept": list(found.kept),
        "pending": found.pending is not None,
    }


def rows_text(rows: Sequence[Row], paint: Paint) -> str:
    """What became of the nodes, a line each."""
    lines = [("node", "result", "")]
    for row in rows:
        lines.append((row.node, _verdict(row).replace("_", " "), row.message.partition("\n")[0]))  # noqa: PERF401
    first, *rest = aligned(lines).splitlines()
    return "\n".join([paint(first, "bold"), *rest])


def rows_data(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The same as JSON data."""
    return [{"node": row.node, "verdict": _verdict(row), "exit": row.exit_code, "message": row.message} for row in rows]


def _verdict(row: Row) -> str:
    return str(row.verdict) if row.verdict else "untouched"
