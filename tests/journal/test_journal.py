"""The journals of a node on disk."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ordinary import ordinary_user

from pvenet import errors
from pvenet.journal import KEPT, Journal, Journals, Ours, State, nodes, ownership
from pvenet.model import Network
from pvenet.node import Reading
from pvenet.wire import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Ran

ENTRIES = ({"iface": "ens33", "type": "eth", "method": "manual", "comments": "für\n"},)
HERE, THERE = "https://pve1:8006", "https://elsewhere:8006"
DIFF = "--- /etc/network/interfaces\n+++ /etc/network/interfaces.new\n@@ -1 +1 @@\n"


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    return Journals(tmp_path / "state", "pve1")


def begun(journals: Journals, number: int = 0, endpoint: str = HERE) -> Journal:
    now = f"2026-10-30T12:{number // 60:02}:{number % 60:02}.000+00:00"
    return journals.begin(endpoint=endpoint, baseline=ENTRIES, now=now)


# --- one journal -----------------------------------------------------------------------------------------------------


def test_a_journal_comes_back_as_it_was_written(journals: Journals) -> None:
    """Every field, with every letter; also half a character, which JSON may hold."""
    journal = replace(
        begun(journals),
        steps=(
            Request(method="POST", path=("network",), form={"iface": "bond0", "type": "bond", "mtu": 9000}),
            Request(method="DELETE", path=("network", "x")),
        ),
        pending=f"{DIFF}+# Größe \ud800\n",
        adopted=True,
        state=State.RELOADING,
        upid="UPID:pve1:0:0:0:srvreload::root@pam:",
    )
    assert journals.write(journal) == journal
    assert journals.all() == (journal,)
    assert "für" in journals.path(journal).read_text(encoding="utf8", errors="surrogatepass")
    assert journal.network.interfaces["ens33"].comments == "für"


def test_the_first_write_makes_it(journals: Journals) -> None:
    """Beginning one puts nothing on disk, and reading makes no folder."""
    begun(journals)
    assert journals.all() == ()
    assert not journals.folder.exists()


def test_a_journal_is_its_owner_s_alone(journals: Journals) -> None:
    """Files 0600 and folders 0700, whatever the umask lets through."""
    before = os.umask(0)
    try:
        with journals.lock():
            path = journals.path(journals.write(begun(journals)))
    finally:
        os.umask(before)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent / "lock")}
    assert modes == {path.name: 0o600, "lock": 0o600}
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o700}


def test_a_write_replaces_the_whole_file_once_it_is_on_disk(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The draft is synced, then takes the name, then the folder is synced; a reader never sees a half."""
    journal = journals.write(begun(journals))
    path, told = journals.path(journal), []
    real = os.fsync

    def fsync(handle: int) -> None:
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        told.append((name, len(json.loads(path.read_text())["steps"])))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    journals.write(replace(journal, steps=(Request(method="DELETE", path=("network", "x")),)))
    assert told == [(f"{journal.id}.new", 0), ("pve1", 1)]
    assert sorted(each.name for each in journals.folder.iterdir()) == [path.name]


