"""Replays the recordings about guests, cluster, SDN lock and hosts: a sim's folder is made as the server was."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING

from kernel_replay import setups
from paths import FIXTURES
from sim_replay import Exchange, Replay, load

from pvenet.sim.state import write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pvenet.sim.state import Sim

WRITE = "write /etc/pve/"


class FolderReplay(Replay):
    """One sim through which the exchanges of such a recording go, in order."""

    def __init__(self, place: Path | Sim, name: str, *, not_ours: Mapping[str, str], group: str = "") -> None:
        """Exchanges are left out by how their names begin; each needs its reason."""
        recorded = [exchange for exchange in load(f"kernel/{name}") if exchange.name.startswith(group)]
        super().__init__(place, [exchange for exchange in recorded if not exchange.name.startswith(tuple(not_ours))])
        self.left_out = len(recorded) - len(self.exchanges)
        self.setups = setups(name)
        lines = (FIXTURES / "kernel" / name).read_text(encoding="utf-8").splitlines()
        self.notes = {data["name"]: data["note"] or "" for data in map(json.loads, lines)}

    def differences(self) -> Iterator[str]:
        for number, exchange in enumerate(self.exchanges):
            self.now = exchange.sent
            for command in self.setups.get(exchange.name, ()):
                self.set_up(command)
            yield from self._differences_of(number, exchange)

    def set_up(self, command: str) -> None:
        """Do to the folder what was done to the server."""
        if command.startswith(WRITE):
            place, _, text = command.removeprefix(WRITE).partition(": '")
            self.write(place.partition(" ")[0], ast.literal_eval(f"'{text}"))
        elif command.startswith("pvestatd runs"):
            self.nature["pvestatd"] = True
        elif command == "mkdir /etc/pve/sdn":
            (self.adapter.sim.folder / "sdn").mkdir()

    def write(self, place: str, text: str) -> None:
        path = (self.node.folder if "/" in place else self.adapter.sim.folder) / place
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _prepare(self, number: int, exchange: Exchange) -> None:
        if exchange.before:
            super()._prepare(number, exchange)
        else:
            write_json(self.adapter.sim.folder / "sim.json", self.nature)

    def _host(self, exchange: Exchange) -> str:
        return "pve2" if self.notes[exchange.name].startswith("asked: pve2") else super()._host(exchange)

    def told(self, found: list[str]) -> str:
        """What a person is told of the replay."""
        return f"{len(self.exchanges)} replayed, {self.left_out} left out, {len(found)} differ"
