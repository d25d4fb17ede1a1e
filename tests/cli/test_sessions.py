"""What plays the documents: what UPDATE=1 makes of a session, and what a terminal shows in the end."""

from __future__ import annotations

import pytest
from screen import Screen
from sessions import fixed, matches, renewed

PRINTED = "one\ntwo 2\nthree\nfour 4\n"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("one\ntwo 2\nthree\nfour 4\n", PRINTED),
        ("one\ntwo 1\nthree\nfour 4\n", PRINTED),
        ("", PRINTED),
        ("...\n", "...\n"),
        ("...\nfour 3\n", "...\nfour 4\n"),
        ("one\n...\nfour\n", "one\n...\nfour 4\n"),
        ("...\nthree\n...\n", "...\nthree\n...\n"),
        ("...\nnothing like it\n", "...\n"),
        ("...\nfou...\n", "...\nfou...\n"),
        ("two...\nnine...\n", "one\ntwo...\nthree\nfour 4\n"),
    ],
)
def test_a_session_is_renewed_and_shows_no_more_than_before(shown: str, expected: str) -> None:
    """A line that has changed is written anew, what is elided stays elided, and the result is what is printed."""
    assert renewed(PRINTED, shown) == expected
    assert matches(PRINTED, expected)


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        (PRINTED, True),
        ("one\n...\n", True),
        ("one\n", False),
        ("...\ntwo\n...\n", False),
        ("...\ntwo...\n...\n", True),
        ("on...\n", False),
    ],
)
def test_only_three_dots_stand_for_other_lines(shown: str, *, same: bool) -> None:
    """Whatever else a document shows was printed, whole."""
    assert matches(PRINTED, shown) is same


def test_what_differs_in_every_run_is_the_same_in_a_document() -> None:
    """Tasks, times and journals have one text; other numbers stay."""
    told = "applied (12.3 s), 0.5 s, at 2026-01-02T03:04:05.678Z\n  UPID:pve1:00AB:C:srvreload:networking:root@pam!x:"
    assert fixed(told) == "applied (0.3 s), 0.5 s, at 2026-11-26T10:00:00+00:00\n  UPID:pve1:..."


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        ("\x1b[1m$ pv\x1b[0m list\r\nx", [[("$ pv", "bold"), (" list", "")], [("x", "")]]),
        ("abcdefghijkl", [[("abcdefghij", "")], [("kl", "")]]),
        ("waiting\r\x1b[2Kdone", [[("done", "")]]),
        ("one\r\ntwo\x1b[1A\r\x1b[2Knew", [[("new", "")], [("two", "")]]),
        ("ab\x1b[1G\x1b[Kc", [[("c", "")]]),
        ("\x1b[?25la\tb\x1b[?25h", [[("a       b", "")]]),
        ("a\r\n\r\n", [[("a", "")]]),
    ],
)
def test_a_screen_shows_what_stands_in_the_end(written: str, lines: list[list[tuple[str, str]]]) -> None:
    """With its colours; what was erased or written over is gone."""
    screen = Screen(10)
    screen.write(written)
    assert screen.lines() == lines


@pytest.mark.parametrize("odd", ["\x1b[5B", "\x07"])
def test_a_screen_passes_nothing_over(odd: str) -> None:
    """What it does not know would make the picture a lie."""
    with pytest.raises(ValueError, match="does not know"):
        Screen(10).write(odd)
