"""What a bond and its slaves are, by mode, cables and switches: pve-api#ip-meaning. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pvenet.sim.kernel.value import LACP_STATES, NOBODY, ONE_SPEAKS, BondState, SlaveState
from pvenet.sim.machine.hardware import OTHER_SWITCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pvenet.sim.machine.machine import Machine
    from pvenet.sim.machine.settings import Settings

LACP = "802.3ad"
KEY, NO_KEY = 9, 1
"""Keys of LACP ports, with a partner and without, as recorded (fixtures/kernel/ip)."""
ASKS = ("active", "aggregating")
AGREED = (*ASKS, "in_sync", "collecting", "distributing")
STALE = ((*ASKS, "in_sync"), (*ASKS, "collecting", "distributing"))
"""What the two sides say of a slave whose cable was pulled (pve-api#lacp-stale)."""


@dataclass(frozen=True, kw_only=True)
class Slave:
    """What a bond sees of a slave."""

    name: str
    mac: str
    carrier: bool
    partner: str | None
    """The LACP system that answers on it by now."""


def slave_of(name: str, mac: str, *, carrier: bool, bond: tuple[str, Settings], moment: tuple[Machine, float]) -> Slave:
    """A slave as it is at this moment."""
    (owner, settings), (machine, now) = bond, moment
    asked = settings.since.get(name, 0.0)
    waits = asked > 0.0 and now < asked + machine.lacp_takes
    partner = None if waits or owner in machine.partnerless else machine.nic(name).partner
    if partner and owner in machine.split and settings.members[-1:] == (name,):
        partner = OTHER_SWITCH
    return Slave(name=name, mac=mac, carrier=carrier, partner=partner)


def bond_state(settings: Settings, slaves: Sequence[Slave]) -> BondState:
    """What a bond with these slaves is."""
    state = BondState(
        mode=settings.mode,
        miimon=settings.miimon,
        active_slave=_active(settings, slaves) if settings.mode in ONE_SPEAKS else None,
        primary=settings.primary,
        xmit_hash_policy=settings.hash_policy,
        lacp_rate=settings.lacp_rate,
    )
    return _aggregated(state, slaves) if settings.mode == LACP else state


def slave_state(settings: Settings, slaves: Sequence[Slave], slave: Slave) -> SlaveState:
    """What one of them is to it."""
    state = SlaveState(
        mii_status="UP" if slave.carrier else "DOWN",
        link_failure_count=int(not slave.carrier),
        perm_hwaddr=slave.mac,
    )
    if settings.mode == LACP:
        return _lacp(state, settings, slaves, slave)
    speaks = settings.mode != "active-backup" or slave.name == _active(settings, slaves)
    return replace(state, state="ACTIVE" if speaks else "BACKUP")


def _active(settings: Settings, slaves: Sequence[Slave]) -> str | None:
    """The primary, or else the first that has carrier."""
    able = [slave.name for slave in slaves if slave.carrier]
    return settings.primary if settings.primary in able else next(iter(able), None)


def _group(slaves: Sequence[Slave], slave: Slave) -> int:
    """The aggregator of a slave: those that lead to the same partner share one, who has none is alone."""
    same = (n for n, each in enumerate(slaves, start=1) if each.partner == slave.partner and slave.partner)
    return next(same, slaves.index(slave) + 1)


def _chosen(slaves: Sequence[Slave]) -> tuple[int, list[Slave]]:
    """The aggregator that the bond uses, and its slaves: one with a partner before others, the largest, the first."""
    groups: dict[int, list[Slave]] = {}
    for slave in slaves:
        if slave.carrier:
            groups.setdefault(_group(slaves, slave), []).append(slave)
    ranked = sorted(groups.items(), key=lambda item: (not item[1][0].partner, -len(item[1]), item[0]))
    return ranked[0] if ranked else (1, [])


def _aggregated(state: BondState, slaves: Sequence[Slave]) -> BondState:
    number, chosen = _chosen(slaves)
    partner = chosen[0].partner if chosen else None
    return replace(
        state,
        ad_aggregator=number,
        ad_num_ports=len(chosen),
        ad_actor_key=KEY,
        ad_partner_key=KEY if partner else NO_KEY,
        ad_partner_mac=partner or NOBODY,
    )


def _lacp(state: SlaveState, settings: Settings, slaves: Sequence[Slave], slave: Slave) -> SlaveState:
    chosen = slave in _chosen(slaves)[1]
    actor, partner = _words(slave, chosen=chosen)
    short = ("short_timeout",) if settings.lacp_rate == "fast" else ()
    return replace(
        state,
        state="ACTIVE" if chosen else "BACKUP",
        aggregator_id=_group(slaves, slave),
        actor_state=_bits(*actor, *short),
        partner_state=_bits(*partner),
    )


def _words(slave: Slave, *, chosen: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What this side says of the slave, and what the other does."""
    if not slave.carrier:
        return STALE if slave.partner else ((*ASKS, "defaulted"), ())
    if slave.partner is None:
        return (*ASKS, *(("in_sync",) if chosen else ()), "defaulted"), ()
    return (AGREED, AGREED) if chosen else (ASKS, (*ASKS, "in_sync"))


def _bits(*words: str) -> int:
    return sum(1 << LACP_STATES.index(word) for word in words)
