"""What a network file would do, node by node: as text, and as JSON data."""

from __future__ import annotations

from dataclasses import replace
from textwrap import indent
from typing import TYPE_CHECKING, Any

from pvenet.changes import Create, Delete, Update, change_data
from pvenet.errors import ApplyFailed, StateUnknown
from pvenet.foreign import indented, one_line
from pvenet.model import runs
from pvenet.plan import Risk
from pvenet.render.changes import changes_text, pending_text
from pvenet.render.columns import fitted
from pvenet.render.impact import impact_data, impact_lines
from pvenet.render.lines import at_words
from pvenet.render.values import briefly, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pvenet.changes import Change
    from pvenet.errors import PvenetError
    from pvenet.events import Row, Verdict
    from pvenet.impact import Impact
    from pvenet.render.values import Paint
    from pvenet.spec.node_plan import NodePlan


FEW = 5
"""Nodes that are named; of more the number says as much."""


def node_plan_text(found: NodePlan, paint: Paint, width: int = 100) -> str:
    """One node's changes in their order, the risk of each, and what is worth knowing before."""
    lines = [paint(f"{found.node}:", "bold") if found.plan else f"{found.node}: no changes"]
    lines += _steps(found.steps, found.risks, paint)
    lines += _pending(found, paint)
    for path in found.touched_paths:
        line = path_text(found.node, path.chain, path.reason, found.impact)
        lines += [] if line in lines else [line]
    lines += [f"  {line}" for line in impact_lines(found.impact, width - 2)] if found.impact.notable else []
    lines += [indent(at_words(f"note: {note}", width - 2), "  ") for note in found.notes]
    lines += [f"  can't be rolled back: {loss}" for loss in found.not_rolled_back]
    lines += [f"  would be lost: {loss} (refused without --lossy)" for loss in found.losses]
    lines += [f"  {line}" for line in found.kept]
    return "\n".join(indented(line) for line in lines)


EACH = "each of them"
"""Several nodes, where one would be named."""


def node_plans_text(found: Sequence[NodePlan], paint: Paint, width: int = 100) -> list[str]:
    """The same of many nodes: those that would read alike are told once."""
    alike: dict[str, list[NodePlan]] = {}
    for each in found:
        alike.setdefault(node_plan_text(replace(each, node=EACH), paint, width), []).append(each)
    return [
        node_plan_text(group[0], paint, width) if len(group) == 1 else _alike_text(group, text, paint)
        for text, group in alike.items()
    ]


def _alike_text(group: Sequence[NodePlan], text: str, paint: Paint) -> str:
    """What is the same on several nodes, under all their names."""
    head = alike_title([each.node for each in group], len(group[0].steps), paint)
    return "\n".join([head, *text.splitlines()[1:]])


def alike_title(names: Sequence[str], steps: int, paint: Paint) -> str:
    """The line above what is the same on several nodes."""
    said = one_line(runs(names))
    return paint(f"{said}: the same {counted(steps, 'change')}", "bold") if steps else f"{said}: no changes"


def path_text(node: str, chain: Sequence[str], reason: str, impact: Impact) -> str:
    """That the way to a node is touched; the way itself where it does not stand among those who are hit."""
    shown = impact.notable and impact.path is not None and impact.path.carrier in chain[:1]
    way = "" if shown else f": {' on '.join(chain)}"
    return f"  this touches the management path of {node}{way} ({reason})"


def _steps(changes: Sequence[Change], risks: Sequence[Risk], paint: Paint) -> list[str]:
    return [f"  {changes_text([step], paint)}{_mark(risk, paint)}" for step, risk in zip(changes, risks, strict=True)]


def _pending(found: NodePlan, paint: Paint) -> list[str]:
    """What is staged on a node already: an apply makes it live with the rest, where it is ours."""
    staged = found.pending
    if staged is None:
        return []
    if staged.armed:
        return ["  the way back of an apply that was armed is pending there: `pvenet status` says what to do"]
    if staged.ours:
        head = "  something is pending there already, staged from here:"
        none = "  nothing that changes an interface (`pvenet diff` shows it)"
        return [head, *(f"  {line}" for line in _steps(staged.steps, staged.risks, paint) or [none])]
    head = "  something is pending there already that pvenet did not stage from here"
    what = ", and this would come on top of it (refused without --adopt):" if found.plan else ", and is left alone:"
    return [head + what, *(f"    {line}" for line in pending_text(staged.changes, paint).splitlines())]


def _mark(risk: Risk, paint: Paint) -> str:
    if risk is Risk.NONE:
        return ""
    return "  " + paint(f"(risk: {risk})", "red" if risk is Risk.MANAGEMENT else "yellow")


def counts_text(found: Sequence[NodePlan], file: str, unread: Sequence[str] = ()) -> str:
    """The last line: how much there is to do, and which nodes could not be read."""
    if not found and unread:
        return f"no plan: {_unread(unread)}"
    return "; ".join([_to_plan(found, file, of=len(found) + len(unread)), *([_unread(unread)] if unread else ())])


def _to_plan(found: Sequence[NodePlan], file: str, *, of: int) -> str:
    touched = [each for each in found if each.plan]
    ours = _staged_here(found)
    too = f"{_named(ours)} {_has(ours)} staged changes from here, which an apply makes live" if ours else ""
    if touched:
        line = f"plan: {_to_do(found)} on {len(touched)} of {counted(of, 'node')}"
        return f"{line}; {too}" if too else line
    if too:
        return f"plan: nothing more to stage; {too}"
    others = [each for each in found if each.pending]
    if others:
        return f"no changes from {file}; but something is pending on {_named(others)}, which is left alone"
    return f"no changes: {_named(found)} {_are(found)} as {file} says"


