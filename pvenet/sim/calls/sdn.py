"""Calls about the cluster's SDN configuration: its lock, and what applies it. pve-api#sdn-lock, pve-api#sdn-apply."""

from __future__ import annotations

from typing import Any

from pvenet.sim.calls.base import Answer, Asked, Call, Gate
from pvenet.sim.schema import Param, Schema
from pvenet.sim.sdn.apply import apply
from pvenet.sim.sdn.folder import SdnFolder

COMMIT = "could not commit SDN config"
ROLLBACK = "could not rollback SDN configuration"
CREATE = "create sdn zone object failed"
ACQUIRE = "could not acquire lock for SDN config"
RELEASE = "could not release lock"
ALLOCATE = "SDN.Allocate"


def lock(asked: Asked) -> Answer:
    folder = _writable(asked, ACQUIRE)
    return Answer(data=folder.lock(asked.now, allow_pending=bool(asked.params.get("allow-pending"))))


def release(asked: Asked) -> Answer:
    """Also what nobody holds, and by force what somebody else does. pve-api#sdn-lock-release."""
    folder = _writable(asked, RELEASE)
    if not asked.params.get("force"):
        folder.check(asked.params.get("lock-token"), RELEASE)
    folder.release()
    return Answer()


def commit(asked: Asked) -> Answer:
    folder = _unlocked(asked, COMMIT)
    upid = apply(asked.sim, asked.local, asked.now, asked.identity.name)
    _let_go(asked, folder)
    return Answer(data=upid)


def roll_back(asked: Asked) -> Answer:
    folder = _unlocked(asked, ROLLBACK)
    folder.roll_back()
    _let_go(asked, folder)
    return Answer()


def list_zones(asked: Asked) -> Answer:
    """Those that this user may see; what is pending only when that was asked for (K5-sdnlock-045)."""
    folder = SdnFolder(asked.sim.folder)
    running, zones = folder.running(), folder.zones()
    found: list[dict[str, Any]] = [{"zone": zone, "type": kind} for zone, kind in running.items()]
    if asked.params.get("pending"):
        new = {zone: kind for zone, kind in zones.items() if zone not in running}
        found += [{"zone": z, "type": kind, "state": "new", "pending": {}, "digest": None} for z, kind in new.items()]
    return Answer(data=[zone for zone in found if asked.may("SDN.Audit", f"/sdn/zones/{zone['zone']}")])


def create_zone(asked: Asked) -> Answer:
    folder = _unlocked(asked, CREATE)
    folder.write_zones(folder.zones() | {str(asked.params["zone"]): str(asked.params["type"])})
    return Answer()


def _writable(asked: Asked, doing: str) -> SdnFolder:
    """The folder, where the cluster lets anything be written."""
    asked.need_quorum("domain-sdn", doing)
    return SdnFolder(asked.sim.folder)


def _unlocked(asked: Asked, doing: str) -> SdnFolder:
    """The folder for whoever holds the lock, or for everybody where nobody does. pve-api#sdn-lock-held."""
    folder = _writable(asked, doing)
    folder.check(asked.params.get("lock-token"), doing)
    return folder


def _let_go(asked: Asked, folder: SdnFolder) -> None:
    if asked.params.get("release-lock", 1):
        folder.release()


PATH = "/cluster/sdn"
MAY_ALLOCATE = Gate(privilege=ALLOCATE, place=lambda _found: "/sdn")
MAY_ALLOCATE_ZONES = Gate(privilege=ALLOCATE, place=lambda _found: "/sdn/zones")
FLAG, TEXT = Param(type="boolean"), Param()
TOKEN = {"lock-token": TEXT, "release-lock": FLAG}
ZONE = Schema(
    params={
        "zone": Param(optional=False, max_length=8),
        "type": Param(optional=False, enum=("evpn", "faucet", "qinq", "simple", "vlan", "vxlan")),
        "lock-token": TEXT,
    }
)
LIST = Schema(params={"pending": FLAG, "running": FLAG})
CALLS = (
    Call(
        method="POST",
        path=f"{PATH}/lock",
        run=lock,
        schema=Schema(params={"allow-pending": FLAG}),
        gate=MAY_ALLOCATE,
        switch="sdn_lock",
        protected=True,
    ),
    Call(
        method="DELETE",
        path=f"{PATH}/lock",
        run=release,
        schema=Schema(params={"lock-token": TEXT, "force": FLAG}),
        gate=MAY_ALLOCATE,
        switch="sdn_lock",
        protected=True,
    ),
    Call(method="PUT", path=PATH, run=commit, schema=Schema(params=TOKEN), gate=MAY_ALLOCATE, protected=True),
    Call(
        method="POST",
        path=f"{PATH}/rollback",
        run=roll_back,
        schema=Schema(params=TOKEN),
        gate=MAY_ALLOCATE,
        switch="sdn_lock",
        protected=True,
    ),
    Call(method="GET", path=f"{PATH}/zones", run=list_zones, schema=LIST),
    Call(method="POST", path=f"{PATH}/zones", run=create_zone, schema=ZONE, gate=MAY_ALLOCATE_ZONES, protected=True),
)
