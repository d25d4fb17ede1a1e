"""What happens while an apply runs: frozen values that a terminal, a JSON stream or a test consumes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pvenet.plan.path_effect import PathEffect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.changes import Change
    from pvenet.impact import Impact
    from pvenet.plan import Risk


class Verdict(StrEnum):
    """How an apply ended."""

    APPLIED = "applied"
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"
    FAILED = "failed"
    NOTHING = "nothing"
    STAGED = "staged"
    """Of one of many nodes: a file's changes were staged, and nothing was to be applied."""


class OnFailure(StrEnum):
    """What to do where an apply fails, or nobody can tell in time that it has not."""

    ROLLBACK = "rollback"
    KEEP = "keep"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What is about to go live, before the question."""

    node: str
    steps: tuple[Change, ...]
    changes: str
    """PVE's pending diff."""
    risk: Risk
    ours: bool
    effect: PathEffect = PathEffect.NONE
    """On the way to the node."""


@dataclass(frozen=True, kw_only=True)
class Affected:
    """Whom it hits, before the question: only where somebody may be."""

    node: str
    impact: Impact


@dataclass(frozen=True, kw_only=True)
class Warned:
    """Something that stops nothing and that a person should know."""

    text: str
    node: str = ""


@dataclass(frozen=True, kw_only=True)
class Reloading:
    """The reload was sent and is a task now."""

    node: str
    upid: str


class Due(StrEnum):
    """What happens where what is waited for has not come in time."""

    ROLLS_BACK = "rolls_back"
    GIVES_UP = "gives_up"
    DECIDES = "decides"
    """What is there then is judged; it may have come."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What is waited for."""

    reason: str
    elapsed: float
    """Seconds since the reload was sent."""
    detail: str = ""
    """More about it: the trouble behind a silence."""
    silent: float | None = None
    """Seconds for which the node has not answered; None where it does."""
    left: float | None = None
    """Seconds until what is due happens; None where nothing is."""
    due: Due | None = None
    node: str = ""


@dataclass(frozen=True, kw_only=True)
class Armed:
    """The way back is staged, so that a power cycle boots the network from before."""

    node: str
    journal: str
    """Where the journal is kept that tells it from any other staging."""


@dataclass(frozen=True, kw_only=True)
class Disarmed:
    """It is staged no more."""

    node: str


@dataclass(frozen=True, kw_only=True)
class TaskEnded:
    """The reload's task has ended."""

    upid: str
    exitstatus: str
    log: tuple[str, ...]
    node: str = ""


class VerifiedBy(StrEnum):
    """What says that a change is live."""

    KERNEL = "kernel"
    FLAGS = "flags"
    """The list's `active` alone, which is "administratively up" (pve-api#active)."""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What was looked at after the reload, and is as it should be."""

    active: tuple[str, ...] = field(default=())
    gone: tuple[str, ...] = field(default=())
    by: VerifiedBy = VerifiedBy.FLAGS
    missing: str = ""
    """Why the kernel could not be asked, where it should have been."""
    node: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckedWith:
    """Somebody's own check has ended, or its time was over."""

    node: str
    command: str
    exit_code: int | None
    """None where it had not ended in time; negative for the signal that ended it."""
    output: tuple[str, ...]
    """What it has said, a line each; others' words."""


@dataclass(frozen=True, kw_only=True)
class Confirming:
    """It is live and verified, and goes back unless a person says in time that it may stay."""

    node: str
    within: float
    """Seconds."""
    journal: str
    """Where the journal is kept that `pvenet confirm` writes beside."""


@dataclass(frozen=True, kw_only=True)
class RollingBack:
    """What was there before is being put back."""

    node: str
    reason: str
    """What went wrong, or who asked for it."""
    journal: str
    """Where the journal of what was there before is kept."""


class Standing(StrEnum):
    """How an interface stands at the end."""

    ACTIVE = "active"
    GONE = "gone"
    NOT_KNOWN = "not_known"
    """Nobody looked after the last reload, or what is looked at does not tell."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """An interface that the changes are about, and how it stands."""

    name: str
    state: Standing


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The end. Nothing comes after it."""

    node: str
    verdict: Verdict
    exit_code: int
    message: str
    elapsed: float = 0.0
    """Seconds from the reload, or the beginning of a rollback that was asked for, to the verdict; 0 without either."""
    hint: str = ""
    """What to do next, where something is to be done."""
    kind: str | None = None
    """The error's word, where there is one."""
    interfaces: tuple[Changed, ...] = ()
    journal: str = ""
    """Where the journal of what was there before is kept."""


@dataclass(frozen=True, kw_only=True)
class WouldSend:
    """A request that a dry run does not send."""

    method: str
    path: str
    """As PVE documents it: `/nodes/pve1/network/vmbr0`."""
    form: Mapping[str, str | int] = field(default_factory=dict)
    """By PVE's names."""
    when: str = ""
    """What has to have happened before, a clause; empty where nothing has."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of one of many nodes, for the summary."""

    node: str
    verdict: Verdict | None
    """None: it was not touched."""
    message: str = ""
    exit_code: int = 0
    hint: str = ""
    """What to do next there, where something is to be done."""


Event = (
    Shown
    | Affected
    | Warned
    | Reloading
    | Armed
    | Disarmed
    | Waiting
    | TaskEnded
    | Verified
    | CheckedWith
    | Confirming
    | RollingBack
    | Ended
)
