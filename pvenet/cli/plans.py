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
    from pvenet.spec.outlook import Outlook
    from pvenet.spec.wishes import Wishes


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
    from pvenet.render.outlook import counts_text, outlooks_data
    from pvenet.render.values import as_json
    from pvenet.spec.load import load

    wishes = load(file)
    with connected(where) as (connection, place):
        found = outlooks(connection, place, wishes)
    ready = [each for each in found.values() if not isinstance(each, errors.PvenetError)]
    failed = {name: each for name, each in found.items() if isinstance(each, errors.PvenetError)}
    data = outlooks_data(ready, wishes.file)
    warn(ready, wishes)
    if place.json:
        out(as_json(data | {"errors": {name: error.message for name, error in failed.items()}}))
    else:
        show(ready)
        out(counts_text(ready, wishes.file))
    refuse(failed)
    if save:
        _save(save, ready, data)
    if exit_code and any(each.plan for each in ready):
        raise errors.Differences("")


def outlooks(connection: Connection, place: Where, wishes: Wishes) -> dict[str, Outlook | errors.PvenetError]:
    """What a file would do to each node, or why that can't be told. Raises InvalidNetwork for what can't be."""
    from pvenet.apply.approval import management_addresses
    from pvenet.cluster import members
    from pvenet.journal import Ours, ownership
    from pvenet.spec.load import refuse as refuse_faults
    from pvenet.spec.outlook import outlook

    names = named(connection, place, wishes)
    there = members(connection)

    def look(node: Node) -> Outlook:
        reading = node.read()
        found = outlook(wishes.nodes[node.name], reading.network, management_addresses(node, there, reading.network))
        ours = isinstance(ownership(journals(place, node), reading), Ours)
        return replace(found, pending=reading.changes, ours=ours)

    found = looked(connection, place, names, look)
    ready = [each for each in found.values() if not isinstance(each, errors.PvenetError)]
    refuse_faults([fault for each in ready for fault in each.faults], wishes.file)
    return found


def named(connection: Connection, place: Where, wishes: Wishes) -> tuple[str, ...]:
    """The file's nodes, or those of them that were named. Raises InvalidNetwork for one that is not there."""
    from pvenet.spec.load import refuse as refuse_faults
    from pvenet.spec.places import Fault, nearest

    there = known(connection, ())
    faults = [
        Fault(node.place, f"there is no node {name}; there are {', '.join(there[:9])}", nearest(name, there))
        for name, node in wishes.nodes.items()
        if name not in there
    ]
    refuse_faults(faults, wishes.file)
    only = chosen(place)
    for name in only:
        if name not in wishes.nodes:
            raise errors.UsageError(
                f"{wishes.file} says nothing of the node {name}", hint=f"it has {', '.join(wishes.nodes) or 'none'}"
            )
    if only and len(only) < len(wishes.nodes):
        say(f"of the nodes in {wishes.file} only {', '.join(only)} (--node or PVENET_NODE)")
    return tuple(name for name in wishes.nodes if not only or name in only)


def warn(found: Sequence[Outlook], wishes: Wishes) -> None:
    """Say what is worth a second look."""
    for fault in dict.fromkeys(fault for each in found for fault in each.faults):
        say(f"warning: {fault.told(wishes.file)}")


def show(found: Sequence[Outlook]) -> None:
    """Print what would happen, in the order in which it would."""
    from pvenet.render.outlook import outlook_text

    for each in found:
        if each.plan or each.kept:
            out(outlook_text(each, painter()) + "\n")


def _save(path: Path, found: Sequence[Outlook], shown: dict[str, Any]) -> None:
    import secrets

    from pvenet.render.values import as_json
    from pvenet.spec.saved import saved_data

    data = saved_data(found, shown, plan_id=secrets.token_hex(8), made=utc_now())
    try:
        path.write_text(as_json(data) + "\n", encoding="utf8")
    except OSError as error:
        raise errors.UsageError(f"{path} can't be written: {error.strerror}", hint="name another with -o") from None
    say(f"saved: `pvenet apply {path}` makes it so, as long as the nodes are as they were now")
