"""Where releases of ifupdown2 differ in what they make of a file.

3.3.0 is upstream's, as PVE ships it but for PVE's patches: pve-api#ifreload-3.3.0, fixtures/real. 3.0.0 is what Debian
13 has: pve-api#ifreload-3.0.0, the last column of the table in pve-api#ifreload-3.3.0, and all of it again in
fixtures/ifupdown2.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release of ifupdown2."""

    missing_slave_fails: bool
    """A bond's slave without a link; 7-bad, `slave-missing`."""
    stranger_warned: bool
    """What is to come up and is no link is warned about by its own name: that slave, or a stanza with `auto`;
    pve-api#slave-missing-old, `strangers` of the recording."""
    none_is_a_slave: bool
    """The `none` that PVE writes for a bond without slaves is taken for one that is missing; `bond-no-slaves` of the
    recording. Not recorded of 3.3.0."""
    missing_port_warned: bool
    """A bridge's port without a link is an error in both, and in one a warning, too; 7-bad, `bridge-port-missing`."""
    shared_member_told: bool
    """Who takes a slave or port that another has already is told off, and goes without. Else the last one gets it, and
    the complaint names no interface where PVE looks for one, so that the task's log has no line; pve-api#misconfig,
    and 7-bad, `slave-in-two-bonds`."""
    let_go_slave_rises: bool
    """A slave with `auto` that a bond lets go is up at the end (real/3-modes-inplace, `slaves-39-40`). Else it is
    brought up before the bond lets it go, and is down until the next reload; `pve-first-slave-leaves`."""
    bad_address_fails: bool
    """An address that is none; 7-bad, `bad-address`."""


RELEASES = {
    "3.3.0": Release(
        missing_slave_fails=True,
        stranger_warned=False,
        none_is_a_slave=False,
        missing_port_warned=True,
        shared_member_told=True,
        let_go_slave_rises=True,
        bad_address_fails=True,
    ),
    "3.0.0": Release(
        missing_slave_fails=False,
        stranger_warned=True,
        none_is_a_slave=True,
        missing_port_warned=False,
        shared_member_told=False,
        let_go_slave_rises=False,
        bad_address_fails=False,
    ),
}
PVES = RELEASES["3.3.0"]
"""What a simulated node runs."""
