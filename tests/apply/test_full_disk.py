"""A journal that can't be written: what was done all the same is said, and that another folder does not know it."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest
from lab import Lab

from pvenet import errors, private
from pvenet.apply.options import ApplyOptions
from pvenet.apply.resume import roll_back
from pvenet.apply.revert import revert
from pvenet.events import Verdict
from pvenet.journal import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab")


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Fill the disk: no journal can be written from then on."""

    def fill() -> None:
        def no_space(path: Path, _data: bytes, **_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

        monkeypatch.setattr(private, "write", no_space)

    return fill


def told(caught: pytest.ExceptionInfo[errors.JournalUnwritable], so: str) -> None:
    """Why, what is so all the same, and what to do."""
    assert "can't be written: No space left on device" in caught.value.message
    assert caught.value.message.endswith(so)
    assert caught.value.hint.startswith("free space there, and repeat; ")
    assert "where nothing of what is kept here is known" in caught.value.hint


def test_what_was_reverted_is_said(lab: Lab, full: Callable[[], None]) -> None:
    """The revert was sent before: a second one, with space, closes the journal."""
    lab.tagged()
    full()
    with pytest.raises(errors.JournalUnwritable) as caught:
        revert(lab.node, lab.journals, discard=False)
    told(caught, "what was pending on pve1 was reverted all the same")
    assert lab.pending is None


def test_a_rollback_of_what_is_only_staged_says_that_it_was_reverted(lab: Lab, full: Callable[[], None]) -> None:
    """It is the same request."""
    lab.tagged()
    lab.adapter.before["DELETE network"] = full
    with pytest.raises(errors.JournalUnwritable) as caught:
        roll_back(lab.node, lab.journals, ApplyOptions(), lab.runtime())
    told(caught, "what was staged on pve1 was reverted all the same, and none of it was live")
    assert lab.pending is None


def test_a_change_that_can_not_be_kept_is_not_staged(lab: Lab, full: Callable[[], None]) -> None:
    """The journal comes first: nothing was sent, or what was sent before is undone."""
    full()
    with pytest.raises(errors.JournalUnwritable) as caught:
        lab.tagged()
    told(caught, "; nothing was sent")
    assert lab.writes == []


def test_a_second_step_that_can_not_be_kept_takes_back_the_first(lab: Lab, full: Callable[[], None]) -> None:
    """All of it or nothing, which is said."""
    lab.adapter.after["POST network"] = full
    with pytest.raises(errors.JournalUnwritable) as caught:
        lab.tagged()
    told(caught, "; this command's own steps were undone")
    assert lab.pending is None


def test_an_apply_that_can_not_be_kept_sends_no_reload(lab: Lab, full: Callable[[], None]) -> None:
    """And says so."""
    lab.tagged()
    full()
    with pytest.raises(errors.JournalUnwritable) as caught:
        lab.apply()
    told(caught, "; nothing was reloaded")
    assert "PUT network" not in lab.sent
    assert lab.states == [State.STAGING]


def test_a_journal_that_falls_behind_is_told_once(lab: Lab, full: Callable[[], None]) -> None:
    """However often it is written: with what brings it up to date."""
    lab.tagged()
    lab.adapter.before["PUT network"] = full
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.warnings.count("the journal is behind") == 1
    assert "`pvenet wait --node pve1` brings it up to date" in lab.warnings
