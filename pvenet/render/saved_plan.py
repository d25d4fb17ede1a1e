"""A saved plan as it was shown when it was made. Its data comes from a file, and may be anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet import times
from pvenet.access import NotKnown
from pvenet.foreign import indented, one_line
from pvenet.impact import BridgeImpact, Effect, GuestImpact, Impact, LinkImpact, PathImpact
from pvenet.model.cluster import ClusterLink
from pvenet.plan import Risk
from pvenet.render.changes import step_text
from pvenet.render.impact import impact_lines
from pvenet.render.node_plan import EACH, alike_title, path_text
from pvenet.render.values import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from pvenet.render.values import Paint


def saved_plan_text(data: Mapping[str, Any], paint: Paint, width: int = 100, *, now: datetime) -> str:
    """What the plan would change on each node, and whom it would hit, as far as was known then.

    Raises KeyError, TypeError, AttributeError or ValueError for what `plan -o` does not write.
    """
    when = times.told(f"{data['made']}", now)
    lines = [one_line(f"made from {data['file']} at {when}, with the nodes as they were then"), ""]
    alike: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for node in data["nodes"]:
        alike.setdefault(tuple(_lines({**node, "node": EACH}, paint, width)), []).append(node)
    for told, nodes in alike.items():
        if len(nodes) == 1:
            lines += [paint(one_line(f"{nodes[0]['node']}:"), "bold"), *_lines(nodes[0], paint, width), ""]
        else:
            names = [f"{node['node']}" for node in nodes]
            lines += [alike_title(names, len(nodes[0]["steps"]), paint), *told, ""]
    made, changed, gone = (int(data["counts"][word]) for word in ("create", "update", "delete"))
    on = counted(len(data["nodes"]), "node")
    lines.append(f"plan: {made} to create, {changed} to change, {gone} to delete on {on}")
    return "\n".join(lines)


def _lines(node: Mapping[str, Any], paint: Paint, width: int) -> Iterator[str]:
    """One node, beneath its name."""
    yield from (f"  {risky_step(step, paint)}" for step in node["steps"])
    if node["staged"]:
        yield "  something was pending there already, staged from here:"
        yield from (f"    {risky_step(step, paint)}" for step in node["staged"])
    if node["pending"] and not node["ours"]:
        yield "  something was pending there already that pvenet did not stage from here"
    yield from (f"  {line}" for line in remarks(node, width - 2))


def remarks(node: Mapping[str, Any], width: int) -> Iterator[str]:
    """Whom the steps of a node hit, and what else is worth knowing before; each in a line, or indented ones."""
    hit = impact_of(node["impact"])
    paths = [path_text(node["node"], path["chain"], path["reason"], hit) for path in node.get("management", ())]
    yield from (one_line(path.strip()) for path in dict.fromkeys(paths))
    yield from impact_lines(hit, width) if hit.notable else ()
    for word, texts in (
        ("note: ", node.get("notes", ())),
        ("can't be rolled back: ", node["not_rolled_back"]),
        ("would be lost: ", node["losses"]),
        ("warning: ", [each["message"] for each in node["warnings"]]),
        ("", node["kept"]),
    ):
        yield from (indented(f"{word}{text}") for text in texts)


def risky_step(step: Mapping[str, Any], paint: Paint) -> str:
    """A step with its risk."""
    risk = Risk(step["risk"])
    return step_text(step, paint) + ("" if risk is Risk.NONE else f"  (risk: {risk})")


def impact_of(data: Mapping[str, Any]) -> Impact:
    """Whom a change hits, read back from its JSON data."""
    path = data["management_path"]
    return Impact(
        bridges=tuple(
            BridgeImpact(name=bridge["name"], guests=tuple(map(_guest, bridge["guests"]))) for bridge in data["bridges"]
        ),
        links=tuple(map(_link, data["cluster_links"])),
        path=PathImpact(carrier=path["carrier"], chain=path["chain"]) if path else None,
        unknown=tuple(NotKnown(**{**each, "grants": tuple(each["grants"])}) for each in data["not_known"]),
    )


def _guest(card: Mapping[str, Any]) -> GuestImpact:
    return GuestImpact(**{**card, "trunks": tuple(card["trunks"]), "effect": Effect(card["effect"])})


def _link(data: Mapping[str, Any]) -> LinkImpact:
    link = ClusterLink(**{name: data[name] for name in ("node", "number", "address", "ip")})
    carrier = data["carrier"]
    return LinkImpact(
        link=link, carrier=carrier, perhaps=carrier is None, effect=Effect(data["effect"]), why=data["why"]
    )
