"""How a node stands, for whoever comes after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lab import Lab

from pvenet import errors
from pvenet.apply.status import status
from pvenet.journal import State

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


def test_status_of_a_fresh_node_asks_twice_and_changes_nothing(lab: Lab) -> None:
    """Its tasks, then its network."""
    found = status(lab.node, lab.journals)
    assert (found.pending, found.ours, found.state) == (False, False, None)
    assert lab.sent == ["GET tasks", "GET network"]
    assert not lab.journals.folder.exists() or lab.journals.all() == ()


def test_status_lists_nothing_while_a_reload_runs(lab: Lab) -> None:
    """It would freeze the flags."""
    lab.nature(reload_seconds=5.0)
    lab.tagged()
    lab.apply(wait=False)
    lab.forget()
    found = status(lab.node, lab.journals)
    assert (found.reloading, found.pending) == (True, None)
    assert lab.sent == ["GET tasks"]


def test_status_says_whose_it_is(lab: Lab) -> None:
    """Not ours: ask who staged it."""
    lab.foreign()
    found = status(lab.node, lab.journals)
    assert (found.pending, found.ours) == (True, False)
    assert "ask who staged" in found.todo


def test_status_of_a_node_that_cannot_be_reached_tells_from_the_journal(lab: Lab) -> None:
    """With what a person at the console needs."""
    lab.tagged()
    lab.order("path-lost@PUT network")
    lab.failed(errors.StateUnknown)
    found = status(lab.node, lab.journals)
    assert not found.reachable
    assert found.state is State.ROLLING_BACK
    assert "ifreload -a" in found.todo
