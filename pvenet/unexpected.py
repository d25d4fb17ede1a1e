"""What nobody foresaw, as a sentence and as the places that it came through.

Never the exception's own text: it may hold a secret, or what a stranger wrote.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from pvenet import errors

_PACKAGE = Path(__file__).parent


def unexpected(error: Exception) -> errors.Unexpected:
    """What to say: that the machine refused something, or that pvenet is wrong."""
    if isinstance(error, OSError) and error.errno:
        at = f" ({error.filename})" if isinstance(error.filename, str) else ""
        return errors.Unexpected(
            f"this machine refuses what pvenet needs: {error.strerror}{at}",
            hint="let this user have it there, and repeat; --debug shows where it happened",
        )
    if isinstance(error, ImportError):
        return errors.Unexpected(
            f"a part of pvenet can't be loaded: {error.name or 'its name is unknown'}",
            hint="is it installed completely, and may this process open more files (`ulimit -n`)?",
        )
    return errors.Unexpected(
        f"this is a bug in pvenet itself: {type(error).__name__} at {_place(error)}; please report it",
        hint="`pvenet status` shows the state of a node. A report needs this line, the command and `pvenet --version`; "
        "--debug shows the traceback",
    )


def _place(error: Exception) -> str:
    """The innermost place of ours: file, line, function."""
    steps = traceback.extract_tb(error.__traceback__)
    ours = [step for step in steps if Path(step.filename).is_relative_to(_PACKAGE)]
    if not ours:
        return "an unknown place"
    step = ours[-1]
    return f"{Path(step.filename).relative_to(_PACKAGE.parent)}:{step.lineno} in {step.name}"


def frames(error: Exception) -> str:
    """The way there for `--debug`, without any value."""
    lines = "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
    return f"debug: {type(error).__name__}, through\n{lines}"
