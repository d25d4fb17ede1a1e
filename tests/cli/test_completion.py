"""What is offered at a TAB, and that nothing is sent, said or asked for it."""

from __future__ import annotations

import errno
import json
import os
import stat
import time
from typing import TYPE_CHECKING

import pytest
from recorder import set_nature

from pvenet import cli, connection
from pvenet.cli import completion
from pvenet.cli.answer import FORGED, FORMATS
from pvenet.cli.fault_names import FAULTS
from pvenet.cli.pages import topics
from pvenet.recent import LIFETIME
from pvenet.settings import secrets
from pvenet.sim.faults import KINDS
from pvenet.sim.server import Server
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]
    Offers = Callable[..., list[str]]


@pytest.fixture
def offers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Offers:
    """What bash is offered for the last of these words; nothing may be sent, asked or said meanwhile."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a TAB sends nothing and fetches no secret")

    def go(*words: str) -> list[str]:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setenv("_PVENET_COMPLETE", "complete_bash")
            patch.setenv("COMP_WORDS", "\n".join(("pvenet", *words)))
            patch.setenv("COMP_CWORD", f"{len(words)}")
            patch.setattr(connection.Connection, "_send", never)
            patch.setattr(secrets, "credentials", never)
            with pytest.raises(SystemExit) as ended:
                cli.main([])
        told = capsys.readouterr()
        assert (ended.value.code, told.err) == (0, "")
        return told.out.split()

    return go


@pytest.fixture
def served(lab: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The lab over HTTPS, which the environment names in its stead."""
    monkeypatch.delenv("PVENET_SIM")
    with Server(lab) as server:
        at = server.endpoint
        monkeypatch.setenv("PVENET_ENDPOINT", at.url)
        monkeypatch.setenv("PVENET_TOKEN_ID", at.token_id)
        monkeypatch.setenv("PVENET_TOKEN_SECRET", at.token_secret)
        monkeypatch.setenv("PVENET_FINGERPRINT", at.fingerprint or "")
        yield server


def kept(tmp_path: Path) -> list[Path]:
    """The files of names in the state folder."""
    return sorted((tmp_path / "state" / "pvenet" / "completion").glob("*/*"))


