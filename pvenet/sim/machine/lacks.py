"""What a kernel does not get from a reload on order, while the task says OK and every link is up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.sim.machine.settings import DEFAULT_MTU, NOTHING, Settings, masters, mtu_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Lacks:
    """By name, what does not arrive."""

    slaves: frozenset[str] = frozenset()
    """They join no bond."""
    ports: frozenset[str] = frozenset()
    """They are on no bridge."""
    mtus: frozenset[str] = frozenset()
    """These links keep the MTU that they had."""
    addresses: frozenset[str] = frozenset()
    """These links have no address."""
    routes: bool = False
    """There is no default route."""


NO_LACKS = Lacks()


def without(lacks: Lacks, link: str, settings: Settings, before: Mapping[str, Settings]) -> Settings:
    """What the kernel gets of the settings of a link."""
    absent = lacks.slaves if settings.kind == "bond" else lacks.ports if settings.kind == "bridge" else frozenset()
    return settings.but(
        members=tuple(member for member in settings.members if member not in absent),
        since={member: since for member, since in settings.since.items() if member not in absent},
        mtu=_kept_mtu(link, before) if link in lacks.mtus else settings.mtu,
        addresses=() if link in lacks.addresses else settings.addresses,
        gateways=() if lacks.routes else settings.gateways,
    )


def _kept_mtu(link: str, before: Mapping[str, Settings]) -> int:
    """What it had; a link that was not there has what the kernel gives any."""
    if before.get(link, NOTHING) == NOTHING and link not in masters(before):
        return DEFAULT_MTU
    return mtu_of(link, before, masters(before))
