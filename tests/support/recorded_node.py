"""A simulated node that belongs to somebody, for the tests of scripts/record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from recorder import set_nature
from recording import cli, stage
from recording.caller import Caller, Place

from pvenet.sim.server import Server
from pvenet.sim.state import Sim, write_json

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

RELOAD_SECONDS = 0.05
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


class RecordedNode:
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
        self.nature(reload_seconds=RELOAD_SECONDS)
        self.server = Server(folder)
        self.fingerprint = str(self.server.endpoint.fingerprint)
        for name, value in (
            ("ENDPOINT", self.server.endpoint.url),
            ("FINGERPRINT", self.fingerprint),
            ("TOKEN_ID", TOKEN),
            ("TOKEN_SECRET", SECRET),
        ):
            monkeypatch.setenv(f"PVENET_{name}", value)
        monkeypatch.setattr(stage, "POLL_SECONDS", 0.02)

    def nature(self, **switches: Any) -> None:
        set_nature(self.sim.folder, **switches)

    def record(self, out: Path, *words: str) -> int:
        return cli.main([*words, "--kind", "sim", "--out", str(out)])


def stage_of(lab: RecordedNode) -> tuple[Any, bool]:
    """The node's configuration as the recorder looks at it when no reload runs, and whether something is staged."""
    place = Place(url=lab.server.endpoint.url, token_id=TOKEN, token_secret=SECRET, fingerprint=lab.fingerprint)
    caller = Caller(place)
    try:
        there = stage.Stage(caller, NODE)
        there.wait_for_any()
        return there.look().configured(), lab.node.staged.exists()
    finally:
        caller.close()