def drift_text(found: Sequence[NodePlan], file: str, unread: Sequence[str] = ()) -> str:
    """The same of nodes that were looked at: which are not as the file says, or not live as they are staged."""
    if not found and unread:
        return f"not known: {_unread(unread)}"
    touched, ours = [each for each in found if each.plan], _staged_here(found)
    lines = []
    if touched:
        lines.append(f"{_named(touched)} {_are(touched)} not as {file} says: {_to_do(found)}")
    if ours:
        lines.append(f"{_named(ours)} {_has(ours)} staged changes from here that are not live")
    if others := [each for each in found if each.pending and each not in ours]:
        lines.append(f"something {'else ' if ours else ''}is pending on {_named(others)}")
    head = "drift" if lines else "no drift"
    lines = lines or [f"{_named(found)} {_are(found)} as {file} says"]
    return f"{head}: {'; '.join([*lines, *([_unread(unread)] if unread else ())])}"


def _unread(names: Sequence[str]) -> str:
    return f"{runs(names)} could not be read"


def _staged_here(found: Sequence[NodePlan]) -> list[NodePlan]:
    return [each for each in found if each.pending and each.pending.ours and not each.pending.armed]


def _to_do(found: Sequence[NodePlan]) -> str:
    made, changed, gone = counts(found).values()
    return f"{made} to create, {changed} to change, {gone} to delete"


def _are(found: Sequence[NodePlan]) -> str:
    return "is" if len(found) == 1 else "are"


def _named(found: Sequence[NodePlan]) -> str:
    return ", ".join(each.node for each in found) if 0 < len(found) <= FEW else f"{len(found)} nodes"


def _has(found: Sequence[NodePlan]) -> str:
    return "has" if len(found) == 1 else "have"


def counts(found: Iterable[NodePlan]) -> dict[str, int]:
    """How many are to create, update and delete: interfaces, each once also where it takes two steps."""
    kinds = {"create": Create, "update": Update, "delete": Delete}
    return {
        word: sum(len({step.name for step in each.steps if isinstance(step, kind)}) for each in found)
        for word, kind in kinds.items()
    }


def node_plans_data(found: Sequence[NodePlan], file: str) -> dict[str, Any]:
    """What `plan --json` prints."""
    return {"file": file, "nodes": [node_plan_data(each) for each in found], "counts": counts(found)}


def node_plan_data(found: NodePlan) -> dict[str, Any]:
    """One node of it."""
    staged = found.pending
    return {
        "node": found.node,
        "steps": _steps_data(found.steps, found.risks),
        "risk": str(found.worst),
        "not_rolled_back": [str(loss) for loss in found.not_rolled_back],
        "losses": list(found.losses),
        "warnings": [diagnostic.data() for diagnostic in found.diagnostics if diagnostic.warning],
        "kept": list(found.kept),
        "pending": staged is not None,
        "ours": staged is not None and staged.ours,
        "armed": staged is not None and staged.armed,
        "staged": _steps_data(staged.steps, staged.risks) if staged else [],
        "changes": staged.changes if staged else None,
        "impact": impact_data(found.impact),
        "hosts": [{"old": line.old, "new": line.new} for line in found.hosts],
        "notes": list(found.notes),
        "management": [{"chain": list(path.chain), "reason": path.reason} for path in found.touched_paths],
    }


def _steps_data(changes: Sequence[Change], risks: Sequence[Risk]) -> list[dict[str, Any]]:
    return [{**change_data(step), "risk": str(risk)} for step, risk in zip(changes, risks, strict=True)]


def rows_text(rows: Sequence[Row], width: int | None, paint: Paint) -> str:
    """What became of the nodes, a line each; `width`: of the terminal, None where it is none.

    Why one has failed stands below, in the error or before it (`failures_text`).
    """
    lines = [(row.node, in_words(row.verdict), _briefly(row)) for row in rows]
    return fitted(("node", "result", ""), lines, width, paint, wraps=("",))


def _briefly(row: Row) -> str:
    return "" if has_failed(row) else briefly(row.node, in_words(row.verdict), row.message)


def failures_text(rows: Sequence[Row], failure: PvenetError) -> str:
    """Why those have failed of which the error does not tell, whole, each line with its node.

    Where a node is not as it was before, or nobody knows how it is, with what to do there.
    """
    said = f"{failure.message}\n"
    others = [row for row in rows if has_failed(row) and not said.startswith(f"{row.message}\n")]
    return "\n".join(why_text(row.node, row.message + _what_to_do(row)) for row in others)


def _what_to_do(row: Row) -> str:
    left = row.exit_code in (StateUnknown.exit_code, ApplyFailed.exit_code)
    return f"\nhint: {row.hint}" if left and row.hint else ""


def why_text(node: str, message: str) -> str:
    """Why one has failed, whole, each line with its node."""
    return "\n".join(f"{node}: {line}" for line in message.splitlines())


def has_failed(row: Row) -> bool:
    """Whether something was tried on the node, and failed."""
    return row.verdict is not None and row.exit_code != 0


def rows_data(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The same as JSON data."""
    return [
        {
            "node": row.node,
            "verdict": _word(row.verdict),
            "exit": row.exit_code,
            "message": row.message,
            "hint": row.hint,
        }
        for row in rows
    ]


def in_words(verdict: Verdict | None) -> str:
    """What became of a node, as people read it."""
    return _word(verdict).replace("_", " ")


def _word(verdict: Verdict | None) -> str:
    return str(verdict) if verdict else "untouched"
