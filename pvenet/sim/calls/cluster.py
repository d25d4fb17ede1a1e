"""Calls about the nodes and the cluster that they form (group A, from A049 on)."""

from __future__ import annotations

import hashlib
import os
import random
from typing import Any

from pvenet.sim.calls import guests
from pvenet.sim.calls.base import Answer, Asked, Call
from pvenet.sim.http.certificate import FINGERPRINT
from pvenet.sim.schema import Param, Schema

VERSION = {"version": "9.2.11", "release": "9.2", "repoid": "14a22df3c4e6f012"}
PVEVERSION = f"pve-manager/{VERSION['version']}/{VERSION['repoid']}"
BOOTED = 4294
"""A machine's age in seconds; it stays the same, as nothing here depends on it."""
LOAD = {
    "cpu": 0.0135270541082164,
    "maxcpu": 2,
    "mem": 1382772736,
    "maxmem": 25276518400,
    "disk": 13058048,
    "maxdisk": 12638257152,
    "uptime": BOOTED,
}
STATUS = {
    "boot-info": {"mode": "legacy-bios"},
    "loadavg": ["0.21", "0.86", "1.12"],
    "current-kernel": {
        "version": "#1 SMP PREEMPT_DYNAMIC @0",
        "machine": "x86_64",
        "release": "6.18.44-sim",
        "sysname": "Linux",
    },
    "cpuinfo": {
        "family": "26",
        "user_hz": 100,
        "flags": "fpu vme de pse tsc msr pae mce cx8",
        "cpus": 2,
        "vendor": "AuthenticAMD",
        "mhz": "2596.096",
        "cores": 2,
        "model": "AMD EPYC",
        "hvm": "",
        "sockets": 1,
    },
    "memory": {"free": 23416541184, "used": 1384194048, "available": 23892324352, "total": 25276518400},
    "cpu": 0,
    "pveversion": PVEVERSION,
    "uptime": BOOTED,
    "kversion": "Linux 6.18.44-sim #1 SMP PREEMPT_DYNAMIC @0",
    "wait": 0,
    "rootfs": {"free": 12625195008, "avail": 12625195008, "total": 12638257152, "used": 13062144},
    "swap": {"total": 0, "used": 0, "free": 0},
    "idle": 0,
    "ksm": {"shared": 0},
}
NODE_PARTS = [
    "aplinfo",
    "apt",
    "capabilities",
    "ceph",
    "certificates",
    "config",
    "disks",
    "dns",
    "firewall",
    "hardware",
    "hosts",
    "journal",
    "lxc",
    "migrateall",
    "netstat",
    "network",
    "qemu",
    "query-oci-repo-tags",
    "query-url-metadata",
    "replication",
    "report",
    "rrd",
    "rrddata",
    "scan",
    "sdn",
    "services",
    "spiceshell",
    "startall",
    "status",
    "stopall",
    "storage",
    "subscription",
    "suspendall",
    "syslog",
    "tasks",
    "termproxy",
    "time",
    "version",
    "vncshell",
    "vzdump",
    "wakeonlan",
]


def _fingerprint(asked: Asked, name: str) -> str:
    """The certificate's that the server shows, or a made-up one where none was made yet."""
    try:
        return (asked.sim.folder / FINGERPRINT).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return hashlib.sha256(name.encode()).digest().hex(":").upper()


def _entries(asked: Asked) -> list[dict[str, Any]]:
    """A node each; its load only for who may audit it (A049), and where pvestatd tells of it (K4-two-nodes-021)."""
    entries = []
    for name in asked.sim.nodes:
        online = asked.membership.online(name)
        entry: dict[str, Any] = {"node": name, "id": f"node/{name}", "type": "node"}
        if not asked.config.pvestatd:
            entries.append(entry | {"status": "unknown" if online else "offline"})
            continue
        entry |= {"status": "online" if online else "offline", "level": ""}
        if online and asked.may("Sys.Audit", f"/nodes/{name}"):
            entry |= LOAD
        entries.append(entry)
    return entries


def nodes(asked: Asked) -> Answer:
    return Answer(data=[entry | {"ssl_fingerprint": _fingerprint(asked, entry["node"])} for entry in _entries(asked)])


