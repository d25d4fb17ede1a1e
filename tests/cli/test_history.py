"""`pvenet history` and `pvenet rollback N`: what was done from here, and going back to before it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pvenet import errors
from pvenet.journal import KEPT, Journal, Journals, State, history

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    """Of a node that nobody asks."""
    return Journals(tmp_path / "kept", "pve1")


def ended(journals: Journals, state: State = State.APPLIED, number: int | None = None) -> Journal:
    """One more journal."""
    journal = journals.begin(endpoint="https://pve1.invalid:8006", baseline=(), now="2026-01-01T00:00:00.000+00:00")
    return journals.write(replace(journal, state=state, number=journal.number if number is None else number))


def test_a_number_stays_its_journals(journals: Journals) -> None:
    """Whatever is written and forgotten meanwhile, and none is given twice."""
    first = [ended(journals) for _ in range(KEPT + 3)]
    journals.prune()
    left = {journal.number: journal.id for journal in journals.all()}
    assert left == {journal.number: journal.id for journal in first[3:]}
    assert ended(journals).number == KEPT + 4
    assert journals.chosen("5") == first[4]


def test_a_number_is_never_the_beginning_of_a_name(journals: Journals) -> None:
    """A journal that was forgotten is not taken for the only one whose name begins so; a day is a name's beginning."""
    kept = ended(journals)
    with pytest.raises(errors.UsageError, match="no journal of pve1 is called 2"):
        journals.chosen("2")
    assert journals.chosen("20260101") == kept


def test_a_journal_without_a_number_goes_by_its_name(journals: Journals) -> None:
    """As those of 0.1: the next one gets a number, and no number leads to it."""
    old = ended(journals, number=0)
    path = journals.path(old)
    path.write_text(json.dumps({key: each for key, each in json.loads(path.read_text()).items() if key != "number"}))
    assert [past.called for past in history(journals)] == [old.id]
    assert ended(journals).number == 1
    with pytest.raises(errors.UsageError):
        journals.chosen("0")


def test_what_is_open_stands_first(journals: Journals) -> None:
    """Then the youngest."""
    waiting = ended(journals, State.CONFIRMING)
    ended(journals)
    last = ended(journals, State.FAILED)
    assert [past.journal.number for past in history(journals)] == [waiting.number, last.number, 2]


@pytest.mark.usefixtures("lab")
def test_rollback_goes_back_to_the_journal_that_history_named(run: Run, interfaces: Path) -> None:
    """Also where another was written since the table was read."""
    run("bond", "create", "--slaves", "ens38,ens39")
    assert run("apply", "--yes").code == 0
    (row,) = run("history", "--json").data
    assert (row["number"], row["what"], row["ended"]) == (1, "create bond0; change ens38, ens39", "applied")
    run("vlan", "create", "ens40.7")
    assert run("apply", "--yes").code == 0
    assert run("rollback", "1", "--yes").code == 0
    assert "bond0" not in interfaces.read_text()
    assert "ens40.7" in interfaces.read_text()
    rows = run("history", "--json").data
    assert [(each["number"], each["ended"], each["open"]) for each in rows] == [
        (2, "applied", False),
        (1, "rolled back", False),
    ]


def test_history_asks_nobody(lab: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journals are here: it works where the node can't be reached, and needs no secret."""
    run("bridge", "create")
    monkeypatch.delenv("PVENET_SIM")
    monkeypatch.setenv("PVENET_STATE_DIR", str(lab / ".pvenet"))
    ran = run("--endpoint", "https://127.0.0.1:1", "history")
    assert (ran.code, ran.err) == (0, "")
    assert "create vmbr1" in ran.out
    assert "staged, not applied" in ran.out


@pytest.mark.usefixtures("lab")
def test_one_in_full_says_what_was_there_and_what_to_do(run: Run) -> None:
    """What changed, the table from before, PVE's diff, each request, and the command that goes back."""
    run("bridge", "set", "vmbr0", "--comments", "\x1b[31mred")
    run("apply", "--yes", "--allow-management")
    ran = run("history", "show", "1")
    assert ran.code == 0
    for part in (
        '~ bridge vmbr0: comments "For management" ->',
        "what was there before:\nname ",
        "For management\n",
        "+#\\x1b[31mred",
        "PUT network/vmbr0 ",
        "`pvenet rollback --node pve1 1` puts back what was there before",
    ):
        assert part in ran.out
    assert "\x1b" not in ran.out
    data = run("history", "1", "--json").data
    assert {each["name"] for each in data["before"]} >= {"ens33", "vmbr0"}
    assert [each["action"] for each in data["steps"]] == ["update"]


@pytest.mark.usefixtures("lab")
def test_what_was_only_staged_is_not_said_to_be_changed(run: Run) -> None:
    """What it changes is what it would; reverted it is what was staged, and applied what was changed."""
    for command, title in (("list", "what it changes"), ("revert", "what was staged"), ("apply", "what was changed")):
        run("bridge", "create", "vmbr9")
        run(command, *(["--yes"] if command != "list" else []))
        told = run("history", "show", str(len(run("history", "--json").data))).out
        assert f"\n\n{title}:\n+ bridge vmbr9" in told


def test_numbers_are_a_nodes_own(cluster: Path, run: Run) -> None:
    """Where several nodes have one of a number, it is said whose; --node tells."""
    for node in ("pve1", "pve2"):
        run("--node", node, "bridge", "create")
    ran = run("history", "show", "1")
    assert (ran.code, "several nodes have a journal 1: pve1, pve2" in ran.err) == (2, True)
    assert run("history", "show", "1", "--node", "pve2", "--json").data["node"] == "pve2"
    assert [row["node"] for row in run("history", "--json").data] == ["pve1", "pve2"]
    assert cluster.exists()


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("words", [["show"], ["shwo", "3"], ["show", ""], ["show", "9"], ["9"]])
def test_what_is_not_there_is_wrong_usage(run: Run, words: list[str]) -> None:
    """With how it is meant."""
    run("bridge", "create")
    ran = run("history", *words)
    assert ran.code == 2
    assert "hint:" in ran.err


@pytest.mark.usefixtures("lab")
def test_without_a_journal_it_says_where_it_has_looked(run: Run) -> None:
    """JSON is an empty array."""
    assert "no journal is kept in " in run("history").err
    assert run("history", "--json").data == []


def test_what_was_done_is_told_without_a_place(
    lab: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The journals are on this machine: nothing says where to go, and nobody is asked."""
    monkeypatch.setenv("PVENET_STATE_DIR", str(tmp_path / "kept"))
    run("bond", "create", "--slaves", "ens38,ens39")
    monkeypatch.delenv("PVENET_SIM")
    assert lab.exists()
    table, whole = run("history"), run("history", "show", "1")
    assert (table.code, whole.code, table.err, whole.err) == (0, 0, "", "")
    assert "create bond0" in table.out
    assert "+ bond bond0: slaves ens38,ens39" in whole.out
    assert run("history", "--node", "pve2").err == f"no journal of pve2 is kept in {tmp_path / 'kept'}\n"
    assert run("list").err.startswith("error: no endpoint")
