"""What has to be agreed to by name. All that is missing is refused at once, so that one more command agrees to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet import errors


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Something that has to be agreed to, and was not."""

    refusal: errors.RefusedByPvenet
    """Its message says what would happen."""
    option: str
    """Agrees to it."""
    instead: str = ""
    """What else can be done."""


def refuse(missing: Sequence[Missing], *, so: str = "nothing was sent") -> None:
    """Raises the first of them, if there is one, with a message and a hint about all; `so` ends the message."""
    if not missing:
        return
    told = [each.refusal.message for each in missing]
    ends = "; " if len(told) == 1 and "\n" not in told[0] else "\n"
    error = missing[0].refusal.with_message("\n".join(told) + f"{ends}{so}")
    instead = "".join(f"{each.instead}; " for each in missing if each.instead)
    that = "that is" if len(missing) == 1 else "all of that is"
    error.hint = f"{instead}if {that} intended, add {' '.join(each.option for each in missing)}"
    raise error