class TestInterfaces:
    """Names of interfaces, of a simulated node by its files."""

    @pytest.fixture(autouse=True)
    def bond(self, lab: Path, run: Run) -> None:  # noqa: ARG002 - where the commands go
        """A bond is staged, and a VLAN on it."""
        assert run("bond", "create", "--slaves", "ens38,ens39").code == 0
        assert run("vlan", "create", "--raw-device", "bond0", "--tag", "50", "--cidr", "10.0.50.21/24").code == 0

    def test_each_command_offers_its_own_kind(self, offers: Offers) -> None:
        """What is staged, too; and `show` all of them."""
        assert offers("bond", "set", "") == offers("bond", "delete", "b") == ["bond0"]
        assert offers("bridge", "delete", "") == ["vmbr0"]
        assert offers("vlan", "set", "") == ["bond0.50"]
        assert offers("eth", "set", "ens3") == ["ens33", "ens37", "ens38", "ens39"]
        assert {"ens33", "bond0", "bond0.50", "vmbr0"} <= set(offers("show", ""))
        assert offers("guests", "") == ["vmbr0"]
        assert offers("links", "bond0", "bond") == ["bond0.50"]

    def test_only_nics_that_are_free_become_slaves(self, offers: Offers) -> None:
        """Nobody's port or slave, or those of the bond itself; and a new name behind a comma, or a repeated option."""
        assert offers("bond", "create", "--slaves", "") == ["ens37", "ens40", "ens41"]
        assert offers("bond", "create", "--slaves", "ens40,") == ["ens40,ens37", "ens40,ens41"]
        assert offers("bond", "create", "--slaves", "ens40", "--slaves", "") == ["ens37", "ens41"]
        assert offers("bond", "set", "bond0", "--slaves", "ens38,ens3") == ["ens38,ens37", "ens38,ens39"]

    def test_ports_are_free_and_without_an_address(self, offers: Offers) -> None:
        """A bond may be one, and a VLAN with an address may not; the bridge's own ports stay."""
        assert offers("bridge", "create", "--ports", "") == ["ens37", "ens40", "ens41", "bond0"]
        assert offers("bridge", "set", "vmbr0", "--ports", "ens3") == ["ens33", "ens37"]

    def test_what_stands_on_others_offers_these(self, offers: Offers) -> None:
        """A primary is one of the slaves, also of those that the line names; a raw device is nobody's slave."""
        assert offers("bond", "set", "bond0", "--primary", "") == ["ens38", "ens39"]
        assert offers("bond", "create", "--slaves", "ens40,ens41", "--primary", "") == ["ens40", "ens41"]
        assert offers("vlan", "create", "--raw-device", "") == ["ens37", "ens40", "ens41", "bond0", "vmbr0"]

    def test_where_stands_before_or_after_the_command(
        self, lab: Path, offers: Offers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An option, in either place, as bash takes it apart, and as the shell has not expanded it."""
        monkeypatch.delenv("PVENET_SIM")
        monkeypatch.setenv("HOME", f"{lab.parent}")
        assert offers("bond", "set", "") == []
        assert offers("--sim", f"{lab}", "bond", "set", "") == ["bond0"]
        assert offers("bond", "set", "--sim", f"{lab}", "") == ["bond0"]
        assert offers("--sim", "=", f"{lab}", "bond", "set", "") == ["bond0"]
        assert (
            offers("--sim", "~/lab", "bond", "set", "") == offers("--sim", "$HOME/lab", "bond", "set", "") == ["bond0"]
        )
        assert offers("--sim", f"{lab.parent / 'none'}", "bond", "set", "") == []
        assert not (lab.parent / "none").exists()

    def test_looking_leaves_the_simulated_node_as_it_is(self, lab: Path, offers: Offers) -> None:
        """No file changes, none is made, no lock is waited for, and a reload that runs goes on."""
        set_nature(lab, reload_seconds=60.0)
        before = {path: path.stat().st_mtime_ns for path in lab.rglob("*")}
        with Sim(lab).held():
            assert offers("bond", "set", "") == ["bond0"]
        assert {path: path.stat().st_mtime_ns for path in lab.rglob("*")} == before

    def test_a_folder_without_its_machine_has_the_names_of_its_file(self, lab: Path, offers: Offers) -> None:
        """As one that came out of git; nothing is written for it."""
        (lab / "pve1" / "machine.json").unlink()
        assert {"ens33", "bond0", "vmbr0"} <= set(offers("show", ""))
        assert not (lab / "pve1" / "machine.json").exists()

    @pytest.mark.parametrize("name", ["a$(id)", "x`id`", "a'b", "-x", "b;c", "*"])
    def test_a_name_that_a_shell_would_take_apart_is_not_offered(
        self, interfaces: Path, offers: Offers, name: str
    ) -> None:
        """Zsh evaluates what it is handed, and bash expands it."""
        interfaces.with_name("interfaces.new").unlink()
        interfaces.write_text(f"{interfaces.read_text()}\niface {name} inet manual\n\tbond-slaves none\n")
        assert "ens33" in offers("show", "")
        assert name not in offers("show", "")


class TestOtherWords:
    """Nodes, profiles, journals, fields, and words that are always the same."""

    @pytest.mark.usefixtures("cluster")
    def test_nodes_are_those_of_the_place(self, offers: Offers) -> None:
        """Several with commas where an option takes several; interfaces are those of the node that is named."""
        assert offers("list", "--node", "") == offers("apply", "--canary", "") == ["pve1", "pve2", "pve3"]
        assert offers("--node", "pve1,pve") == ["pve1,pve2", "pve1,pve3"]
        assert offers("bridge", "set", "") == []  # of which of them is not known
        assert offers("bridge", "set", "--node", "pve2", "") == ["vmbr0"]

    def test_profiles_are_all_that_there_are(self, tmp_path: Path, offers: Offers, lab: Path) -> None:
        """Of both files; one of them says where the line goes, and none is offered where a file is wrong."""
        folder = tmp_path / "config" / "pvenet"
        (folder / "profiles.d").mkdir(parents=True)
        (folder / "config.toml").write_text(f"[profiles.lab]\nsim = '{lab}'\ntoken_command = 'false'\n")
        (folder / "profiles.d" / "pve1.toml").write_text("[profiles.pve1]\nendpoints = ['https://pve1:8006']\n")
        assert offers("--profile", "") == offers("logout", "") == offers("login", "--name", "") == ["lab", "pve1"]
        assert offers("--profile", "lab", "bridge", "set", "") == ["vmbr0"]
        assert offers("--profile", "pve1", "bridge", "set", "") == []
        (folder / "config.toml").write_text("[")
        assert offers("--profile", "") == []

    def test_profiles_behind_a_comma_lead_to_all_their_places(self, tmp_path: Path, offers: Offers) -> None:
        """One that was named is not offered again; nodes are those of all of them, and interfaces those of one."""
        file = tmp_path / "config" / "pvenet" / "config.toml"
        file.parent.mkdir(parents=True)
        file.write_text("".join(f"[profiles.{name}]\nsim = '{tmp_path / name}'\nstate_dir = 'x'\n" for name in "abc"))
        for name, node in (("a", "n1"), ("b", "n2")):
            Sim.init(
                tmp_path / name,
                node=node,
                interfaces=f"iface lo inet loopback\niface br{node} inet manual\n\tbridge-ports none\n",
            )
        assert offers("--profile", "a,") == ["a,b", "a,c"]
        assert offers("--profile", "a,b", "--node", "") == ["n1", "n2"]
        assert offers("--profile", "a,b", "bridge", "set", "--node", "n2", "") == ["brn2"]
        assert offers("--profile", "a,b", "bridge", "set", "") == []

    @pytest.mark.usefixtures("lab")
    def test_journals_are_those_of_this_place(self, run: Run, tmp_path: Path, offers: Offers) -> None:
        """A node of the same name elsewhere, whose journals lie in the same folder, has its own."""
        state = ("--state-dir", f"{tmp_path / 'journals'}")
        assert run(*state, "bond", "create", "--slaves", "ens38,ens39").code == 0
        here = [path.stem for path in (tmp_path / "journals" / "journals" / "pve1").glob("*.json")]
        assert offers(*state, "rollback", "") == here
        other = f"{tmp_path / 'other'}"
        assert run("sim", "init", other).code == 0
        assert offers(*state, "--sim", other, "rollback", "") == []
        assert len(here) == 1

    def test_fields_that_can_be_cleared_are_those_of_the_kind(self, offers: Offers) -> None:
        """Spelled as the options are, with commas."""
        assert offers("bridge", "set", "vmbr0", "--clear", "v") == ["vlan-aware", "vids"]
        assert offers("bond", "set", "--clear", "mtu,xm") == ["mtu,xmit-hash-policy"]
        assert "mode" not in offers("bond", "set", "--clear", "")

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            (("bond", "create", "--mode", "balance-x"), ["balance-xor"]),
            (("ovs-bond", "create", "--mode", "lacp-balance-t"), ["lacp-balance-tcp"]),
            (("bond", "create", "--xmit-hash-policy", "layer3"), ["layer3+4"]),
            (("apply", "--verify", ""), ["auto", "kernel", "flags"]),
            (("apply", "--on-failure", ""), ["rollback", "keep"]),
            (("apply", "--require", "lacp,"), ["lacp,carrier"]),
            (("apply", "--allow-guests", ""), ["all"]),
            (("login", "--store", ""), ["keyring", "file"]),
            (("list", "--fault", "drop-"), ["drop-after@", "drop-before@"]),
            (("list", "--fault", "del"), ["delay="]),
        ],
    )
    def test_words_that_are_always_the_same(self, offers: Offers, words: tuple[str, ...], found: list[str]) -> None:
        """No node is needed for them."""
        assert offers(*words) == found

    def test_every_fault_is_offered(self) -> None:
        """With `=` where it has to have a value, else with the `@` of its place."""
        assert sorted(FAULTS) == sorted(
            f"{name}{'@' if kind.value[:1] in ('', '[') else '='}" for name, kind in KINDS.items()
        )


class TestOverTheNetwork:
    """What commands have met is offered for some minutes, and nobody is asked."""

    def test_a_list_feeds_what_is_offered(self, served: Server, run: Run, offers: Offers, tmp_path: Path) -> None:
        """Nothing before; then nodes and interfaces, in files that are their owner's alone and hold no secret."""
        assert offers("bridge", "set", "") == offers("--node", "") == []
        assert run("list").code == 0
        assert (offers("bridge", "set", ""), offers("--node", "")) == (["vmbr0"], ["pve1"])
        files = kept(tmp_path)
        assert [(path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) for path in files] == [
            (stat.S_IRUSR | stat.S_IWUSR, stat.S_IRWXU)
        ] * 2
        text = "".join(path.read_text() for path in files)
        at = served.endpoint
        assert not any(word in text for word in (at.token_secret, at.token_id, "192.168.171"))

    @pytest.mark.usefixtures("served")
    def test_so_does_staging(self, run: Run, offers: Offers) -> None:
        """A bond that was just created is there to be changed."""
        assert run("bond", "create", "--slaves", "ens38,ens39").code == 0
        assert offers("bond", "set", "") == ["bond0"]
        assert offers("bond", "create", "--slaves", "") == ["ens37", "ens40", "ens41"]

    @pytest.mark.usefixtures("served")
    def test_a_dry_run_keeps_no_names(self, run: Run, tmp_path: Path) -> None:
        """It writes nothing into the state folder."""
        assert run("bond", "create", "--slaves", "ens38,ens39", "--dry-run").code == 0
        assert kept(tmp_path) == []

    @pytest.mark.usefixtures("cluster", "served")
    def test_what_names_several_nodes_feeds_their_names(self, run: Run, offers: Offers) -> None:
        """The command that asks for --node has met them."""
        assert run("list").code == 2
        assert offers("list", "--node", "") == ["pve1", "pve2", "pve3"]

    @pytest.mark.usefixtures("cluster", "served")
    def test_what_reads_all_nodes_feeds_the_interfaces_of_each(self, run: Run, offers: Offers) -> None:
        """Over whichever of its connections."""
        assert run("export").code == 0
        assert [offers("--node", name, "bridge", "set", "") for name in ("pve1", "pve3")] == [["vmbr0"]] * 2

    @pytest.mark.usefixtures("served")
    def test_another_place_or_caller_has_names_of_its_own(
        self, run: Run, offers: Offers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where its node has the same name."""
        assert run("list").code == 0
        assert (
            offers("--endpoint", "https", ":", "//127.0.0.2", ":", "8006", "--node", "pve1", "bridge", "set", "") == []
        )
        monkeypatch.setenv("PVENET_TOKEN_ID", "nobody@pve!none")
        assert offers("bridge", "set", "") == []

    @pytest.mark.usefixtures("served")
    @pytest.mark.parametrize("age", [LIFETIME + 1, -3600.0])
    def test_what_is_old_is_forgotten(self, run: Run, offers: Offers, tmp_path: Path, age: float) -> None:
        """It is not offered, also where a clock was set back, and the next command removes its file."""
        assert run("list").code == 0
        for path in kept(tmp_path):
            os.utime(path, times=(time.time() - age,) * 2)
        assert offers("bridge", "set", "") == offers("--node", "") == []
        assert run("--node", "pve1", "show", "vmbr0").code == 0
        assert [path.name for path in kept(tmp_path)] == ["node-pve1.json"]

    @pytest.mark.usefixtures("served")
    @pytest.mark.parametrize("text", ["", "{", "[{}]", '[{"name": 1}]', "7", "[" * 99999, '{"a": 1}'])
    def test_a_file_that_is_broken_offers_nothing(self, run: Run, offers: Offers, tmp_path: Path, text: str) -> None:
        """And says nothing."""
        assert run("list").code == 0
        next(path for path in kept(tmp_path) if path.name == "node-pve1.json").write_text(text)
        assert offers("bridge", "set", "") == []

    @pytest.mark.usefixtures("served")
    def test_a_file_that_others_can_write_offers_nothing(self, run: Run, offers: Offers, tmp_path: Path) -> None:
        """It may be theirs."""
        assert run("list").code == 0
        for path in kept(tmp_path):
            path.chmod(0o666)
        assert offers("bridge", "set", "") == []

    @pytest.mark.usefixtures("served")
    def test_the_state_folder_itself_stays_as_it_is(self, run: Run, offers: Offers, tmp_path: Path) -> None:
        """It may be one that others use, too."""
        shared = tmp_path / "shared"
        shared.mkdir()
        shared.chmod(0o755)
        assert run("--state-dir", f"{shared}", "list").code == 0
        assert shared.stat().st_mode & 0o777 == 0o755
        assert offers("--state-dir", f"{shared}", "bridge", "set", "") == ["vmbr0"]

    @pytest.mark.usefixtures("served")
    def test_a_command_does_without_a_place_for_names(self, run: Run, tmp_path: Path) -> None:
        """A list is a list where its names can't be kept."""
        (tmp_path / "state").mkdir()
        (tmp_path / "state" / "pvenet").mkdir()
        (tmp_path / "state" / "pvenet" / "completion").write_text("")
        ran = run("list", "--json")
        assert (ran.code, ran.err) == (0, "")
        assert json.loads(ran.out)


class TestNothingIsSaid:
    """Whatever is wrong, a TAB is silent."""

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path, offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nor anything else that takes long."""
        monkeypatch.setattr(completion, "SECONDS", 0.05)
        (tmp_path / "config" / "pvenet").mkdir(parents=True)
        os.mkfifo(tmp_path / "config" / "pvenet" / "config.toml")
        assert offers("--profile", "") == []

    @pytest.mark.parametrize(
        "words",
        [
            ("--sim", "''", "bond", "set", ""),
            ("bond", "nonsense", "--mode", "z"),
            ("bond", "set", "'"),
            ("--endpoint", "a@b", "show", ""),
            ("--node", "$", "show", ""),
            ("--profile", "none", "show", ""),
        ],
    )
    def test_a_line_that_is_wrong_is_not_told(self, offers: Offers, words: tuple[str, ...]) -> None:
        """The command itself will say what is wrong with it."""
        assert offers(*words) == []

    def test_what_can_not_be_completed_at_all_ends_quietly(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever is raised on the way."""

        def fail(_: object) -> None:
            raise RuntimeError

        monkeypatch.setenv("_PVENET_COMPLETE", "complete_bash")
        monkeypatch.setattr("typer.main.get_command", fail)
        ran = run()
        assert (ran.code, ran.out, ran.err) == (1, "", "")


@pytest.mark.parametrize(
    ("apart", "current", "whole", "at"),
    [
        (["pvenet", "--sim", "=", "lab", "list", ""], 5, ["pvenet", "--sim=lab", "list", ""], 3),
        (["pvenet", "--slaves", "="], 2, ["pvenet", "--slaves="], 1),
        (["pvenet", "--slaves", "=", "ens3"], 3, ["pvenet", "--slaves=ens3"], 1),
        (
            ["pvenet", "--endpoint", "https", ":", "//h", ":", "8006", "li"],
            7,
            ["pvenet", "--endpoint", "https://h:8006", "li"],
            3,
        ),
        (["pvenet", "--fault", "torn", "@", "3", "list", ""], 6, ["pvenet", "--fault", "torn@3", "list", ""], 4),
        (["pvenet", "list", ""], 2, ["pvenet", "list", ""], 2),
    ],
)
def test_bash_words_are_put_together_again(apart: list[str], current: int, whole: list[str], at: int) -> None:
    """As they were typed, with the cursor in the same one."""
    assert completion.whole_words(apart, current) == (whole, at)


@pytest.mark.parametrize(
    ("given", "before"),
    [
        ({"COMP_WORDS": "pvenet\nbond\ncreate\n--mo", "COMP_CWORD": "3"}, ["bond", "create"]),
        ({"COMP_WORDS": "pvenet\nbond", "COMP_CWORD": "1"}, []),
        ({"_TYPER_COMPLETE_ARGS": "pvenet --sim 'my lab' bond cre"}, ["--sim", "my lab", "bond"]),
        ({"_TYPER_COMPLETE_ARGS": "pvenet bond "}, ["bond"]),
        ({"_TYPER_COMPLETE_ARGS": "pvenet --sim 'my la"}, []),
        ({}, []),
    ],
)
def test_the_words_before_the_cursor_say_which_command_is_loaded(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], before: list[str]
) -> None:
    """As bash hands them over, and as zsh and fish do; without the word that is being typed."""
    for name in ("COMP_WORDS", "COMP_CWORD", "_TYPER_COMPLETE_ARGS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert completion.before_cursor() == before


def test_a_word_that_is_a_command_is_completed_as_one_of_all(offers: Offers) -> None:
    """Until the cursor has left it, others may begin with it."""
    assert offers("l") == ["list", "links", "lint", "login", "logout"]
    assert offers("--node", "pve1", "bond", "c") == ["create"]


def test_help_completes_its_pages_and_the_commands() -> None:
    """A page with its title."""
    found = completion.topics(None)  # type: ignore[arg-type]
    assert {*topics().items(), "bond", "apply"} <= set(found)


@pytest.mark.parametrize(("command", "more"), [("list", ()), *FORGED.items()])
def test_the_formats_are_those_of_the_command(offers: Offers, command: str, more: tuple[str, ...]) -> None:
    """What it can print, and nothing that only others can."""
    assert offers(command, "--format", "") == [*FORMATS, *more]


def test_a_home_that_can_not_be_written_is_told_with_how_to_do_without(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named, and what prints the same; nothing leads to a node."""

    def refused(path: Path, *_: object, **__: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("typer._completion_shared._get_shell_name", lambda: "bash")
    monkeypatch.setattr(type(tmp_path), "write_text", refused)
    ran = run("--install-completion")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.split("\n\n") == [
        f"error: {tmp_path}/.bashrc can't be written, so completion is not installed: Read-only file system",
        "hint: `pvenet --show-completion` prints the script to load\n",
    ]
