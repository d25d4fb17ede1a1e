"""Nodes to be drawn, in the tests' notation: sections of lines.

[staged]    interfaces, as in plan_model
[applied]   the same of what is live, where something else is staged
[unknown]   what is live can't be told
[guests]    who hangs there, as in impact_cases
[kernel]    in what it is otherwise than a healthy one: `ens39 carrier=no`, `tap101i0 kind=tun master=vnet1`;
            without this section there is no report
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from healthy import healthy
from impact_cases import known
from plan_model import network

from pvenet.kernel.differences import differences
from pvenet.kernel.links import BridgeStatus, KernelLink, Report, VlanStatus
from pvenet.model import Link
from pvenet.render.tree_build import Seen

if TYPE_CHECKING:
    from pvenet.model import Network

WORDS: dict[str, Any] = {"yes": True, "no": False, "none": None}


def seen(text: str) -> Seen:
    """What was had of such a node."""
    parts = _sections(text)
    staged = _network(parts["staged"])
    applied = _network(parts["applied"]) if "applied" in parts else None if "unknown" in parts else staged
    report = _report(applied or staged, parts["kernel"]) if "kernel" in parts else None
    hanging = known(parts.get("guests", ""))
    bridges = {bridge.name: bridge for bridge in hanging.ports}
    found = differences(applied, report, bridges) if applied and report else ()
    return Seen(
        node="pve1",
        staged=staged,
        applied=applied,
        report=report,
        bridges=bridges,
        guests=hanging.guests,
        differences=found,
    )


def _sections(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            found[name] = ""
        elif not line.startswith("#"):
            found[name] += f"{line}\n"
    return found


def _network(text: str) -> Network:
    """With the flags that a list has: up is what has autostart, or is used by such."""
    found = network(text)
    links = {name: Link(active=each.autostart, exists=True) for name, each in found.interfaces.items()}
    return replace(found, links=links)


def _report(applied: Network, text: str) -> Report:
    report = healthy(applied)
    links = dict(report.links)
    for name, *words in (line.split() for line in text.splitlines() if line.strip()):
        pairs: dict[str, Any] = dict(word.split("=", 1) for word in words)
        if "gone" in pairs:
            del links[name]
            continue
        made = links.get(name) or KernelLink(name=name, up=True, carrier=True, mtu=1500)
        links[name] = replace(made, **{key: _value(key, value) for key, value in pairs.items()})
        if links[name].kind == "bridge":
            links[name] = replace(links[name], bridge=BridgeStatus(vlan_filtering=False))
    return replace(report, links=links)


def _value(key: str, text: str) -> Any:
    if text in WORDS:
        return WORDS[text]
    return VlanStatus(id=int(text)) if key == "vlan" else int(text) if key == "speed" else text
