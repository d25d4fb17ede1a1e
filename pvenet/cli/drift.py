"""`pvenet drift`: `plan` for a schedule, with metrics for a dashboard."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pvenet import errors, private
from pvenet.cli.answer import FORGED
from pvenet.cli.context import Context
from pvenet.cli.options import FILE, command, network_file, to_write
from pvenet.cli.plans import planned, show_plan, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.fleet.drift import Kernels
    from pvenet.fleet.plans import FleetPlan
    from pvenet.spec.network_spec import NetworkSpec

READABLE = 0o644
"""The mode of the metrics: node_exporter is another user."""
_LARGEST = 10_000_000


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(command(drift, forms=FORGED["drift"]))


def drift(
    context: Context,
    named: Path | None = typer.Argument(None, help="The same as -f FILE.", metavar="[FILE]"),
    file: Path | None = FILE,
    exit_code: bool = typer.Option(
        False, "--exit-code", help="Exit with 10 if a node has drifted, or changes are pending."
    ),
    prometheus: Path | None = typer.Option(
        None,
        "--prometheus",
        help="Write metrics here, for node_exporter's textfile collector; also reads the kernel's links.",
        metavar="FILE",
        parser=to_write,
    ),
) -> None:
    """Say how nodes have drifted from a network file, for a schedule.

    It shows what `pvenet plan` does, and changes nothing. A node that does not answer is a metric, too.

    $ pvenet drift network.yaml
    $ pvenet drift --prometheus pvenet.prom
    """
    from pvenet.fleet.nodes import refuse
    from pvenet.spec.load import load

    spec = load(network_file(file, named))
    try:
        found = planned(context, spec)
    except errors.Interrupted:
        raise
    except errors.PvenetError:
        if prometheus:
            _write(context, prometheus, _wanted(context, spec), None, None)
        raise
    warn(context, found)
    if prometheus:
        _write(context, prometheus, _wanted(context, spec), found, _kernels(context, found))
    show_plan(context, found, drift=True)
    refuse(found.failed)
    if exit_code and found.differs:
        raise errors.Differences("")


def _wanted(context: Context, spec: NetworkSpec) -> Sequence[str]:
    """The nodes that it is about, whether or not they are there."""
    only = context.named
    return [name for name in spec.nodes if not only or name in only]


def _kernels(context: Context, found: FleetPlan) -> Kernels:
    """What the kernels have; a warning for each that does not say it."""
    from pvenet.cli.counting import counting
    from pvenet.fleet.drift import kernels

    names = [each.node for each in found.nodes]
    with counting(len(names)) as count:
        had = kernels(context.fleet, names, count)
    for name, error in had.failed.items():
        context.warn(f"{name}: no metrics of its links: {error.message}\n{error.hint}".rstrip())
    return had


def _write(context: Context, path: Path, nodes: Sequence[str], found: FleetPlan | None, had: Kernels | None) -> None:
    """The metrics of a look, or of one that failed. Raises UsageError where they can't be written."""
    from pvenet.render.prometheus import exposition, looks_of, samples

    if path.suffix != ".prom":
        context.warn(f"node_exporter reads only files that end in .prom, and {path} does not")
    plans, reports = found.nodes if found else (), had.reports if had else {}
    try:
        before = private.read_checked(path, _LARGEST)[0].decode(errors="replace") if path.exists() else ""
        text = exposition(samples(nodes, plans, reports, now=round(time.time(), 3), looks=looks_of(before)))
        private.replace(path, text.encode(), mode=READABLE)
    except OSError as error:
        why = error.strerror or f"{error}"
        raise errors.UsageError(f"{path} can't be written: {why}", hint="name another file with --prometheus") from None
