"""A machine, a file, and looks at files, for the tests of the sim's file rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pvenet.sim import interfaces
from pvenet.sim.interfaces import Host, Parsed
from pvenet.sim.schema import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = Host(nics={"ens1": (), "ens2": (), "ens3": ()}, up=frozenset({"ens1"}))
OVS = replace(HOST, ovs=True)

START = """\
auto lo
iface lo inet loopback

iface ens1 inet manual

iface ens2 inet manual

iface ens3 inet manual

auto vmbr0
iface vmbr0 inet static
	address 10.0.0.1/24
	gateway 10.0.0.254
	bridge-ports ens1
	bridge-stp off
	bridge-fd 0

"""


def parse(text: str, host: Host = HOST) -> Parsed:
    return interfaces.parse(text, host)


def stanza(text: str, iface: str) -> str:
    """The stanzas of an interface in a file, without the blank line behind each."""
    parts = [part for part in text.split("\n\n") if f"iface {iface} " in f"{part} ".replace("\n", " ")]
    return "\n".join(parts)


def order(text: str) -> list[str]:
    """The interfaces of a file in their order."""
    return [line.split()[1] for line in text.splitlines() if line.startswith("iface ")]


def rewritten(text: str, host: Host = HOST) -> str:
    """The file after a write that changes nothing."""
    return interfaces.update(parse(text, host), "ens3", {"type": "eth"}, host)


def refused(text: str, params: Mapping[str, object], host: Host = HOST) -> Refused:
    """The refusal of a create."""
    with pytest.raises(Refused) as caught:
        interfaces.create(parse(text, host), params, host)
    return caught.value
