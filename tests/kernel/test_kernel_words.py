"""Words by name."""

from __future__ import annotations

import pytest

from pvenet.kernel import words
from pvenet.kernel.unreadable import Unreadable

ROW = ("bond", "mode", "802.3ad", "miimon", "100", "<X>")


def test_a_word_is_found_by_its_name() -> None:
    """Wherever it stands; None where the name does not."""
    assert (words.after(ROW, "mode"), words.after(ROW, "miimon"), words.after(ROW, "primary")) == (
        "802.3ad",
        "100",
        None,
    )


@pytest.mark.parametrize(
    "row",
    [
        ("bond", "mode"),
        ("bond", "mode", "802.3ad", "mode", "broadcast"),
        ("bond", "mode", "802.3ad", "broadcast", "mode"),
        ("bond", "mode", "802.3ad", "100", "miimon"),
        ("bond", "mode", "802.3ad", "52:54:00:00:00:38"),
        ("bond", "mode", "mode", "miimon", "100"),
    ],
)
def test_a_word_that_may_be_another_is_refused(row: tuple[str, ...]) -> None:
    """Without a value, twice (an interface may be called like a name), or before what is no name."""
    with pytest.raises(Unreadable):
        words.after(row, "mode")


@pytest.mark.parametrize("line", ["a\tb", "a\rb", "a\x00b", "a\u00a0b", "\u0661", "a\u2028b", "\x1b[2K"])
def test_letters_that_no_program_prints_are_refused(line: str) -> None:
    """Blanks and digits of Unicode among them."""
    with pytest.raises(Unreadable):
        words.split(line)


@pytest.mark.parametrize("word", ["", "-1", "1.5", "0x1", "\u0661", "9" * 21])
def test_a_number_is_digits(word: str) -> None:
    """And no more of them than the kernel's have."""
    with pytest.raises(Unreadable):
        words.number(word)


def test_words_that_come_together_are_there_together() -> None:
    """Or none of them."""
    assert words.all_or_none(ROW, ("mode", "miimon"))
    assert not words.all_or_none(ROW, ("primary", "active_slave"))
    with pytest.raises(Unreadable):
        words.all_or_none(ROW, ("mode", "primary"))
