"""`pvenet diff`, `pvenet apply` and `pvenet revert`: what is pending, and what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pvenet import errors
from pvenet.cli.asking import Person
from pvenet.cli.common import Where, at_node, journals, options, out, painter, say, utc_now

if TYPE_CHECKING:
    from pvenet.events import OnFailure


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (diff, apply, revert):
        app.command()(options()(command))


def diff(
    where: Where,
    exit_code: bool = typer.Option(False, "--exit-code", help="Exit with 10 where something is pending."),
) -> None:
    """Show what is pending: what it means, and PVE's own diff."""
    with at_node(where) as (node, place):
        from pvenet.journal import Ours, ownership
        from pvenet.render.changes import changes_text, diff_data, pending_text
        from pvenet.render.values import as_json

        reading = node.read()
        whose = ownership(journals(place, node), reading)
        changes = whose.changes if isinstance(whose, Ours) else ()
        if place.json:
            out(as_json(diff_data(node.name, reading.changes, changes, ours=isinstance(whose, Ours))))
        elif reading.changes is None:
            say(f"nothing is pending on {node.name}")
        else:
            if changes:
                out(changes_text(changes, painter()) + "\n")
            out(pending_text(reading.changes, painter()))
            if isinstance(whose, Ours) and whose.armed:
                say("this is the way back of an apply that was armed: `pvenet status` says what to do")
            if not isinstance(whose, Ours):
                say(f"pvenet did not stage this on {node.name} from here")
        if exit_code and reading.changes is not None:
            raise errors.Differences("")


def apply(
    where: Where,
    *,
    saved: Path | None = typer.Argument(
        None, help="A saved plan; what is pending where neither that nor -f is given.", metavar="[PLAN]"
    ),
    file: Path | None = typer.Option(
        None, "--file", "-f", help="A network file to make so, node after node; - is stdin.", metavar="FILE"
    ),
    canary: str = typer.Option("", help="Of a file or a saved plan: the node to begin with.", metavar="NODE"),
    lossy: bool = typer.Option(False, "--lossy", help="Of a file or a saved plan: also where the API loses something."),
    wait: bool = typer.Option(True, "--wait/--no-wait", help="Wait until everything is up, or only start the reload."),
    timeout: float = typer.Option(60.0, min=1.0, help="Seconds from the reload to the verdict.", metavar="SECONDS"),
    on_failure: str = typer.Option(
        "rollback",
        help="Where it fails, or nobody can tell in time: put back what was there, or keep it.",
        metavar="rollback|keep",
    ),
    confirm_within: float | None = typer.Option(
        None,
        min=1.0,
        help="Roll back unless somebody says in time that it may stay: here, or with `pvenet confirm`.",
        metavar="SECONDS",
    ),
    arm: bool = typer.Option(
        False,
        "--arm",
        help="Stage the way back when the reload has begun, and revert it when it has ended and the node answers: "
        "meanwhile a power cycle boots the network from before. Its price: meanwhile anybody's reload or SDN apply "
        "brings that back, too.",
    ),
    yes: bool = typer.Option(False, "--yes", "-y", help="Don't ask."),
    allow_management: bool = typer.Option(
        False, "--allow-management", help="Also where it touches the node's own path."
    ),
    adopt: bool = typer.Option(False, "--adopt", help="Also what is pending and not ours."),
) -> None:
    """Make what is pending live with a reload, wait, and verify; or a network file, or a saved plan, on every node."""
    from pvenet.apply import ApplyOptions

    if confirm_within is not None and not wait:
        raise errors.UsageError("--no-wait leaves nobody to wait for a confirmation", hint="leave one of them out")
    if arm and not wait:
        raise errors.UsageError("--no-wait leaves nobody to take back what --arm stages", hint="leave one of them out")
    wanted = ApplyOptions(
        timeout=timeout,
        wait=wait,
        on_failure=_on_failure(on_failure),
        confirm_within=confirm_within,
        arm=arm,
        adopt=adopt,
        allow_management=allow_management,
    )
    if saved or file:
        from pvenet.cli.everywhere import Asked, apply_everywhere

        asked = Asked(file=file, saved=saved, canary=canary, lossy=lossy, yes=yes)
        apply_everywhere(where, asked, wanted)
        return
    if canary or lossy:
        raise errors.UsageError("--canary and --lossy go with -f FILE or a saved plan", hint="leave them out")
    with at_node(where) as (node, place):
        from pvenet.apply import Runtime
        from pvenet.apply import apply as carry_out
        from pvenet.cli.telling import Lines, Terminal

        with Person(yes=yes, json=place.json) as person, Lines() if place.json else Terminal(say, painter()) as ear:
            runtime = Runtime(emit=person.overheard(ear.hear), confirm=person.ask, await_confirmation=person.word)
            carry_out(node, journals(place, node), wanted, runtime, now=utc_now())
        if not wait and isinstance(ear, Terminal) and ear.upid:
            out(ear.upid)


def revert(
    where: Where,
    discard: bool = typer.Option(False, "--discard", help="Also what is not ours."),
) -> None:
    """Throw away what is pending."""
    with at_node(where) as (node, place):
        from pvenet.apply import revert as throw_away
        from pvenet.render.values import as_json

        reverted = throw_away(node, journals(place, node), discard=discard)
        if place.json:
            out(as_json({"node": node.name, "reverted": reverted}))
        elif reverted:
            say(f"reverted: nothing is pending on {node.name} any more")
        else:
            say(f"nothing is pending on {node.name}")


def _on_failure(word: str) -> OnFailure:
    # not Typer's choice of an enum, which would have every command load the events
    from pvenet.events import OnFailure

    try:
        return OnFailure(word)
    except ValueError:
        raise errors.UsageError(
            f"--on-failure {word} is neither rollback nor keep", hint="`pvenet apply --help` shows how"
        ) from None
