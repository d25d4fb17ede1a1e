"""What the caller wants of an apply, and has agreed to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.apply.approval import Allowed
from pvenet.apply.kernel import Verify
from pvenet.events import OnFailure
from pvenet.impact import NO_GUESTS, AllowedGuests

if TYPE_CHECKING:
    from pvenet.kernel.judgement import Require

LONGEST = 7 * 86400.0
"""Seconds: nobody waits longer for a verdict, and no clock is asked for more."""


@dataclass(frozen=True, kw_only=True)
class ApplyOptions:
    """What the caller wants of an apply, and has agreed to."""

    timeout: float = 60.0
    """Seconds from the reload to the verdict."""
    wait: bool = True
    on_failure: OnFailure = OnFailure.ROLLBACK
    confirm_within: float | None = None
    """Seconds within which a person has to say that it may stay; else it is rolled back."""
    arm: bool = False
    """Keep what leads back staged until the reload has ended and the node answers: a power cycle then boots the network
    from before. Nothing is armed without `wait`."""
    adopt: bool = False
    allow_management: bool = False
    allow_guests: AllowedGuests = NO_GUESTS
    verify: Verify = Verify.AUTO
    sdn_lock: bool = False
    """Hold the cluster's SDN lock from before the reload to the verdict, where it can be had."""
    update_hosts: bool = False
    """Change the node's own line of its /etc/hosts when its new address is verified."""
    require: frozenset[Require] = frozenset()
    """What is a failure where it does not come, and a warning otherwise."""
    verify_with: tuple[str, ...] = ()
    """A command and its arguments: after all of pvenet's own checks, anything but 0 rolls back."""
    withheld: frozenset[str] = frozenset()
    """Variables of the environment that this command is not given, because they hold secrets."""

    @property
    def allowed(self) -> Allowed:
        """What was agreed to beforehand."""
        return Allowed(management=self.allow_management, guests=self.allow_guests)

    def __post_init__(self) -> None:
        """Raises UsageError for a time that is none, and for what nobody would look at."""
        if self.require and self.verify is Verify.FLAGS:
            raise errors.UsageError(
                "--require needs the kernel, which --verify flags does not ask; nothing was sent",
                hint="leave one of them out; --verify auto overrides a profile's `verify`",
            )
        for name, seconds in (("timeout", self.timeout), ("confirm_within", self.confirm_within)):
            if seconds is not None and not 0 < seconds <= LONGEST:
                raise errors.UsageError(
                    f"{name} is {seconds}, which is not a number of seconds",
                    hint=f"more than 0, and at most {LONGEST:.0f}",
                )
