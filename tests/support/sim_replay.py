"""Replays recorded exchanges on the sim, in process, and says where they differ.

What the real server leaves to chance or to its machine is made comparable in the function and the module `comparable`,
and nowhere else. What the recordings' machine was told to do (its `ifreload` was a stand-in) stands in `STAGE`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import requests
from comparable import without_times
from paths import FIXTURES

from pvenet.sim.adapter import SimAdapter
from pvenet.sim.faults import Scene, Script
from pvenet.sim.machine.backend import NO_ORDERS, Orders
from pvenet.sim.machine.tasks import Task, TaskFolder, Upid
from pvenet.sim.state import write_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pvenet.sim.state import Sim

EXCHANGES = FIXTURES / "exchanges"

UPID = re.compile(r"UPID:[^\s\"/]+?:[^\s\"/:]+:[0-9A-F]{8}:[0-9A-F]{8}:\w+:\w*:[^\s\"/:]+:")
TICKET = re.compile(r"PVE:[^\s:]+:[0-9A-F]{8}::[A-Za-z0-9+/=]{100,}")
LOCK_TOKEN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SECRET = re.compile(r"([a-d])\1{7}(-\1{4}){3}-\1{12}")
"""What stands in kernel/tokens.jsonl in place of the secrets of tokens."""
CSRF = re.compile(r"[0-9A-F]{8}:[A-Za-z0-9+/]{43}")
MEASURED = frozenset(
    {"cpu", "disk", "maxcpu", "maxdisk", "maxmem", "mem", "uptime", "ssl_fingerprint", "starttime", "endtime"}
    | {"pid", "pstart", "saved"}
)
OF_THE_MACHINE = frozenset({"boot-info", "current-kernel", "cpuinfo", "memory", "rootfs", "kversion", "loadavg"})


def comparable(value: Any, key: str = "") -> Any:
    """An answer without what chance or the machine decides: times, numbers of processes, secrets, order of arrays."""
    if isinstance(value, dict):
        return {
            name: _shape(item) if name in OF_THE_MACHINE else comparable(item, name) for name, item in value.items()
        }
    if isinstance(value, list):
        items = [comparable(item) for item in value]
        # Only arrays of objects come in random order; the lines of a log are numbered.
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if _objects(items) else items
    if key in MEASURED or (key == "value" and isinstance(value, str) and UUID.fullmatch(value)):
        return f"<{key}>"
    if not isinstance(value, str):
        return value
    for pattern, name in ((UPID, "<upid>"), (TICKET, "<ticket>"), (CSRF, "<csrf>"), (LOCK_TOKEN, "<token>")):
        value = pattern.sub(name, value)
    return without_times(value)


def _shape(value: Any) -> Any:
    """Names and types without the values."""
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in value.items()}
    return [_shape(item) for item in value] if isinstance(value, list) else type(value).__name__


def _objects(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, dict) for item in items)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One recorded line."""

    name: str
    request: dict[str, Any]
    response: dict[str, Any]
    before: dict[str, str | None]
    after: dict[str, str | None]
    sent: float
    seconds: float

    @property
    def number(self) -> str:
        return self.name.partition("-")[0]

    @property
    def reloads(self) -> bool:
        path = self.request["path"].rstrip("/")
        return (self.request["method"], self.response["status"]) == ("PUT", 200) and bool(path.endswith("/network"))

    @property
    def json(self) -> Any:
        return self.response["json"]


def load(name: str) -> list[Exchange]:
    """A group of exchanges, with a time for each: recorded to the second, and never standing still."""
    found, clock = [], 0.0
    path = EXCHANGES / f"{name}.jsonl" if len(name) == 1 else FIXTURES / name
    for line in path.read_text(encoding="utf-8").splitlines():
        data = json.loads(line)
        if "response" not in data:  # the server hung up
            continue
        date = parsedate_to_datetime(dict(data["response"]["headers"])["Date"]).timestamp()
        clock = max(clock + 0.01, date - data["seconds"] + 0.5)
        keys = ("name", "request", "response", "before", "after")
        found.append(Exchange(sent=clock, seconds=data["seconds"], **{key: data[key] for key in keys}))
    return _one_after_another(found)


