"""The problems between Open vSwitch's bridges and their ports (pve-api#ovs)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.changes import ovs
from pvenet.model import FileOnly, Interface, Other, OvsBridge, OvsPort, Vlan, kind_of, typed
from pvenet.plan.conflicts import missing
from pvenet.plan.context import Problem
from pvenet.plan.inverse import lost_in_the_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.plan.context import Context, Subject


def of_one(subject: Subject, context: Context) -> Iterator[Problem]:
    """All problems that an interface has as a bridge of Open vSwitch, or as a port of one."""
    if isinstance(subject.given, ovs.OwnPort):
        yield from _own_port(subject, subject.given, context)
    elif isinstance(subject.given, OvsPort):
        yield from _nic(subject, subject.given, context)
    if isinstance(subject.after, OvsBridge):
        yield from _raw_devices(subject, subject.after, context)
    if isinstance(subject.before, OvsBridge):
        yield from _dropped(subject.before, context)


def of_deletion(name: str, context: Context) -> Iterator[Problem]:
    """What a bridge that goes leaves behind; its own ports say that they are in use themselves."""
    bridge = context.now[name]
    if isinstance(bridge, OvsBridge):
        for problem in _dropped(bridge, context):
            if problem.warning:
                yield problem


def _own_port(subject: Subject, port: ovs.OwnPort, context: Context) -> Iterator[Problem]:
    if "bridge" not in subject.changed:
        return
    if port.bridge is None:
        yield subject.problem("bridge", f"{subject.name} needs an OVS bridge", "")
        return
    if problem := missing(subject, "bridge", port.bridge, context):
        yield problem
    elif (bridge := context.then.get(port.bridge)) and isinstance(bridge, Other) and _is_switch(bridge):
        yield subject.problem("bridge", bridge.reason)
    elif bridge and not isinstance(bridge, OvsBridge):
        message = f"bridge {port.bridge} of {subject.name} is a {kind_of(bridge)}, not an OVS bridge"
        yield subject.problem("bridge", message)
    before = subject.before
    if isinstance(before, ovs.OwnPort) and (lost := list(lost_in_the_file(before.file_only, FileOnly()))):
        message = f"{port.name} would lose `{'`, `'.join(lost)}`: a move to {port.bridge} recreates it"
        yield subject.problem("bridge", message)


def _nic(subject: Subject, port: OvsPort, context: Context) -> Iterator[Problem]:
    lister = context.listers.get(port.name)
    if lister is None or port.bridge not in {None, lister}:
        bridge = port.bridge or "a bridge"
        message = f"{port.name} is not a port of {bridge}: the ports of an OVS bridge say which NICs it has"
        yield subject.problem("bridge", message, port.bridge or "")


def _raw_devices(subject: Subject, bridge: OvsBridge, context: Context) -> Iterator[Problem]:
    """PVE puts no VLAN on a NIC that a bridge of Open vSwitch has."""
    for port in bridge.ports:
        for user in context.users.get(port, ()):
            if isinstance(typed(context.then[user]), Vlan) and user not in context.subjects:
                message = f"port {port} of {bridge.name} is the raw device of {user}, and can't be both"
                yield subject.problem("ports", message, port)


def _dropped(bridge: OvsBridge, context: Context) -> Iterator[Problem]:
    """The ports that a bridge had and that no bridge lists now: PVE writes each of them as a plain NIC."""
    for name in bridge.ports:
        port, after = context.now.get(name), context.then.get(name)
        if name in context.listers or port is None or after is None:
            continue
        if isinstance(port, ovs.OwnPort | Other) and isinstance(after, ovs.OwnPort | Other):
            message = f"{bridge.name} would drop {name}, which is not a NIC; delete it"
            yield _told(bridge, name, message)
        elif isinstance(port, OvsPort) and name not in context.mentioned and (lost := ", ".join(ovs.lost(port))):
            message = f"{name} becomes a plain NIC when {bridge.name} drops it: PVE forgets {lost}"
            yield _told(bridge, name, message, warning=True)


def _is_switch(interface: Interface) -> bool:
    return isinstance(typed(interface), OvsBridge)


def _told(bridge: Interface, port: str, message: str, *, warning: bool = False) -> Problem:
    return Problem(interface=bridge.name, field="ports", value=port, message=message, warning=warning)
