"""Every recorded walk, and every recorded exchange about staging, on the sim's pure functions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from replay import HOST, Case, divergence, exchanges, walks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HIDDEN = "bridges that its user may not see are left out by the caller, which knows the user"
AT_ONCE = "six writers at once: the recorded file after it holds the others' work as well"
EXCEPTIONS = {
    "A046": HIDDEN,
    "A054": HIDDEN,
    "H001": HIDDEN,
    "H002": HIDDEN,
    "H005": HIDDEN,
    "Ez0001": AT_ONCE,
    "Ez1001": AT_ONCE,
    "Ez2001": AT_ONCE,
    "Ez4001": AT_ONCE,
    "Ez5001": AT_ONCE,
}
"""Exchanges that these functions can't answer, and why. There is none among the walks."""

PLUGGED = replace(HOST, nics={**HOST.nics, "ens50": ()})
NAMED = replace(HOST, nics={**PLUGGED.nics, "ens41": ("enp2s9",)})
HOSTS = {
    **dict.fromkeys(("H017", "H018", "H019", "H020", "H021", "H022"), PLUGGED),
    **dict.fromkeys(("H023", "H024", "H025", "H026", "H027"), NAMED),
    "E081": replace(HOST, ifupdown2=False),
}
"""The exchanges that were recorded on a machine that had just been changed."""


def _replay(told: Callable[[str], None], what: str, cases: Iterable[Case]) -> int:
    """Replay cases, say how many there were, and fail with every divergence."""
    results = [divergence(case) for case in cases]
    found = [result for result in results if result]
    told(f"{what}: {len(results)} replayed, {len(found)} divergences")
    assert not found, "\n".join(found)
    return len(results)


@pytest.mark.parametrize(("name", "ovs", "count"), [("walks.jsonl", False, 120), ("walks-ovs.jsonl", True, 40)])
def test_walks(told: Callable[[str], None], name: str, ovs: bool, count: int) -> None:  # noqa: FBT001
    """Every step of every walk gets the recorded answer and leaves the recorded file."""
    recorded = list(walks(name, replace(HOST, ovs=ovs)))
    assert len(recorded) == count
    _replay(told, f"{name} ({count} walks)", (case for walk in recorded for case in walk))


@pytest.mark.parametrize("group", "ABCDEGHI")
def test_exchanges(told: Callable[[str], None], group: str) -> None:
    """Every exchange of a group that reaches the staging gets the recorded answer and leaves the recorded file."""
    assert _replay(told, f"exchanges {group}", exchanges(group, HOSTS, EXCEPTIONS)) > 0
