"""Lines of talk that fit a terminal, which breaks them wherever it comes to its edge."""

from __future__ import annotations

import re

_WHOLE = re.compile(r"(?:`[^`]*`|(?:(?<= )|^)--[a-z][a-z-]* (?=[^ ])|[^ ])+")
"""What is never broken: a word, an option with its value, and what stands in backquotes, which is there to be typed."""
_PROSE = re.compile(r"(?!debug: )(?P<indent> *(?=[a-z]+: )|)(?P<said>(?:[^\W\d_]|`)[^\t]*)")
"""A line of talk. What is indented may be there to be copied, unless it says so as `  cut: ` does; what begins with a
sign is a change or a diff."""
_LEAST = 40


def at_words(text: str, width: int) -> str:
    """A text whose lines of talk go on beneath, indented, where a terminal would break them within a word.

    What has to be copied stays whole, also where it is longer than the width: lines of their own, commands in
    backquotes, paths, addresses.
    """
    return "\n".join(_at_words(line, max(width, _LEAST)) for line in text.split("\n"))


def _at_words(line: str, width: int) -> str:
    found = _PROSE.fullmatch(line)
    if len(line) <= width or found is None or "  " in found["said"]:  # two blanks make columns
        return line
    first, *more = _WHOLE.findall(found["said"])
    lines = [found["indent"] + first]
    for word in more:
        if len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(f"{found['indent']}  {word}")
    return "\n".join(lines)
