"""`pvenet tree`: the node as a picture."""

from __future__ import annotations

from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli.context import Context
from pvenet.cli.options import command, to_write
from pvenet.cli.output import holds, painter

if TYPE_CHECKING:
    from pvenet.apply.links import Everything


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(command(tree))


def tree(
    context: Context,
    svg: Path | None = typer.Option(None, help="Also write the picture here, as SVG.", metavar="FILE", parser=to_write),
) -> None:
    """Show the node as a picture, from the cable to the guest.

    With what is staged, and what differs from the file.

    $ pvenet tree --svg pve1.svg
      ens33  up 1G ─── vmbr0  bridge, 192.0.2.11/24, gateway 192.0.2.1
      ens38  up 1G ─┐
      ens39  up 1G ─┴─ bond0  bond, 802.3ad, LACP partner 02:00:00:00:5c:01
                       └─ vmbr1  bridge, VLANs 2-4094
                          ├─ 101 web    net0 VLAN 20
                          └─ 205 proxy  net0 VLAN 30, stopped
    """
    node = context.node
    from pvenet.apply.links import look_everywhere
    from pvenet.render.impact import unknown_data, unknown_lines
    from pvenet.render.tree import tree_data
    from pvenet.render.tree_build import Seen, build
    from pvenet.render.tree_svg import tree_svg
    from pvenet.render.tree_text import BOX, tree_text

    found = look_everywhere(node, context.journals, context.warn)
    shown = build(
        Seen(
            node=node.name,
            staged=found.reading.network,
            applied=found.applied,
            report=found.report,
            bridges=found.bridges,
            guests=found.guests.guests,
            differences=found.differences,
        )
    )
    text = tree_text(shown, get_terminal_size().columns, painter(), boxes=holds(BOX))
    note = "\n".join([*_notes(found, node.name), *unknown_lines(found.guests.unknown)])
    data = tree_data(shown) | {"not_known": [unknown_data(each) for each in found.guests.unknown]}
    context.emit(data, text, note=note)
    if svg:
        _write(svg, tree_svg(shown))
        context.say(f"saved: {svg}")


def _notes(found: Everything, node: str) -> list[str]:
    """What the picture does not say by itself."""
    notes = []
    if found.report is None:
        notes.append("from the flags of the list alone: carrier, speed and LACP partners are not known")
    if found.reading.changes is not None and found.applied is None:
        notes.append(f"somebody's changes are pending on {node}, shown as if they were live; see `pvenet diff`")
    elif found.reading.changes is not None:
        notes.append("staged, not live yet: + created, ~ changed, - deleted; `pvenet diff` shows it in full")
    return notes


def _write(path: Path, text: str) -> None:
    """Raises UsageError where that can't be."""
    from pvenet import private

    try:
        private.replace(path, text.encode(), mode=0o644)
    except OSError as error:
        raise errors.UsageError(f"{path} can't be written: {error.strerror}", hint="name another with --svg") from None
