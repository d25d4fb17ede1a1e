"""Calls about guests: lists, which leave out in silence who may not be seen, and configurations.

pve-api#guests-silence, pve-api#guests-lists, pve-api#guests-config.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

from pvenet.sim.calls.base import Answer, Asked, Call, Gate
from pvenet.sim.guests.config import FOLDERS
from pvenet.sim.guests.folder import GuestFolder
from pvenet.sim.schema import Param, Refused, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pvenet.sim.guests.config import GuestConfig, Kind
    from pvenet.sim.guests.folder import Run

VM_AUDIT = "VM.Audit"
MIB = 1024 * 1024
UNITS = {"K": 1024, "M": MIB, "G": 1024 * MIB, "T": MIB * MIB}
MEMORY = 512
"""Mebibytes of a guest whose configuration says nothing."""
GUEST_DEVICE = re.compile(r"(?:tap|veth)(?P<vmid>\d+)i(?P<index>\d+)")
_SIZE = re.compile(r"\bsize=(\d+)([KMGT]?)\b")
_VMID = Param(type="integer", minimum=100, maximum=999_999_999, optional=False)
_CONFIG = {"vmid": _VMID, "current": Param(type="boolean"), "snapshot": Param(max_length=40)}


def resources(asked: Asked) -> Iterator[dict[str, Any]]:
    """The guests of all nodes that this user may see, as the cluster's list tells them."""
    for node in asked.sim.nodes:
        folder = GuestFolder(asked.sim.node(node))
        runs = folder.runs()
        for config in _visible(asked, folder):
            run = runs.get(config.vmid)
            yield _resource(asked, node, config, run.reported(asked.now) if run else "stopped")


def _visible(asked: Asked, folder: GuestFolder) -> list[GuestConfig]:
    return [config for config in folder.all() if asked.may(VM_AUDIT, f"/vms/{config.vmid}")]


def _resource(asked: Asked, node: str, config: GuestConfig, status: str) -> dict[str, Any]:
    """A guest of which pvestatd has not told yet has neither state nor name."""
    entry: dict[str, Any] = {"id": f"{config.kind}/{config.vmid}", "type": config.kind, "vmid": config.vmid}
    entry |= {"node": node, "status": status if asked.config.pvestatd else "unknown"} | _tags(config)
    if entry["status"] == "unknown":
        return entry
    measured = dict.fromkeys(("cpu", "disk", "diskread", "diskwrite", "mem", "memhost", "netin", "netout", "uptime"), 0)
    sizes = {"maxcpu": _cpus(config), "maxmem": _memory(config), "maxdisk": _disk(config)}
    return entry | measured | sizes | {"template": config.number("template", 0)} | _name(config)


def list_qemu(asked: Asked) -> Answer:
    return _list(asked, "qemu")


def list_lxc(asked: Asked) -> Answer:
    return _list(asked, "lxc")


def _list(asked: Asked, kind: Kind) -> Answer:
    """The node's own list, whose states are those of this moment."""
    folder = GuestFolder(asked.node)
    runs = folder.runs()
    entries = [
        _entry(config, runs.get(config.vmid), asked.now) for config in _visible(asked, folder) if config.kind == kind
    ]
    if asked.config.random_order:
        random.shuffle(entries)
    return Answer(data=entries)


def _entry(config: GuestConfig, run: Run | None, now: float) -> dict[str, Any]:
    running = run is not None and run.running
    entry: dict[str, Any] = {"vmid": config.vmid, "status": "running" if running else "stopped", "cpus": _cpus(config)}
    entry |= dict.fromkeys(("cpu", "disk", "mem", "netin", "netout"), 0)
    entry |= {"maxmem": _memory(config), "maxdisk": _disk(config)} | _name(config) | _tags(config)
    entry |= {"uptime": int(now - run.since) if run and running else 0}
    if template := config.number("template", 0):
        entry["template"] = template
    if running:
        entry["pid"] = config.vmid
    if config.kind == "qemu":
        return entry | {"memhost": 0}
    swap = config.number("swap", MEMORY) * MIB
    return entry | {"type": "lxc", "swap": 0, "maxswap": swap, "diskread": 0, "diskwrite": 0}