def _one_after_another(exchanges: list[Exchange]) -> list[Exchange]:
    """What was sent all at once had a lock between: put it in the order in which it was answered."""
    at_once = sorted((e for e in exchanges if e.name.startswith("Ez")), key=lambda e: e.seconds)
    if not at_once:
        return exchanges
    for earlier, number in zip(at_once, range(1, len(at_once)), strict=False):
        at_once[number] = replace(at_once[number], before=earlier.after)
    rest = [exchange for exchange in exchanges if not exchange.name.startswith("Ez")]
    # Their lines were written when all had ended, behind the list that was made next.
    place = next(n for n, exchange in enumerate(rest) if exchange.before == at_once[-1].after)
    times = [rest[place - 1].sent + 0.001 * n for n in range(1, len(at_once) + 1)]
    return [*rest[:place], *(replace(e, sent=t) for e, t in zip(at_once, times, strict=True)), *rest[place:]]


@dataclass(kw_only=True)
class Stage:
    """What somebody had done to the recordings' machine before an exchange."""

    nature: dict[str, Any] = field(default_factory=dict)
    up: tuple[str, ...] = ()
    nics: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    """NICs plugged in, with their altnames; None: taken out."""
    ordered: bool = False
    """The stand-in for `ifreload` was told how to end; the recording says how."""
    unlocked: bool = False
    """The stand-in knew no lock, where the real one ends with 89 (pve-api#exit-89)."""
    looked: bool = False
    """Somebody else had listed the interfaces during the reload."""
    locked: bool = False
    """Somebody held the lock of the interfaces file."""


STAGE: dict[str, Stage] = {
    "D001": Stage(up=("bond0", "vmbr1", "ens38", "ens39")),
    "E001": Stage(up=("ens38", "ens39")),
    "E016": Stage(ordered=True),
    "E022": Stage(ordered=True),
    "E025": Stage(ordered=True),
    "E035": Stage(unlocked=True),
    "E078": Stage(locked=True),
    "E080": Stage(nature={"ifupdown2": False}),
    "E082": Stage(nature={"ifupdown2": True}),
    "G011": Stage(ordered=True),
    "G016": Stage(ordered=True),
    "H001": Stage(nature={"workers": 1}, up=("ens38", "ens39")),
    "H008": Stage(looked=True),
    "H015": Stage(nics={"ens50": ()}),
    "H023": Stage(nics={"ens41": ("enp2s9",)}),
    "H028": Stage(nics={"ens40": None, "ens50": None}),
    "H031": Stage(nics={"ens40": (), "ens41": ()}),
    "I001": Stage(nature={"workers": 1}),
    "I004": Stage(looked=True),
}


LOOK = {
    "method": "GET",
    "path": "/api2/json/nodes/pve1/network",
    "raw_body": None,
    "headers": {"Authorization": "PVEAPIToken=root@pam!full=11111111-1111-1111-1111-111111111111"},
}


class _Told(Script):
    """Faults by word of the replay instead of by number of request."""

    def __init__(self) -> None:
        super().__init__(())
        self.scene = Scene()

    def next(self, _request: object) -> Scene:
        scene, self.scene = self.scene, Scene()
        return scene