def test_a_crash_between_leaves_the_old_one(journals: Journals, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full in the middle of a write: one clear error, and what was there is still there."""
    journal = journals.write(begun(journals))

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.PvenetError, match="can't be written: No space left on device") as caught:
        journals.write(replace(journal, pending=DIFF))
    assert "nothing was sent" not in caught.value.message
    assert journals.all() == (journal,)


def ours(journals: Journals, changes: str | None) -> Journal | None:
    """The journal of what is pending, with nothing else to go by than the diff."""
    found = ownership(journals, Reading(network=Network(), changes=changes, entries=()))
    return found.journal if isinstance(found, Ours) else None


# --- whose it is -----------------------------------------------------------------------------------------------------


def test_what_is_pending_is_ours_where_a_journal_says_so(journals: Journals) -> None:
    """The diff decides, among several; the youngest where two say so; ended ones and nothing don't."""
    older = journals.write(replace(begun(journals, 1), pending=DIFF))
    journals.write(replace(begun(journals, 2), pending=f"{DIFF}+other\n"))
    reloading = journals.write(replace(begun(journals, 3, THERE), pending=f"{DIFF}+there\n", state=State.RELOADING))
    for number, state in enumerate((State.APPLIED, State.FAILED, State.DROPPED), 4):
        journals.write(replace(begun(journals, number), pending=f"{DIFF}+{state}\n", state=state))
        assert ours(journals, f"{DIFF}+{state}\n") is None
    assert ours(journals, DIFF) == older
    assert ours(journals, f"{DIFF}+there\n") == reloading
    assert ours(journals, f"{DIFF}+foreign\n") is None
    assert ours(journals, None) is None
    younger = journals.write(replace(begun(journals, 9), pending=DIFF))
    assert ours(journals, DIFF) == younger


def test_a_journal_without_a_diff_is_nobody_s(journals: Journals) -> None:
    """It began, and its first write was never answered."""
    journals.write(begun(journals))
    assert ours(journals, None) is None
    assert ours(journals, "") is None


def test_nodes_have_journals_of_their_own(journals: Journals, tmp_path: Path) -> None:
    """What one node's say is nothing to another's."""
    journals.write(replace(begun(journals), pending=DIFF))
    assert ours(Journals(tmp_path / "state", "pve2"), DIFF) is None


def test_the_nodes_of_a_state_folder_are_known(tmp_path: Path) -> None:
    """By the names that they were given, in order; a file that lies there is none."""
    assert nodes(tmp_path) == ()
    for name in ("pve2", "pve1", "a/b", "..", "."):
        Journals(tmp_path, name).folder.mkdir(parents=True)
    (tmp_path / "journals" / ".DS_Store").touch()
    assert nodes(tmp_path) == (".", "..", "a/b", "pve1", "pve2")


def test_the_last_ended_ones_are_kept(journals: Journals) -> None:
    """Twenty of them, the youngest; an open one stays however old it is."""
    first = journals.write(begun(journals, 0, THERE))
    ended = [journals.write(replace(begun(journals, n), state=State.APPLIED)) for n in range(1, KEPT + 6)]
    journals.prune()
    assert journals.all() == (first, *ended[-KEPT:])
    assert KEPT == 20


# --- what else lies there --------------------------------------------------------------------------------------------


def broken(journal: dict[str, Any], **changes: Any) -> str:
    return json.dumps(journal | changes)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: "",
        lambda _: "{",
        lambda _: "null",
        lambda _: '"text"',
        lambda _: "[1, 2]",
        lambda _: "7",
        lambda _: "[" * 100_000,
        lambda _: "{}",
        lambda journal: broken(journal, version=2),
        lambda journal: broken(journal, state="someday"),
        lambda journal: broken(journal, steps=None),
        lambda journal: broken(journal, steps=[1]),
        lambda journal: broken(journal, steps=[{"action": "create"}]),
        lambda journal: broken(journal, steps=[{"action": "create", "name": "x", "more": 1}]),
        lambda journal: broken(journal, baseline=None),
        lambda journal: broken(journal, baseline=["ens33"]),
        lambda journal: broken(journal, baseline=[{"type": "eth"}]),
        lambda journal: broken(journal, baseline=[{"iface": "ens33", "priority": "first"}]),
        lambda journal: broken(journal, baseline=[{"iface": "ens33", "families": ["ipx"]}]),
        lambda journal: broken(journal, pending=["+auto vmbr1"]),
        lambda journal: broken(journal, begun=7),
        lambda journal: broken(journal, back="1"),
        lambda journal: broken(journal, adopted="no"),
        lambda journal: broken(journal, steps=[{"method": "PUT", "path": ["network"], "form": {}}]),
        lambda journal: broken(journal, steps=[{"method": "POST", "path": ["network"], "form": {"iface": None}}]),
        lambda journal: broken(journal, steps=[{"method": "GET", "path": ["network", "x"], "form": {}}]),
        lambda journal: broken(journal, routes=[{"host": "pve2", "port": "8006", "scheme": "https"}]),
        lambda journal: broken(journal, node="pve2"),
        lambda journal: broken(journal, id="../../outside"),
        lambda journal: json.dumps({key: value for key, value in journal.items() if key != "endpoint"}),
    ],
)
def test_what_is_no_journal_of_ours_is_left_alone(journals: Journals, spoil: Callable[[dict[str, Any]], str]) -> None:
    """Broken, of another version, another node's or renamed: not read, not changed, and nothing fails by it."""
    good = journals.write(replace(begun(journals, 1), pending=DIFF))
    bad = journals.path(journals.write(replace(begun(journals, 2), pending=DIFF)))
    text = spoil(json.loads(bad.read_text()))
    bad.write_text(text)
    assert journals.all() == (good,)
    assert ours(journals, DIFF) == good
    journals.prune()
    assert bad.read_text() == text


