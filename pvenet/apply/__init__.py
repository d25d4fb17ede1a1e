"""The apply story: check, gate, journal, stage, show, compare, reload, wait, verify, confirm or roll back. Design 8.

Staging and applying are different commands; `stage` is the first half, `story` the second, and `recover` is for whoever
comes after it. Nothing here depends on the command line: progress is told as `pvenet.events`, and time and the person
are arguments.
"""

from pvenet.apply.recover import confirm, roll_back
from pvenet.apply.stage import Staged, StageOptions, Survey, revert, stage, survey
from pvenet.apply.status import Status, status
from pvenet.apply.story import ApplyOptions, apply
from pvenet.apply.wait import Runtime
from pvenet.events import OnFailure

__all__ = [
    "ApplyOptions",
    "OnFailure",
    "Runtime",
    "StageOptions",
    "Staged",
    "Status",
    "Survey",
    "apply",
    "confirm",
    "revert",
    "roll_back",
    "stage",
    "status",
    "survey",
]