class Replay:
    """One sim through which the exchanges of a group go, in order."""

    def __init__(self, folder: Path | Sim, exchanges: list[Exchange]) -> None:
        self.exchanges = exchanges
        self.now = exchanges[0].sent
        self.adapter = SimAdapter(folder, clock=lambda: self.now, sleep=lambda _seconds: None)
        self.script = _Told()
        self.adapter.front.script = self.script
        self.node = self.adapter.sim.node("pve1")
        self.nature = asdict(self.adapter.sim.config())
        self.known: dict[str, str] = {}
        """What the recording calls so, the sim calls so: UPIDs, tickets, CSRF tokens."""
        self._remember_older_tasks()

    def differences(self) -> Iterator[str]:
        for number, exchange in enumerate(self.exchanges):
            self.now = exchange.sent
            yield from self._differences_of(number, exchange)

    def _differences_of(self, number: int, exchange: Exchange) -> Iterator[str]:
        self._prepare(number, exchange)
        response = self._send(exchange)
        self._learn(exchange, response)
        for difference in self._compare(exchange, response):
            yield f"{exchange.name}: {difference}"

    def _prepare(self, number: int, exchange: Exchange) -> None:
        for path, text in (
            (self.node.interfaces, exchange.before["interfaces"]),
            (self.node.staged, exchange.before["interfaces.new"]),
        ):
            _put(path, text)
        stage = STAGE.get(exchange.number, Stage())
        self.nature |= stage.nature
        orders = NO_ORDERS
        if exchange.reloads:
            self.nature["reload_seconds"] = self._duration(number, exchange)
            orders = self._orders(number, exchange) if stage.ordered else NO_ORDERS
        write_json(self.adapter.sim.folder / "sim.json", self.nature)
        self._rebuild(stage)
        if stage.looked:
            self._send(replace(exchange, request=LOOK))
        self.script.scene = Scene(orders=replace(orders, locked=stage.locked))

    def _rebuild(self, stage: Stage) -> None:
        machine = self.node.machine()
        nics = dict(machine.nics) | {name: altnames for name, altnames in stage.nics.items() if altnames is not None}
        nics = {name: altnames for name, altnames in nics.items() if stage.nics.get(name, ()) is not None}
        up = machine.up | set(stage.up)
        self.node.save(machine.but(nics=nics, up=up, reloads=() if stage.unlocked else machine.reloads))

    def _ends(self, number: int, exchange: Exchange) -> Iterable[Exchange]:
        """What the recording later says about the task of this reload."""
        upid = quote(exchange.json["data"], safe="")
        return [later for later in self.exchanges[number:] if upid in later.request["path"]]

    def _duration(self, number: int, exchange: Exchange) -> float:
        for later in self._ends(number, exchange):
            if later.request["method"] == "DELETE":
                return 10.0
            if later.json and isinstance(later.json["data"], dict) and later.json["data"].get("status") == "stopped":
                return later.sent - exchange.sent - 0.005
        return 0.005

    def _orders(self, number: int, exchange: Exchange) -> Orders:
        code, log = 0, []
        for later in self._ends(number, exchange):
            data = later.json["data"]
            if isinstance(data, dict) and "exitstatus" in data:
                code = int((re.findall(r"exit code (\d+)", data["exitstatus"]) or [0])[0])
            elif isinstance(data, list):
                log = [line["t"] for line in data if not line["t"].startswith("TASK ")]
        return Orders(exit_code=code, log=tuple(log))

    def _remember_older_tasks(self) -> None:
        """Tasks that were there before the recording began are there before the replay begins."""
        ours = {exchange.json["data"] for exchange in self.exchanges if exchange.reloads}
        older: dict[str, dict[str, Any]] = {}
        for exchange in self.exchanges:
            for entry in _tasks_of(exchange):
                if entry["upid"] not in ours:
                    older.setdefault(entry["upid"], {"endtime": entry["starttime"], "status": "OK"} | entry)
        folder = TaskFolder(self.node.tasks)
        for upid, entry in sorted(older.items(), key=lambda item: item[1]["endtime"]):
            start, end = entry["starttime"], entry["endtime"]
            # One that is only ever asked for by its name has ended when the recording says so.
            asked = [e for e in self.exchanges if e.json and "upid" in (e.json["data"] or ())]
            ends = next((e.sent for e in asked if e.json["data"]["status"] == "stopped"), end) if asked else end
            end = ends if entry["status"] == "running" else end
            exitstatus = "OK" if entry["status"] == "running" else entry["status"]
            folder.add(Task(upid=upid, start=start, duration=end - start, exitstatus=exitstatus))

    def _send(self, exchange: Exchange) -> requests.Response:
        request = exchange.request
        body = self._translate(request["raw_body"])
        headers = {name: self._translate(value) for name, value in request["headers"].items()}
        url = f"https://{self._host(exchange)}.invalid:8006" + self._translate(request["path"])
        prepared = requests.Request(request["method"], url, headers=headers, data=body).prepare()
        return self.adapter.send(prepared)

    def _host(self, exchange: Exchange) -> str:  # noqa: ARG002  for replays of more than one node
        """The node that is asked."""
        return "pve1"

    def _translate(self, text: Any) -> Any:
        if not isinstance(text, str):
            return text
        for recorded, own in self.known.items():
            text = text.replace(recorded, own).replace(quote(recorded, safe=""), quote(own, safe=""))
        return text

    def _learn(self, exchange: Exchange, response: requests.Response) -> None:
        if exchange.json is None or not response.content.startswith(b"{"):
            return
        for recorded, own in _pairs(exchange.json.get("data"), response.json().get("data")):
            if (
                any(pattern.fullmatch(recorded) for pattern in (UPID, TICKET, CSRF, LOCK_TOKEN, SECRET))
                and recorded not in self.known
            ):
                self.known[recorded] = own

    def _compare(self, exchange: Exchange, response: requests.Response) -> Iterator[str]:
        expected = exchange.response
        if response.ok and exchange.request["path"].endswith("/report"):
            # its text is cut there, and tells of the machine; whole ones are compared in tests/sim/test_sim_report.py
            expected = expected | {"json": response.json()}
        if (response.status_code, response.reason) != (expected["status"], expected["reason"]):
            yield f"{response.status_code} {response.reason} instead of {expected['status']} {expected['reason']}"
        yield from _differences_of_bodies(expected, response)
        yield from _differences_of_headers(expected, response)
        files = {self.node.interfaces: "interfaces", self.node.staged: "interfaces.new"} if exchange.after else {}
        for path, text in ((path, exchange.after[name]) for path, name in files.items()):
            if (path.read_text(encoding="utf-8") if path.exists() else None) != text:
                yield f"{path.name} differs afterwards: {path.read_text() if path.exists() else None}"