def test_what_can_not_be_read_is_left_alone(journals: Journals) -> None:
    """Bytes that are no text, a folder, a link to nowhere, a draft, the lock."""
    good = journals.write(begun(journals))
    (journals.folder / "a.json").write_bytes(b"\xff\xfe")
    (journals.folder / "b.json").mkdir()
    (journals.folder / "c.json").symlink_to("nowhere")
    (journals.folder / "d.new").write_text("{}")
    with journals.lock():
        assert journals.all() == (good,)


@pytest.mark.parametrize("name", ["..", ".", "", "../../outside", "/etc", "a/b", "a\x00b", "n\nn", "ü", "%2E%2E"])
def test_a_node_s_name_does_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Whatever letters it has, it is one folder below `journals`, and a folder of its own."""
    journals = Journals(tmp_path / "state", name)
    journal = journals.write(begun(journals))
    assert journals.all() == (journal,)
    home = tmp_path / "state" / "journals"
    assert journals.folder.resolve().parent == home.resolve()
    assert [each.name for each in tmp_path.iterdir()] == ["state"]
    assert Journals(tmp_path / "state", "..").folder != Journals(tmp_path / "state", "%2E%2E").folder


# --- the lock, and folders that refuse -------------------------------------------------------------------------------

HOLD = """
import sys
from pathlib import Path
from pvenet.journal import Journals
with Journals(Path(sys.argv[1]), "pve1").lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_pvenets_keep_off_each_other(journals: Journals, tmp_path: Path) -> None:
    """The second is told so, exit code 7; when the first ends, however it does, the way is free."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "state")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(errors.Busy, match="another pvenet is at work on pve1") as caught, journals.lock():
            pass
        assert caught.value.exit_code == 7
        with Journals(tmp_path / "state", "pve2").lock():
            pass
        other.kill()
    with journals.lock():
        pass


def test_the_lock_is_free_after_a_failure(journals: Journals) -> None:
    """Also within one process."""
    with pytest.raises(KeyError), journals.lock():
        raise KeyError
    with journals.lock(), pytest.raises(errors.Busy), journals.lock():
        pass
    with journals.lock():
        pass


@pytest.fixture
def sealed() -> Iterator[Path]:
    """A folder that can be read and not be written, also not by root."""
    with ordinary_user() as folder:
        folder.chmod(0o500)
        yield folder


def test_a_folder_that_refuses_is_told_before_anything_is_sent(sealed: Path) -> None:
    """Exit code 1, and where to put it instead."""
    with pytest.raises(errors.PvenetError, match="can't be written") as caught, Journals(sealed, "pve1").lock():
        pytest.fail("entered")
    assert caught.value.exit_code == 1
    assert caught.value.message.endswith("; nothing was sent")
    assert "--state-dir" in caught.value.hint


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    """By the lock and by a write alike."""
    (tmp_path / "state").write_text("")
    journals = Journals(tmp_path / "state", "pve1")
    with pytest.raises(errors.PvenetError, match="can't be written"), journals.lock():
        pytest.fail("entered")
    with pytest.raises(errors.PvenetError, match="can't be written"):
        journals.write(begun(journals))
    assert journals.all() == ()


def test_a_command_with_no_place_for_its_journal_stages_nothing(
    run: Callable[..., Ran], staged: Path, tmp_path: Path
) -> None:
    """One error on stderr, and the node is as it was."""
    (tmp_path / "file").write_text("")
    ran = run("bond", "create", "--slaves", "ens38,ens39", "--state-dir", str(tmp_path / "file"))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: the journal ")
    assert "Traceback" not in ran.err
    assert not staged.exists()
