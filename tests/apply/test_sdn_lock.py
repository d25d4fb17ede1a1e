"""The SDN lock: held from before the reload to the verdict, released on every way out, never left behind unsaid."""

from __future__ import annotations

import json
import stat
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from killed import Dead, Killed, back, later
from lab import OURS, Lab, interrupt

from pvenet import errors
from pvenet.apply.kernel import Verify
from pvenet.apply.sdn_lock import PAUSE, TRIES, SdnLock
from pvenet.apply.status import status
from pvenet.events import Verdict
from pvenet.journal import LockJournals
from pvenet.sim.sdn.folder import SdnFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POST, DELETE = "POST cluster/sdn/lock", "DELETE cluster/sdn/lock"
SURE = ["GET tasks", "GET network"]
"""What is looked at again when the lock is held: its answer has taken its time."""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """A node on which something is staged."""
    lab = Lab(tmp_path / "lab")
    lab.tagged()
    return lab


def holder(lab: Lab) -> str | None:
    return SdnFolder(lab.folder).holder


def kept(lab: Lab) -> list[Path]:
    """What is on disk of locks that were asked for."""
    folder = LockJournals(lab.journals.state_dir).folder
    return sorted(folder.iterdir()) if folder.exists() else []


def looked(lab: Lab) -> str:
    """What `pvenet status` says of the lock, asked by a new process."""
    return status(later(lab).node, lab.journals).sdn_lock


def nothing_left(lab: Lab) -> bool:
    return holder(lab) is None and not kept(lab)


def wanted(lab: Lab) -> SdnLock:
    """The lock of some command."""
    return SdnLock(lab.node.connection, lab.journals.state_dir, lab.runtime(), wanted=True, now=lab.stamp())


def killed_in_the_reload(lab: Lab) -> None:
    """An apply with the lock that is killed right before its reload."""
    dead = Dead(lab, 1, "before")

    def die() -> None:
        lab.adapter.every = dead
        dead()

    lab.adapter.before["PUT network"] = die
    with suppress(Killed):
        lab.apply(sdn_lock=True)


# --- how long it is held ---------------------------------------------------------------------------------------------


def test_it_is_held_from_before_the_reload_to_the_verdict(lab: Lab) -> None:
    """It is taken after the question, what was shown is looked at again, and nothing is sent after the release."""
    lab.adapter.after[POST] = lambda: held.append(holder(lab))
    lab.adapter.before[DELETE] = lambda: held.append(holder(lab))
    held: list[str | None] = []
    lab.apply(sdn_lock=True, verify=Verify.FLAGS)
    at = lab.sent.index(POST)
    assert lab.sent[at + 1 : at + 4] == [*SURE, "PUT network"]
    assert lab.sent[-1] == DELETE
    assert lab.sent.count(DELETE) == 1
    assert held[0] == held[1] is not None
    assert nothing_left(lab)
    assert lab.warnings == ""


def test_it_is_not_taken_unless_it_is_wanted(lab: Lab) -> None:
    """It is the whole cluster's."""
    lab.apply()
    assert not {POST, DELETE} & {*lab.sent}


def test_it_is_held_while_somebody_is_waited_for_to_confirm(lab: Lab) -> None:
    """The verdict is the confirmation's."""
    held: list[str | None] = []

    def person(_left: float) -> bool:
        held.append(holder(lab))
        return True

    lab.person = person
    lab.apply(sdn_lock=True, confirm_within=60.0)
    assert held[0] is not None
    assert nothing_left(lab)


def test_it_is_held_during_the_rollback(lab: Lab) -> None:
    """What leads back is staged and reloaded under the same lock."""
    held: list[str | None] = []
    lab.order("reload-fails@PUT network")
    lab.after_second_reload(lambda: held.append(holder(lab)))
    lab.failed(errors.RolledBack, sdn_lock=True)
    assert len(held) == 1
    assert held[0] is not None
    assert nothing_left(lab)


