"""`pvenet plan`: what a network file would change, and saving that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pvenet import errors
from pvenet.cli.common import Where, connected, journals, options, out, painter, say, utc_now
from pvenet.cli.files import FILE
from pvenet.cli.fleet import chosen, known, looked, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.connection import Connection
    from pvenet.node import Node
    from pvenet.spec.network_spec import NetworkSpec
    from pvenet.spec.node_plan import NodePlan


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(options()(plan))


def plan(
    where: Where,
    *,
    file: Path = FILE,
    save: Path | None = typer.Option(None, "--out", "-o", help="Save the plan here.", metavar="PLAN"),
    exit_code: bool = typer.Option(False, "--exit-code", help="Exit with 10 where there is something to do."),
) -> None:
    """Show what a network file would change on each node, and change nothing."""
    from pvenet.render.node_plan import counts_text, node_plans_data
    from pvenet.render.values import as_json
    from pvenet.spec.load import load

    spec = load(file)
    with connected(where) as (connection, place):
        found = node_plans(connection, place, spec)
    ready = [each for each in found.values() if not isinstance(each, errors.PvenetError)]
    failed = {name: each for name, each in found.items() if isinstance(each, errors.PvenetError)}
    data = node_plans_data(ready, spec.file)
    warn(ready, spec)
    if place.json:
        out(as_json(data | {"errors": {name: error.message for name, error in failed.items()}}))
    else:
        show(ready)
        out(counts_text(ready, spec.file))
    refuse(failed)
    if save:
        _save(save, ready, data)
    if exit_code and any(each.plan for each in ready):
        raise errors.Differences("")


def node_plans(connection: Connection, place: Where, spec: NetworkSpec) -> dict[str, NodePlan | errors.PvenetError]:
    """What a file would do to each node, or why that can't be told. Raises InvalidNetwork for what can't be."""
    from pvenet.apply.approval import management_addresses
    from pvenet.cluster import members
    from pvenet.journal import Ours, ownership
    from pvenet.spec.load import refuse as refuse_wrong
    from pvenet.spec.node_plan import plan_node

    names = named(connection, place, spec)
    there = members(connection)

    def look(node: Node) -> NodePlan:
        reading = node.read()
        found = plan_node(spec.nodes[node.name], reading.network, management_addresses(node, there, reading.network))
        ours = isinstance(ownership(journals(place, node), reading), Ours)
        return replace(found, pending=reading.changes, ours=ours)

    found = looked(connection, place, names, look)
    ready = [each for each in found.values() if not isinstance(each, errors.PvenetError)]
    refuse_wrong([diagnostic for each in ready for diagnostic in each.diagnostics], spec.file)
    return found


def named(connection: Connection, place: Where, spec: NetworkSpec) -> tuple[str, ...]:
    """The file's nodes, or those of them that were named. Raises InvalidNetwork for one that is not there."""
    from pvenet.spec.diagnostics import Diagnostic
    from pvenet.spec.load import refuse as refuse_wrong

    there = known(connection, ())
    diagnostics = [
        Diagnostic(
            node.position, f"there is no node {name}; there are {', '.join(there[:9])}", errors.nearest(name, there)
        )
        for name, node in spec.nodes.items()
        if name not in there
    ]
    refuse_wrong(diagnostics, spec.file)
    only = chosen(place)
    for name in only:
        if name not in spec.nodes:
            raise errors.UsageError(
                f"{spec.file} says nothing of the node {name}", hint=f"it has {', '.join(spec.nodes) or 'none'}"
            )
    if only and len(only) < len(spec.nodes):
        say(f"of the nodes in {spec.file} only {', '.join(only)} (--node or PVENET_NODE)")
    return tuple(name for name in spec.nodes if not only or name in only)


def warn(found: Sequence[NodePlan], spec: NetworkSpec) -> None:
    """Say what is worth a second look."""
    for diagnostic in dict.fromkeys(diagnostic for each in found for diagnostic in each.diagnostics):
        say(f"warning: {diagnostic.text(spec.file)}")


def show(found: Sequence[NodePlan]) -> None:
    """Print what would happen, in the order in which it would."""
    from pvenet.render.node_plan import node_plan_text

    for each in found:
        if each.plan or each.kept:
            out(node_plan_text(each, painter()) + "\n")


def _save(path: Path, found: Sequence[NodePlan], shown: dict[str, Any]) -> None:
    import secrets

    from pvenet.render.values import as_json
    from pvenet.spec.saved import saved_data

    data = saved_data(found, shown, plan_id=secrets.token_hex(8), made=utc_now())
    try:
        path.write_text(as_json(data) + "\n", encoding="utf8")
    except OSError as error:
        raise errors.UsageError(f"{path} can't be written: {error.strerror}", hint="name another with -o") from None
    say(f"saved: `pvenet apply {path}` makes it so, as long as the nodes are as they were now")
