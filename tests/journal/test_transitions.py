"""The suite holds every transition of a journal against the table: what it must notice, and what not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pvenet.journal import MEANINGS, Journals, OpenJournal, State

if TYPE_CHECKING:
    from pathlib import Path

    from transitions import Transition

    from pvenet.journal import Journal


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    return Journals(tmp_path / "state", "pve1")


def begun(journals: Journals, state: State) -> Journal:
    """A journal that a test has put there."""
    journal = journals.begin(endpoint="https://pve1.invalid:8006", baseline=(), now="2026-01-01T00:00:00.000+00:00")
    return journals.write(replace(journal, state=state))


@pytest.mark.parametrize("new", State)
@pytest.mark.parametrize("old", State)
def test_a_transition_is_noticed_where_the_table_does_not_list_it(
    journals: Journals, old: State, new: State, transitions: list[Transition]
) -> None:
    """Whichever it is; to stay where it is is none."""
    OpenJournal(journals, begun(journals, old), lambda _: None).record(state=new)
    expected = [] if new is old or new in MEANINGS[old].next else [(old, new)]
    assert transitions == expected
    transitions.clear()


def test_what_could_not_be_written_counts_as_made(journals: Journals, transitions: list[Transition]) -> None:
    """A disk that was full for a while: the journal says later what it would have said."""
    journal = begun(journals, State.RELOADING)
    held = OpenJournal(journals, journal, lambda _: None)
    draft = journals.path(journal).with_suffix(".new")
    draft.mkdir()
    held.record(state=State.ROLLING_BACK)
    draft.rmdir()
    held.record(state=State.ROLLED_BACK)
    assert transitions == []