def test_a_rollback_that_is_asked_for_holds_it_too(lab: Lab) -> None:
    """From before its first staged step."""
    lab.apply()
    lab.forget()
    assert back(lab, sdn_lock=True).verdict is Verdict.ROLLED_BACK
    writes = lab.writes
    assert (writes[0], writes[-1]) == (POST, DELETE)
    assert nothing_left(lab)


def test_nobody_elses_sdn_apply_comes_in_between(lab: Lab) -> None:
    """Without the lock it would have made live what leads back."""
    lab.order("foreign-sdn-apply@PUT network", "foreign-sdn-apply@GET tasks/UPID/status")
    lab.apply(sdn_lock=True)
    assert lab.started == 1
    lab.stage({"ens40": replace(lab.node.read().network.interfaces["ens40"], mtu=1400)})
    lab.order("foreign-sdn-apply@PUT network")
    with suppress(errors.PvenetError):
        lab.apply()
    lab.time.sleep(30.0)
    lab.node.read()
    assert lab.started > 2


# --- every way out ---------------------------------------------------------------------------------------------------


def _stale(lab: Lab) -> None:
    lab.adapter.after[POST] = lab.foreign


def _ctrl_c_after(lab: Lab) -> None:
    lab.adapter.after[POST] = interrupt


def _ctrl_c_in_the_reload(lab: Lab) -> None:
    lab.adapter.after["PUT network"] = lambda: lab.asleep.extend([interrupt, interrupt])


def _no_route(lab: Lab) -> None:
    lab.order("path-lost=5@PUT network")


def _ctrl_c_in_the_release(lab: Lab) -> None:
    lab.adapter.before[DELETE] = interrupt


@pytest.mark.parametrize(
    "trouble", [_stale, _ctrl_c_in_the_reload, _no_route, _ctrl_c_in_the_release], ids=lambda each: each.__name__
)
def test_every_way_out_releases_it(lab: Lab, trouble: Callable[[Lab], None]) -> None:
    """A refusal, a Ctrl-C, a way that is lost for a while."""
    lab.nature(reload_seconds=5.0)
    trouble(lab)
    with suppress(errors.PvenetError):
        lab.apply(sdn_lock=True)
    assert POST in lab.sent
    assert nothing_left(lab)


def test_a_bug_of_ours_releases_it_too(lab: Lab) -> None:
    """The cluster has no part in it."""

    def failing(lock: SdnLock) -> None:
        with lock:
            lock.take()
            assert holder(lab) is not None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing(wanted(lab))
    assert nothing_left(lab)


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "gateway=502", "gateway=595:after"])
def test_a_lost_answer_to_the_release_is_asked_for_again(lab: Lab, fault: str) -> None:
    """Twice is as good as once."""
    lab.order(f"{fault}@{DELETE}")
    lab.apply(sdn_lock=True)
    assert lab.sent.count(DELETE) == 2
    assert nothing_left(lab)
    assert lab.warnings == ""


def test_a_release_that_does_not_succeed_is_said_and_status_does_it(lab: Lab) -> None:
    """With its own token, and once."""
    lab.order(*[f"lacks=SDN.Allocate@{DELETE}"] * TRIES)
    lab.apply(sdn_lock=True)
    assert "is still held from here" in lab.warnings
    assert "Permission check failed" in lab.warnings
    assert holder(lab) is not None
    assert "was released" in looked(lab)
    assert nothing_left(lab)
    assert looked(lab) == ""


# --- where it can't be had -------------------------------------------------------------------------------------------


def test_where_somebody_holds_it_one_line_says_so_and_the_apply_goes_on(lab: Lab) -> None:
    """It is wished for, and no condition."""
    lab.order(f"sdn-locked@{POST}")
    assert lab.apply(sdn_lock=True).verdict is Verdict.APPLIED
    assert lab.warnings == (
        "the SDN lock of the cluster is not available: somebody else holds it; "
        "somebody else's SDN apply can come in between"
    )
    assert DELETE not in lab.sent
    assert holder(lab) is not None
    assert not kept(lab)


def _old_server(lab: Lab) -> None:
    lab.nature(sdn_lock=False)


def _no_folder(lab: Lab) -> None:
    (lab.folder / "sdn").rmdir()


