"""The words of a line that a program prints: a value behind its name, wherever that stands. pve-api#iproute2-6.1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet.kernel.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}(?:(?::[0-9a-f]{2}){14})?")
"""Of six bytes, or InfiniBand's of twenty."""


def split(line: str) -> tuple[str, ...]:
    """The words of a line. Raises Unreadable for letters that no program prints there."""
    if not (line.isascii() and line.isprintable()):
        raise Unreadable("a line holds letters that are not printed there")
    return tuple(line.split())


def after(words: Sequence[str], name: str) -> str | None:
    """The word behind a name; None where the name is missing. Raises Unreadable where it can't be told which it is.

    Behind a value comes the next name: where another value does, the name has lost its place.
    """
    if name not in words:
        return None
    at = words.index(name) + 1
    if at == len(words) or name in words[at:]:
        raise Unreadable("a word stands without its value, or twice")
    following = words[at + 1] if at + 1 < len(words) else "a"
    if not (following[0].islower() or following[0] == "<") or _MAC.fullmatch(following):
        raise Unreadable("a value is followed by another")
    return words[at]


def required(words: Sequence[str], name: str) -> str:
    """The same of a word without which the rest says nothing."""
    word = after(words, name)
    if word is None:
        raise Unreadable("a word is missing")
    return word


def all_or_none(words: Sequence[str], names: Sequence[str]) -> bool:
    """Whether words that only come together are there. Raises Unreadable where some are missing."""
    there = {name in words for name in names}
    if len(there) > 1:
        raise Unreadable("a word is missing among those that come together")
    return True in there


def number(word: str) -> int:
    """A whole number."""
    if not (word.isascii() and word.isdigit() and len(word) <= len("18446744073709551615")):
        raise Unreadable("a number is none")
    return int(word)


def number_after(words: Sequence[str], name: str) -> int | None:
    """The number behind a name; None where the name is missing."""
    word = after(words, name)
    return None if word is None else number(word)


def mac(word: str) -> str:
    """A MAC as the kernel writes it."""
    if not _MAC.fullmatch(word):
        raise Unreadable("a MAC is none")
    return word


def choice(word: str, words: frozenset[str]) -> str:
    """One of the words that may stand there."""
    if word not in words:
        raise Unreadable("a word is none of those that stand there")
    return word
