"""scripts/record: what it refuses, and how it leaves a node."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from recorded_node import INTERFACES, NICS, SECRET, RecordedNode, stage_of
from recording import cli, stage
from recording.caller import Caller, Trouble
from waiting import HANGS, until

from pvenet.sim.state import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedNode]:
    lab = RecordedNode(tmp_path / "lab", monkeypatch)
    with lab.server:
        yield lab


def refused(lab: RecordedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is said where nothing is recorded."""
    assert lab.record(tmp_path / "out", *words) == 1
    assert not (tmp_path / "out").exists()
    return capsys.readouterr().err


def test_pending_changes_are_left_alone(lab: RecordedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A node with pending changes is refused, they are shown, and they stay."""
    text = INTERFACES + "\nauto vmbr5\niface vmbr5 inet manual\n\tbridge-ports none\n"
    lab.node.stage(text)
    said = refused(lab, tmp_path, capsys, "update")
    assert "kassel7 has pending changes that are not the recorder's" in said
    assert "+auto vmbr5" in said
    assert lab.node.staged.read_text() == text


def test_interfaces_in_the_way_are_named(lab: RecordedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A node that has what a scene would make is refused, and keeps it."""
    lab.node.interfaces.write_text(INTERFACES + "\nauto vmbr90\niface vmbr90 inet manual\n\tbridge-ports none\n")
    before = lab.node.interfaces.read_text()
    assert "kassel7 has vmbr90, which scene walkthrough would make" in refused(lab, tmp_path, capsys, "walkthrough")
    assert lab.node.interfaces.read_text() == before


@pytest.mark.parametrize(
    ("stanza", "reason"),
    [
        ("iface vmbr7 inet manual\n\tbridge-ports eno1 eno2 enp5s0\n", "eno1 is used by vmbr7"),
        ("iface eno1 inet dhcp\n\niface eno2 inet dhcp\n\niface enp5s0 inet dhcp\n", "eno1 is not manual"),
        ("iface eno1 inet6 auto\n\niface eno2 inet6 auto\n\niface enp5s0 inet6 auto\n", "eno1 is not manual"),
        (
            "".join(f"iface {nic} inet static\n\taddress 10.7.7.{n}/24\n\n" for n, nic in enumerate(NICS)),
            "eno1 has an address",
        ),
        (
            "".join(f"iface {nic} inet manual\n\tpost-up true\n\n" for nic in NICS),
            "eno1 has options that an update could lose",
        ),
        ("iface eno1.5 inet manual\n\niface eno2.5 inet manual\n\niface enp5s0.5 inet manual\n", "used by eno1.5"),
    ],
)
def test_nics_in_use_are_not_taken(
    lab: RecordedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], stanza: str, reason: str
) -> None:
    """A scene takes no NIC that something stands on, and says who does."""
    named = set(re.findall(r"^iface (\S+) inet ", stanza, re.MULTILINE))
    rest = re.sub(r"iface (\S+) inet manual\n\n", lambda found: "" if found[1] in named else found[0], INTERFACES)
    lab.node.interfaces.write_text(rest + "\n" + stanza)
    said = refused(lab, tmp_path, capsys, "walkthrough")
    assert "needs 2 spare NICs" in said
    assert reason in said


@pytest.mark.parametrize(
    ("nics", "reason"), [("eno1,eno5", "eno5 is used by vmbr0"), ("eno1,eno9", "eno9 is no NIC there")]
)
def test_named_nics_must_be_spare(
    lab: RecordedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], nics: str, reason: str
) -> None:
    """NICs that are named are checked as well."""
    assert reason in refused(lab, tmp_path, capsys, "walkthrough", "--nics", nics)


