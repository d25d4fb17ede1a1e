"""Calls about a node's network: staging, reverting, reloading (facts 5 to 10)."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any

from pvenet.sim import network, settle
from pvenet.sim.calls.base import Answer, Asked, Call
from pvenet.sim.reload import ifreload
from pvenet.sim.schema import Param, Refused, Schema
from pvenet.sim.tasks import Task, TaskFolder, Upid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

BUSY = 89
"""`ifreload` found another one running (facts 16)."""
BUSY_SHARE = 0.3
"""How soon it says so, in shares of a reload."""
TICKS = 100
"""Of the kernel's clock in a second."""
TYPES = (
    "bridge",
    "bond",
    "eth",
    "alias",
    "vlan",
    "fabric",
    "OVSBridge",
    "OVSBond",
    "OVSPort",
    "OVSIntPort",
    "vnet",
    "any_bridge",
    "any_local_bridge",
    "include_sdn",
)
"""What a list may be asked for, in the order of PVE's complaint (B015)."""
BRIDGE_PLACE = "/sdn/zones/localnetwork"


class State(Enum):
    """What a node's network can be in."""

    CLEAN = "clean"
    STAGED = "staged"
    RELOADING = "reloading"
    RELOADING_STAGED = "reloading, staged"


def state_of(*, staged: bool, reloading: bool) -> State:
    if reloading:
        return State.RELOADING_STAGED if staged else State.RELOADING
    return State.STAGED if staged else State.CLEAN


def state(asked: Asked) -> State:
    reloading = settle.reloading(asked.node, asked.machine, asked.now)
    return state_of(staged=asked.node.staged.exists(), reloading=reloading)


def list_all(asked: Asked) -> Answer:
    """The list; bridges that the user may not see are left out without a word (H001)."""
    entries = [entry for entry in network.listing(asked.seen(), asked.params.get("type")) if _visible(asked, entry)]
    if asked.nature.random_order:
        random.shuffle(entries)
    difference = _changes(asked)
    return Answer(data=entries, siblings={"changes": difference} if difference else {})


def _visible(asked: Asked, entry: Mapping[str, object]) -> bool:
    place = f"{BRIDGE_PLACE}/{entry['iface']}"
    return entry["type"] != "bridge" or asked.may("SDN.Audit", place) or asked.may("SDN.Use", place)


def _changes(asked: Asked) -> str | None:
    node = asked.node
    if not node.staged.exists():
        return None
    return network.changes(node.applied(), node.text(), _stamp(node.interfaces), _stamp(node.staged))


def _stamp(path: Path) -> str:
    """A file's time as `diff -u` writes it."""
    try:
        seconds, nanos = divmod(path.stat().st_mtime_ns, 10**9)
    except FileNotFoundError:
        seconds, nanos = 0, 0
    return f"{datetime.fromtimestamp(seconds, tz=timezone.utc):%Y-%m-%d %H:%M:%S}.{nanos:09} +0000"


def show(asked: Asked) -> Answer:
    return Answer(data=network.entry(asked.seen(), asked.found["iface"]))


def create(asked: Asked) -> Answer:
    return _stage(asked, network.create(asked.parsed(), asked.params, asked.host))


def update(asked: Asked) -> Answer:
    params = {name: value for name, value in asked.params.items() if name != "iface"}
    given = asked.params.get("iface", asked.found["iface"])
    if given != asked.found["iface"]:
        text = "duplicate parameter (already defined in URI) with conflicting values!"
        raise Refused(400, "Parameter verification failed.", {"iface": text})
    return _stage(asked, network.update(asked.parsed(), asked.found["iface"], params, asked.host))


def delete(asked: Asked) -> Answer:
    return _stage(asked, network.delete(asked.parsed(), asked.found["iface"], asked.host))


def _stage(asked: Asked, text: str) -> Answer:
    asked.node.stage(text)
    return Answer()


def revert(asked: Asked) -> Answer:
    asked.node.staged.unlink(missing_ok=True)
    return Answer()


