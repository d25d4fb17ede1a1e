"""Flags that are frozen, and staging by others that hides what is live."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from lab import Lab, interrupt

from pvenet import errors
from pvenet.apply.kernel import Verify
from pvenet.events import OnFailure, Verdict
from pvenet.model import Bridge

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """With something staged that touches no management."""
    lab = Lab(tmp_path / "lab", on_failure=OnFailure.KEEP)
    lab.tagged()
    return lab


@pytest.mark.parametrize("healthy", [0, 1, 2])
def test_flags_frozen_in_some_workers_are_read_from_another(lab: Lab, healthy: int) -> None:
    """Somebody listed during the reload; a fresh connection meets a worker whom nobody asked."""

    def look() -> None:
        for worker in {0, 1, 2} - {healthy}:
            lab.somebody("GET network", worker=worker)

    lab.nature(workers=3)
    lab.asleep = [look]
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.writes == ["PUT network"]


def frozen(lab: Lab) -> None:
    """Somebody lists while the reload runs, and every worker's flags freeze."""
    lab.nature(workers=1)
    lab.asleep = [lambda: lab.somebody("GET network")]


def test_flags_frozen_everywhere_are_refreshed_by_a_no_op(lab: Lab) -> None:
    """A staged no-op and its revert, only with nothing pending, and in the journal."""
    frozen(lab)
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.writes == ["PUT network", "PUT network/ens33", "DELETE network"]
    assert lab.pending is None
    assert lab.journals.all()[-1].refreshing


def test_the_refresh_costs_nothing_where_the_flags_are_right(lab: Lab) -> None:
    """One reading."""
    lab.apply(verify=Verify.FLAGS)
    assert lab.sent[-2:] == ["GET tasks/UPID/log", "GET network"]


def test_with_somebody_elses_staging_nothing_is_refreshed(lab: Lab) -> None:
    """The flags can't be believed, and the staging is not touched: the state is unknown, and says why."""
    lab.order("freeze@PUT network", "never-up=bond0@PUT network")
    lab.adapter.before["GET tasks/UPID/log"] = lab.foreign
    error = lab.failed(errors.StateUnknown)
    assert "somebody has staged something new" in error.message
    assert lab.writes == ["PUT network"]
    assert "vmbr99" in (lab.pending or "")


def test_a_foreign_staging_between_the_no_op_and_its_revert_is_kept(lab: Lab) -> None:
    """The revert is not sent: it would throw theirs away."""
    frozen(lab)
    lab.adapter.after["PUT network/ens33"] = lab.foreign
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.writes == ["PUT network", "PUT network/ens33"]
    assert "vmbr99" in (lab.pending or "")
    assert "something new is pending" in lab.warnings


def test_the_no_op_is_taken_back_where_its_answer_is_lost(lab: Lab) -> None:
    """It may have acted, also where nothing answers when that is looked at."""
    frozen(lab)
    faults = ("drop-after@PUT network/ens33", "drop-before@GET network", "drop-before@GET network+2")
    lab.adapter.before["PUT network/ens33"] = lambda: lab.order(*faults)
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.pending is None


def test_a_no_op_that_is_refused_refreshes_nothing(lab: Lab) -> None:
    """A lock that somebody holds: the flags stay as they are, and are told so."""
    frozen(lab)
    lab.order("locked@PUT network/ens33")
    assert "not active: bond0" in lab.failed(errors.ApplyFailed).message
    assert lab.pending is None


def test_ctrl_c_in_the_middle_of_a_refresh_leaves_no_no_op(lab: Lab) -> None:
    """It is taken back, and the apply goes on."""
    frozen(lab)
    lab.adapter.after["PUT network/ens33"] = interrupt
    assert lab.apply().verdict is Verdict.APPLIED
    assert lab.pending is None


def test_a_deadline_that_passes_before_the_last_look_makes_no_failure(lab: Lab) -> None:
    """Frozen flags are refreshed all the same: a few looks late is better than a wrong verdict."""
    lab.nature(workers=1, reload_seconds=4.99)
    lab.asleep = [lambda: lab.somebody("GET network")]
    assert lab.apply(timeout=5.0).verdict is Verdict.APPLIED


def test_somebody_elses_staging_after_the_reload_is_told(lab: Lab) -> None:
    """Ours is verified all the same."""
    lab.adapter.before["GET tasks/UPID/log"] = lab.foreign
    assert lab.apply().verdict is Verdict.APPLIED
    assert "something new is pending on pve1" in lab.warnings
    assert "went live" not in lab.warnings


def test_a_foreign_edit_of_what_we_applied_makes_it_unknown_and_not_failed(lab: Lab) -> None:
    """The node lists what is staged, not what is live: the difference is theirs."""
    lab.adapter.before["GET tasks/UPID/log"] = lambda: lab.somebody(
        "PUT network/vmbr1", type="bridge", delete="bridge_ports"
    )
    error = lab.failed(errors.StateUnknown)
    assert "can't be verified" in error.message
    assert "vmbr1" in error.message


def test_a_no_op_that_can_not_be_taken_back_is_told(lab: Lab) -> None:
    """It changes nothing; but somebody should know that it lies there."""
    frozen(lab)
    lab.order("lacks=Sys.Modify@DELETE network")
    assert lab.apply().verdict is Verdict.APPLIED
    assert "no-op could not be removed" in lab.warnings


def test_without_a_nic_that_can_be_written_nothing_is_refreshed(lab: Lab) -> None:
    """Every NIC would lose something: the flags stay as they are."""
    lab.revert()
    file = lab.network_folder / "interfaces"
    file.write_text(re.sub(r"(iface ens\d+ inet) manual", r"\1 dhcp", file.read_text()))
    lab.stage({"vmbr7": Bridge(name="vmbr7")})
    lab.order("never-up=vmbr7@PUT network")
    lab.forget()
    lab.failed(errors.ApplyFailed)
    assert lab.writes == ["PUT network"]
