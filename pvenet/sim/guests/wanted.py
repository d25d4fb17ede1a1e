"""Guests as `pvenet sim init --guest` names them: `101:web:vmbr1:20,firewall`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pvenet.sim.files import SimError
from pvenet.sim.guests.config import GuestConfig, written
from pvenet.sim.machine.hardware import mac_of

if TYPE_CHECKING:
    from collections.abc import Iterable

FORM = "write ID:NAME:BRIDGE[:TAG][,ct][,firewall][,stopped] as in 101:web:vmbr1:20"
WORDS = frozenset({"ct", "firewall", "stopped"})
_GUEST = re.compile(
    r"(?P<vmid>[1-9][0-9]{2,8}):(?P<name>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?):(?P<bridge>[\w.-]+)"
    r"(?::(?P<tag>[1-9][0-9]{0,3}))?(?P<words>(?:,[a-z]+)*)",
    re.ASCII,
)
LAST_TAG = 4094


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One NIC of a guest that somebody wants."""

    vmid: int
    name: str
    bridge: str
    tag: int | None = None
    container: bool = False
    firewall: bool = False
    stopped: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `SimError` with what may be written."""
        found = _GUEST.fullmatch(text)
        if found is None:
            raise SimError(f"{text!r} is not a guest: {FORM}")
        words = {word for word in found["words"].split(",") if word}
        if unknown := words - WORDS:
            raise SimError(f"{text!r}: unknown word {', '.join(sorted(unknown))}: {FORM}")
        tag = int(found["tag"]) if found["tag"] else None
        if tag is not None and tag > LAST_TAG:
            raise SimError(f"{text!r}: there is no VLAN {tag}, only 1 to {LAST_TAG}")
        return cls(
            vmid=int(found["vmid"]),
            name=found["name"],
            bridge=found["bridge"],
            tag=tag,
            container="ct" in words,
            firewall="firewall" in words,
            stopped="stopped" in words,
        )


@dataclass(frozen=True, kw_only=True)
class NewGuest:
    """A guest that somebody wants, with all of its NICs."""

    config: GuestConfig
    running: bool


def new_guests(texts: Iterable[str]) -> list[NewGuest]:
    """The guests of these words; who is named again gets another NIC. Raises `SimError`."""
    nics: dict[int, list[Wanted]] = {}
    for wanted in map(Wanted.parse, texts):
        nics.setdefault(wanted.vmid, []).append(wanted)
    return [_guest(wanted) for wanted in nics.values()]


def _guest(nics: list[Wanted]) -> NewGuest:
    first = nics[0]
    for other in nics[1:]:
        if (other.name, other.container) != (first.name, first.container):
            raise SimError(f"guest {first.vmid} is named twice, and differently: its NICs belong to one guest")
    nets = {f"net{index}": _net(index, wanted) for index, wanted in enumerate(nics)}
    kept = _container(first) if first.container else _machine(first)
    config = GuestConfig.parse("lxc" if first.container else "qemu", first.vmid, written(kept | nets))
    return NewGuest(config=config, running=not any(wanted.stopped for wanted in nics))


def _machine(wanted: Wanted) -> dict[str, str]:
    return {"cores": "1", "memory": "512", "name": wanted.name, "ostype": "l26"}


def _container(wanted: Wanted) -> dict[str, str]:
    disk = f"local:{wanted.vmid}/vm-{wanted.vmid}-disk-0.raw,size=4G"
    about = {"arch": "amd64", "cores": "1", "memory": "512", "ostype": "debian", "swap": "0"}
    return about | {"hostname": wanted.name, "rootfs": disk}


def _net(index: int, wanted: Wanted) -> str:
    """A NIC as PVE writes it: of a container in the order of the keys, behind its name."""
    mac = mac_of(str(wanted.vmid), f"net{index}").upper()
    firewall = ["firewall=1"] if wanted.firewall else []
    tag = [f"tag={wanted.tag}"] if wanted.tag else []
    if not wanted.container:
        return ",".join([f"virtio={mac}", f"bridge={wanted.bridge}", *firewall, *tag])
    return ",".join(
        [f"name=eth{index}", f"bridge={wanted.bridge}", *firewall, f"hwaddr={mac}", "ip=dhcp", *tag, "type=veth"]
    )
