"""What a reload tells the kernel of each link that it reaches: the values, where `reload.py` has the links. Pure.

All modes, hash policies, slaves, VLANs and MTUs come out as written, and so does an MTU's removal
(pve-api#reload-normal), but not a primary on a bond that is there already (pve-api#bond-primary). An MTU that no link
can have, a mode that is none and an address that is none are not taken (`bad-mtu`, `nonsense-mode` and `bad-address` of
fixtures/ifupdown2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.sim.kernel.value import ONE_SPEAKS
from pvenet.sim.machine.ifupdown2 import Stanzas, read
from pvenet.sim.machine.lacks import NO_LACKS, Lacks, without
from pvenet.sim.machine.node_addresses import cidrs, gateways
from pvenet.sim.machine.reload import MODES, Outcome, ifreload
from pvenet.sim.machine.settings import LEAST_MTU, MOST_MTU, NOTHING, Settings, Told, after

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pvenet.sim.machine.machine import Machine

HASH_POLICIES = ("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac")
YES = ("yes", "on", "true", "1")
HUNDREDTHS = 100
FORWARD_DELAY = 15
BEGIN, SPAN = 0.1, 0.8
"""The part of a reload's time in which links change."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A file, what a reload made of it, and what the kernel had before."""

    stanzas: Stanzas
    outcome: Outcome
    machine: Machine
    before: Mapping[str, Settings]
    begins: float
    """When LACP and STP begin with what is new."""
    lacks: Lacks = NO_LACKS


def told(reading: Reading) -> Iterator[Told]:
    """What the kernel is told that it does not have yet, in the order of time."""
    bare = dict.fromkeys((*reading.machine.nics, "lo"), NOTHING)
    for link, at in _times(reading.outcome):
        settings = without(reading.lacks, link, _settings(link, reading), reading.before)
        if settings != reading.before.get(link, bare.get(link)):
            yield Told(at=at, link=link, settings=settings)


def _times(outcome: Outcome) -> Iterator[tuple[str, float]]:
    """When each link is told: as it comes up, else on the way to the next that does; never before one below it."""
    steps = {step.link: step.at for step in outcome.steps}
    count, at = len(outcome.reached), BEGIN
    for number, (link, latest) in enumerate(_latest(outcome.reached, steps), start=1):
        at = max(at, min(latest, BEGIN + SPAN * number / count)) if link not in steps else latest
        yield link, at


def _latest(reached: Sequence[str], steps: Mapping[str, float]) -> list[tuple[str, float]]:
    """The links, each with the time at which it comes up, or else the next one that does."""
    latest, found = BEGIN + SPAN, []
    for link in reversed(reached):
        latest = steps.get(link, latest)
        found.append((link, latest))
    return found[::-1]


def links_of(machine: Machine, text: str) -> Mapping[str, Settings]:
    """What the kernel was told; before the first reload, that is what the file says of the links that there are."""
    if machine.links is not None:
        return machine.links
    stanzas = stanzas_of(machine, text)
    outcome = ifreload(text, machine.nics, frozenset({"lo"}), frozenset())
    found: dict[str, Settings] = {}
    reading = Reading(stanzas=stanzas, outcome=outcome, machine=machine, before={}, begins=0.0)
    for each in told(reading):
        if each.link in machine.made or each.link in machine.nics or each.link == "lo":
            found = after(found, each)
    return found


def stanzas_of(machine: Machine, text: str) -> Stanzas:
    """A file, with the NICs called as the kernel does."""
    return read(text, {other: nic for nic, others in machine.nics.items() for other in others})


def _settings(link: str, reading: Reading) -> Settings:
    options = reading.stanzas.options.get(link, {})
    before = reading.before.get(link, NOTHING)
    settings = Settings(
        kind=_kind(link, reading),
        mtu=_mtu(options.get("mtu", options.get("ovs_mtu", "")), before),
        addresses=_addresses(link, reading),
        gateways=gateways(reading.stanzas.addressing.get(link, ())),
        vids=_vids(options),
        pvid=_number(options.get("bridge-access", options.get("bridge-pvid", ""))),
        access="bridge-access" in options,
        switched=link in reading.machine.nics and _is_switched(link, reading.stanzas),
    )
    if settings.kind == "bond":
        return _bond(link, settings, reading)
    if settings.kind == "bridge":
        return _bridge(link, settings, reading)
    if settings.kind == "vlan":
        return _vlan(link, settings, reading)
    return settings


