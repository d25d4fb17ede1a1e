"""An apply's options from texts: of a command line, of a setting, of another program.

`said` is what a message calls the source of one.
"""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING, TypeVar

from pvenet import errors
from pvenet.apply.kernel import Verify
from pvenet.events import OnFailure
from pvenet.impact import AllowedGuests
from pvenet.kernel.judgement import Require

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from enum import StrEnum

E = TypeVar("E", bound="StrEnum")

SWITCHES = {"": False, "true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
"""What a setting says that is on or off."""


def guests_of(given: Collection[str], said: str) -> AllowedGuests:
    """The guests that may be cut, by number or `all`. Raises UsageError for what is no number of one."""
    wrong = [each for each in given if each != "all" and not (each.isascii() and each.isdecimal())]
    if wrong:
        raise errors.UsageError(f"{said}: {wrong[0]} is not a guest ID", hint="name guests as in 101,102, or write all")
    return AllowedGuests(everyone="all" in given, vmids=frozenset(int(each) for each in given if each != "all"))


def verify_of(text: str, said: str) -> Verify:
    """What an apply is verified by. Raises UsageError."""
    return _one_of(Verify, text or Verify.AUTO, f"{said} is {text}, but must be auto, kernel or flags")


def on_failure_of(text: str, said: str) -> OnFailure:
    """What to do where an apply fails. Raises UsageError."""
    return _one_of(OnFailure, text, f"{said} {text} must be rollback or keep")


def required_of(given: Iterable[str], said: str) -> frozenset[Require]:
    """What is a failure where it does not come. Raises UsageError."""
    return frozenset(_one_of(Require, text, f"{said}: {text} must be lacp or carrier") for text in given)


def _one_of(kind: type[E], text: str, wrong: str) -> E:
    try:
        return kind(text)
    except ValueError:
        hint = errors.did_you_mean(text, kind, otherwise="`pvenet apply --help` explains them")
        raise errors.UsageError(wrong, hint=hint) from None


def command_of(text: str, said: str) -> tuple[str, ...]:
    """A command and its arguments, which is run without a shell. Raises UsageError for one that can't be run."""
    try:
        found = tuple(shlex.split(text))
    except ValueError as error:
        raise errors.UsageError(f"{said} is not a command: {error}", hint="quote it as for a shell") from None
    if found and shutil.which(found[0]) is None:
        raise errors.UsageError(f"{said}: there is no program {found[0]}", hint="it is run without a shell")
    return found


def switch_of(text: str, said: str, hint: str) -> bool:
    """What a setting says that is on or off. Raises UsageError."""
    found = SWITCHES.get(text.strip().lower())
    if found is None:
        raise errors.UsageError(f"{said} is {text}, but must be true or false", hint=hint)
    return found
