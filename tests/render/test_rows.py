"""What became of many nodes: a row each, which says nothing twice and fits the terminal."""

from __future__ import annotations

from dataclasses import replace

from pvenet import errors
from pvenet.events import Row, Verdict
from pvenet.render.node_plan import failures_text, rows_text
from pvenet.render.values import plain

WELL = Row(node="pve1", verdict=Verdict.APPLIED, message="applied and verified on pve1: bond0, vmbr0")
BADLY = Row(
    node="pve2",
    verdict=Verdict.ROLLED_BACK,
    message="the reload of pve2 failed: error: bond0: no such device; what was there is back\nmore",
    exit_code=8,
)


AWAY = Row(
    node="pve3",
    verdict=None,
    message="skipped: https://192.0.2.13:8006 could not be reached: connection refused",
    exit_code=6,
)


def test_a_row_does_not_repeat_what_stands_elsewhere() -> None:
    """Neither the node nor the verdict, nor why it has failed, which is said below; a pipe has a line a node."""
    assert rows_text([WELL, BADLY, Row(node="pve3", verdict=None)], None, plain).split("\n") == [
        "node  result",
        "pve1  applied      bond0, vmbr0",
        "pve2  rolled back",
        "pve3  untouched",
    ]


def test_a_long_message_goes_on_beneath_itself() -> None:
    """Within its column."""
    assert rows_text([WELL, AWAY], 60, plain).split("\n") == [
        "node  result",
        "pve1  applied    bond0, vmbr0",
        "pve3  untouched  skipped: https://192.0.2.13:8006 could not",
        "                 be reached: connection refused",
    ]


def test_why_a_node_has_failed_is_said_by_the_error_or_beside_it() -> None:
    """Whole, each line with its node; not of those who were only left out."""
    other = replace(BADLY, node="pve4", message="pve4 is locked\nits file is as it was")
    failure = errors.RolledBack(f"{BADLY.message}\nnot reached: pve9")
    assert failures_text([WELL, BADLY, AWAY, other], failure) == "pve4: pve4 is locked\npve4: its file is as it was"


def test_an_error_that_only_begins_alike_is_of_another_node() -> None:
    """As of pve10, where pve1 has failed in the same way."""
    one, other = (replace(BADLY, node=name, message=f"interrupted at {name}") for name in ("pve1", "pve10"))
    failure = errors.Interrupted(f"{other.message}\nfailed: pve1, pve10")
    assert failures_text([one, other], failure) == "pve1: interrupted at pve1"