def _tasks_of(exchange: Exchange) -> list[dict[str, Any]]:
    """The tasks that an answer tells about."""
    data = (exchange.json or {}).get("data")
    found = data if isinstance(data, list) else [data]
    return [entry for entry in found if isinstance(entry, dict) and "upid" in entry and "starttime" in entry]


def _put(path: Path, text: str | None) -> None:
    """As it was, and untouched if it is so already: a cache would notice."""
    if text is None:
        path.unlink(missing_ok=True)
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _pairs(recorded: Any, own: Any) -> Iterator[tuple[str, str]]:
    if isinstance(recorded, str) and isinstance(own, str):
        yield recorded, own
    elif isinstance(recorded, dict) and isinstance(own, dict):
        for name in recorded.keys() & own.keys():
            yield from _pairs(recorded[name], own[name])


def _differences_of_bodies(expected: dict[str, Any], response: requests.Response) -> Iterator[str]:
    if expected["json"] is None:
        if response.text != expected["body"]:
            yield f"body {response.text!r} instead of {expected['body']!r}"
        return
    try:
        found = comparable(response.json())
    except ValueError:
        yield f"no JSON: {response.text!r}"
        return
    if found != (wanted := comparable(expected["json"])):
        yield f"{json.dumps(found)}\n  instead of {json.dumps(wanted)}"


def _differences_of_headers(expected: dict[str, Any], response: requests.Response) -> Iterator[str]:
    """All of them in their order; the times and the length of a random text aside."""
    varying = {"Date", "Expires", "Content-Length"}
    wanted = [(name, "" if name in varying else value) for name, value in expected["headers"]]
    found = [(name, "" if name in varying else value) for name, value in response.raw.headers.iteritems()]
    if found != wanted:
        yield f"headers {found} instead of {wanted}"
    if response.content and int(response.headers["Content-Length"]) != len(response.content):
        yield "Content-Length is wrong"


__all__ = ["EXCHANGES", "FIXTURES", "Exchange", "Replay", "Upid", "comparable", "load", "unquote"]
