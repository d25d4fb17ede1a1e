"""The text of a node's network file, line by line: whose a line is to ifupdown2, and the hunks of PVE's diff. Pure."""

from __future__ import annotations

import re

NOBODY = ""
"""Whose lines are that stand in no stanza."""
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+")
_STANZA = re.compile(r"\s*iface\s+(\S+)")
_ALONE = re.compile(r"\s*(?:auto|allow-\S+|source|source-directory|mapping|rename)(?!\S)")
"""A line of its own, behind which nothing is an option of a stanza (pve-api#no-stanza)."""


def begun(line: str) -> str | None:
    """Whose lines a line begins, or `NOBODY` where it ends a stanza; None where it goes on. A blank one ends none."""
    if stanza := _STANZA.match(line):
        return stanza[1]
    return NOBODY if _ALONE.match(line) else None


def hunks(changes: str) -> list[tuple[int, list[str]]]:
    """Where each hunk of a diff begins in the old file, and its lines with their marks."""
    found: list[tuple[int, list[str]]] = []
    for line in changes.split("\n"):
        if hunk := _HUNK.match(line):
            found.append((int(hunk[1]) + (hunk[2] == "0"), []))  # an insertion names the line before it
        elif found and line[:1] in (" ", "+", "-"):
            found[-1][1].append(line)
    return found
