"""The questions of a login on a terminal. Secrets are typed unseen; a terminal that is gone says no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.cli import questions
from pvenet.cli.context import ask_secret
from pvenet.cli.output import LIVE, lively, on_terminal, say, talk, warn
from pvenet.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pvenet.connection import Watch
    from pvenet.login.plan import Step
    from pvenet.login.rights import Right


class Dialog:
    """Whoever started the command."""

    def __init__(self, *, yes: bool, json: bool, debug: Callable[[str], None] | None) -> None:
        self._yes = yes
        self._json = json
        self.debug = debug
        self.steps = 0
        """How many were made."""

    @property
    def watch(self) -> Watch | None:
        """Shows on a terminal for whom the login waits."""
        return LIVE.request if lively() else None

    @property
    def secret(self) -> Callable[[str], str] | None:
        """Asks for a secret; None where there is nobody to ask."""
        return ask_secret if on_terminal() and not self._json else None

    def line(self, what: str, *, option: str, default: str = "") -> str:
        """Ask for a line. Raises UsageError where there is nobody to ask, and for an empty answer."""
        if self._json or not on_terminal():
            raise errors.UsageError(f"{what} is missing, and there is no terminal to ask on", hint=f"give {option}")
        answer = _answer(f"{what[0].upper()}{what[1:]}{f' [{default}]' if default else ''}: ")
        if not (answer or default):
            raise errors.UsageError(f"{what} was left empty", hint=f"enter it, or give {option}")
        return answer or default

    def agree_certificate(self, place: str, fingerprint: str) -> None:
        """Get a yes to a certificate that nobody here has met. Raises NeedsConsent."""
        from pvenet.login.certificate import COMPARE
        from pvenet.render.login import certificate_text, fingerprint_lines

        if self._yes:
            shown = "\n".join(fingerprint_lines(fingerprint)) if on_terminal() else fingerprint
            warn(f"--yes accepts the certificate of {place}, which nobody has compared:\n{shown}")
            return
        if self._json or not on_terminal():
            raise errors.NeedsConsent(
                f"the certificate of {place} is new, and there is no terminal to ask on; nothing was sent.\n"
                f"  Its SHA-256 fingerprint is {fingerprint}",
                hint=f"compare it {COMPARE};\nif it is the same: --fingerprint {fingerprint}",
            )
        say(certificate_text(place, fingerprint, COMPARE))
        self._ask("Is it the same? A yes pins it.", "not agreed; nothing was sent, no profile was written")

    def agree_steps(self, place: str, rights: Sequence[Right], steps: Sequence[Step]) -> None:
        """Show what is to be made, and get a yes to it. Raises NeedsConsent."""
        from pvenet.render.login import steps_text

        if not self._json:
            say(steps_text(place, rights, steps))
        if self._yes:
            return
        if self._json or not on_terminal():
            raise errors.NeedsConsent(
                "there is no terminal to ask on; nothing was created",
                hint="consent with --yes, or look at `pvenet login --print`",
            )
        self._ask("Create it?", "not agreed; nothing was created, no profile was written")

    def done(self, _step: Step) -> None:
        """A step was made."""
        self.steps += 1

    @staticmethod
    def _ask(question: str, refusal: str) -> None:
        if not questions.agreed(question):
            raise errors.Declined(refusal)


def _answer(question: str) -> str:
    """A line that is typed; empty where the terminal has gone, or typed what is no text."""
    questions.begin()
    return (questions.typed() or "") if talk(one_line(question)) else ""
