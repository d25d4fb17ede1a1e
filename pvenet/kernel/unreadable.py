"""The error for what can't be read without guessing."""

from __future__ import annotations


class Unreadable(ValueError):
    """What a node answers is not what its kernel is known by. The message never quotes the text: it may be a secret."""
