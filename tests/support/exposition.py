"""Prometheus's text format (version 0.0.4), read strictly: whatever its own parser refuses raises ValueError here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (\S+)")


@dataclass
class Family:
    """A metric: its type, and its values by their labels."""

    kind: str
    samples: dict[frozenset[tuple[str, str]], float] = field(default_factory=dict)

    def at(self, **labels: str) -> float:
        """The value with exactly these labels. Raises KeyError."""
        return self.samples[frozenset(labels.items())]


def read(text: str) -> dict[str, Family]:
    """The metrics of a text. Raises ValueError."""
    if text and not text.endswith("\n"):
        raise ValueError("the last line has no end")
    found: dict[str, Family] = {}
    helped: list[str] = []
    current = ""
    for line in text.split("\n")[:-1]:
        if match := re.fullmatch(rf"# HELP ({NAME}) (.+)", line):
            if match[1] in helped:
                raise ValueError(f"a second HELP: {line}")
            helped.append(match[1])
        elif match := re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram|summary|untyped)", line):
            current = match[1]
            if current in found or helped[-1:] != [current]:
                raise ValueError(f"a second TYPE, or one away from its HELP: {line}")
            found[current] = Family(match[2])
        elif match := SAMPLE.fullmatch(line):
            _add(found, current, match, line)
        else:
            raise ValueError(f"no line of the format: {line!r}")
    return found


def _add(found: dict[str, Family], current: str, match: re.Match[str], line: str) -> None:
    if match[1] != current:
        raise ValueError(f"it stands beneath another metric: {line}")
    pairs = re.findall(LABEL, match[2] or "")
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError(f"a label twice: {line}")
    labels = frozenset((name, _unescaped(value)) for name, value in pairs)
    if labels in found[current].samples:
        raise ValueError(f"a series twice: {line}")
    found[current].samples[labels] = float(match.groups()[-1])


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda escape: "\n" if escape[1] == "n" else escape[1], text)
