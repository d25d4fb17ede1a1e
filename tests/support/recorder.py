"""The simulated node in process, with every request kept, and something done at those that a test names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pvenet.connection import Connection
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.session import Token
from pvenet.sim.adapter import SimAdapter
from pvenet.sim.files import read_json, write_json
from pvenet.sim.machine.tasks import TaskFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests
    from clock import FakeTime


@dataclass
class Sent:
    """A request that arrived at the adapter."""

    text: str
    at: float
    reloading: bool
    """A reload ran at that time, and the node listed it."""


def set_nature(folder: Path, **switches: object) -> None:
    """Change what the simulated nodes of a folder are like."""
    path = folder / "sim.json"
    write_json(path, read_json(path) | switches)


def connection(adapter: SimAdapter, user: str, *hosts: str, clock: Callable[[], float]) -> Connection:
    """A new connection of a simulated user through an adapter, to each of these hosts in turn."""
    token = Token(id=user, secret=str(adapter.sim.users().tokens[user]["secret"]))
    endpoints = [Endpoint(host=f"{host}.invalid", adapter=adapter, label=f"{host}:lab") for host in hosts]
    return Connection(endpoints, token, clock=clock)


class Recorder(SimAdapter):
    """The simulated node in process, keeping every request; `before` and `after` happen at the requests they name."""

    def __init__(self, folder: Path, time: FakeTime) -> None:
        super().__init__(folder, clock=time.clock, sleep=time.sleep)
        self.sent: list[Sent] = []
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}
        self.every: Callable[[], None] = _nothing
        """Happens at every request."""
        self.once_acted: Callable[[], None] = _nothing
        """Happens when the node has acted."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        text = _short(request)
        self.before.pop(text, _nothing)()
        self.every()
        self.sent.append(Sent(text, self.front.clock(), self.reloading()))
        answer = super().send(request, *args, **kwargs)
        self.once_acted()
        self.after.pop(text, _nothing)()
        return answer

    def reloading(self, *users: str) -> bool:
        """Whether a reload runs that the node lists; one of these users, where any is named."""
        now = self.front.clock()
        tasks = [task for _, task in TaskFolder(self.sim.node("pve1").tasks).all() if task.running(now)]
        return any(task.listed_from <= now and (not users or task.name.user in users) for task in tasks)


def _nothing() -> None:
    pass


def _short(request: requests.PreparedRequest) -> str:
    path = (request.url or "").partition("/api2/json/")[2].partition("?")[0]
    path = re.sub("UPID:[^/]*|UPID%3A[^/]*", "UPID", path).replace("nodes/pve1/", "").replace("access/", "")
    return f"{request.method} {path}"
