"""How an apply ends: a value for each end, and what is made of it: the last event, the error, the exit code. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from pvenet import errors
from pvenet.events import Ended, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

WORST_FIRST = (9, 1, 8, 7, 6, 5, 4, 3, 2, 130)
"""Which exit code counts where several nodes have failed: nobody knows how a node is, then it is not as it was before,
then it is again; behind these, that nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """There was nothing to do."""

    message: str


@dataclass(frozen=True, kw_only=True)
class Applied:
    """It is live and was verified."""

    message: str
    elapsed: float = 0.0
    """Seconds from the reload to the verdict."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The reload was started, and nobody waits for it, as was asked."""

    message: str
    elapsed: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RolledBack:
    """Everything is as it was before."""

    message: str
    hint: str = ""
    elapsed: float = 0.0
    """Seconds from the beginning of the rollback."""
    asked: bool = False
    """Somebody wanted it so: it is no failure."""
    unconfirmed: bool = False
    """Nobody has said that what was applied may stay."""


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The reload failed, or something did not come up; it was not put back."""

    message: str
    hint: str = ""
    log: tuple[str, ...] = ()
    """The task's log, a line each."""
    elsewhere: tuple[str, ...] = ()
    """Where it failed for these interfaces, which the changes do not touch, and all is as it should be."""
    absent: tuple[str, ...] = ()
    """Where it failed for what names these NICs and VLANs, which were not there before either, and all the rest is as
    it should be."""
    overridden: bool = False
    """Only somebody else's values of the same fields are not as they should be: nothing leads back that spares them."""


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """Waiting was given up, or nobody can tell."""

    message: str
    hint: str = ""
    given_up: bool = False
    """By a person: nothing more is to be done."""
    stays: bool = False
    """It is live by all that can be had, and only the proof that was asked for is missing: nothing is put back."""


Outcome = Nothing | Applied | Sent | RolledBack | Failed | Unknown


def verdict_of(error: errors.PvenetError) -> Verdict:
    """How what ended with this error has ended."""
    match error:
        case errors.StateUnknown():
            return Verdict.UNKNOWN
        case errors.RolledBack():
            return Verdict.ROLLED_BACK
        case _:
            return Verdict.FAILED


def worst(failures: Iterable[errors.PvenetError]) -> errors.PvenetError | None:
    """The failure that counts where there are several: the worst, of those that are alike the first."""
    return min(failures, key=lambda error: WORST_FIRST.index(error.exit_code), default=None)


def ended(node: str, outcome: Outcome | errors.PvenetError) -> tuple[Ended, errors.PvenetError | None]:
    """The last event, and the error to raise; an error is what stood against it before anything was sent."""
    error: errors.PvenetError | None = None
    match outcome:
        case errors.PvenetError():
            error = outcome
        case Nothing():
            return _end(node, Verdict.NOTHING, outcome.message), None
        case Applied():
            return _end(node, Verdict.APPLIED, outcome.message, elapsed=outcome.elapsed), None
        case Sent():
            return _end(node, Verdict.UNKNOWN, outcome.message, elapsed=outcome.elapsed), None
        case RolledBack(asked=True):
            return _end(node, Verdict.ROLLED_BACK, outcome.message, elapsed=outcome.elapsed), None
        case RolledBack():
            kind = errors.NotConfirmed if outcome.unconfirmed else errors.RolledBack
            error = kind(outcome.message, hint=outcome.hint)
        case Failed():
            error = errors.ApplyFailed(outcome.message, hint=outcome.hint, log=outcome.log)
        case Unknown():
            error = errors.StateUnknown(outcome.message, hint=outcome.hint)
        case _:
            assert_never(outcome)
    return of_error(node, error), error


def of_error(node: str, error: errors.PvenetError) -> Ended:
    """The last event of what an error has ended."""
    return Ended(
        node=node,
        verdict=verdict_of(error),
        exit_code=error.exit_code,
        message=error.message,
        hint=error.hint,
        kind=error.kind,
    )


def _end(node: str, verdict: Verdict, message: str, *, elapsed: float = 0.0) -> Ended:
    return Ended(node=node, verdict=verdict, exit_code=0, message=message, elapsed=elapsed)
