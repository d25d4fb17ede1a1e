"""Questions on a real terminal: what counts as their answer, and where the line behind them begins."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from typed import Typed

from pvenet.journal import Journals, State
from pvenet.sim.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

ASKED, STAYS = "Apply this to pve1 now? [y/N/d] ", "may it stay? [y/N] "


@pytest.fixture
def bond(lab: Path, run: Callable[..., Ran]) -> Path:
    """A node on which a bond is staged."""
    assert run("bond", "create", "--slaves", "ens38,ens39").code == 0
    return lab


@pytest.fixture
def begin() -> Iterator[Callable[..., Typed]]:
    """Start a command on a terminal; those that still run in the end are ended."""
    begun: list[Typed] = []

    def start(*words: str) -> Typed:
        begun.append(Typed(*words, environment={**os.environ, "TERM": "xterm", "COLUMNS": "80"}))
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
        typed.type("y\nroot@pam\nseen\n")
        typed.until("Is it the same? A yes pins it. [y/N] ")
        typed.type("y\n")
        typed.until("[root@pam]: ")
        typed.type("\nseen\n")
        typed.until("The password of root@pam: ")
        typed.type("\n")
        assert "the password of root@pam was left empty" in typed.end()
