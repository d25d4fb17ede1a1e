"""Replays what scripts/record has recorded on the sim, in process, and says where they differ.

The recorded node's file is not known, only its list: the sim gets the same interfaces, in PVE's own spelling. So what
depends on the file's shape is not compared: places in it, unchanged interfaces that are none of the scene's, and what
the first write makes of a file that PVE has not written.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests
from paths import FIXTURES
from recording.caller import Answer, Place
from recording.diff import HEADER
from recording.scene import Step
from recording.scrub import AUTHORIZATION, NODE, TOKEN, Scrub

from pvenet.sim.adapter import SimAdapter
from pvenet.sim.machine.releases import RELEASES
from pvenet.sim.machine.simulated import SIMULATED, Simulated
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIVE = FIXTURES / "live"
URL = "https://pve1.invalid:8006"
IFUPDOWN2 = {"debian-vm": "3.0.0"}
"""What a kind of node runs, where it is not PVE's."""
OF_THE_MACHINE = {"version", "nodes", "cluster-status", "permissions-node", "permissions-bridges"}
"""Exchanges that tell of a machine and of a token, not of the network."""
OF_THE_FILE = {"priority", "altnames", "options", "options6"}
SETTABLE = (
    *(
        "slaves",
        "bond_mode",
        "bond_xmit_hash_policy",
        "bond-primary",
        "bridge_ports",
        "bridge_vlan_aware",
        "bridge_vids",
    ),
    *("vlan-raw-device", "vlan-id", "mtu", "autostart", "cidr", "gateway", "cidr6", "gateway6"),
)


class LiveReplay:
    """One scene, on a sim that is as the node was at its start."""

    def __init__(self, folder: Path, exchanges: list[dict[str, Any]], kind: str = "") -> None:
        self.exchanges = exchanges
        self.now = 1_795_000_000.0
        start = exchanges[0]["response"]["json"]["data"]
        self._aside = {entry["iface"] for entry in start if entry["type"] != "eth"}
        own = {entry["iface"] for entry in start} - self._aside
        sent = [str(value) for each in exchanges for value in (each["request"]["form"] or {}).values()]
        self._kept = frozenset(word.partition("/")[0] for value in sent for word in value.split())
        self._scrub = Scrub(place=_place(), node=NODE, own=frozenset(own | self._kept), addresses_kept=self._kept)
        nics = [entry["iface"] for entry in sorted(start, key=_place_in_file) if entry["type"] == "eth"]
        Sim.init(folder, node=NODE, nics=nics)
        self._sim = Sim(folder, Simulated(RELEASES[IFUPDOWN2[kind]]) if kind in IFUPDOWN2 else SIMULATED)
        self._session = requests.Session()
        self._session.mount("https://", SimAdapter(self._sim, clock=lambda: self.now, sleep=lambda _seconds: None))
        self._furnish(start)

    def _furnish(self, start: list[dict[str, Any]]) -> None:
        """Give the sim what the list shows, live."""
        for entry in sorted(start, key=_place_in_file):
            form = {key: entry[key] for key in SETTABLE if entry.get(key)} | {"type": entry["type"]}
            if entry.get("comments"):
                form["comments"] = entry["comments"].rstrip("\n")
            if "." in entry["iface"]:
                form.pop("vlan-raw-device", None)
                form.pop("vlan-id", None)
            if entry["type"] == "eth":
                self._must("PUT", f"/{entry['iface']}", form)
            else:
                self._must("POST", "", form | {"iface": entry["iface"]})
        self._must("PUT", "")
        self.now += 60
        self._must("GET", "")
        node = self._sim.node(NODE)
        node.save(node.machine().but(up={"lo", *(entry["iface"] for entry in start if entry.get("active"))}))

    def _must(self, method: str, path: str, form: dict[str, Any] | None = None) -> None:
        url = f"{URL}/api2/json/nodes/{NODE}/network{path}"
        response = self._session.request(method, url, data=form, headers={"Authorization": AUTHORIZATION})
        assert response.status_code == 200, (method, path, form, response.reason)

    def differences(self) -> Iterator[str]:
        """Every exchange that the sim answers otherwise."""
        for exchange in self.exchanges:
            self.now += 60 if exchange["name"].endswith("-status") else 0.001
            ours, theirs = self._answer(exchange)["response"], exchange["response"]
            for part in ("status", "reason", "headers"):
                if ours[part] != theirs[part]:
                    yield f"{exchange['name']}: {part} {ours[part]} instead of {theirs[part]}"
            if exchange["name"] not in OF_THE_MACHINE and (found := self._comparable(ours)) != (
                wanted := self._comparable(theirs)
            ):
                yield f"{exchange['name']}: {found}\n  instead of {wanted}"

    def _answer(self, exchange: dict[str, Any]) -> dict[str, Any]:
        """What the sim makes of a recorded request, scrubbed as the recording is."""
        request = exchange["request"]
        path = request["path"]
        for real, scrubbed in self._scrub.upids.items():
            path = path.replace(quote(scrubbed, safe=""), quote(real, safe=""))
        body = request["raw_body"]
        response = self._session.request(request["method"], URL + path, data=body, headers=request["headers"])
        answer = Answer.of(response, 0.0)
        step = Step(name=exchange["name"], method=request["method"], path=path)
        return self._scrub.exchange(step, path.removeprefix("/api2/json"), request["form"], answer)

    def _comparable(self, response: dict[str, Any]) -> Any:
        if response["json"] is None:
            return response["body"]
        found = dict(response["json"])
        if isinstance(found.get("data"), list):
            found["data"] = [_without(item) for item in found["data"] if item.get("iface") not in self._aside]
        elif isinstance(found.get("data"), dict):
            found["data"] = _without(found["data"])
        if "changes" in found:
            found["changes"] = _changed(found["changes"])
        return {key: value for key, value in found.items() if value}


def load(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _place() -> Place:
    return Place(url=URL, token_id=TOKEN, token_secret=AUTHORIZATION.rpartition("=")[2])


def _place_in_file(entry: dict[str, Any]) -> int:
    return int(entry.get("priority") or 1000)


def _without(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in OF_THE_FILE}


def _changed(diff: str) -> list[str]:
    """The lines that go and come; one that only moves does neither, and PVE's header is no change."""
    lines = Counter[str]()
    for line in diff.split("\n")[2:]:
        text = " ".join(line[1:].split())
        if text and line[1:] not in HEADER and line[0] in "+-":
            lines[text] += 1 if line[0] == "+" else -1
    return sorted(f"{count:+} {text}" for text, count in lines.items() if count)
