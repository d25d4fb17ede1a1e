"""What is said on a terminal is broken between words, and what has to be copied is not broken at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvenet.render.lines import at_words

WORDS = st.lists(st.text(st.characters(exclude_characters=" \n\t"), min_size=1, max_size=30), min_size=1, max_size=30)


def test_a_long_line_goes_on_beneath_between_words() -> None:
    """The second line is indented, so that it begins no message of its own."""
    text = "warning: bond0: 802.3ad, no LACP partner answers on ens38, ens39: are the switch's ports a LAG?"
    assert at_words(text, 60).split("\n") == [
        "warning: bond0: 802.3ad, no LACP partner answers on ens38,",
        "  ens39: are the switch's ports a LAG?",
    ]


def test_what_happens_to_whom_goes_on_beneath_itself() -> None:
    """It is indented, and nothing to be copied."""
    text = "  interrupted: bond0 changes its mode from 802.3ad to active-backup (102 db, 205 proxy)"
    assert at_words(text, 80).split("\n") == [
        "  interrupted: bond0 changes its mode from 802.3ad to active-backup (102 db, 205",
        "    proxy)",
    ]


def test_a_change_goes_on_beneath_its_name() -> None:
    """Its sign stands alone on the left, and its risk stays with it; colours take no room."""
    text = "  \x1b0f[33m~ bridge vmbr0\x1b0f[0m: ports ens33 -> ens33,ens37, vlan-aware no -> yes  (risk: management)"
    assert at_words(text, 60).split("\n") == [
        "  \x1b0f[33m~ bridge vmbr0\x1b0f[0m: ports ens33 -> ens33,ens37, vlan-aware no",
        "    -> yes  (risk: management)",
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (
            "  network.yaml:3:22: bond0.50: vlann is not a type; choose one of",
            "  network.yaml:3:22: bond0.50: vlann is",
        ),
        ("  pve1: vmbr0 on ens33 (none of the known addresses is there)", "  pve1: vmbr0 on ens33 (none of the"),
        ("/etc/hosts of pve1 must still follow its address; change it", "/etc/hosts of pve1 must still follow its"),
        ("4 requests would be sent to pve1 and pve2, one after another", "4 requests would be sent to pve1 and"),
        ("  `pvenet wait` waits for its end; `pvenet rollback` puts it back", "  `pvenet wait` waits for its end;"),
    ],
)
def test_an_indented_line_that_says_of_what_is_talk(text: str, first: str) -> None:
    """A place in a file, a node, a command within a sentence."""
    assert at_words(text, 40).split("\n")[0] == first


def test_indented_talk_is_broken_where_the_text_has_nothing_else() -> None:
    """As deep as whoever says it knows."""
    text = "  this touches the management path of pve1\n    rm -f /etc/network/interfaces.new && ifreload -a"
    assert at_words(text, 40) == text
    assert at_words(text, 40, depth=2).split("\n") == [
        "  this touches the management path of",
        "    pve1",
        "    rm -f /etc/network/interfaces.new && ifreload -a",
    ]


def test_wide_letters_take_two_cells() -> None:
    """And a line with them fits the terminal, too."""
    assert at_words(f"{'漢字' * 9} 漢字", 40).split("\n") == ["漢字" * 9, "  漢字"]


@pytest.mark.parametrize(
    "line",
    [
        "  pveum acl modify /nodes/pve1 --tokens 'root@pam!full' --roles ForPvenet --propagate 1",
        "+        bridge-ports ens33 ens37 ens38 ens39 ens40",
        "-#bond bond0: what a comment of the node's file has to say",
        " iface vmbr0 inet static # a line of a file, of which nothing may be changed",
        "debug: GET https://pve1.example.com:8006/api2/json/nodes/pve1/network -> 200 OK (0.1 s)",
        "ens38  bond0  a table that is wider than the terminal keeps its columns",
    ],
)
def test_what_is_there_to_be_copied_stays_as_it_is(line: str) -> None:
    """Commands on lines of their own, PVE's diff, requests, tables."""
    assert at_words(line, 40) == line


@pytest.mark.parametrize(
    "whole",
    [
        "`pvenet bridge set vmbr0 --ports ens33,ens37 --comments 'For management'`",
        "(risk: management)",
        "--fingerprint AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99",
        "/root/.local/state/pvenet/journals/pve1/20261126T061252.579+0000-f1e4af.json",
    ],
)
def test_what_is_to_be_typed_is_not_broken_within_a_line(whole: str) -> None:
    """A command in backquotes, an option with its value, a path: also where it is longer than the line."""
    assert whole in at_words(f"hint: if that is what was meant, type {whole} and then look again", 40)


@given(WORDS, st.integers(0, 120))
def test_nothing_but_blanks_becomes_ends_of_lines(words: list[str], width: int) -> None:
    """Whoever joins the lines again has the text."""
    text = " ".join(words)
    assert re.sub("\n +", " ", at_words(text, width)) == text


@given(st.lists(st.from_regex(r"[a-z]{1,30}", fullmatch=True), min_size=1, max_size=40), st.integers(40, 120))
def test_no_line_of_words_is_longer_than_the_terminal(words: list[str], width: int) -> None:
    """What can be broken is."""
    assert max(map(len, at_words(" ".join(words), width).split("\n"))) <= width
