"""Questions on a real terminal: what counts as their answer, and where the line behind them begins."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from typed import CTRL_C, CTRL_D, Typed

from pvenet.journal import Journals, State
from pvenet.sim.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

ASKED, STAYS = "Apply this to pve1 now? (d: the whole diff) [y/N/d] ", "may it stay? [y/N] "


@pytest.fixture
def bond(lab: Path, run: Callable[..., Ran]) -> Path:
    """A node on which a bond is staged."""
    assert run("bond", "create", "--slaves", "ens38,ens39").code == 0
    return lab


@pytest.fixture
def begin() -> Iterator[Callable[..., Typed]]:
    """Start a command on a terminal; those that still run in the end are ended."""
    begun: list[Typed] = []

    def start(*words: str, term: str = "xterm") -> Typed:
        begun.append(Typed(*words, environment={**os.environ, "TERM": term, "COLUMNS": "80"}))
        return begun[-1]

    yield start
    for each in begun:
        each.kill()


def states(lab: Path) -> list[State]:
    """What became of each apply."""
    return [each.state for each in Journals(lab / ".pvenet", "pve1").all()]


@pytest.mark.parametrize("early", ["\n", "y\n"])
def test_what_is_typed_during_a_reload_does_not_say_whether_it_may_stay(
    bond: Path, begin: Callable[..., Typed], early: str
) -> None:
    """Neither an Enter nor a yes: nobody has seen what came of it yet."""
    typed = begin("apply", "--yes", "--confirm-within", "60", "--fault", "delay=1@PUT network")
    typed.type(early)
    typed.until(STAYS)
    assert states(bond) == [State.CONFIRMING]
    typed.type("maybe\n")
    typed.until("neither yes nor no: type y or n; Enter alone is a no\n")
    typed.until(STAYS)
    typed.type("yes\n")
    assert "confirmed" in typed.end()
    assert (typed.code, states(bond)) == (0, [State.CONFIRMED])


@pytest.mark.parametrize("early", ["\n", "y\n"])
def test_what_is_typed_before_the_question_is_shown_applies_nothing(
    bond: Path, begin: Callable[..., Typed], early: str
) -> None:
    """And declines nothing."""
    typed = begin("apply", "--fault", "delay=0.5@GET network")
    typed.type(early)
    typed.until(ASKED)
    assert states(bond) == [State.STAGING]
    typed.type("d\n")
    typed.until(ASKED)
    typed.type("y\n")
    typed.end()
    assert (typed.code, states(bond)) == (0, [State.APPLIED])


def test_what_is_typed_before_a_login_asks_answers_nothing(tmp_path: Path, begin: Callable[..., Typed]) -> None:
    """No certificate is pinned that nobody has compared, and no secret is taken that others have seen."""
    with Server(tmp_path / "node") as server:
        typed = begin("login", server.endpoint.url)
        typed.type_at_once("y\nroot@pam\nseen\n")
        typed.until("Is it the same? A yes pins it. [y/N] ")
        typed.type("y\n")
        typed.until("[root@pam]: ")
        typed.type("\nseen\n")
        typed.until("The password of root@pam: ")
        typed.type("\n")
        assert "the password of root@pam was left empty" in typed.end()


def test_the_end_of_input_ends_the_line_of_the_question(bond: Path, begin: Callable[..., Typed]) -> None:
    """The verdict begins a line, and is broken between words."""
    typed = begin("apply")
    typed.until(ASKED)
    typed.type(CTRL_D)
    assert typed.end() == "\nnot agreed; nothing was sent, and what is pending stays pending\n"
    assert (typed.code, states(bond)) == (7, [State.STAGING])


@pytest.mark.parametrize("term", ["xterm", "dumb"])
@pytest.mark.parametrize("how", ["end", "interrupt", "time", "elsewhere"])
def test_whatever_ends_the_wait_for_an_answer_ends_the_line_of_the_question(
    bond: Path, run: Callable[..., Ran], begin: Callable[..., Typed], how: str, term: str
) -> None:
    """The end of input, Ctrl-C, the time that is over, a word from another terminal."""
    keys = {"end": CTRL_D, "interrupt": CTRL_C}
    typed = begin("apply", "--yes", "--confirm-within", "2" if how == "time" else "60", term=term)
    typed.until(STAYS)
    if how == "elsewhere":
        assert run("confirm").code == 0
    elif how in keys:
        typed.type(keys[how])
    said = re.sub(r"\x1b7.*?\x1b8", "", typed.end(), flags=re.DOTALL)
    while STAYS in said:  # the reminders of a terminal on which no line can change
        said = said.partition(STAYS)[2]
    assert said.removeprefix("^C").startswith("\n")
    assert not said.removeprefix("^C").startswith("\n\n")
    assert states(bond) == [State.CONFIRMED if how == "elsewhere" else State.ROLLED_BACK]


def test_a_folded_diff_says_of_d_where_it_is_asked_for(
    lab: Path, run: Callable[..., Ran], begin: Callable[..., Typed]
) -> None:
    """At the question, and nowhere where a refusal comes instead."""
    run("bridge", "set", "vmbr0", "--ports", "ens33,ens37")
    run("bond", "create", "--slaves", "ens38,ens39")
    refused = begin("apply")
    shown = refused.end()
    assert "of it: `pvenet diff` shows them)\n" in shown
    assert refused.code == 7
    typed = begin("apply", "--allow-management")
    typed.until("of it: `pvenet diff` shows them)\n")
    typed.until("\nApply this to pve1 now? (d: the whole diff) [y/N/d] ")
    typed.type("?\n")
    typed.until("neither yes nor no: type y or n, or d for the whole diff; Enter alone is a no\n")
    typed.until("(d: the whole diff) [y/N/d] ")
    typed.type("n\n")
    typed.end()
    assert states(lab) == [State.STAGING]