def _sdn_changes(lab: Lab) -> None:
    SdnFolder(lab.folder).write_zones({"z1": "simple"})


def _no_right(lab: Lab) -> None:
    lab.order(f"lacks=SDN.Allocate@{POST}")


def _no_disk(lab: Lab) -> None:
    (lab.journals.state_dir / "sdn-locks").write_text("a file in the way")


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (_old_server, "this PVE has none"),
        (_no_folder, "the cluster has no SDN configuration yet"),
        (_sdn_changes, "SDN changes are pending in the cluster"),
        (_no_right, f"{OURS} lacks SDN.Allocate on /sdn"),
        (_no_disk, "can't be written"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_where_it_cannot_be_had_the_reason_is_said(lab: Lab, trouble: Callable[[Lab], None], reason: str) -> None:
    """In one line, and nothing is left behind."""
    trouble(lab)
    assert lab.apply(sdn_lock=True).verdict is Verdict.APPLIED
    (line,) = lab.warnings.splitlines()
    assert reason in line
    assert holder(lab) is None
    assert trouble is _no_disk or not kept(lab)
    assert (POST in lab.sent) is (trouble is not _no_disk)


def test_a_lock_that_was_ended_by_force_is_somebody_elses(lab: Lab) -> None:
    """It is left alone, and said."""
    lab.order("foreign-sdn-unlock@PUT network", f"sdn-locked@{DELETE}")
    lab.apply(sdn_lock=True)
    assert "by force" in lab.warnings
    assert holder(lab) is not None
    assert not kept(lab)


# --- a lost answer, and a killed pvenet ------------------------------------------------------------------------------


def test_an_answer_that_was_lost_before_anything_happened_is_asked_for_again(lab: Lab) -> None:
    """Who gets the lock then knows that nobody had it."""
    lab.order(f"drop-before@{POST}")
    lab.apply(sdn_lock=True)
    assert lab.sent.count(POST) == 2
    assert nothing_left(lab)
    assert lab.warnings == ""


@pytest.mark.parametrize("fault", ["drop-after", "gateway=595:after", "error=after", "torn", "odd-answer=null"])
def test_a_lock_whose_token_nobody_has_heard_is_said_with_what_to_do(lab: Lab, fault: str) -> None:
    """It may be ours, only force ends it, and that is not pvenet's to use."""
    lab.order(f"{fault}@{POST}")
    assert lab.apply(sdn_lock=True).verdict is Verdict.APPLIED
    assert "pvesh delete /cluster/sdn/lock --force 1" in lab.warnings
    assert "pvesh delete /cluster/sdn/lock --force 1" in looked(lab)
    assert holder(lab) is not None
    SdnFolder(lab.folder).release()  # as a person does
    assert "nobody holds the lock" in looked(lab)
    assert nothing_left(lab)
    assert looked(lab) == ""


def test_a_ctrl_c_while_the_lock_is_asked_for_leaves_none_unsaid(lab: Lab) -> None:
    """Its token went by unheard."""
    lab.adapter.after[POST] = interrupt
    with pytest.raises(errors.Interrupted):
        lab.apply(sdn_lock=True)
    assert "with a token that nobody knows" in lab.warnings
    lab = later(lab)
    lab.adapter.before[POST] = interrupt
    SdnFolder(lab.folder).release()
    with pytest.raises(errors.Interrupted):
        lab.apply(sdn_lock=True)
    assert "nobody knows" not in lab.warnings
    assert "nobody holds the lock" in looked(lab)
    assert nothing_left(lab)


@pytest.mark.parametrize("acted", ["before", "after"])
@pytest.mark.parametrize("at", range(5, 18))
def test_a_killed_pvenet_leaves_no_lock_that_status_does_not_know(lab: Lab, at: int, acted: str) -> None:
    """It ends the lock with its own token, or says that nobody knows it."""
    lab.adapter.every = Dead(lab, at, acted)
    with suppress(Killed):
        lab.apply(sdn_lock=True)
    was = holder(lab)
    lab.time.now += 30.0
    text = looked(lab)
    heard = (acted, lab.sent[-1]) != ("after", POST)
    assert bool(text) is bool(was) or "nobody holds the lock" in text or "gone already" in text
    if was and heard:
        assert "was released" in text
    elif was:
        assert "--force" in text
    assert (holder(lab) is None) is (was is None or heard)
    if holder(lab) is None:
        assert nothing_left(lab)


def test_the_next_apply_ends_what_was_left_behind_and_takes_its_own(lab: Lab) -> None:
    """It would wait for itself else."""
    killed_in_the_reload(lab)
    first = holder(lab)
    assert first is not None
    lab = later(lab)
    lab.apply(sdn_lock=True)
    assert "was released" in lab.warnings
    assert lab.writes[:2] == [DELETE, POST]
    assert nothing_left(lab)


@pytest.mark.parametrize("spoilt", [{"token": 5}, {"endpoint": None}, {"id": "else"}, {"routes": 1}, {"more": 1}])
def test_what_was_not_written_here_is_no_lock(lab: Lab, spoilt: dict[str, object]) -> None:
    """Nothing is released by it, and nothing breaks at it."""
    killed_in_the_reload(lab)
    (path,) = (path for path in kept(lab) if path.suffix == ".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **spoilt}))
    assert LockJournals(lab.journals.state_dir).kept() == ()
    assert looked(lab) == ""
    assert holder(lab) is not None


def test_a_lock_that_another_pvenet_holds_from_here_is_left_alone(lab: Lab) -> None:
    """It lives, and releases it by itself."""
    with wanted(lab) as lock:
        lock.take()
        assert holder(lab) is not None
        assert "another pvenet is at work" in looked(lab)
        assert holder(lab) is not None
    assert nothing_left(lab)


def test_no_other_cluster_is_sent_the_token(lab: Lab, tmp_path: Path) -> None:
    """It would take an unknown token for one of a lock that has gone, and ours would be forgotten."""
    killed_in_the_reload(lab)
    other = Lab(tmp_path / "elsewhere")
    folder = LockJournals(lab.journals.state_dir).folder
    (journal,) = LockJournals(lab.journals.state_dir).kept()
    elsewhere = LockJournals(other.journals.state_dir / "of-both")
    elsewhere.folder.parent.mkdir(parents=True)
    folder.rename(elsewhere.folder)
    text = next(elsewhere.folder.glob("*.json"))
    text.write_text(text.read_text().replace(journal.endpoint, "https://pve1.example.com:8006"))
    there = other.node.connection
    with SdnLock(there, elsewhere.folder.parent, other.runtime(), wanted=True, now="1") as lock:
        other.forget()
        lock.take()
        assert other.sent == [POST]
    assert elsewhere.kept()[0].token == holder(lab)


# --- a secret --------------------------------------------------------------------------------------------------------


def test_the_token_is_its_owners_alone_and_in_no_message(lab: Lab) -> None:
    """Who knows it can end the lock: it is kept as secrets are, and shown to nobody, by --debug neither."""
    said: list[str] = []
    lab.node.connection._session._debug = said.append
    tokens: list[str] = []
    modes: set[int] = set()

    def look() -> None:
        tokens.append(holder(lab) or "")
        modes.update(stat.S_IMODE(path.stat().st_mode) for path in (kept(lab)[0].parent, *kept(lab)))

    lab.adapter.before["PUT network"] = look
    lab.order(*[f"error@{DELETE}"] * TRIES)
    lab.apply(sdn_lock=True)
    assert tokens[0]
    assert modes == {0o600, 0o700}
    assert any("lock-token=..." in line for line in said)
    assert tokens[0] not in "\n".join([*said, *map(repr, lab.events)])
    assert tokens[0] not in repr(LockJournals(lab.journals.state_dir).kept())


def test_a_pause_lies_between_two_releases(lab: Lab) -> None:
    """A node that has just lost its quorum has it again a moment later."""
    lab.order(f"drop-before@{DELETE}")
    lab.apply(sdn_lock=True)
    first, second = [sent.at for sent in lab.adapter.sent if sent.text == DELETE]
    assert second - first >= PAUSE