def test_a_vm_names_its_nics(lab: RecordedNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The NICs that the environment names are used, in its order."""
    monkeypatch.setenv("PVENET_LIVE_NICS", "enp5s0,eno2,eno1")
    assert lab.record(tmp_path / "out", "refusals") == 0
    told = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert told["scenes"]["refusals"]["nics"] == {"a": "enp5s0", "b": "eno2"}


def test_somebody_elses_edit_stays(
    lab: RecordedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody else stages meanwhile, the recorder stops, reverts nothing, and says what may be left."""
    look, looks = stage.Stage.look, []

    def looked(self: stage.Stage) -> stage.View:
        looks.append(1)
        if len(looks) == 6:
            text = lab.node.text().replace("iface eno5 inet manual\n", "iface eno5 inet manual\n\tmtu 1400\n")
            lab.node.stage(text)
        return look(self)

    monkeypatch.setattr(stage.Stage, "look", looked)
    said = refused(lab, tmp_path, capsys, "update")
    assert "not what the recorder staged last" in said
    assert "nothing was reverted" in said
    assert "bond90" in said
    assert "mtu 1400" in lab.node.staged.read_text()


@pytest.mark.parametrize("number", range(2, 19, 4))
def test_an_interrupted_scene_is_put_back(
    lab: RecordedNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Ctrl-C between any two requests leaves the node as it was, and writes no file."""
    from recording.play import Player

    step, steps = Player._step, []

    def interrupted(self: Player, asked: Any) -> dict[str, Any]:
        steps.append(asked.name)
        if len(steps) == number:
            raise KeyboardInterrupt
        return step(self, asked)

    monkeypatch.setattr(Player, "_step", interrupted)
    before = stage_of(lab)
    assert lab.record(tmp_path / "out", "walkthrough") == 130
    assert stage_of(lab) == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("happens", [True, False])
@pytest.mark.parametrize("number", range(1, 7))
def test_a_write_without_an_answer_is_put_back(
    lab: RecordedNode,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    happens: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """Ctrl-C while a write is under way leaves the node as it was, whether the node has still got it or not."""
    ask, writes = Caller.ask, []

    def cut(self: Caller, method: str, *rest: Any) -> Any:
        if method != "GET":
            writes.append(method)
            if len(writes) == number:
                if happens:
                    ask(self, method, *rest)
                raise KeyboardInterrupt
        return ask(self, method, *rest)

    monkeypatch.setattr(Caller, "ask", cut)
    before = stage_of(lab)
    lab.nature(reload_seconds=0.4 if number == 3 else 0.05)  # the third is the reload: a second one would miss it
    assert lab.record(tmp_path / "out", "walkthrough") == 130
    assert stage_of(lab) == before
    assert not {"bond90", "vmbr90"} & set(lab.node.machine().made)


def test_a_second_interrupt_says_what_may_be_left(
    lab: RecordedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever interrupts the putting back is told what may be left behind."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage.Stage, "wait", interrupted)
    said = refused(lab, tmp_path, capsys, "walkthrough")
    assert "interrupted while the node was put back" in said
    assert "may have left bond90, vmbr90 on kassel7" in said


def test_what_went_wrong_is_told_where_putting_back_fails_too(
    lab: RecordedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a scene failed with is told before what may be left behind."""
    from recording.play import Player

    def failing(*_: object) -> None:
        raise KeyError("no such word")

    def stuck(*_: object) -> None:
        raise Trouble("kassel7 does not answer")

    monkeypatch.setattr(Player, "_after_reload", failing)
    monkeypatch.setattr(stage.Stage, "restore", stuck)
    said = refused(lab, tmp_path, capsys, "walkthrough")
    assert "KeyError('no such word')\nkassel7 does not answer\n" in said
    assert "may have left bond90, vmbr90 on kassel7" in said


def test_a_killed_recorder_puts_the_node_back(lab: RecordedNode, tmp_path: Path) -> None:
    """A SIGTERM in the middle of a scene is an interrupt: the node is as it was."""
    before = stage_of(lab)
    lab.nature(reload_seconds=0.5)
    words = [sys.executable, "-m", "recording", "walkthrough", "--kind", "sim", "--out", str(tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": str(Path(cli.__file__).parent.parent)}
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as recorder:
        until(lambda: list(lab.node.tasks.iterdir()))
        recorder.terminate()
        _, said = recorder.communicate(timeout=HANGS)
    assert (recorder.returncode, said) == (130, "interrupted; the node is as it was\n")
    assert stage_of(lab) == before


@pytest.mark.parametrize(
    ("privileges", "said"),
    [
        (["Sys.Audit", "Sys.Modify"], "the token lacks SDN.Audit on /sdn/zones/localnetwork; nothing was sent"),
        (["SDN.Use", "Sys.Audit"], "the token lacks Sys.Modify on /nodes/kassel7; nothing was sent"),
    ],
)
def test_a_token_must_see_what_it_makes(
    lab: RecordedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], privileges: list[str], said: str
) -> None:
    """A token from which PVE hides bridges would leave them behind, so nothing is played with it."""
    path = lab.sim.folder / "users.json"
    users = json.loads(path.read_text())
    users["acl"][0]["privileges"] = privileges
    write_json(path, users)
    assert said in refused(lab, tmp_path, capsys, "walkthrough")


def test_nothing_is_written_that_tells_a_secret(
    lab: RecordedNode, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scene in which the scrubbing has overlooked something is not written."""
    monkeypatch.setattr("recording.scrub.IPV4", re.compile("nothing"))
    said = refused(lab, tmp_path, capsys, "update")
    assert "it would tell: public address 95.216..." in said


@pytest.mark.parametrize(
    ("names", "words", "said"),
    [
        (["PVENET_ENDPOINT"], (), "set PVENET_ENDPOINT, or --endpoint"),
        (["PVENET_TOKEN_SECRET"], (), "set PVENET_TOKEN_SECRET"),
        (["PVENET_FINGERPRINT"], (), "certificate that is not trusted"),
        (
            [],
            ("--endpoint", "http://pve.example.com:8006"),
            "would send the credentials to pve.example.com",
        ),
        ([], ("--endpoint", "https://127.0.0.1:9"), "gives no answer to GET /version"),
        ([], ("--node", "pve9"), "name the node with --node or PVENET_NODE: kassel7"),
        ([], ("nonsense",), "there is no scene nonsense"),
    ],
)
def test_what_is_missing_is_said(  # noqa: PLR0913, PLR0917  what is asked, and what is said
    lab: RecordedNode,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    words: tuple[str, ...],
    said: str,
) -> None:
    """Without a place, a token, trust, a node or a scene, one line says which."""
    for name in names:
        monkeypatch.delenv(name)
    error = refused(lab, tmp_path, capsys, *words)
    assert said in error
    assert SECRET not in error


def test_the_sim_is_no_fixture(lab: RecordedNode, capsys: pytest.CaptureFixture[str]) -> None:
    """A recording of the sim does not end among the fixtures by itself."""
    assert lab.server.endpoint.url
    assert cli.main(["--kind", "sim"]) == 1
    assert "proves nothing about PVE" in capsys.readouterr().err
