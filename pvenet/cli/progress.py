"""Who listens to an apply: a person (`terminal`, `together`) or a program, which reads JSON in a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pvenet import events
from pvenet.cli.output import painter, say
from pvenet.cli.terminal import Terminal
from pvenet.render.events import event_data

if TYPE_CHECKING:
    from pvenet.cli.answer import Answer
    from pvenet.cli.context import Context


def progress(context: Context, *, asks: bool = False, sums_up: bool = False, together: int = 0) -> JsonLines | Terminal:
    """Who listens to the events of a command.

    `asks`: a person is asked, and sees what about, also with --quiet. `sums_up`: why something has failed is said when
    all have ended. `together`: how many nodes it is about, where several are at work at once.
    """
    if context.answer.as_data:
        return JsonLines(context.answer)
    heard = _heard(asks=asks) if context.options.quiet else None

    def said(text: str) -> bool:
        return say(context.lead(text, listener.about if sums_up else ""))

    listener: Terminal
    if together:
        from pvenet.cli.together import Together  # rarely needed

        listener = Together(said, painter(), heard, nodes=together)
    else:
        listener = Terminal(said, painter(), heard, asks=asks, sums_up=sums_up)
    return listener


def _heard(*, asks: bool) -> tuple[type[events.Event], ...]:
    """The events of which --quiet tells; an error tells of the end."""
    shown = (events.Shown, events.Affected) if asks else ()
    return (*shown, events.Warned, events.Confirming)


class JsonLines:
    """An event as JSON a line, or as a document of YAML, on stdout; each flushed as it happens."""

    upid = ""
    """The events say it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def emit(self, event: events.Event) -> None:
        """Write one event; a reader who has gone stops no apply."""
        self._answer.event(event_data(event))
