"""An apply on a good day: events, requests, pace, and nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import FIXTURES
from lab import APPLY, BOND, TAGGED, VMBR1, Lab

from pvenet import errors
from pvenet.apply.kernel import Verify
from pvenet.events import Ended, OnFailure, Reloading, Shown, TaskEnded, Verdict, Verified, Waiting
from pvenet.journal import State
from pvenet.model import Ethernet
from pvenet.plan import Risk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path / "lab", on_failure=OnFailure.KEEP)


# --- the whole of it -------------------------------------------------------------------------------------------------


def test_the_walkthrough_ends_in_the_file_that_a_real_node_wrote(lab: Lab) -> None:
    """Three commands stage, one applies: byte for byte, everything up, the journal closed."""
    lab.widened()
    lab.stage({"bond0": BOND})
    lab.stage({"vmbr1": VMBR1})
    end = lab.apply(allow_management=True)
    assert end.verdict is Verdict.APPLIED
    assert end.exit_code == 0
    assert lab.live == (FIXTURES / "walkthrough" / "interfaces.applied").read_text()
    assert lab.pending is None
    assert {"bond0", "vmbr1", "ens38", "ens39"} <= lab.up
    assert lab.states == [State.APPLIED]


def test_events_come_in_their_order(lab: Lab) -> None:
    """Shown, sending, reloading, waiting, the task's end, a look at the list, one at the kernel, verified, the end."""
    lab.tagged()
    lab.apply()
    kinds = [type(event) for event in lab.events]
    assert kinds == [Shown, Waiting, Reloading, *[Waiting] * 4, TaskEnded, Waiting, Waiting, Verified, Ended]
    shown, verified = lab.events[0], lab.events[-2]
    assert isinstance(shown, Shown)
    assert isinstance(verified, Verified)
    assert (shown.ours, shown.risk) == (True, Risk.NONE)
    assert [change.name for change in shown.steps] == ["ens38", "ens39", "bond0", "vmbr1"]
    assert shown.changes.startswith("--- /etc/network/interfaces\t")
    assert verified.active == ("bond0", "ens33", "ens38", "ens39", "vmbr0", "vmbr1")


def test_an_apply_sends_only_what_the_contract_needs(lab: Lab) -> None:
    """Privileges, addresses, tasks, the network, the reload; its task until it ends, its log, the network."""
    lab.tagged()
    lab.nature(reload_seconds=0.0)
    lab.apply(verify=Verify.FLAGS)
    assert lab.sent == [*APPLY, "GET tasks/UPID/status", "GET tasks/UPID/log", "GET network"]


def test_nothing_stands_between_the_look_and_the_reload(lab: Lab) -> None:
    """Whoever stages after the last look is not seen: it is the request before the reload."""
    lab.tagged()
    lab.apply()
    at = lab.sent.index("PUT network")
    assert lab.sent[at - 1] == "GET network"


def test_a_question_costs_a_second_look(lab: Lab) -> None:
    """While somebody thinks, others stage and reload: tasks and network are asked again."""
    lab.tagged()
    lab.nature(reload_seconds=0.0)
    lab.apply(ask=lambda _: True, verify=Verify.FLAGS)
    assert lab.sent[:7] == [*APPLY[:4], "GET tasks", "GET network", "PUT network"]


def test_while_the_reload_runs_nothing_is_listed(lab: Lab) -> None:
    """A listing would freeze the server's flags (pve-api#frozen-flags)."""
    lab.tagged()
    lab.nature(reload_seconds=5.0)
    lab.apply(verify=Verify.FLAGS)
    during = {sent.text for sent in lab.adapter.sent if sent.reloading}
    assert during == {"GET tasks/UPID/status"}


def test_deleted_interfaces_are_verified_to_be_gone(lab: Lab) -> None:
    """What was there before and is not wanted is told as gone."""
    lab.tagged()
    lab.apply()
    lab.stage({"vmbr1": None, "bond0": None})
    lab.apply()
    verified = lab.events[-2]
    assert isinstance(verified, Verified)
    assert verified.gone == ("bond0", "vmbr1")
    assert "vmbr1" not in lab.up


def test_the_clocks_need_not_agree(lab: Lab) -> None:
    """The node's clock may be days off, and jump: nothing of it is compared with ours."""
    lab.tagged()
    lab.adapter.front.clock = lambda: lab.time.now - 3 * 86400.0
    assert lab.apply().verdict is Verdict.APPLIED


# --- nothing to do ---------------------------------------------------------------------------------------------------


def test_nothing_pending_is_a_verdict_and_no_reload(lab: Lab) -> None:
    """Exit 0, and four looks."""
    end = lab.apply()
    assert (end.verdict, end.exit_code) == (Verdict.NOTHING, 0)
    assert lab.sent == APPLY[:4]
    assert lab.warnings == ""


@pytest.mark.parametrize(("act", "word"), [("PUT network", "applied"), ("DELETE network", "reverted")])
def test_what_somebody_else_did_with_our_staging_is_told(lab: Lab, act: str, word: str) -> None:
    """Nothing is pending, because somebody applied or reverted what was staged from here."""
    lab.tagged()
    lab.somebody(act)
    lab.time.sleep(1)
    assert lab.apply().verdict is Verdict.NOTHING
    assert f"not pending any more: it was {word} elsewhere" in lab.warnings
    assert lab.states == [State.DROPPED]


def test_an_apply_after_a_failed_one_is_not_silent(lab: Lab) -> None:
    """Nothing is pending after a failed reload; that the last one failed is told, with the journal's place."""
    lab.tagged()
    lab.order("reload-fails@PUT network")
    lab.failed(errors.ApplyFailed)
    assert lab.apply().verdict is Verdict.NOTHING
    assert "the last apply from here to pve1 failed" in lab.warnings
    assert str(lab.journals.folder) in lab.warnings


# --- polling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3, 0.55, 1.0, 1.4])
def test_the_end_of_a_short_task_is_noticed_at_once(lab: Lab, seconds: float) -> None:
    """Within 0.15 s."""
    lab.tagged()
    lab.nature(reload_seconds=seconds)
    lab.apply()
    assert -0.001 <= lab.end.elapsed - seconds <= 0.15


def test_a_long_task_is_asked_for_less_often(lab: Lab) -> None:
    """Fifty seconds cost fewer requests than the first eight at that pace would."""
    lab.tagged()
    lab.nature(reload_seconds=50.0)
    lab.apply()
    assert lab.polls < 80
    assert lab.end.elapsed <= 52.0


def test_a_nic_that_changes_is_verified_like_any_other(lab: Lab) -> None:
    """An update of one NIC: it is told by name."""
    lab.stage({"ens40": Ethernet(name="ens40", mtu=1400)})
    assert lab.apply().message == "applied and verified on pve1: ens40"


@pytest.mark.parametrize("name", sorted(TAGGED))
def test_what_is_staged_is_named_in_the_end(lab: Lab, name: str) -> None:
    """The last message says what has become live."""
    lab.tagged()
    assert name in lab.apply().message
