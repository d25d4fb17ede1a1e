"""The progress of an apply for people: a live line on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from pvenet import errors, events
from pvenet.cli.output import LIVE, lively, talk_room, talk_size
from pvenet.foreign import guarded, indented, one_line
from pvenet.render.changes import changes_text, folded, pending_text
from pvenet.render.events import waiting_line, waiting_note
from pvenet.render.impact import impact_lines
from pvenet.render.values import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pvenet.render.values import Paint

LEAST = 6
"""Lines of a diff that are shown on the lowest of terminals."""
BELOW = 9
"""Lines that the rest of the question takes: the blank ones, whom it hits, warnings, the question itself."""


def waiting(event: events.Waiting) -> Callable[[], str]:
    """What is waited for, with seconds that go on while nobody answers."""
    since = time.monotonic()
    return lambda: waiting_line(event, time.monotonic() - since, LIVE.silence_of(event.node))


def as_asked(event: events.Shown) -> tuple[str, int]:
    """PVE's diff above a question, so that all of it is seen at once; and how many of its lines are not shown."""
    room = max(LEAST, talk_size().lines - len(event.steps) - BELOW) if lively() else None
    return folded(event.changes, room)


class Terminal:
    """Talk on stderr, with one live line where it is a terminal that can have one."""

    def __init__(
        self,
        say: Callable[[str], object],
        paint: Paint,
        heard: tuple[type[events.Event], ...] | None = None,
        *,
        asks: bool = False,
        sums_up: bool = False,
    ) -> None:
        self._asks = asks
        """A question comes below what is shown, unless it is refused; its `d` shows what was folded for it."""
        self._sums_up = sums_up
        """What became of several nodes is said below, with the reasons: they are not said here."""
        self._failed: list[events.Ended] = []
        """Of whom that is to be said."""
        self._heard = heard
        """The events that are told; all where it is None."""
        self._say = say
        self._paint = paint
        self._lively = lively()
        self._said: set[str] = set()
        self._why = ""
        """Why it was rolled back, which is said when that begins."""
        self.upid = ""
        """The reload's task, once there is one."""
        self.about = ""
        """The node of which something is being told."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            LIVE.end()
            if error is not None:  # nothing is said below
                self._say_why()
        if self._why and isinstance(error, errors.PvenetError):  # it stands above
            error.message = error.message.removeprefix(f"{self._why}\n")

    def emit(self, event: events.Event) -> None:
        """Say what happened; a terminal that has gone stops no apply."""
        self.about = event.node
        if isinstance(event, events.Reloading):
            self.upid = event.upid
        if self._heard is None or isinstance(event, self._heard):
            with suppress(OSError):
                self._tell(event)

    def _tell(self, event: events.Event) -> None:  # noqa: C901, PLR0912 - a case an event
        match event:
            case events.Shown():
                self._show(event)
            case events.Affected():
                self._line("\n".join(impact_lines(event.impact, talk_room())) + "\n")
            case events.Waiting():
                self._wait(event)
            case events.Warned():
                self._warn(event)
            case events.Reloading():
                self._line(f"reloading the network of {event.node}")
            case events.Armed():
                self._line(
                    f"armed: until this is reverted, a power cycle of {event.node} boots the network from before"
                )
            case events.Disarmed():
                self._line("disarmed")
            case events.TaskEnded():
                self._log(event)
            case events.Verified():
                if event.active:
                    self._line(f"active: {', '.join(map(one_line, event.active))}")
            case events.CheckedWith():
                said = [f"  {one_line(line)}" for line in event.output]
                self._line("\n".join([f"`{one_line(event.command)}` {'says:' if said else 'says nothing'}", *said]))
            case events.Confirming():
                self._line(self._confirming(event))
            case events.RollingBack():
                self._why = "" if self._sums_up else event.reason
                why = [guarded(self._why)] if self._why else []
                self._line("\n".join([*why, f"rolling back: putting back what was on {event.node} before"]))
            case events.Ended():
                self._end(event)

    def _show(self, event: events.Shown) -> None:
        """PVE's diff, then what it means."""
        if event.changes:
            diff, hidden = as_asked(event) if self._asks else folded(event.changes, None)
            more = f"({counted(hidden, 'more line')} of it: `pvenet diff` shows them)"
            self._line("\n".join([pending_text(diff, self._paint), *([more] if hidden else ()), ""]))
        if event.steps:
            self._line(changes_text(event.steps, self._paint) + "\n")

    def _log(self, event: events.TaskEnded) -> None:
        """The log of a task that has failed, but for the line that the verdict says."""
        from pvenet.apply.verify import cause

        for line in event.log if event.exitstatus != "OK" else ():
            if line.strip() != cause(event.log) and not line.startswith("TASK ERROR: "):
                self._line(f"  {one_line(line)}")

    def _confirming(self, event: events.Confirming) -> str:
        if event.journal in self._said:
            return f"more time was given: it is rolled back unless it is confirmed within {event.within:.0f} s"
        self._said.add(event.journal)
        return (
            f"live and verified on {event.node}; it is rolled back unless it is confirmed within {event.within:.0f} s, "
            f"here or with `pvenet confirm --node {event.node}`"
        )

    def _wait(self, event: events.Waiting) -> None:
        if self._lively:
            LIVE.show(waiting(event))
        elif event.reason not in self._said:
            self._say(waiting_note(event))
            self._said.add(event.reason)

    def _end(self, event: events.Ended) -> None:
        if event.exit_code == 0:
            took = f" ({event.elapsed:.1f} s)" if event.elapsed else ""
            self._line(f"{guarded(event.message)}{took}")
        elif self._sums_up:
            from pvenet.render.node_plan import in_words  # rarely needed

            self._failed.append(event)
            self._line(f"{in_words(event.verdict)}, see below")
        LIVE.end()

    def _say_why(self) -> None:
        from pvenet.render.node_plan import why_text  # rarely needed

        for event in self._failed:
            self.about = event.node
            self._say(why_text(event.node, event.message))

    def _warn(self, event: events.Warned) -> None:
        self._say(indented(f"warning: {event.text}"))  # what is waited for is waited for still

    def _line(self, text: str) -> None:
        LIVE.end()
        self._say(text)
