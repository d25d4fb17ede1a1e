"""What became of many nodes: a row each, which says nothing twice and fits the terminal."""

from __future__ import annotations

from pvenet.events import Row, Verdict
from pvenet.render.node_plan import rows_text
from pvenet.render.values import plain

WELL = Row(node="pve1", verdict=Verdict.APPLIED, message="applied and verified on pve1: bond0, vmbr0")
BADLY = Row(
    node="pve2",
    verdict=Verdict.ROLLED_BACK,
    message="the reload of pve2 failed: error: bond0: no such device; what was there is back\nmore",
    exit_code=8,
)


def test_a_row_does_not_repeat_what_stands_beside_it() -> None:
    """Neither the node nor the verdict; a pipe has a line a node."""
    assert rows_text([WELL, BADLY, Row(node="pve3", verdict=None)], None, plain).split("\n") == [
        "node  result",
        "pve1  applied      bond0, vmbr0",
        "pve2  rolled back  the reload of pve2 failed: error: bond0: no such device; what was there is back",
        "pve3  untouched",
    ]


def test_a_long_message_goes_on_beneath_itself() -> None:
    """Within its column."""
    assert rows_text([WELL, BADLY], 60, plain).split("\n") == [
        "node  result",
        "pve1  applied      bond0, vmbr0",
        "pve2  rolled back  the reload of pve2 failed: error: bond0:",
        "                   no such device; what was there is back",
    ]
