"""The ports that a guest takes when it starts, by the `netN` of its configuration. Pure. pve-api#guests-config."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet.sim.machine.hardware import Guest as Port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.sim.guests.config import GuestConfig

_NET = re.compile(r"net(\d+)")


def ports_of(config: GuestConfig) -> tuple[Port, ...]:
    """Its ports; a NIC without a bridge has none on the node (K3-guests-008)."""
    return tuple(sorted(_ports(config), key=lambda port: port.index))


def _ports(config: GuestConfig) -> Iterator[Port]:
    for key, value in config.live.items():
        options = dict(part.partition("=")[::2] for part in value.split(","))
        if (found := _NET.fullmatch(key)) and options.get("bridge"):
            yield Port(
                vmid=config.vmid,
                index=int(found[1]),
                bridge=options["bridge"],
                container=config.kind == "lxc",
                firewall=options.get("firewall") == "1",
                tag=_tag(options.get("tag", "")),
                trunks=tuple(options["trunks"].split(";")) if options.get("trunks") else None,
                carrier=options.get("link_down") != "1",
            )


def _tag(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None
