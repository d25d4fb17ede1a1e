"""Files that somebody else could write, or left for us: refused in a sentence, and nothing is written through them."""

from __future__ import annotations

import json
import math
import os
import stat
from typing import TYPE_CHECKING

import pytest

from pvenet import errors
from pvenet.apply.options import ApplyOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

PROFILE = '[profiles.lab]\nsim = "{lab}"\n'


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def config(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file with a profile for the lab."""
    monkeypatch.delenv("PVENET_SIM")
    path = tmp_path / "config" / "pvenet" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(PROFILE.format(lab=lab))
    return path


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder that everybody can write, as /tmp is."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@pytest.fixture(params=[0o000, 0o002, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


class TestConfiguration:
    """config.toml says where secrets are sent."""

    @pytest.mark.parametrize("bits", [0o020, 0o002])
    def test_one_that_others_can_write_is_refused(self, config: Path, run: Run, bits: int) -> None:
        """Also without a secret in it; the hint closes it."""
        assert run("list", "--profile", "lab").code == 0
        config.chmod(0o600 | bits)
        ran = run("list", "--profile", "lab")
        assert ran.code == 2
        assert f"{config} can be written by others" in ran.err
        assert f"`chmod go-w {config}`" in ran.err

    @pytest.mark.parametrize("bits", [0o020, 0o002, 0o1777])
    def test_one_in_a_folder_that_others_can_write_is_refused(self, config: Path, run: Run, bits: int) -> None:
        """They could put another in its place."""
        config.parent.chmod(0o700 | bits)
        ran = run("list", "--profile", "lab")
        assert ran.code == 2
        assert f"the folder {config.parent} can be written by others" in ran.err

    def test_a_link_counts_where_it_leads(self, config: Path, shared: Path, run: Run) -> None:
        """Its own folder is closed, and the file's is open."""
        config.rename(shared / "mine.toml")
        config.symlink_to(shared / "mine.toml")
        assert "can be written by others" in run("list", "--profile", "lab").err

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_one_of_somebody_else_is_refused(self, config: Path, run: Run) -> None:
        """Who owns a file can write it."""
        os.chown(config, 1234, -1)
        assert "belongs to somebody else" in run("list", "--profile", "lab").err

    @pytest.mark.parametrize(
        "text",
        [
            "a = " + "[" * 5000 + "]" * 5000,
            "a = " + "{b = " * 5000 + "1" + "}" * 5000,
            "[" + ".".join(["a"] * 5000) + "]",
            "a = " + "9" * 5000,
            "a = 2024-99-99",
            "\x00",
            "a" * 1_000_001,
            "profiles = [[[[1]]]]",
            "[profiles]\nlab = 1",
            "[profiles.lab]\nsim = [[[1]]]",
        ],
        ids=lambda text: text[:8],
    )
    def test_nonsense_is_an_error_in_a_sentence(self, config: Path, run: Run, text: str) -> None:
        """However deep, large or odd it is."""
        config.write_text(text)
        ran = run("list", "--profile", "lab")
        assert ran.code == 2
        assert str(config) in ran.err


@pytest.mark.usefixtures("umask")
def test_folders_are_ours_alone(tmp_path: Path, run: Run) -> None:
    """The sim's, the state's and the journals', whatever the umask."""
    lab, state = tmp_path / "own", tmp_path / "a" / "state"
    for words in (["eth", "set", "ens38", "--mtu", "1400"], ["apply", "--yes"]):
        assert run("--sim", str(lab), "--state-dir", str(state), *words).code == 0
    folders = [lab, state, state / "journals", state / "journals" / "pve1"]
    assert [mode(folder) for folder in folders] == [0o700] * 4
    assert {mode(path) for path in (state / "journals" / "pve1").iterdir()} == {0o600}


def test_folders_that_were_open_are_closed(lab: Path, run: Run) -> None:
    """Those of an older version."""
    journals = lab / ".pvenet" / "journals"
    (journals / "pve1").mkdir(parents=True)
    for folder in (journals, journals / "pve1"):
        folder.chmod(0o777)
    run("eth", "set", "ens38", "--mtu", "1400")
    assert [mode(folder) for folder in (journals, journals / "pve1")] == [0o700, 0o700]


@pytest.mark.usefixtures("cluster", "file")
class TestLinks:
    """What somebody left in a folder that others can write."""

    @pytest.fixture
    def victim(self, tmp_path: Path) -> Path:
        path = tmp_path / "victim"
        path.write_text("mine")
        return path

    @pytest.fixture
    def elsewhere(self, tmp_path: Path) -> Path:
        path = tmp_path / "elsewhere"
        path.mkdir()
        return path

    def test_a_plan_is_not_written_through_one(self, shared: Path, victim: Path, run: Run) -> None:
        """`plan -o` where a link stands."""
        (shared / "net.plan").symlink_to(victim)
        ran = run("plan", "-o", str(shared / "net.plan"))
        assert ran.code == 2
        assert "is a link in a folder that others can write" in ran.err
        assert victim.read_text() == "mine"
        assert run("plan", "-o", str(shared / "new.plan")).code == 0
        os.link(victim, shared / "hard.plan")
        assert run("plan", "-o", str(shared / "hard.plan")).code == 2
        assert victim.read_text() == "mine"

    def test_a_link_of_ones_own_is_followed(self, tmp_path: Path, victim: Path, run: Run) -> None:
        """In a folder that nobody else can write."""
        (tmp_path / "net.plan").symlink_to(victim)
        assert run("plan", "-o", str(tmp_path / "net.plan")).code == 0
        assert "pvenet_plan" in victim.read_text()

    @pytest.mark.parametrize(
        "command", [["list"], ["sim", "init", "{lab}", "--node", "pve2"], ["sim", "check", "{lab}"]]
    )
    def test_a_sim_is_not_made_behind_one(self, shared: Path, elsewhere: Path, run: Run, command: list[str]) -> None:
        """The folder itself."""
        (shared / "lab").symlink_to(elsewhere)
        words = [word.format(lab=shared / "lab") for word in command]
        place = [] if "sim" in command else ["--sim", str(shared / "lab")]
        ran = run(*place, *words)
        assert ran.code == 2
        assert list(elsewhere.iterdir()) == []

    @pytest.mark.parametrize("name", [".lock", "sim.json", "users.json", ".sim.json.draft", ".pvenet"])
    def test_a_sim_writes_through_none_in_it(self, shared: Path, victim: Path, run: Run, name: str) -> None:
        """A folder that somebody prepared."""
        lab = shared / "lab"
        lab.mkdir()
        lab.chmod(0o777)
        (lab / name).symlink_to(victim)
        ran = run("--sim", str(lab), "eth", "set", "ens38", "--mtu", "1400")
        assert ran.code == 2
        assert "is a link in a folder that others can write" in ran.err
        assert victim.read_text() == "mine"

    def test_a_state_folder_is_not_made_behind_one(self, shared: Path, elsewhere: Path, run: Run) -> None:
        """At any depth of the path."""
        (shared / "state").symlink_to(elsewhere)
        for path in (shared / "state", shared / "state" / "deep" / "er"):
            ran = run("--state-dir", str(path), "--node", "pve1", "eth", "set", "ens38", "--mtu", "1400")
            assert ran.code == 1
            assert "is a link in a folder that others can write" in ran.err
        assert list(elsewhere.iterdir()) == []

    def test_a_lock_is_not_opened_through_one(self, lab: Path, victim: Path, run: Run) -> None:
        """It is made under a name that everybody knows."""
        folder = lab / ".pvenet" / "journals" / "pve1"
        folder.mkdir(parents=True)
        (folder / "lock").symlink_to(victim)
        ran = run("--node", "pve1", "eth", "set", "ens38", "--mtu", "1400")
        assert ran.code == 1
        assert "symbolic links" in ran.err
        assert victim.read_text() == "mine"

    def test_a_journal_is_not_written_through_one(self, lab: Path, victim: Path, run: Run) -> None:
        """Its draft has a name that whoever saw the journal knows, from when the folder was open."""
        run("--node", "pve1", "eth", "set", "ens38", "--mtu", "1400")
        folder = lab / ".pvenet" / "journals" / "pve1"
        folder.chmod(0o777)
        next(folder.glob("*.json")).with_suffix(".new").symlink_to(victim)
        ran = run("--node", "pve1", "eth", "set", "ens38", "--mtu", "1300")
        assert ran.code == 1
        assert "can't be written" in ran.err
        assert victim.read_text() == "mine"

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_a_file_of_somebody_else_is_not_written_into(self, shared: Path, run: Run) -> None:
        """They could change the plan afterwards."""
        theirs = shared / "net.plan"
        theirs.write_text("")
        os.chown(theirs, 1234, -1)
        ran = run("plan", "-o", str(theirs))
        assert ran.code == 2
        assert theirs.read_text() == ""


@pytest.mark.usefixtures("cluster", "file")
class TestNonsense:
    """Plans and network files that nobody wrote with pvenet."""

    @pytest.mark.parametrize("place", ["node", "interface", "comment", "id", "against"])
    def test_half_a_letter_in_a_plan(self, tmp_path: Path, run: Run, place: str) -> None:
        """A lone surrogate is no text; the plan was changed."""
        path = tmp_path / "net.plan"
        assert run("plan", "-o", str(path)).code == 0
        data = json.loads(path.read_text())
        entry = data["nodes"][0]
        name = next(iter(entry["desired"]))
        if place == "node":
            entry["node"] = "pve\ud800"
        elif place == "interface":
            entry["desired"]["br\udcff"] = entry["desired"].pop(name)
        elif place == "comment":
            entry["desired"][name]["comments"] = "x\udcff"
        elif place == "id":
            data["id"] = "\udcff"
        else:
            entry["against"] = "\udcff"
        path.write_text(json.dumps(data))
        ran = run("apply", str(path), "--yes")
        assert ran.code in (2, 3, 7)
        assert "bug in pvenet" not in ran.err
        assert "Traceback" not in ran.err

    @pytest.mark.parametrize(
        "text",
        [
            "nodes: " + "[" * 100_000,
            "nodes: " + "{a: " * 100_000,
            "".join(" " * depth + "a:\n" for depth in range(1500)),
            "- " * 50_000,
            "? " * 50_000,
            "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
            + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9)),
            "a: &a\n  b: *a",
            'nodes: {pve1: {vmbr9: {type: bridge, comments: "\\ud800"}}}',
            "nodes: {pve1: {vmbr9: {type: bridge, mtu: " + "9" * 5000 + "}}}",
            "!!python/object/apply:os.system [id]",
            "x" * 2_000_001,
            "\ufeff\ufeff",
            "%TAG ! tag:x,2000:\n---\na",
        ],
        ids=lambda text: text[:10].encode("unicode_escape").decode(),
    )
    def test_a_network_file_of_hostile_shape(self, tmp_path: Path, run: Run, text: str) -> None:
        """Deep, large, recursive or odd: told, by its place where it has one."""
        path = tmp_path / "evil.yaml"
        path.write_text(text)
        for words in (["check"], ["plan"]):
            ran = run(*words, "-f", str(path))
            assert ran.code in (2, 3)
            assert "bug in pvenet" not in ran.err