def resources(asked: Asked) -> Answer:
    """Guests and nodes; the sim has no storage, and no SDN zone but the local network."""
    wanted = asked.params.get("type")
    found = [*guests.resources(asked)] if wanted in {None, "vm"} else []
    found += _entries(asked) if wanted in {None, "node"} else []
    if asked.config.random_order:
        random.shuffle(found)
    return Answer(data=found)


def cluster_status(asked: Asked) -> Answer:
    """The nodes, and the cluster where there is more than one. pve-api#cluster-status."""
    asked.need("Sys.Audit", "/")
    names, seen = asked.sim.nodes, asked.membership
    lone = len(names) == 1
    entries: list[dict[str, Any]] = []
    for number, name in enumerate(names, start=1):
        member = seen.corosync.member(name)
        nodeid = 0 if lone else int(member.nodeid) if member and member.nodeid.isdecimal() else number
        entry = {"type": "node", "id": f"node/{name}", "name": name, "nodeid": nodeid, "level": ""}
        entry |= {"ip": asked.sim.node(name).machine().ip, "online": int(seen.online(name))}
        entries.append(entry | {"local": int(name == asked.local)})
    if not lone:
        whole = {"type": "cluster", "id": "cluster", "name": seen.corosync.cluster, "nodes": len(names)}
        entries.insert(0, whole | {"version": seen.corosync.version, "quorate": int(seen.quorate())})
    if asked.config.random_order:
        random.shuffle(entries)
    return Answer(data=entries)


def cluster_nodes(asked: Asked) -> Answer:
    """The members and the addresses of their links; none where a node is alone. pve-api#cluster-nodes."""
    asked.need("Sys.Audit", "/")
    entries = [member.entry() for member in asked.sim.corosync().members]
    if asked.config.random_order:
        random.shuffle(entries)
    return Answer(data=entries)


def ha_current(asked: Asked) -> Answer:
    """What HA says where nothing is managed: whether there is a quorum, and a fence that stands by. pve-api#ha."""
    asked.need("Sys.Audit", "/")
    quorate = asked.membership.quorate()
    status = "OK" if quorate else f"No quorum on node '{asked.local}'!"
    quorum = {"type": "quorum", "id": "quorum", "node": asked.local, "quorate": int(quorate), "status": status}
    fencing = {"type": "fencing", "id": "fencing", "node": asked.local, "armed-state": "standby"}
    return Answer(data=[quorum, fencing | {"status": "standby (CRM watchdog standby)"}])


def version(asked: Asked) -> Answer:
    """PVE's, in shape; over a real machine it says that it is not."""
    return Answer(data=VERSION | {"repoid": "pvenet-sim"} if asked.sim.backend.real else VERSION)


def status(asked: Asked) -> Answer:
    """Canned, but for the kernel of a real machine."""
    if not asked.node.backend.real:
        return Answer(data=STATUS)
    kernel = os.uname()
    told = {"sysname": kernel.sysname, "release": kernel.release, "version": kernel.version, "machine": kernel.machine}
    kversion = f"{kernel.sysname} {kernel.release} {kernel.version}"
    return Answer(data=STATUS | {"current-kernel": told, "kversion": kversion, "pveversion": "pvenet-sim"})


CALLS = (
    Call(method="GET", path="/version", run=version),
    Call(method="GET", path="/cluster/status", run=cluster_status, protected=True),
    Call(method="GET", path="/cluster/config/nodes", run=cluster_nodes),
    Call(method="GET", path="/cluster/ha/status/current", run=ha_current),
    Call(
        method="GET",
        path="/cluster/resources",
        run=resources,
        schema=Schema(params={"type": Param(enum=("vm", "storage", "node", "sdn"))}),
    ),
    Call(method="GET", path="/nodes", run=nodes),
    Call(method="GET", path="/nodes/{node}", run=lambda _asked: Answer(data=[{"name": name} for name in NODE_PARTS])),
    Call(method="GET", path="/nodes/{node}/status", run=status, privilege="Sys.Audit"),
    Call(method="GET", path="/nodes/{node}/version", run=version),
)
