"""What help says of every command: the variables of the environment, and the exit codes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN_WORDS = {"PvenetError": "failed", "UsageError": "usage", "AccessError": "access"}


def families() -> Iterator[type[errors.PvenetError]]:
    """The classes of errors that have an exit code of their own."""
    kinds: list[type[errors.PvenetError]] = [errors.PvenetError, *errors.PvenetError.__subclasses__()]
    for kind in kinds:
        if "exit_code" in vars(kind):
            yield kind


def exit_codes() -> Iterator[tuple[int, str, str]]:
    """Each exit code with a word or two, and what it means in full: the classes of errors say it."""
    yield 0, "done", "done, or nothing to do"
    for kind in sorted(families(), key=lambda each: each.exit_code):
        yield kind.exit_code, _words(kind.__name__), " ".join((kind.__doc__ or "").split())


def _words(name: str) -> str:
    """A class's name as people read it: `RefusedByPVE` is `refused by PVE`."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+", name)
    return _OWN_WORDS.get(name) or " ".join(part if part.isupper() else part.lower() for part in parts)


def variables() -> list[str]:
    """The variables that every command reads."""
    from pvenet.settings.sources import GROUPS

    place, *rest = (name for names in GROUPS.values() for name in names)
    return [place, *rest, "PVENET_PROFILE"]