def apply(asked: Asked) -> Answer:
    """Start a reload: the staged file is the file from here on, whatever becomes of the reload."""
    if not asked.nature.ifupdown2:
        raise Refused(500, "you need ifupdown2 to reload network configuration")  # E080
    upid = ""
    for move in RELOAD[state(asked)]:
        upid = move(asked) or upid
    return Answer(data=upid)


def _take(asked: Asked) -> None:
    asked.node.staged.replace(asked.node.interfaces)


def _start(asked: Asked) -> str:
    machine, orders = asked.machine, asked.orders
    outcome = ifreload(asked.node.applied(), machine.nics, machine.up, machine.made, never_up=orders.never_up)
    code, log, steps = outcome.exit_code, outcome.log, outcome.steps
    if orders.exit_code is not None:
        # Half of it is applied: what was there already comes up, nothing new is made (E020).
        code, log = orders.exit_code, orders.log
        steps = tuple(step for step in steps if step.link in machine.nics or step.link in machine.made)
    if asked.params.get("regenerate-frr"):
        log = ("frr is not installed, not generating any frr configuration", *log)  # E014
    return _task(asked, code, log, asked.nature.reload_seconds, steps)


def _collide(asked: Asked) -> str:
    return _task(asked, BUSY, (), asked.nature.reload_seconds * BUSY_SHARE, ())


def _task(asked: Asked, code: int, log: tuple[str, ...], duration: float, steps: tuple[Any, ...]) -> str:
    pid = asked.machine.pid + 17
    start = int(asked.now)
    upid = Upid(
        node=asked.node.name,
        pid=pid,
        pstart=int(asked.now * TICKS) & 0xFFFFFFF,
        starttime=start,
        type="srvreload",
        id="networking",
        user=asked.identity.name,
    )
    exitstatus = "OK" if code == 0 else f"command 'ifreload -a' failed: exit code {code}"
    task = Task(upid=str(upid), start=asked.now, duration=duration, exitstatus=exitstatus, log=log, steps=steps)
    number = TaskFolder(asked.node.tasks).add(task)
    running = asked.machine.reloads if code == BUSY and not steps else (*asked.machine.reloads, number)
    silent = asked.orders.silent
    until = asked.machine.silent_until if silent is None else (-1.0 if silent < 0 else asked.now + silent)
    asked.node.save(asked.machine.but(pid=pid, reloads=running, silent_until=until))
    return str(upid)


RELOAD: Mapping[State, tuple[Callable[[Asked], str | None], ...]] = {
    State.CLEAN: (_start,),
    State.STAGED: (_take, _start),
    State.RELOADING: (_collide,),
    State.RELOADING_STAGED: (_take, _collide),  # the staging is consumed all the same
}
"""What a reload does in each state of a node. Staging and reverting do the same in all of them: PVE has no lock."""

PATH = "/nodes/{node}/network"
ONE = f"{PATH}/{{iface}}"
RELOAD_PARAMS = Schema(params={"regenerate-frr": Param(type="boolean")})
LIST_PARAMS = Schema(params={"type": Param(enum=TYPES)})
ONE_PARAMS = Schema(params={"iface": Param(optional=False)})
CALLS = (
    Call(method="GET", path=PATH, run=list_all, schema=LIST_PARAMS),
    Call(method="POST", path=PATH, run=create, schema=None, privilege="Sys.Modify", protected=True),
    Call(method="PUT", path=PATH, run=apply, schema=RELOAD_PARAMS, privilege="Sys.Modify", protected=True),
    Call(method="DELETE", path=PATH, run=revert, privilege="Sys.Modify", protected=True),
    Call(method="GET", path=ONE, run=show, schema=ONE_PARAMS, privilege="Sys.Audit"),
    Call(method="PUT", path=ONE, run=update, schema=None, privilege="Sys.Modify", protected=True),
    Call(method="DELETE", path=ONE, run=delete, schema=ONE_PARAMS, privilege="Sys.Modify", protected=True),
)
