"""The apply story: check, gate, journal, stage, show, compare, reload, wait, verify. Design 8 in code.

Staging and applying are different commands; `stage` is the first half, `story` the second. Nothing here depends on
the command line: progress is told as `pvenet.events`, and time and the person are arguments.
"""

from pvenet.apply.stage import Consent, Staged, Survey, revert, stage, survey
from pvenet.apply.story import Options, apply
from pvenet.apply.wait import Surroundings
from pvenet.events import OnFailure

__all__ = ["Consent", "OnFailure", "Options", "Staged", "Surroundings", "Survey", "apply", "revert", "stage", "survey"]
