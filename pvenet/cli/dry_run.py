"""`--dry-run`: what a command would do, whom it would hit, and what it would send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from pvenet.cli.output import painter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.runtime import Runtime
    from pvenet.cli.context import Context
    from pvenet.events import WouldSend

DRY_RUN = typer.Option(
    False,
    "--dry-run",
    help="Show what it would do, whom it would affect and which requests it would send; send nothing, write nothing.",
)
NOTHING_SENT = "nothing was sent (--dry-run)"


def requests(found: Sequence[WouldSend]) -> tuple[dict[str, Any], str]:
    """What would be sent, as JSON data and as text."""
    from pvenet.render.requests import requests_data, requests_text

    return {"dry_run": True, "requests": requests_data(found)}, requests_text(found, painter())


def foresee(context: Context, find: Callable[[Runtime], Sequence[WouldSend]]) -> None:
    """Show what an apply or a rollback shows up to its question, then what it would send."""
    from pvenet.apply.runtime import Runtime
    from pvenet.cli.progress import progress
    from pvenet.events import Ended, Verdict

    name = context.node.name
    ends: list[Ended] = []
    with progress(context) as listener:

        def emit(event: Any) -> None:
            if isinstance(event, Ended):
                ends.append(event)
            else:
                listener.emit(event)

        found = find(Runtime(emit=emit))
        data, text = requests(found)
        context.emit_event("requests", {"node": name, **data}, text)
        done = Ended(node=name, verdict=Verdict.NOTHING, exit_code=0, message=NOTHING_SENT)
        listener.emit(ends[-1] if ends and not found else done)


def revert(context: Context, *, discard: bool) -> None:
    """Show what a revert would throw away."""
    from pvenet.apply.dry_run import dry_revert
    from pvenet.changes import change_data
    from pvenet.render.changes import changes_text, pending_text

    name = context.node.name
    found = dry_revert(context.node, context.journals, discard=discard, warn=context.warn)
    data, text = requests(found.requests)
    data = {"node": name, "reverted": False, "steps": [change_data(step) for step in found.steps], **data}
    if found.changes is None:
        context.emit(data, note=f"nothing is pending on {name}")
        return
    what = changes_text(found.steps, painter()) or pending_text(found.changes, painter())
    context.emit(data, f"would throw away:\n{what}\n\n{text}", note=NOTHING_SENT)


def confirm(context: Context, *, same_node: bool) -> None:
    """Say what a confirmation would come to."""
    from pvenet.apply.dry_run import dry_confirm
    from pvenet.foreign import indented

    name = context.node.name

    def warn(text: str) -> None:
        context.warn(indented(text))

    data, text = requests(dry_confirm(context.node, context.journals, same_node=same_node, warn=warn))
    told = f"would be confirmed: what was applied on {name} stays"
    context.emit({"node": name, "confirmed": False, **data}, f"{told}\n{text}", note=NOTHING_SENT)


def apply(context: Context, options: ApplyOptions) -> None:
    """Show what an apply would do."""
    from pvenet.apply.dry_run import dry_apply

    foresee(context, lambda runtime: dry_apply(context.node, context.journals, options, runtime))


def rollback(context: Context, options: ApplyOptions, *, name: str, same_node: bool) -> None:
    """Show what a rollback would do."""
    from pvenet.apply.dry_run import dry_rollback

    def find(runtime: Runtime) -> Sequence[WouldSend]:
        return dry_rollback(context.node, context.journals, options, runtime, name=name, same_node=same_node)

    foresee(context, find)
