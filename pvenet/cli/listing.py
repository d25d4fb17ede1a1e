"""`pvenet list` and `pvenet show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import typer

from pvenet.cli.completion import interfaces, one
from pvenet.cli.context import Context
from pvenet.cli.options import command
from pvenet.cli.output import painter, room

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet import errors
    from pvenet.changes.pending import PendingView
    from pvenet.node import Node, Reading

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("list")(command(list_))
    app.command("show")(command(show))


def list_(context: Context) -> None:
    """List a node's interfaces, with what is staged.

    With --node, of several nodes or of all.

    $ pvenet list --node pve1
    """
    if context.several:
        _list_several(context)
        return
    reading = read(context, thorough=True)
    from pvenet.apply.listing import viewed
    from pvenet.render.network import listing_data, table

    view = viewed(context.node, context.journals, reading)
    for text in reading.line_ends:
        context.warn(text)
    context.emit(listing_data(view), table(view, room(), painter()), note=_note(context.node.name, view))


def _list_several(context: Context) -> None:
    from pvenet.apply.listing import viewed
    from pvenet.fleet.nodes import refuse
    from pvenet.render.network import listing_data, table

    def use(node: Node, reading: Reading) -> tuple[Reading, PendingView]:
        return reading, viewed(node, context.fleet.journals(node.name), reading)

    found, failed = read_several(context, use, thorough=True)
    for name, (reading, _) in found.items():
        for text in reading.line_ends:
            context.warn(f"{name}: {text}")
    paint = painter()
    data = [{"node": name, **row} for name, (_, view) in found.items() for row in listing_data(view)]
    texts = [f"{paint(f'{name}:', 'bold')}\n{table(view, room(), paint)}" for name, (_, view) in found.items()]
    notes = [context.lead(_note(name, view), name) for name, (_, view) in found.items()]
    context.emit(data, "\n\n".join(texts), note="\n".join(note for note in notes if note))
    refuse(failed)


def _note(node: str, view: PendingView) -> str:
    """What the marks mean; nothing where nothing is pending."""
    if view.foreign:
        more = "" if view.whole else ", which does not say to whom each line belongs"
        return f"somebody's changes are pending on {node}, marked + ~ - by PVE's diff{more}; see `pvenet diff`"
    if view.kinds:
        return f"staged on {node}, not live yet: + created, ~ changed, - deleted; `pvenet diff` shows it in full"
    return ""


def show(
    context: Context,
    name: str = typer.Argument(..., metavar="IFACE", help="The interface.", autocompletion=one(interfaces())),
) -> None:
    """Show all that is known of one interface.

    If changes to it are staged, also what is live.

    $ pvenet show vmbr0
    """
    reading = read(context)
    from pvenet import edit
    from pvenet.apply.listing import viewed
    from pvenet.render.network import details, listed_data

    view = viewed(context.node, context.journals, reading)
    if name not in view.network.interfaces:
        context.node.refuse_hidden(name)
    interface = edit.find(view.network, context.node.name, name)
    note = _note(context.node.name, view) if view.foreign else ""
    context.emit(listed_data(view, interface), details(view, interface, room()), note=note)


def read(context: Context, *, thorough: bool = False) -> Reading:
    """The node's network as far as the caller may see it; with a warning where it may not be as it seems."""
    node, journals = context.node, context.journals
    from pvenet.apply.listing import listed

    reading, warnings = listed(node, journals, thorough=thorough)
    for warning in warnings:
        context.warn(warning)
    return reading


def read_several(
    context: Context, use: Callable[[Node, Reading], T], *, thorough: bool = False
) -> tuple[Mapping[str, T], Mapping[str, errors.PvenetError]]:
    """The same of several nodes at once: what `use` makes of each, and why others could not be read."""
    fleet, names = context.fleet, context.several
    from pvenet.apply.listing import listed
    from pvenet.cli.counting import counting
    from pvenet.fleet.nodes import unheard, visit

    def visited(node: Node) -> tuple[T, tuple[str, ...]]:
        reading, warnings = listed(node, fleet.journals(node.name), thorough=thorough)
        return use(node, reading), warnings

    with counting(len(names)) as count:
        found, failed = visit(fleet, names, visited, count)
    for name, (_, warnings) in found.items():
        for warning in warnings:
            context.warn(f"{name}: {warning}")
    return {name: made for name, (made, _) in found.items()}, {**failed, **unheard(fleet, context.named)}
