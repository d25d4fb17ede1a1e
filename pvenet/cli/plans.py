"""`pvenet plan`: what a network file would change, saving that, and showing what was saved."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import typer

from pvenet import errors
from pvenet.cli.answer import FORGED
from pvenet.cli.context import Context
from pvenet.cli.options import FILE, command, network_file, to_write
from pvenet.cli.output import painter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from pvenet.fleet.plans import FleetPlan
    from pvenet.spec.diagnostics import Diagnostic, Position
    from pvenet.spec.network_spec import NetworkSpec


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(command(plan, forms=FORGED["plan"]))


SHOW = "show"
"""The first word where a saved plan is shown; a network file of that name is `-f show`."""


def plan(
    context: Context,
    named: list[Path] = typer.Argument(
        [],
        help="The same as -f FILE; or `show`, and the saved plan to show.",
        metavar="[FILE | show PLAN]",
        show_default=False,
    ),
    *,
    file: Path | None = FILE,
    save: Path | None = typer.Option(None, "--out", "-o", help="Save the plan here.", metavar="PLAN", parser=to_write),
    exit_code: bool = typer.Option(False, "--exit-code", help="Exit with 10 if something is to do or pending."),
) -> None:
    """Show what a network file would change on each node.

    Nothing is changed. A saved plan is for `pvenet apply PLAN`, which does that and nothing else; `plan show` shows
    what a saved one has shown.

    $ pvenet plan network.yaml
    $ pvenet plan -f network.yaml -o monday.plan
    $ pvenet plan show monday.plan
    $ pvenet plan --format markdown
    """
    if named[:1] == [Path(SHOW)]:
        _show(context, named[1:], useless={"-f": file, "-o": save, "--exit-code": exit_code})
        return
    from pvenet.fleet.nodes import refuse
    from pvenet.spec.load import load

    if len(named) > 1:
        raise errors.UsageError(f"{named[0]} and {named[1]} are two files", hint="name one of them")
    described = network_file(file, named[0] if named else None)
    if save and save.exists() and described.exists() and save.samefile(described):
        raise errors.UsageError(f"{save} is the network file itself", hint="name another file with -o")
    found = planned(context, load(described))
    warn(context, found)
    show_plan(context, found)
    if save and found.failed:
        context.warn(f"no plan was saved in {save}: it is for all nodes or none")
    refuse(found.failed)
    if save:
        from pvenet.fleet.saved import save as write

        write(save, found.nodes, plans_data(found))
        context.say(f"saved: `pvenet apply {save}` applies it, as long as the nodes are as they are now")
    if exit_code and found.differs:
        raise errors.Differences("")


def _show(context: Context, named: list[Path], *, useless: dict[str, object]) -> None:
    """Show a saved plan as it was when it was made. No node is asked."""
    from pvenet.render.saved_plan import saved_plan_text
    from pvenet.spec.diagnostics import Diagnostic, Position
    from pvenet.spec.saved import changed_since, read_with_shown

    if len(named) != 1:
        raise errors.UsageError(
            "`pvenet plan show` shows one saved plan", hint="name it; a network file called show is `-f show`"
        )
    (saved,) = named
    if given := [option for option, value in useless.items() if value]:
        raise errors.UsageError(f"{given[0]} does not go with `pvenet plan show`", hint="leave it out")
    _, data = read_with_shown(saved)
    try:
        text = saved_plan_text(data, painter(), get_terminal_size().columns, now=datetime.now(UTC))
        warnings = [
            Diagnostic(Position(each["line"], each["column"]), each["message"], each["nearest"], warning=True)
            for node in data["nodes"]
            for each in node["warnings"]
        ]
        forms = _forms(data, warnings, None)
        shown = forms[context.answer.form]() if context.answer.form in forms else ""
    except (KeyError, TypeError, AttributeError, ValueError):
        raise changed_since(saved) from None
    note = f"`pvenet apply {saved}` applies it, as long as the nodes are as they were then"
    context.emit(data, text, note=note, forms=dict.fromkeys(forms, lambda: shown), depth=2)


def planned(
    context: Context, spec: NetworkSpec, *, update_hosts: bool = False, only: Collection[str] | None = None
) -> FleetPlan:
    """What a file would do to its nodes, or to those of them that were named; `update_hosts`: and to /etc/hosts.

    `only`: to no others than these, whatever is named.
    """
    fleet = context.fleet
    from pvenet.cli.counting import counting
    from pvenet.fleet.plans import plan_nodes, selected

    names = selected(fleet, spec, context.named)
    if len(names) < len(spec.nodes):
        context.say(f"of the nodes in {spec.file} only {', '.join(names)} (--node or PVENET_NODE)")
    names = tuple(name for name in names if only is None or name in only)
    with counting(len(names)) as count:
        return plan_nodes(fleet, spec, names, count, update_hosts=update_hosts)


def show_plan(context: Context, found: FleetPlan, *, drift: bool = False) -> None:
    """Answer with a plan, which tells of `drift` where it is for a schedule."""
    if context.answer.form == "table":
        context.emit(None, plans_text(found, drift=drift), depth=2)
        return
    data = plans_data(found) | {"errors": {name: error.message for name, error in found.failed.items()}}
    nodes = found.spec.nodes
    forms = _forms(data, found.warnings, lambda node, name: nodes[node].position_of(name), drift=drift)
    context.emit(data, forms=forms)


def _forms(
    data: Mapping[str, Any],
    warnings: Iterable[Diagnostic],
    where: Callable[[str, str], Position] | None,
    *,
    drift: bool = False,
) -> dict[str, Callable[[], str]]:
    """What a forge shows of a plan."""
    texts = [each.text(data["file"]) for each in dict.fromkeys(warnings)]

    def markdown() -> str:
        from pvenet.render.markdown import plan_markdown

        return plan_markdown(data, texts, drift=drift)

    def github() -> str:
        from pvenet.render.github import annotations_text, of_plan

        return annotations_text(of_plan(data, warnings, where, drift=drift))

    def gitlab() -> str:
        from pvenet.render.gitlab import counts_report
        from pvenet.render.values import as_line

        return as_line(counts_report(data))

    return {"markdown": markdown, "github": github, "gitlab": gitlab}


def warn(context: Context, plan: FleetPlan) -> None:
    """Say what is worth a second look, and at which nodes nobody knows whether what is listed stays so."""
    for diagnostic in plan.warnings:
        context.warn(diagnostic.text(plan.spec.file))
    for what, todo in _without_verdict(context, plan.spec.nodes):
        context.warn(f"{what}; {todo}")


def refuse_unfinished(context: Context, spec: NetworkSpec, names: Iterable[str]) -> None:
    """Raises RefusedByPvenet where the apply of one of these nodes of a file has no verdict yet; lists nothing."""
    from pvenet.fleet.book import Rollouts
    from pvenet.fleet.resume import going_on

    if found := _without_verdict(context, names):
        go_on = going_on(Rollouts(context.fleet.state_dir), spec)
        todo = [*(todo for _, todo in found), *([go_on] if go_on else ())]
        what = "\n".join(what for what, _ in found)
        raise errors.RefusedByPvenet(f"{what}; nothing was sent", hint="\n".join(todo))


def _without_verdict(context: Context, names: Iterable[str]) -> list[tuple[str, str]]:
    """How the nodes stand whose apply has no verdict yet, and what to do there."""
    from pvenet.fleet.unfinished import without_verdict
    from pvenet.journal import MEANINGS

    found = without_verdict(context.fleet, names)
    return [
        (f"{name}: {MEANINGS[journal.state].what}", context.lead(MEANINGS[journal.state].todo, name))
        for name, journal in found.items()
    ]


def plans_data(plan: FleetPlan) -> dict[str, Any]:
    """What would happen, in the order in which it would, as JSON data."""
    from pvenet.render.node_plan import node_plans_data

    return node_plans_data(plan.nodes, plan.spec.file)


def plans_text(plan: FleetPlan, *, drift: bool = False) -> str:
    """The same as text."""
    from pvenet.render.node_plan import counts_text, drift_text, node_plans_text

    paint, width = painter(), get_terminal_size().columns
    told = [each for each in plan.nodes if each.plan or each.kept or each.pending]
    shown = [f"{text}\n" for text in node_plans_text(told, paint, width)]
    last = (drift_text if drift else counts_text)(plan.nodes, plan.spec.file, tuple(plan.failed))
    return "\n".join([*shown, last])
