"""scripts/record: what it writes down, what it keeps to itself, and how it leaves a node."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from live_replay import LIVE, LiveReplay, load
from recording import cli, stage
from recording.caller import Caller, Place
from recording.diff import scrub_diff
from recording.leaks import find
from recording.scenes import SCENES
from recording.scrub import Scrub

from pvenet.sim.server import Server
from pvenet.sim.state import Sim, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NODE = "kassel7"
TOKEN = "jane@corp!laptop"
SECRET = "0f5b7c1e-9a52-4c61-8f0d-6f0f4d1b2a37"
NICS = {"eno1": "enx3cecef123401", "eno2": "enx3cecef123402", "enp5s0": "", "enx3cecef123404": "", "eno5": ""}
INTERFACES = """auto lo
iface lo inet loopback

iface eno1 inet manual

iface eno2 inet manual

iface enp5s0 inet manual

iface enx3cecef123404 inet manual

iface eno5 inet manual

auto vmbr0
iface vmbr0 inet static
        address 95.216.12.34/26
        gateway 95.216.12.1
        bridge-ports eno5
        bridge-stp off
        bridge-fd 0
        post-up /root/announce.sh hunter2
#Uplink of Jane's hoster

iface vmbr0 inet6 static
        address 2a01:4f8:c0c:1234::2/64
        gateway fe80::1