def _name(config: GuestConfig) -> dict[str, Any]:
    return {"name": config.name} if config.name else {}


def _tags(config: GuestConfig) -> dict[str, Any]:
    return {"tags": config.live["tags"]} if "tags" in config.live else {}


def _cpus(config: GuestConfig) -> int:
    return config.number("cores", 1) * config.number("sockets", 1)


def _memory(config: GuestConfig) -> int:
    return config.number("memory", MEMORY) * MIB


def _disk(config: GuestConfig) -> int:
    size = _SIZE.search(config.live.get("rootfs", ""))
    return int(size[1]) * UNITS.get(size[2], 1) if size else 0


def _guest(kind: Kind, tell: Callable[[Asked, GuestConfig], Any]) -> Callable[[Asked], Answer]:
    def run(asked: Asked) -> Answer:
        vmid = int(asked.params["vmid"])
        config = GuestFolder(asked.node).find(vmid, kind)
        if config is None:
            path = f"nodes/{asked.node.name}/{FOLDERS[kind]}/{vmid}.conf"
            raise Refused(500, f"Configuration file '{path}' does not exist")  # pve-api#guests-missing
        return Answer(data=tell(asked, config))

    return run


def _config(asked: Asked, config: GuestConfig) -> dict[str, Any]:
    """What is pending is worked in, unless told otherwise."""
    if (name := asked.params.get("snapshot")) is not None:
        if name not in config.snapshots:
            raise Refused(500, f"snapshot '{name}' does not exist")
        return config.told(config.snapshots[str(name)])
    return config.told(config.live if asked.params.get("current") else config.wanted())


def _pending(_asked: Asked, config: GuestConfig) -> list[dict[str, Any]]:
    return config.told_pending()


def _may_have_ports(asked: Asked) -> bool:
    """Whether some link may be a guest's port: to work out all links takes ten times what the rest of netstat does."""
    machine = asked.machine
    return asked.sim.backend.real or bool(machine.guests) or any(map(GUEST_DEVICE.fullmatch, machine.made))


def netstat(asked: Asked) -> Answer:
    """The ports of guests that run, whatever bridge they hang on, and whether they do. pve-api#netstat."""
    links = asked.kernel().links if _may_have_ports(asked) else ()
    found = filter(None, (GUEST_DEVICE.fullmatch(link.name) for link in links))
    entries = [{"vmid": each["vmid"], "dev": f"net{each['index']}", "in": "0", "out": "0"} for each in found]
    if asked.config.random_order:
        random.shuffle(entries)
    return Answer(data=entries)


MAY_AUDIT = Gate(privilege=VM_AUDIT, place=lambda found: f"/vms/{found['vmid']}")


def _of(kind: Kind) -> tuple[Call, ...]:
    one, config, pending = f"/nodes/{{node}}/{kind}/{{vmid}}", Schema(params=_CONFIG), Schema(params={"vmid": _VMID})
    return (
        Call(method="GET", path=f"{one}/config", run=_guest(kind, _config), schema=config, gate=MAY_AUDIT),
        Call(method="GET", path=f"{one}/pending", run=_guest(kind, _pending), schema=pending, gate=MAY_AUDIT),
    )


LIST = Schema(params={"full": Param(type="boolean")})
CALLS = (
    Call(method="GET", path="/nodes/{node}/qemu", run=list_qemu, schema=LIST, protected=True),
    Call(method="GET", path="/nodes/{node}/lxc", run=list_lxc, protected=True),
    Call(method="GET", path="/nodes/{node}/netstat", run=netstat, privilege="Sys.Audit"),
    *_of("qemu"),
    *_of("lxc"),
)
