"""Apply: check, gate, journal, stage, show, compare, reload, wait, verify, confirm or roll back.

Staging and applying are different commands; `stage` is the first half, `apply` the second, and `resume` is for whoever
comes after it. Nothing here depends on the command line: progress is told as `pvenet.events`, and time and the person
are arguments.
"""

from pvenet.apply.apply import ApplyOptions, apply
from pvenet.apply.resume import confirm, roll_back
from pvenet.apply.runtime import Runtime
from pvenet.apply.stage import Staged, StageOptions, Staging, revert, stage
from pvenet.apply.status import Status, status
from pvenet.events import OnFailure

__all__ = [
    "ApplyOptions",
    "OnFailure",
    "Runtime",
    "StageOptions",
    "Staged",
    "Staging",
    "Status",
    "apply",
    "confirm",
    "revert",
    "roll_back",
    "stage",
    "status",
]
