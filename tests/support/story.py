"""The old name of `lab`, for tests that still import it."""

from lab import APPLY, BOND, TAGGED, UNDONE, VMBR1, Lab, interrupt
from recorder import Recorder, Sent

__all__ = ["APPLY", "BOND", "TAGGED", "UNDONE", "VMBR1", "Lab", "Recorder", "Sent", "interrupt"]
