"""A client of a sim in process, and what it asks most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from pvenet.sim.adapter import SimAdapter

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.sim.state import Sim

HERE = "https://pve1.invalid:8006/api2/json"
PEER = HERE.replace("pve1", "pve2")
NETWORK = "/nodes/pve1/network"


class Client:
    """A client of a sim in process, with a clock that it turns itself."""

    def __init__(self, place: Path | Sim, *faults: str, token: str = "") -> None:
        self.now = 1_800_000_000.0
        self.adapter = SimAdapter(place, clock=lambda: self.now, sleep=self.sleep, faults=faults)
        self.node = self.adapter.sim.node("pve1")
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("https://", self.adapter)
        name, secret = self.adapter.credentials
        self.session.headers["Authorization"] = f"PVEAPIToken={token or f'{name}={secret}'}"

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, method: str, path: str, /, *, at: str = HERE, **form: object) -> requests.Response:
        return self.session.request(method, at + path, data=form or None, timeout=(3, 5))

    def active(self, node: str = "pve1") -> set[str]:
        entries = self.ask("GET", f"/nodes/{node}/network").json()["data"]
        return {entry["iface"] for entry in entries if entry.get("active")}


def stage(client: Client, iface: str = "vmbr1") -> requests.Response:
    return client.ask("POST", NETWORK, iface=iface, type="bridge", autostart=1)


def reload(client: Client, at: str = HERE) -> str:
    upid: str = client.ask("PUT", NETWORK, at=at).json()["data"]
    return upid


def exitstatus(client: Client, upid: str, at: str = HERE) -> str | None:
    client.sleep(1)
    status: str | None = client.ask("GET", f"/nodes/pve1/tasks/{upid}/status", at=at).json()["data"].get("exitstatus")
    return status
