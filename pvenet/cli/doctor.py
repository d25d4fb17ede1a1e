"""`pvenet doctor`: everything that can stand in the way of a change."""

from __future__ import annotations

from dataclasses import replace
from shutil import get_terminal_size

import typer

from pvenet import errors
from pvenet.cli.context import Context
from pvenet.cli.options import command
from pvenet.cli.output import painter


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(command(doctor))


def doctor(
    context: Context,
    exit_code: bool = typer.Option(False, "--exit-code", help="Exit with 10 if there are warnings."),
) -> None:
    """Check everything that can stand in the way of a change.

    On every node, unless --node names some.

    $ pvenet doctor
      ok port         port 8006 of 192.0.2.11 answers within 2 ms
      ok Sys.Modify   on /nodes/pve1: to stage, apply and roll back
      !  VM.Audit     missing on /vms: which guests a change hits is not known
    """
    fleet = context.fleet
    context.tells_renames, context.leaves = True, False
    from pvenet.cli.counting import counting
    from pvenet.doctor.examine import examine
    from pvenet.doctor.finding import State
    from pvenet.render.doctor import doctor_data, doctor_text

    found = examine(fleet, context.named, counting)
    several = len({each.node for each in found} - {None}) > 1
    told = [replace(each, todo=context.lead(each.todo, (each.node or "") if several else "")) for each in found]
    context.emit(doctor_data(found), doctor_text(told, get_terminal_size().columns, painter()))
    worst = max(each.state for each in found)
    if worst is State.BAD:
        raise errors.PvenetError("")
    if exit_code and worst is State.WARNING:
        raise errors.Differences("")