source /etc/network/interfaces.d/*
"""
PRIVATE = (
    *(NODE, "jane", "laptop", SECRET, "95.216.12", "2a01:4f8", "3cecef", "3c:ec:ef", "hunter2", "Jane", "hoster"),
    "announce",
)


class Lab:
    """A simulated node that belongs to somebody, served, and the environment that leads to it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sim = Sim.init(folder, node=NODE, nics=tuple(NICS), interfaces=INTERFACES)
        self.node = self.sim.node(NODE)
        machine = self.node.machine()
        self.node.save(machine.but(nics={name: tuple(filter(None, [alt])) for name, alt in NICS.items()}))
        users = json.loads((folder / "users.json").read_text())
        users["users"]["jane@corp"] = {"password": "hunter2", "enabled": True}
        users["tokens"] = {TOKEN: {"secret": SECRET, "privsep": False, "expire": 0}}
        every = ["Sys.Audit", "Sys.Modify", "SDN.Audit", "SDN.Use"]
        users["acl"] = [{"path": "/", "who": "jane@corp", "privileges": every}]
        write_json(folder / "users.json", users)
        self.nature(reload_seconds=0.05)
        self.server = Server(folder)
        self.fingerprint = str(self.server.endpoint.fingerprint)
        for name, value in (
            ("ENDPOINT", self.server.endpoint.url),
            ("FINGERPRINT", self.fingerprint),
            ("TOKEN_ID", TOKEN),
            ("TOKEN_SECRET", SECRET),
        ):
            monkeypatch.setenv(f"PVENET_{name}", value)

    def nature(self, **switches: Any) -> None:
        path = self.sim.folder / "sim.json"
        write_json(path, json.loads(path.read_text()) | switches)

    def record(self, out: Path, *words: str) -> int:
        return cli.main([*words, "--kind", "sim", "--out", str(out)])


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "POLL_SECONDS", 0.02)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    lab = Lab(tmp_path / "lab", monkeypatch)
    with lab.server:
        yield lab


def without_seconds(path: Path) -> list[dict[str, Any]]:
    exchanges = load(path)
    for exchange in exchanges:
        assert exchange.pop("seconds") >= 0
    return exchanges


@pytest.mark.parametrize("scene", SCENES)
def test_two_recordings_of_a_node_are_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scene: str) -> None:
    """A scene that is recorded twice differs in nothing but seconds, whatever the server leaves to chance."""
    recorded, signed = [], []
    for name in ("one", "two"):
        lab = Lab(tmp_path / name, monkeypatch)
        lab.nature(random_order=True, reload_seconds=0.5 if scene == "double" else 0.05)
        with lab.server:
            assert lab.record(tmp_path / f"out-{name}", scene) == 0
        recorded.append(without_seconds(tmp_path / f"out-{name}" / f"{scene}.jsonl"))
        provenance = json.loads((tmp_path / f"out-{name}" / "provenance.json").read_text())
        assert provenance["scenes"][scene].pop("date").count("-") == 2
        signed.append(provenance)
    assert recorded[0] == recorded[1]
    assert signed[0] == signed[1]
    assert signed[0]["scenes"][scene]["requests"] == len(recorded[0])


@pytest.mark.parametrize("scene", SCENES)
def test_a_recording_tells_nothing_of_its_node(lab: Lab, tmp_path: Path, scene: str) -> None:
    """No secret, name, address, MAC or comment of the node stands in what is written, and the node is as it was."""
    lab.nature(reload_seconds=0.5 if scene == "double" else 0.05)
    before = stage_of(lab)
    assert lab.record(tmp_path / "out", scene) == 0
    for path in (tmp_path / "out").iterdir():
        text = path.read_text(encoding="utf-8")
        assert not [word for word in (*PRIVATE, lab.fingerprint) if word in text]
        assert not list(find(text))
    assert stage_of(lab) == before


def stage_of(lab: Lab) -> tuple[Any, bool]:
    """The node's configuration as the recorder looks at it, and whether something is staged."""
    place = Place(url=lab.server.endpoint.url, token_id=TOKEN, token_secret=SECRET, fingerprint=lab.fingerprint)
    caller = Caller(place)
    try:
        return stage.Stage(caller, NODE).look().configured(), lab.node.staged.exists()
    finally:
        caller.close()


@pytest.mark.parametrize("scene", SCENES)
def test_the_sim_answers_a_recording_of_it(lab: Lab, tmp_path: Path, scene: str) -> None:
    """A recording can be replayed on a sim that knows no more than the recording, without a difference."""
    lab.nature(reload_seconds=0.5 if scene == "double" else 0.05)
    assert lab.record(tmp_path / "out", scene) == 0
    replay = LiveReplay(tmp_path / "replay", load(tmp_path / "out" / f"{scene}.jsonl"))
    assert list(replay.differences()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [('"bond_miimon\\": \\"100', '"bond_miimon\\": \\"50'), ("TASK OK", "TASK ERROR"), ('"active": 1, ', "")],
)
def test_the_replay_notices(lab: Lab, tmp_path: Path, old: str, new: str) -> None:
    """A recording that says something else than the sim is a difference."""
    assert lab.record(tmp_path / "out", "walkthrough") == 0
    path = tmp_path / "out" / "walkthrough.jsonl"
    text = path.read_text(encoding="utf-8")
    old, new = old.replace("\\", ""), new.replace("\\", "")
    assert old in text
    exchanges = [json.loads(line) for line in text.splitlines()[:1]]
    exchanges += [json.loads(line.replace(old, new)) for line in text.splitlines()[1:]]
    assert list(LiveReplay(tmp_path / "replay", exchanges).differences())


def test_the_sim_answers_what_a_live_node_answered(told: Callable[[str], None], tmp_path: Path) -> None:
    """Every committed recording of a live node is answered alike by the sim."""
    paths = sorted(LIVE.rglob("*.jsonl"))
    told(f"recordings of live nodes: {len(paths)} scenes replayed")
    differences = [
        f"{path.relative_to(LIVE)}: {difference}"
        for number, path in enumerate(paths)
        for difference in LiveReplay(tmp_path / str(number), load(path)).differences()
    ]
    assert not differences, "\n".join(differences)


def refused(lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is said where nothing is recorded."""
    assert lab.record(tmp_path / "out", *words) == 1
    assert not (tmp_path / "out").exists()
    return capsys.readouterr().err


def test_pending_changes_are_left_alone(lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A node with pending changes is refused, they are shown, and they stay."""
    text = INTERFACES + "\nauto vmbr5\niface vmbr5 inet manual\n\tbridge-ports none\n"
    lab.node.stage(text)
    said = refused(lab, tmp_path, capsys, "update")
    assert "kassel7 has pending changes that are not the recorder's" in said
    assert "+auto vmbr5" in said
    assert lab.node.staged.read_text() == text


def test_interfaces_in_the_way_are_named(lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
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
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str], stanza: str, reason: str
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
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str], nics: str, reason: str
) -> None:
    """NICs that are named are checked as well."""
    assert reason in refused(lab, tmp_path, capsys, "walkthrough", "--nics", nics)


def test_somebody_elses_edit_stays(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
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
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
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


def test_nothing_is_written_that_tells_a_secret(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
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
        ([], ("--endpoint", "http://pve.example.com:8006"), "would send the token to pve.example.com in the clear"),
        ([], ("--endpoint", "https://127.0.0.1:9"), "gives no answer to GET /version"),
        ([], ("--node", "pve9"), "name the node with --node or PVENET_NODE: kassel7"),
        ([], ("nonsense",), "there is no scene nonsense"),
    ],
)
def test_what_is_missing_is_said(  # noqa: PLR0913, PLR0917  what is asked, and what is said
    lab: Lab,
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


def test_the_sim_is_no_fixture(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """A recording of the sim does not end among the fixtures by itself."""
    assert lab.server.endpoint.url
    assert cli.main(["--kind", "sim"]) == 1
    assert "proves nothing about PVE" in capsys.readouterr().err


def test_the_order_of_keys_and_entries_is_chance() -> None:
    """One answer in two orders is scrubbed into the same text."""
    entry = {"iface": "eno1", "ip": "10.0.0.1", "altnames": ["enx3cecef000001"], "hw": "3c:ec:ef:00:00:02"}
    other = {"iface": "eno2", "ip": "10.0.0.2"}
    place = Place(url="https://10.0.0.1:8006", token_id=TOKEN, token_secret=SECRET)
    one, two = (Scrub(place=place, node=NODE) for _ in "12")
    first = one.value({"data": [entry, other], "total": 2})
    second = two.value({"total": 2, "data": [dict(reversed(other.items())), dict(reversed(entry.items()))]})
    assert json.dumps(first) == json.dumps(second)
    assert first["data"][0]["ip"] == "192.0.2.1"


def test_a_diff_keeps_only_the_scenes_own_words() -> None:
    """Comments and unknown lines of other interfaces are covered; the scene's and PVE's own stay."""
    text = (
        "--- /etc/network/interfaces\t2026-11-22 17:00:00.1 +0000\n+++ /etc/network/interfaces.new\t2026\n@@ -1 +1 @@\n"
        "+# you're doing.\n #Jane\n\n auto vmbr0\n iface vmbr0 inet static\n \taddress 10.0.0.1/24\n"
        "-\tpost-up jane\n #Jane\n+iface vmbr90 inet manual\n+\tpost-up ours\n+#ours\n"
    )
    lines = scrub_diff(text, {"vmbr90"}, lambda line: line).split("\n")
    assert lines[0].endswith("\t2023-01-01 00:00:00.000000000 +0000")
    assert "Jane" not in "".join(lines)
    assert "jane" not in "".join(lines)
    assert lines[3] == "+# you're doing."
    assert lines[9:12] == ["-\tscrubbed", " #scrubbed", "+iface vmbr90 inet manual"]
    assert lines[12:14] == ["+\tpost-up ours", "+#ours"]