def _kind(link: str, reading: Reading) -> str:
    stanzas, options = reading.stanzas, reading.stanzas.options.get(link, {})
    kinds = {
        "": link in reading.machine.nics or link == "lo",
        "ovs-bond": "ovs_bonds" in options,
        "bond": stanzas.is_bond(link),
        "openvswitch": bool(options.keys() & {"ovs_type", "ovs_ports"}),
        "bridge": stanzas.is_bridge(link),
        "vlan": link not in reading.outcome.hooked and stanzas.raw_device(link) is not None,
        "vxlan": any(key.startswith("vxlan") for key in options),
    }
    return next((kind for kind, fits in kinds.items() if fits), options.get("link-type", "dummy"))


def _is_switched(nic: str, stanzas: Stanzas) -> bool:
    bonds = (options.get("ovs_bonds", "").split() for options in stanzas.options.values())
    return "ovs_type" in stanzas.options.get(nic, {}) or any(nic in slaves for slaves in bonds)


def _mtu(text: str, before: Settings) -> int | None:
    if not text:
        return None
    mtu = _number(text)
    return mtu if mtu is not None and LEAST_MTU <= mtu <= MOST_MTU else before.mtu


def _addresses(link: str, reading: Reading) -> tuple[str, ...]:
    """Its own, and those of its aliases that start by themselves."""
    stanzas = reading.stanzas
    names = [link, *(name for name in stanzas.auto if name.rpartition(":")[0] == link)]
    return tuple(dict.fromkeys(cidr for name in names for cidr in cidrs(stanzas.addressing.get(name, ()))))


def _vids(options: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(options.get("bridge-vids", "").replace(",", " ").split())


def _bond(bond: str, settings: Settings, reading: Reading) -> Settings:
    options, before = reading.stanzas.options[bond], reading.before.get(bond)
    slaves = reading.outcome.slaves
    members = tuple(dict.fromkeys(slave for slave in reading.stanzas.slaves(bond) if slaves.get(slave) == bond))
    text = options.get("bond-mode", MODES[0])
    mode = _word(text, MODES, before.mode if before else MODES[0])
    had = before is not None and before.mode == mode
    return settings.but(
        mode=mode,
        members=members,
        primary=_primary(options.get("bond-primary"), mode, members, before),
        hash_policy=_word(options.get("bond-xmit-hash-policy", ""), HASH_POLICIES, HASH_POLICIES[0]),
        miimon=_number(options.get("bond-miimon", "")) or 0,
        lacp_rate="fast" if options.get("bond-lacp-rate") in {"1", "fast"} else "slow",
        since=_since(members, before if had else None, reading) if mode == "802.3ad" else {},
    )


def _primary(wanted: str | None, mode: str, members: tuple[str, ...], before: Settings | None) -> str | None:
    """The primary of a new bond; one that is there keeps what it has, also if that is none (pve-api#bond-primary)."""
    if before is None:
        return wanted if wanted in members and mode in ONE_SPEAKS else None
    return before.primary if before.primary in members and before.mode == mode else None


def _bridge(bridge: str, settings: Settings, reading: Reading) -> Settings:
    options, before = reading.stanzas.options[bridge], reading.before.get(bridge)
    ports = reading.outcome.ports
    members = tuple(dict.fromkeys(port for port in reading.stanzas.ports(bridge) if ports.get(port) == bridge))
    stp = options.get("bridge-stp", "").lower() in YES
    delay = _number(options.get("bridge-fd", ""))
    return settings.but(
        members=members,
        stp=stp,
        vlan_filtering=options.get("bridge-vlan-aware", "").lower() in YES,
        forward_delay=HUNDREDTHS * (FORWARD_DELAY if delay is None else delay),
        since=_since(members, before if before is not None and before.stp else None, reading) if stp else {},
    )


def _vlan(vlan: str, settings: Settings, reading: Reading) -> Settings:
    options = reading.stanzas.options.get(vlan, {})
    digits = vlan[len(vlan.rstrip("0123456789")) :]
    return settings.but(
        parent=reading.stanzas.raw_device(vlan) or "",
        vlan_id=_number(options.get("vlan-id", digits)) or 0,
        vlan_protocol="802.1ad" if options.get("vlan-protocol", "").lower() == "802.1ad" else "802.1Q",
    )


def _since(members: tuple[str, ...], before: Settings | None, reading: Reading) -> dict[str, float]:
    """Who was a member already goes on; who is new begins when the reload is over."""
    kept = before.since if before is not None else {}
    return {member: kept.get(member, reading.begins) for member in members}


def _word(text: str, words: tuple[str, ...], default: str) -> str:
    """A word, or the one of this number."""
    number = _number(text)
    if number is not None:
        return words[number] if number < len(words) else default
    return text if text in words else default


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None
