"""Questions on a terminal: whether to apply, and afterwards whether what was applied may stay."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from pvenet import errors
from pvenet.cli import questions
from pvenet.cli.output import LIVE, above, lively, on_terminal, painter, talk

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pvenet.apply.runtime import Runtime
    from pvenet.events import Event, Shown

EVERY = 10
"""Seconds between two reminders of how many are left, where no line can change."""
QUESTION = "may it stay? [y/N] "


class Prompt:
    """Whoever started the command. A terminal that is lost (SIGHUP, end of input) says no, and kills nothing."""

    def __init__(self, *, yes: bool, json: bool) -> None:
        self._yes = yes
        self._json = json
        self._gone = False
        self._reminded: int | None = None
        self._prompted = False
        """The cursor stands behind a prompt that nobody has answered."""
        self._asked = False
        """The question was shown: what is typed from now on is meant for it."""
        self._typed = questions.Waited()
        self._before: Any = None
        self._journal: str | None = None
        """Of what may stay, or not."""
        self._shown: Shown | None = None
        """What is asked about."""

    def __enter__(self) -> Self:
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup: it is meant to outlive its terminal
            return self
        with suppress(ValueError):  # only a program's main thread hears signals
            self._before = signal.signal(signal.SIGHUP, self._lost)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_line()
        if self._before is not None:
            signal.signal(signal.SIGHUP, self._before)

    def runtime(self, emit: Callable[[Event], None]) -> Runtime:
        """What an apply needs from outside: this prompt, and a listener that is never written behind it."""
        from pvenet.apply.runtime import Runtime

        return Runtime(emit=self._listener(emit), confirm=self.confirm, await_confirmation=self.await_confirmation)

    def _listener(self, emit: Callable[[Event], None]) -> Callable[[Event], None]:
        from pvenet.events import Confirming, Reloading, Shown

        def listen(event: Event) -> None:
            if isinstance(event, Shown):
                self._shown = event
            elif isinstance(event, Reloading):  # a later question is about something else
                self._shown = None
            more_time = isinstance(event, Confirming) and event.journal == self._journal
            if more_time and self._prompted and lively():  # the seconds above the question say so
                return
            self._end_line()
            if isinstance(event, Confirming):  # another node's turn has a prompt of its own
                self._asked = self._asked and event.journal == self._journal
                self._reminded, self._journal = None, event.journal
            emit(event)

        return listen

    def _end_line(self) -> None:
        """Let what is said next begin a line, where nobody who typed has ended the prompt's."""
        if self._prompted:
            self._prompted = False
            talk("\n")

    def _lost(self, *_: object) -> None:
        self._gone = True

    def confirm(self, question: str) -> bool:
        """Get consent: whether somebody was asked. Raises NeedsConsent."""
        if self._yes:
            return False
        if self._json:
            raise errors.NeedsConsent("--json never asks; nothing was sent", hint="consent with --yes")
        diff = self._shown.changes if self._shown else ""
        _ask(f"{question} (d: the whole diff)" if diff and self._folded() else question, diff)
        return True

    def _folded(self) -> bool:
        """Whether not all of the diff stands above the question, which alone says so: before it, it may be refused."""
        from pvenet.cli.terminal import as_asked

        return self._shown is not None and as_asked(self._shown)[1] > 0

    def await_confirmation(self, left: float, seconds: float) -> bool | None:
        """Wait for a line that says whether it may stay. Off a terminal, in the background, and with --json, there is
        nobody to ask.
        """
        if self._gone:
            return False
        if self._json or not sys.stdin.isatty() or questions.in_background():
            if lively() and not self._json:
                at = time.monotonic() + left
                LIVE.show(lambda: f"waiting for `pvenet confirm`; {_left(max(0.0, at - time.monotonic()))}")
            time.sleep(seconds)
            return None
        self._remind(left)
        return self._answer(seconds)

    def _remind(self, left: float) -> None:
        """Ask once, and say how much time is left: where a line can change on the one above the question, so that what
        is typed stays as it is; else now and then, with the question again.
        """
        if not self._asked:
            questions.begin()
            self._asked = True
        if lively():
            if not self._prompted:
                talk(f"{_left(left)}\n{QUESTION}")
            else:
                above(_left(left))
        elif (tens := int(left) // EVERY) != self._reminded:
            self._reminded = tens
            talk("\n" * self._prompted + f"{_left(left)}\n{QUESTION}")
        self._prompted = True

    def _answer(self, seconds: float) -> bool | None:
        try:
            line = self._typed.line(seconds)
        except EOFError:
            self._end_line()
            return False
        if line is None:
            return None
        self._prompted, self._reminded = False, None
        answer = questions.meaning(line)
        if answer is None:
            questions.say_taken()
        return answer


def _left(seconds: float) -> str:
    return f"rolls back in {seconds:.0f} s"


def _ask(question: str, diff: str = "") -> None:
    """Ask on the terminal, where `d` shows the whole diff. Raises NeedsConsent without one, and for all but a yes."""
    if not on_terminal():
        raise errors.NeedsConsent("there is no terminal to ask on; nothing was sent", hint="consent with --yes")
    answer = questions.agreed(question, (lambda: _show(diff)) if diff else None)
    if answer is None:
        raise errors.NeedsConsent("the question can't be shown; nothing was sent", hint="consent with --yes")
    if not answer:
        raise errors.Declined("not agreed; nothing was sent, and what is pending stays pending")


def _show(diff: str) -> None:
    from pvenet.render.changes import pending_text

    talk(f"\n{pending_text(diff, painter())}\n\n")
