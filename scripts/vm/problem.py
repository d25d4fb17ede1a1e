"""What can go wrong, in one line."""

from __future__ import annotations


class Problem(Exception):
    """It went wrong; the text says what, and what to do."""


class CannotBeHad(Problem):
    """This machine can't have such a VM; the text says what it lacks."""
