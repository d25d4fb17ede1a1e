"""Calls about a node's network: staging, reverting, reloading (facts 5 to 10)."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pvenet.sim import network, parameters, settle
from pvenet.sim.calls.base import Answer, Asked, Call
from pvenet.sim.reload import Outcome, ifreload
from pvenet.sim.schema import Param, Refused, Schema
from pvenet.sim.states import State, state_of
from pvenet.sim.tasks import Task, TaskFolder, Upid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pvenet.sim.calls.base import Orders
    from pvenet.sim.machine import Machine

BUSY = 89
"""`ifreload` found another one running (facts 16)."""
BUSY_SHARE = 0.3
"""How soon it says so, in shares of a reload."""
HANGS = 10.0 * 365 * 24 * 60 * 60
"""Seconds of a reload that never ends."""
CUT_SHARE = 0.5
"""When a reload cuts the way to its node, in shares of its time."""
PIDS_BETWEEN = 17
PSTART_MASK = 0xFFFFFFF
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
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S}.{nanos:09} +0000"


def show(asked: Asked) -> Answer:
    return Answer(data=network.entry(asked.seen(), asked.found["iface"]))


def create(asked: Asked) -> Answer:
    _lock(asked)
    return _stage(asked, network.create(asked.parsed(), asked.params, asked.host))


def update(asked: Asked) -> Answer:
    params = {name: value for name, value in asked.params.items() if name != "iface"}
    _lock(asked)
    return _stage(asked, network.update(asked.parsed(), asked.found["iface"], params, asked.host))


def delete(asked: Asked) -> Answer:
    _lock(asked)
    return _stage(asked, network.delete(asked.parsed(), asked.found["iface"], asked.host))


def _lock(asked: Asked) -> None:
    if asked.orders.locked:
        raise Refused(500, "can't lock file '/etc/network/.pve-interfaces.lock' - got timeout")  # E078


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


def _collide(asked: Asked) -> str:
    duration = asked.nature.reload_seconds * BUSY_SHARE
    task = Task(upid=_upid(asked), start=asked.now, duration=duration, exitstatus=_exitstatus(BUSY))
    TaskFolder(asked.node.tasks).add(task)
    asked.node.save(asked.machine.but(pid=task.name.pid))
    return task.upid


def _start(asked: Asked) -> str:
    machine, orders = asked.machine, asked.orders
    outcome = _ordered(ifreload(asked.node.applied(), machine.nics, machine.up, machine.made), asked)
    task = Task(
        upid=_upid(asked),
        start=asked.now,
        duration=HANGS if orders.hangs else asked.nature.reload_seconds,
        exitstatus=_exitstatus(outcome.exit_code),
        log=outcome.log,
        steps=outcome.steps,
        restores_path=orders.silent is None,
        listed_from=asked.now + orders.late if orders.late else 0.0,
    )
    number = TaskFolder(asked.node.tasks).add(task)
    machine = machine.but(pid=task.name.pid, reloads=(*machine.reloads, number))
    asked.node.save(machine if orders.silent is None else _cut(machine, task, orders))
    return task.upid


def _ordered(outcome: Outcome, asked: Asked) -> Outcome:
    """What a reload does, when it is told to do otherwise."""
    orders, nics, made = asked.orders, asked.machine.nics, asked.machine.made
    code, log, steps = outcome.exit_code, outcome.log, outcome.steps
    if orders.exit_code is not None:
        code, log = orders.exit_code, orders.log
    if orders.exit_code and not orders.whole:
        # Half of it is applied: what was there already comes up, nothing new is made (E020).
        steps = tuple(step for step in steps if step.link in nics or step.link in made)
    if orders.hangs:
        steps = steps[: len(steps) // 2]
    if asked.params.get("regenerate-frr"):
        log = ("frr is not installed, not generating any frr configuration", *log)  # E014
    steps = tuple(step for step in steps if step.change == "gone" or step.link not in orders.never_up)
    return Outcome(exit_code=code, log=log, steps=steps)


def _cut(machine: Machine, task: Task, orders: Orders) -> Machine:
    """A few more answers arrive, then silence (facts 16, the management path)."""
    start = task.start + CUT_SHARE * task.duration
    until = start + orders.silent if orders.silent is not None and orders.silent >= 0 else -1.0
    return machine.but(silent_from=start, silent_until=until, cut_off=orders.cut_off)


def _upid(asked: Asked) -> str:
    upid = Upid(
        node=asked.node.name,
        pid=asked.machine.pid + PIDS_BETWEEN,
        pstart=int(asked.now * TICKS) & PSTART_MASK,
        starttime=int(asked.now),
        type="srvreload",
        id="networking",
        user=asked.identity.name,
    )
    return str(upid)


def _exitstatus(code: int) -> str:
    return f"command 'ifreload -a' failed: exit code {code}" if code else "OK"


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
CALLS = (
    Call(method="GET", path=PATH, run=list_all, schema=LIST_PARAMS),
    Call(method="POST", path=PATH, run=create, schema=None, privilege="Sys.Modify", protected=True),
    Call(method="PUT", path=PATH, run=apply, schema=RELOAD_PARAMS, privilege="Sys.Modify", protected=True),
    Call(method="DELETE", path=PATH, run=revert, privilege="Sys.Modify", protected=True),
    Call(method="GET", path=ONE, run=show, schema=parameters.ONE, privilege="Sys.Audit"),
    Call(method="PUT", path=ONE, run=update, schema=None, privilege="Sys.Modify", protected=True),
    Call(method="DELETE", path=ONE, run=delete, schema=parameters.ONE, privilege="Sys.Modify", protected=True),
)
