"""Calls that tell what a node's kernel has. pve-api#bridges-answer and pve-api#report-privilege."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from pvenet.sim import interfaces
from pvenet.sim.calls.base import Answer, Asked, Call, Gate
from pvenet.sim.calls.cluster import PVEVERSION
from pvenet.sim.kernel.bridges import bridges
from pvenet.sim.kernel.report import odd
from pvenet.sim.machine.backend import ReportForm
from pvenet.sim.schema import Param, Schema, bad_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

ZONE = "localnetwork"
ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
"""What can stand in the path of a privilege; of another name the path is empty (K1-bridges-022)."""


def _place(found: Mapping[str, str]) -> str:
    return f"/sdn/zones/{found['zone']}" if ZONE_NAME.fullmatch(found["zone"]) else ""


def list_bridges(asked: Asked) -> Answer:
    """The bridges of the staged file that this user may audit, with their ports in the kernel."""
    if asked.found["zone"] != ZONE:
        raise bad_parameters(zone="zone does not exist")  # K1-bridges-019
    listed = interfaces.listing(asked.handed(), "bridge")  # pve-api#bridges-staged
    names = [str(entry["iface"]) for entry in listed]
    told = bridges([name for name in names if _visible(asked, name)], asked.kernel())
    if asked.config.random_order:
        for bridge in told:
            random.shuffle(bridge["ports"])
        random.shuffle(told)
    return Answer(data=told)


def _visible(asked: Asked, bridge: str) -> bool:
    """SDN.Use, with which the list shows a bridge, is not enough. pve-api#bridges-privileges."""
    place = f"/sdn/zones/{ZONE}/{bridge}"
    return asked.may("SDN.Audit", place) or asked.may("SDN.Allocate", place)


def report(asked: Asked) -> Answer:
    """What every command of a long list prints. pve-api#report-privilege and pve-api#report-time."""
    form = ReportForm(iproute2=asked.config.iproute2, ethtool=asked.config.ethtool, version=PVEVERSION)
    write = asked.node.backend.report(asked.node, asked.machine, asked.now, form)
    seconds = asked.orders.report_seconds
    later = (lambda: odd(write())) if asked.orders.report_odd else write
    return Answer(later=later, work=asked.config.report_seconds if seconds is None else seconds)


CALLS = (
    Call(method="GET", path="/nodes/{node}/report", run=report, privilege="Sys.Audit", protected=True),
    Call(
        method="GET",
        path="/nodes/{node}/sdn/zones/{zone}/bridges",
        run=list_bridges,
        schema=Schema(params={"zone": Param()}),
        gate=Gate(privilege="SDN.Audit", place=_place),
        switch="bridges_call",
        protected=True,
    ),
)
