"""What the text of network files says of whose stanza is where: no more than names. pve-api#report-applied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet.stanza_lines import hunks

if TYPE_CHECKING:
    from pvenet.kernel.links import Report

APPLIED = "/etc/network/interfaces"

_STANZA = re.compile(r"[ \t]*iface[ \t]+(\S+)")
_STARTS = re.compile(r"[ \t]*(?:auto|allow-\S+)[ \t]+(.*)")
_NOBODY = ""
"""Whom a line is about that names other files."""


def stanza_names(text: str) -> tuple[str, ...]:
    """The interfaces of which a file has a stanza, each once."""
    found = (_STANZA.match(line) for line in text.splitlines())
    return tuple(dict.fromkeys(each[1] for each in found if each))


def named_twice(report: Report) -> dict[str, tuple[str, ...]]:
    """The interfaces that more than one file has a stanza of, with the files. `lo` is in many."""
    files: dict[str, list[str]] = {}
    for path, text in {APPLIED: report.interfaces, **report.sourced}.items():
        for name in stanza_names(text):
            files.setdefault(name, []).append(path)
    return {name: tuple(paths) for name, paths in files.items() if len(paths) > 1 and name != "lo"}


def changed_stanzas(applied: str, changes: str) -> frozenset[str] | None:
    """The interfaces whose stanzas or `auto` lines a pending diff changes; None where it is of another file."""
    lines = applied.split("\n")
    found: set[str] = set()
    for start, hunk in hunks(changes):
        old = max(start - 1, 0)
        there = here = _names(lines[:old])
        for line in hunk:
            mark, text = line[:1], line[1:]
            if mark in (" ", "-"):
                if old >= len(lines) or lines[old].split() != text.split():
                    return None
                old += 1
                here = _of(text) or here
            if mark in (" ", "+"):
                there = _of(text) or there
            moves = mark == " " and here != there and text.strip() != ""  # it stays, and comes to be another's
            found.update(here if mark == "-" or moves else ())
            found.update(there if mark == "+" or moves else ())
    return frozenset(found - {_NOBODY})


def _names(lines: list[str]) -> tuple[str, ...]:
    """The interfaces that the last lines are about."""
    return next(filter(None, map(_of, reversed(lines))), ())


def _of(line: str) -> tuple[str, ...]:
    """The interfaces that a line begins to be about; none where it goes on."""
    if stanza := _STANZA.match(line):
        return (stanza[1],)
    if line.lstrip().startswith("source"):
        return (_NOBODY,)
    starts = _STARTS.match(line)
    return tuple(starts[1].split()) if starts else ()
