"""Refusals in Perl's own words, which name the line where the call ended."""

from __future__ import annotations

from pvenet.sim.schema import Refused

FILE = "/usr/share/perl5/PVE/Network/Interfaces.pm"


def died(text: str, line: int) -> Refused:
    """The refusal of a write that ends at this line of PVE's source."""
    return Refused(500, f"{text} at {FILE} line {line}.")
