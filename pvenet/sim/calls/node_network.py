"""Calls about a node's network: staging, reverting, reloading (pve-api#listing, pve-api#create, pve-api#update,
pve-api#delete, pve-api#staging and pve-api#reload).
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pvenet.sim import interfaces, parameters
from pvenet.sim.calls.base import Answer, Asked, Call
from pvenet.sim.calls.subjects import refuse_unknown
from pvenet.sim.machine.backend import LOCKED, Reload
from pvenet.sim.reload import reload
from pvenet.sim.schema import Param, Refused, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BRIDGE_PLACE = "/sdn/zones/localnetwork"


def list_all(asked: Asked) -> Answer:
    """The list; bridges that the user may not see are left out without a word (H001)."""
    entries = [entry for entry in interfaces.listing(asked.seen(), asked.params.get("type")) if _visible(asked, entry)]
    if asked.config.random_order:
        random.shuffle(entries)
    difference = _changes(asked)
    return Answer(data=entries, siblings={"changes": difference} if difference else {})


def _visible(asked: Asked, entry: Mapping[str, object]) -> bool:
    place = f"{BRIDGE_PLACE}/{entry['iface']}"
    return entry.get("type") != "bridge" or asked.may("SDN.Audit", place) or asked.may("SDN.Use", place)


def _changes(asked: Asked) -> str | None:
    node = asked.node
    if not node.staged.exists():
        return None
    return interfaces.changes(node.applied(), node.text(), _stamp(node.interfaces), _stamp(node.staged))


def _stamp(path: Path) -> str:
    """A file's time as `diff -u` writes it."""
    try:
        seconds, nanos = divmod(path.stat().st_mtime_ns, 10**9)
    except FileNotFoundError:
        seconds, nanos = 0, 0
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S}.{nanos:09} +0000"


def show(asked: Asked) -> Answer:
    return Answer(data=interfaces.entry(asked.seen(), asked.found["iface"]))


def create(asked: Asked) -> Answer:
    _lock(asked)
    parsed = asked.handed()
    return _stage(asked, interfaces.create(parsed, asked.params, parsed.host))


def update(asked: Asked) -> Answer:
    params = {name: value for name, value in asked.params.items() if name != "iface"}
    _lock(asked)
    parsed = asked.handed()
    return _stage(asked, interfaces.update(parsed, asked.found["iface"], params, parsed.host))


def delete(asked: Asked) -> Answer:
    _lock(asked)
    parsed = asked.handed()
    return _stage(asked, interfaces.delete(parsed, asked.found["iface"], parsed.host))


def _lock(asked: Asked) -> None:
    if asked.orders.locked:
        raise Refused(500, LOCKED)


def _stage(asked: Asked, text: str) -> Answer:
    asked.node.stage(text)
    return Answer()


def revert(asked: Asked) -> Answer:
    asked.node.revert()
    return Answer()


def apply(asked: Asked) -> Answer:
    """Start a reload: the staged file is the file from here on, whatever becomes of the reload."""
    if not asked.config.ifupdown2:
        raise Refused(500, "you need ifupdown2 to reload network configuration")  # E080
    refuse_unknown(asked)
    wanted = Reload(
        node=asked.node,
        machine=asked.machine,
        now=asked.now,
        user=asked.identity.name,
        seconds=asked.config.reload_seconds,
        frr=bool(asked.params.get("regenerate-frr")),
        orders=asked.orders,
    )
    return Answer(data=reload(asked.node.backend, wanted))


PATH = "/nodes/{node}/network"
ONE = f"{PATH}/{{iface}}"
RELOAD_PARAMS = Schema(params={"regenerate-frr": Param(type="boolean")})
CALLS = (
    Call(method="GET", path=PATH, run=list_all, schema=parameters.LIST),
    Call(method="POST", path=PATH, run=create, schema=None, privilege="Sys.Modify", protected=True),
    Call(method="PUT", path=PATH, run=apply, schema=RELOAD_PARAMS, privilege="Sys.Modify", protected=True),
    Call(method="DELETE", path=PATH, run=revert, privilege="Sys.Modify", protected=True),
    Call(method="GET", path=ONE, run=show, schema=parameters.ONE, privilege="Sys.Audit"),
    Call(method="PUT", path=ONE, run=update, schema=None, privilege="Sys.Modify", protected=True),
    Call(method="DELETE", path=ONE, run=delete, schema=parameters.ONE, privilege="Sys.Modify", protected=True),
)
