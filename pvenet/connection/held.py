"""A connection that changes nothing: for whoever only wants to know what would be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Held(BaseException):
    """A request that would have changed something. It was not sent, and ends the run as a Ctrl-C does.

    It is no error, so that nobody takes it for an answer, tries again, or goes on without.
    """

    def __init__(self, method: str, path: tuple[str, ...], form: Mapping[str, str | int]) -> None:
        super().__init__(f"{method} /{'/'.join(path)}")
        self.method = method
        self.path = path
        self.form = dict(form)
