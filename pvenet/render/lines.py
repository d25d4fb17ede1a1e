"""Lines of talk that fit a terminal, which breaks them wherever it comes to its edge."""

from __future__ import annotations

import re

_WHOLE = re.compile(r"(?:`[^`]*`|\(risk: \w+\)|(?:(?<= )|^)--[a-z][a-z-]* (?=[^ ])|[^ ])+ *")
"""What is never broken: a word, an option with its value, a risk, and what stands in backquotes, to be typed."""
_PROSE = re.compile(r"(?!debug: )(?P<indent> *)(?P<said>(?:[^\W_]|[`/])[^\t]*)")
"""A line of talk, which has no columns: they are two blanks apart."""
_NAMED = re.compile(r" *(?:`|[^\s`'\"]+: )")
"""An indented line that is talk all the same: it says of whom, as `  cut: ` does, or begins with a command."""
_CHANGE = re.compile(r"(?P<indent> *)(?P<said>[+~-] [A-Za-z]+ \S+: .*)")
"""A change, as it is said of an interface. No line of PVE's diff reads like that."""
_COLOUR = re.compile(r"\x1b[\da-f]*\[[\d;]*m")
_LEAST = 40


def at_words(text: str, width: int, *, depth: int = 0) -> str:
    """A text whose lines of talk go on beneath, indented, where a terminal would break them within a word.

    What has to be copied stays whole, also where it is longer than the width: lines of their own, commands in
    backquotes, paths, addresses. What is indented by more than `depth` may be such a line.
    """
    return "\n".join(_at_words(line, max(width, _LEAST), depth) for line in text.split("\n"))


def cells_of(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _at_words(line: str, width: int, depth: int) -> str:
    bare = _COLOUR.sub("", line)
    if cells_of(bare) <= width:
        return line
    indent = _indent(bare, depth)
    if indent is None or not line.startswith(indent):
        return line
    return "\n".join(broken_at_words(line[len(indent) :], width, first=indent, rest=f"{indent}  "))


def broken_at_words(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """The lines of one that goes on beneath itself, with what stands before the `first` of them and the `rest`."""
    word, *more = _WHOLE.findall(text) or [""]
    lines = [first + word]
    for each in more:
        if cells_of(_COLOUR.sub("", lines[-1] + each.rstrip(" "))) <= width:
            lines[-1] += each
        else:
            lines[-1] = lines[-1].rstrip(" ")
            lines.append(rest + each)
    return lines


def _indent(line: str, depth: int) -> str | None:
    """How far a line is indented that may go on beneath; None for one that may not."""
    if change := _CHANGE.fullmatch(line):
        return change["indent"]
    found = _PROSE.fullmatch(line)
    if found is None or "  " in found["said"]:
        return None
    return found["indent"] if len(found["indent"]) <= depth or _NAMED.match(line) else None
