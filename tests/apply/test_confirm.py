"""A change that goes back unless a person says in time that it may stay."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import pty
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from clock import FakeTime
from lab import Lab, interrupt

from pvenet import errors
from pvenet.apply.confirmation import LOOK
from pvenet.apply.keep import confirm, extend
from pvenet.apply.status import status
from pvenet.cli.prompt import Prompt
from pvenet.events import Confirming, Verdict
from pvenet.journal import NO, YES, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path / "lab")
    lab.tagged()
    return lab


def test_a_yes_in_time_keeps_it(lab: Lab) -> None:
    """Told that it waits, with the time; then applied, and the journal says confirmed."""
    lab.person = lambda left: True if left < 50 else None
    end = lab.apply(confirm_within=60.0)
    assert end.verdict is Verdict.APPLIED
    assert end.message.endswith("; confirmed")
    (told,) = [event for event in lab.events if isinstance(event, Confirming)]
    assert told.within == 60.0
    assert lab.states == [State.CONFIRMED]
    assert lab.reloads == 1


def test_a_yes_counts_on_a_disk_that_is_full(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits has heard it: it is neither an error nor left waiting."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def said(_left: float) -> bool:
        monkeypatch.setattr(os, "link", full)
        return True

    lab.person = said
    assert lab.apply(confirm_within=60.0).verdict is Verdict.APPLIED
    assert "bond0" in lab.live


def test_silence_is_rolled_back_when_the_time_is_over(lab: Lab) -> None:
    """Not before, and not much after."""
    begun = lab.time.now
    error = lab.failed(errors.NotConfirmed, confirm_within=30.0)
    assert "nobody confirmed what was applied on pve1 within 30 s" in error.message
    assert 30.0 <= lab.time.now - begun <= 33.0
    assert lab.states == [State.ROLLED_BACK]
    assert "bond0" not in lab.live


def test_a_no_or_a_lost_terminal_is_rolled_back_at_once(lab: Lab) -> None:
    """The end of input says no."""
    lab.person = lambda _: False
    begun = lab.time.now
    assert "the answer was no" in lab.failed(errors.NotConfirmed, confirm_within=600.0).message
    assert lab.time.now - begun < 5.0


def test_ctrl_c_is_a_no(lab: Lab) -> None:
    """Whoever interrupts the question does not agree."""
    lab.person = lambda _: interrupt()
    lab.failed(errors.NotConfirmed, confirm_within=600.0)
    assert "bond0" not in lab.live


def test_a_word_from_elsewhere_counts(lab: Lab) -> None:
    """`pvenet confirm` in another process, while this one waits and holds the lock."""
    lab.asleep = [lambda: None] * 4

    def elsewhere(_left: float) -> bool | None:
        if lab.journals.word(lab.journals.all()[0]) is None:
            confirm(lab.node, lab.journals)
        return None

    lab.person = elsewhere
    assert lab.apply(confirm_within=60.0).verdict is Verdict.APPLIED


def test_more_time_from_elsewhere_counts(lab: Lab) -> None:
    """`pvenet confirm --extend` in another process: told where it waits, in `status`, and rolled back later."""
    given: list[float] = []

    def elsewhere(left: float) -> None:
        if left < 20 and not given:
            found = status(lab.node, lab.journals)
            assert found.left is not None
            assert found.left <= 30
            given.append(extend(lab.node, lab.journals, 100.0))

    lab.person = elsewhere
    begun = lab.time.now
    error = lab.failed(errors.NotConfirmed, confirm_within=30.0)
    assert "nobody confirmed what was applied on pve1 within 130 s" in error.message
    assert 130.0 <= lab.time.now - begun <= 133.0
    assert 100.0 <= given[0] <= 130.0
    first, second = (event for event in lab.events if isinstance(event, Confirming))
    assert second.within > 100.0
    assert first.journal == second.journal


def test_no_time_is_given_to_what_nobody_waits_for(lab: Lab) -> None:
    """Decided, or left by whoever waited: it is said which, and neither looks like more time."""
    lab.apply()
    with pytest.raises(errors.RefusedByPvenet, match="nothing is waiting"):
        extend(lab.node, lab.journals, 60.0)
    journal = lab.journals.write(replace(lab.journals.all()[0], state=State.CONFIRMING))
    with pytest.raises(errors.RefusedByPvenet, match="no pvenet is waiting"):
        extend(lab.node, lab.journals, 60.0)
    lab.journals.decide(journal, NO)
    with pytest.raises(errors.RefusedByPvenet, match="too late"):
        extend(lab.node, lab.journals, 60.0)


def test_a_no_is_no_error_to_be_mended(lab: Lab) -> None:
    """It is what somebody wanted: with its exit code, and without a word of what was wrong."""
    lab.person = lambda _: False
    error = lab.failed(errors.NotConfirmed, confirm_within=60.0)
    assert (error.exit_code, error.is_answer) == (8, True)
    assert "correct what was wrong" not in error.hint


def test_whoever_decides_first_decides(lab: Lab) -> None:
    """A confirmation after the deadline is told that it is too late."""
    lab.apply()
    journal = lab.journals.write(replace(lab.journals.all()[0], state=State.CONFIRMING))
    assert lab.journals.decide(journal, NO) == NO
    assert lab.journals.decide(journal, YES) == NO
    with pytest.raises(errors.RefusedByPvenet, match="too late"):
        confirm(lab.node, lab.journals)


def test_with_nothing_to_confirm_that_is_said(lab: Lab) -> None:
    """Exit 7."""
    with pytest.raises(errors.RefusedByPvenet, match="nothing is waiting"):
        confirm(lab.node, lab.journals)


def test_whoever_waited_and_was_killed_is_confirmed_afterwards(lab: Lab) -> None:
    """The journal is closed by `confirm` itself."""
    lab.apply()
    lab.journals.write(replace(lab.journals.all()[0], state=State.CONFIRMING))
    assert confirm(lab.node, lab.journals).state is State.CONFIRMED
    assert lab.states == [State.CONFIRMED]


@pytest.mark.parametrize("act", [lambda lab: lab.stage({"vmbr1": None}), lambda lab: lab.apply()])
def test_nothing_else_is_done_while_something_waits_to_be_confirmed(lab: Lab, act: Callable[[Lab], object]) -> None:
    """Exit 7, with both ways on; a word that was given counts, though nobody has read it."""
    lab.apply()
    journal = lab.journals.write(replace(lab.journals.all()[0], state=State.CONFIRMING))
    with pytest.raises(errors.RefusedByPvenet, match="waiting to be confirmed"):
        act(lab)
    lab.journals.decide(journal, YES)
    act(lab)
    assert lab.states[0] is State.CONFIRMED


def test_what_cannot_be_rolled_back_cannot_be_confirmed(tmp_path: Path) -> None:
    """Adopted changes: refused before anything is sent."""
    lab = Lab(tmp_path / "lab")
    lab.foreign()
    lab.failed(errors.RefusedByPvenet, adopt=True, confirm_within=60.0)
    assert lab.writes == []


def test_a_failure_is_rolled_back_before_anybody_is_asked(lab: Lab) -> None:
    """There is nothing to confirm."""
    lab.order("reload-fails@PUT network")
    lab.failed(errors.RolledBack, confirm_within=60.0)
    assert not [event for event in lab.events if isinstance(event, Confirming)]


def test_json_does_not_ask_and_only_another_process_confirms(lab: Lab, run: Callable[..., Ran]) -> None:
    """On a command line: nobody confirms, and it is rolled back; each event a line."""
    ran = run("--sim", str(lab.folder), "apply", "--yes", "--json", "--confirm-within", "1")
    assert ran.code == 8
    kinds = [line["event"] for line in ran.lines]
    assert kinds[kinds.index("confirming") :][1] == "rolling_back"
    assert (ran.lines[-1]["verdict"], ran.lines[-1]["exit"]) == ("rolled_back", 8)


# --- the person at the terminal --------------------------------------------------------------------------------------


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Stdin is a terminal; what is written into this end was typed."""
    here, there = pty.openpty()
    with os.fdopen(there, encoding="utf8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield here
    os.close(here)


@pytest.mark.parametrize(
    ("typed", "said"), [(b"y\n", True), (b"yes\n", True), (b"n\n", False), (b"\n", False), (b"\x04", False)]
)
def test_a_line_on_the_terminal_is_the_word(terminal: int, typed: bytes, said: bool) -> None:  # noqa: FBT001
    """Only a yes is one; the end of input says no."""
    with Prompt(yes=True, json=False) as prompt:
        assert prompt.await_confirmation(60.0, 0.0) is None
        os.write(terminal, typed)
        assert prompt.await_confirmation(60.0, 5.0) is said


def test_what_was_typed_before_the_question_is_no_word(terminal: int) -> None:
    """Each node's question is one of its own; reminders of it are not, and neither is more time for the same."""
    with Prompt(yes=True, json=False) as prompt:
        hear = prompt.runtime(lambda _: None).emit
        for node in ("pve1", "pve2"):
            os.write(terminal, b"\ny\nye")
            hear(Confirming(node=node, within=60.0, journal=node))
            assert prompt.await_confirmation(60.0, 0.0) is None
            assert prompt.await_confirmation(59.0, 0.0) is None
            os.write(terminal, b"yes\n")
            hear(Confirming(node=node, within=90.0, journal=node))
            assert prompt.await_confirmation(90.0, 5.0) is True


def test_what_is_neither_yes_nor_no_is_no_word(terminal: int, capsys: pytest.CaptureFixture[str]) -> None:
    """What is taken is said, and the question stands again at once, within the same time."""
    with Prompt(yes=True, json=False) as prompt:
        prompt.await_confirmation(60.0, 0.0)
        for line in (b"maybe\n", b"d\n", b"\xff\n"):
            os.write(terminal, line)
            assert prompt.await_confirmation(59.0, 5.0) is None
        capsys.readouterr()
        os.write(terminal, b"y\n")
        assert prompt.await_confirmation(58.0, 5.0) is True
    assert capsys.readouterr().err == "rolls back in 58 s\nmay it stay? [y/N] "


def test_a_line_without_an_end_keeps_nobody_waiting(terminal: int) -> None:
    """Ctrl-D behind a letter hands over the letter alone: the time goes on, and the rest of the line counts."""
    with Prompt(yes=True, json=False) as prompt:
        prompt.await_confirmation(60.0, 0.0)
        os.write(terminal, b"ye\x04")
        assert prompt.await_confirmation(59.0, 5.0) is None
        os.write(terminal, b"s\n")
        assert prompt.await_confirmation(58.0, 5.0) is True


def test_in_the_background_there_is_nobody_to_ask(terminal: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed is the shell's: it is neither read, which would stop the process, nor forgotten."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    monkeypatch.setattr("os.tcgetpgrp", lambda _: os.getpgrp() + 1)
    os.write(terminal, b"y\n")
    with Prompt(yes=True, json=False) as prompt:
        assert prompt.await_confirmation(60.0, 1.0) is None
    assert slept == [1.0]
    assert sys.stdin.readline() == "y\n"


def test_the_time_that_is_left_is_told(terminal: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Every ten seconds, where no line can change; as long as nothing is typed there is no word."""
    assert terminal
    with Prompt(yes=True, json=False) as prompt:
        assert [prompt.await_confirmation(left, 0.0) for left in (60.0, 59.0, 58.0, 40.0)] == [None] * 4
    assert capsys.readouterr().err.count("may it stay? [y/N]") == 3


def test_counting_down_leaves_alone_what_is_typed(
    terminal: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question is asked once, and the seconds change on the line above it, also where more time is given."""
    assert terminal
    monkeypatch.setattr("pvenet.cli.prompt.lively", lambda: True)
    with Prompt(yes=True, json=False) as prompt:
        hear = prompt.runtime(lambda _: None).emit
        hear(Confirming(node="pve1", within=60.0, journal="its"))
        for left in (60.0, 59.0, 58.0):
            prompt.await_confirmation(left, 0.0)
        hear(Confirming(node="pve1", within=57.0, journal="its"))
    above = "\x1b7\x1b[A\x1b[G\x1b[Krolls back in {} s\x1b8"
    shown = "rolls back in 60 s\nmay it stay? [y/N] " + above.format(59) + above.format(58) + "\n"
    assert capsys.readouterr().err == shown


def test_each_node_has_a_prompt_of_its_own(terminal: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the one before it was confirmed with as much time left."""
    assert terminal
    with Prompt(yes=True, json=False) as prompt:
        hear = prompt.runtime(lambda _: None).emit
        for node in ("pve1", "pve2"):
            hear(Confirming(node=node, within=9.0, journal=""))
            prompt.await_confirmation(9.0, 0.0)
    assert capsys.readouterr().err.count("may it stay? [y/N]") == 2


@pytest.mark.parametrize("typed", [b"", b"y\n", b"\x04"])
def test_what_is_said_after_the_command_begins_a_line(
    terminal: int, capsys: pytest.CaptureFixture[str], typed: bytes
) -> None:
    """Also where no event has ended the prompt's; a time that is over has an end once, as the end of input has."""
    with Prompt(yes=True, json=False) as prompt:
        prompt.await_confirmation(60.0, 0.0)
        os.write(terminal, typed)
        prompt.await_confirmation(60.0, 0.1)
    shown = capsys.readouterr().err
    assert shown.count("\n") == 2 - (typed == b"y\n")


@pytest.mark.parametrize(("typed", "ended"), [(b"", "\n"), (b"y\n", ""), (b"\x04", "\n")])
def test_what_is_told_after_the_prompt_begins_a_line(
    terminal: int, capsys: pytest.CaptureFixture[str], typed: bytes, ended: str
) -> None:
    """Whoever types a line has ended the prompt's; a word from elsewhere has not, and neither has the end of input."""
    with Prompt(yes=True, json=False) as prompt:
        hear = prompt.runtime(lambda _: None).emit
        prompt.await_confirmation(60.0, 0.0)
        os.write(terminal, typed)
        prompt.await_confirmation(60.0, 0.1)
        for _ in range(2):
            hear(Confirming(node="pve1", within=60.0, journal=""))
    assert capsys.readouterr().err.partition("[y/N] ")[2] == ended


def test_a_terminal_that_hangs_up_says_no_and_kills_nothing(terminal: int) -> None:
    """SIGHUP is heard; what was there before hears it again afterwards."""
    assert terminal
    with hangups_go_to(signal.SIG_DFL):
        with Prompt(yes=True, json=False) as prompt:
            os.kill(os.getpid(), signal.SIGHUP)
            assert prompt.await_confirmation(60.0, 5.0) is False
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


def test_under_nohup_a_lost_terminal_says_nothing(terminal: int) -> None:
    """It is meant to outlive its terminal: a SIGHUP that was ignored stays so."""
    assert terminal
    with hangups_go_to(signal.SIG_IGN), Prompt(yes=True, json=False) as prompt:
        os.kill(os.getpid(), signal.SIGHUP)
        assert prompt.await_confirmation(60.0, 0.0) is None


@contextlib.contextmanager
def hangups_go_to(handler: signal.Handlers) -> Iterator[None]:
    """As for a command in a terminal, or under nohup, whichever these tests run under."""
    before = signal.signal(signal.SIGHUP, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def test_off_a_terminal_there_is_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only `pvenet confirm` counts; so it does with --json."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    for json in (False, True):
        with Prompt(yes=True, json=json) as prompt:
            assert prompt.await_confirmation(60.0, 1.0) is None
    assert slept == [1.0, 1.0]


class _Ticking(FakeTime):
    """A clock that goes on by itself once it is let."""

    tick = 0.0

    def clock(self) -> float:
        self.now += self.tick
        return self.now


def test_time_that_runs_out_between_two_looks_is_decided_too(tmp_path: Path) -> None:
    """Nobody can say yes any more to what is rolled back."""
    lab = Lab(tmp_path / "lab", time=(clock := _Ticking()))
    lab.tagged()

    def looks_away(left: float) -> None:
        if not clock.tick:
            clock.tick = 0.01
            clock.now += left - min(left, LOOK) - 1.5 * clock.tick

    lab.person = looks_away
    lab.failed(errors.NotConfirmed, confirm_within=30.0)
    assert lab.journals.word(lab.journals.all()[0]) == NO