@pytest.mark.parametrize("text", ["[" * 100_000, "\udcff", "{", "[]"])
def test_a_broken_sim_is_an_error_in_a_sentence(lab: Path, run: Run, text: str) -> None:
    """Its configuration is a file that a person edits."""
    (lab / "sim.json").write_bytes(text.encode("utf8", "surrogateescape"))
    for words in (["list"], ["sim", "show", str(lab)], ["sim", "check", str(lab)]):
        ran = run(*words)
        assert "bug in pvenet" not in ran.err
        assert ran.code == 0 or "sim.json" in ran.err  # a look need not read it


class TestTimes:
    """Seconds that are none."""

    @pytest.mark.usefixtures("lab")
    @pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-1", "0", "1e300", "NaN", "infinity"])
    def test_are_usage_errors(self, run: Run, text: str) -> None:
        """Of each option, before anything is asked or sent."""
        for words in (["apply", "--timeout"], ["apply", "--confirm-within"], ["rollback", "--timeout"]):
            ran = run(*words, text, "--yes")
            assert ran.code == 2
            assert "seconds" in ran.err

    @pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, -1.0, 0.0, 1e300])
    def test_are_refused_by_the_library(self, seconds: float) -> None:
        """Where the options are made."""
        with pytest.raises(errors.UsageError):
            ApplyOptions(timeout=seconds)
        with pytest.raises(errors.UsageError):
            ApplyOptions(confirm_within=seconds)
