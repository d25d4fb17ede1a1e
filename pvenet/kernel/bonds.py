"""What the kernel has otherwise of a bond. pve-api#ip-meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.kernel.difference import SEPARATOR, Difference, Kind
from pvenet.kernel.view import members_of
from pvenet.model import HASHING_MODES, Bond, BondMode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pvenet.kernel.links import BondStatus, KernelLink
    from pvenet.kernel.view import View


def bond_differences(view: View, bond: Bond, link: KernelLink, status: BondStatus) -> Iterator[Difference]:
    """Of a bond that the kernel has as one."""
    named = {name: slave for name in members_of(bond) if (slave := view.link(name))}
    joined = {name: slave for name, slave in named.items() if slave.master == link.name}
    carrying = {name: slave for name, slave in joined.items() if slave.carrier}
    yield from _settings(view, bond, status, joined)
    yield from _not_joined(bond, named, joined)
    yield from _no_carrier(bond, link, named, carrying)
    if bond.mode is BondMode.LACP and status.mode == bond.mode and carrying:
        yield from _lacp(bond, status, carrying)
    yield from _speeds(bond, carrying)


def _settings(view: View, bond: Bond, status: BondStatus, joined: Mapping[str, KernelLink]) -> Iterator[Difference]:
    """The mode and what goes with it. A primary that has not joined is none in the kernel, and that is said of it."""
    if status.mode != bond.mode:
        yield _setting(bond, Kind.BOND_MODE, "", bond.mode, status.mode)
        return
    found = status.primary and view.name(status.primary)
    if bond.mode is BondMode.ACTIVE_BACKUP and bond.primary in joined and view.name(bond.primary or "") != found:
        yield _setting(bond, Kind.PRIMARY, "primary ", bond.primary or "", found or "none")
    policy = status.xmit_hash_policy
    if bond.xmit_hash_policy and policy and policy != bond.xmit_hash_policy and bond.mode in HASHING_MODES:
        yield _setting(bond, Kind.HASH_POLICY, "hash policy ", bond.xmit_hash_policy, policy)


def _setting(bond: Bond, kind: Kind, called: str, wanted: str, found: str) -> Difference:
    text = f"{bond.name}: {called}{wanted} in the file, {found} in the kernel"
    return Difference(name=bond.name, kind=kind, wanted=wanted, found=found, text=text)


def _not_joined(bond: Bond, named: Mapping[str, KernelLink], joined: Mapping[str, KernelLink]) -> Iterator[Difference]:
    for name, slave in named.items():
        if name not in joined and slave.carrier:
            found = f"a member of {slave.master}" if slave.master else "not a member of anything"
            yield Difference(
                name=bond.name,
                kind=Kind.SLAVE_NOT_JOINED,
                subject=name,
                wanted=f"a slave of {bond.name}",
                found=found,
                text=f"{bond.name}: {name} has carrier and is not one of its slaves" + _elsewhere(slave),
            )


def _elsewhere(link: KernelLink) -> str:
    return f" (it is in {link.master})" if link.master else ""


def _no_carrier(
    bond: Bond, link: KernelLink, named: Mapping[str, KernelLink], carrying: Mapping[str, KernelLink]
) -> Iterator[Difference]:
    """Each slave without it; the bond itself only where its slaves do not explain it."""
    count = f"{len(carrying)} of {len(members_of(bond))} slaves {'carries' if len(carrying) == 1 else 'carry'} traffic"
    for name, slave in named.items():
        if slave.carrier is False:
            text = f"{bond.name}: {bond.mode}, {name} has no carrier: {count}"
            yield _lack(bond, Kind.NO_CARRIER, (name, "carrier", "no carrier"), text)
    if link.carrier is False and carrying:
        text = f"{bond.name}: {bond.mode}, no carrier although {', '.join(carrying)} has"
        yield _lack(bond, Kind.NO_CARRIER, (bond.name, "carrier", "no carrier"), text)


def _lacp(bond: Bond, status: BondStatus, carrying: Mapping[str, KernelLink]) -> Iterator[Difference]:
    """pve-api#lacp-up; what a slave without carrier says of its partner is stale (pve-api#lacp-stale)."""
    slaves = ", ".join(carrying)
    if status.partner_mac is None:
        text = f"{bond.name}: 802.3ad, no LACP partner answers on {slaves}: are the switch's ports a LAG?"
        yield _lack(bond, Kind.LACP_PARTNER, ("", "a partner", "none"), text)
        return
    outside = _outside(carrying)
    few = status.aggregated is not None and status.aggregated < len(carrying)
    if not (outside or few):
        return
    count = len(carrying) - len(outside) if status.aggregated is None else status.aggregated
    found = _aggregators(carrying)
    text = f"{bond.name}: 802.3ad, {_split(bond, len(carrying), count, outside, found)}"
    who = SEPARATOR.join(outside)
    yield _lack(bond, Kind.LACP_SPLIT, (who, f"{slaves} in one aggregator, in sync", found), text)


def _split(bond: Bond, carrying: int, count: int, outside: Sequence[str], found: str) -> str:
    """Where all are in one aggregator, it is the partner that has chosen another link (pve-api#lacp-chosen)."""
    if count == carrying:
        who = "is not in sync with its" if len(outside) == 1 else "are not in sync with their"
        return f"{', '.join(outside)} {who} partner: do all ports of the partner's LAG lead to {bond.name}?"
    verb = "is" if count == 1 else "are"
    return (
        f"{count} of {carrying} slaves with carrier {verb} in its active aggregator ({found}): do all lead to ports of "
        "one LAG?"
    )


def _outside(carrying: Mapping[str, KernelLink]) -> list[str]:
    """The slaves that are in another aggregator than the first active one, or not in sync with the switch."""
    status = {name: link.slave for name, link in carrying.items() if link.slave}
    active = next((each.aggregator for each in status.values() if each.active and each.aggregator is not None), None)
    return [
        name
        for name, each in status.items()
        if (None not in (active, each.aggregator) and each.aggregator != active)
        or (each.actor and not ("in_sync" in each.actor and "in_sync" in each.partner))
    ]


def _aggregators(carrying: Mapping[str, KernelLink]) -> str:
    """Which slave is where, and in sync or not."""
    return ", ".join(f"{name} {_place(link)}" for name, link in carrying.items())


def _place(link: KernelLink) -> str:
    slave = link.slave
    if slave is None:
        return "unknown"
    in_sync = "in_sync" in slave.actor and "in_sync" in slave.partner
    place = "none" if slave.aggregator is None else str(slave.aggregator)
    return f"in {place}{'' if in_sync else ', not in sync'}"


def _speeds(bond: Bond, carrying: Mapping[str, KernelLink]) -> Iterator[Difference]:
    speeds = {name: link.speed for name, link in carrying.items() if link.speed}
    most = max(speeds.values(), default=0)
    for name, speed in speeds.items():
        if speed < most:
            text = f"{bond.name}: {name} runs at {speed} Mbit/s, {_fastest(speeds, most)} at {most}"
            yield _lack(bond, Kind.SPEED, (name, f"{most} Mbit/s", f"{speed} Mbit/s"), text)


def _fastest(speeds: Mapping[str, int], most: int) -> str:
    names: Sequence[str] = [name for name, speed in speeds.items() if speed == most]
    return ", ".join(names)


def _lack(bond: Bond, kind: Kind, of: tuple[str, str, str], text: str) -> Difference:
    subject, wanted, found = of
    return Difference(name=bond.name, kind=kind, subject=subject, wanted=wanted, found=found, text=text)
