"""scripts/record: what it writes down, and what it keeps to itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from live_replay import LIVE, LiveReplay, load
from recorded_node import NODE, PRIVATE, RELOAD_SECONDS, SECRET, TOKEN, RecordedNode, stage_of
from recording.caller import Place
from recording.diff import scrub_diff
from recording.leaks import find
from recording.scenes import SCENES
from recording.scrub import Scrub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DOUBLE_SECONDS = 0.5
"""Of a reload that a second one has to meet."""


@dataclass(frozen=True, kw_only=True)
class Take:
    """One recording of one scene, and what became of the node."""

    folder: Path
    scene: str
    fingerprint: str
    before: Any
    after: Any

    @property
    def exchanges(self) -> list[dict[str, Any]]:
        return load(self.folder / f"{self.scene}.jsonl")

    @property
    def provenance(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.folder / "provenance.json").read_text(encoding="utf-8"))
        return data


@pytest.fixture(scope="module", params=SCENES)
def takes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Take]:
    """Each scene recorded twice, on two nodes alike, whose answers come in another order each time."""
    scene: str = request.param
    folder, found = tmp_path_factory.mktemp(scene), []
    for name in ("one", "two"):
        with pytest.MonkeyPatch.context() as monkeypatch:
            lab = RecordedNode(folder / name, monkeypatch)
            lab.nature(random_order=True, reload_seconds=DOUBLE_SECONDS if scene == "double" else RELOAD_SECONDS)
            with lab.server:
                before, out = stage_of(lab), folder / f"out-{name}"
                assert lab.record(out, scene) == 0
                after = stage_of(lab)
        found.append(Take(folder=out, scene=scene, fingerprint=lab.fingerprint, before=before, after=after))
    return found


def test_two_recordings_of_a_node_are_equal(takes: list[Take]) -> None:
    """A scene that is recorded twice differs in nothing but seconds, whatever the server leaves to chance."""
    one, two = (take.exchanges for take in takes)
    assert all(exchange.pop("seconds") >= 0 for exchange in (*one, *two))
    assert one == two


def test_a_recording_says_where_it_comes_from(takes: list[Take]) -> None:
    """Kind, date, version, NICs and the number of requests stand beside it."""
    for take in takes:
        assert take.provenance["kind"] == "sim"
        told = take.provenance["scenes"][take.scene]
        assert told["requests"] == len(take.exchanges)
        assert told["version"] == "9.2.11"
        assert len(told["nics"]) == SCENES[take.scene].nics
        assert told["date"].count("-") == 2


def test_a_recording_tells_nothing_of_its_node(takes: list[Take]) -> None:
    """No secret, name, address, MAC or comment of the node stands in what is written."""
    for take in takes:
        for path in take.folder.iterdir():
            text = path.read_text(encoding="utf-8")
            assert not [word for word in (*PRIVATE, take.fingerprint) if word in text]
            assert not list(find(text))


def test_the_node_is_as_it_was(takes: list[Take]) -> None:
    """After a scene the node has the configuration that it had, and nothing is pending."""
    assert all(take.after == take.before for take in takes)


def test_the_sim_answers_a_recording_of_it(takes: list[Take], tmp_path: Path) -> None:
    """A recording can be replayed on a sim that knows no more than the recording, without a difference."""
    assert list(LiveReplay(tmp_path / "replay", takes[0].exchanges).differences()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [('"bond_miimon\\": \\"100', '"bond_miimon\\": \\"50'), ("TASK OK", "TASK ERROR"), ('"active": 1, ', "")],
)
def test_the_replay_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    """A recording that says something else than the sim is a difference."""
    lab = RecordedNode(tmp_path / "lab", monkeypatch)
    with lab.server:
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
        for difference in LiveReplay(tmp_path / str(number), load(path), path.parent.name).differences()
    ]
    assert not differences, "\n".join(differences)


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
