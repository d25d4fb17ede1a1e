"""Whatever a recorded file holds survives an update of one field of one interface, or its loss is named beforehand."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv6Interface
from typing import TYPE_CHECKING, Any

import pytest
from conftest import FIXTURES
from recorded import load
from replay import HOST

from pvenet import edit, wire
from pvenet.model import (
    Bond,
    Bridge,
    Ethernet,
    Interface,
    Network,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    Vlan,
    beneath,
    canonical,
    kind_of,
)
from pvenet.sim import interfaces as sim
from pvenet.sim.interfaces.write import HEADER
from pvenet.sim.schema import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

    Run = Callable[..., Ran]

OVS = replace(HOST, ovs=True)
KINDS = (Ethernet, Bond, Bridge, Vlan, OvsBridge, OvsBond, OvsIntPort)
MTU = ("\tmtu ", "\tovs_mtu ")
BONDS = ("bond", "OVSBond")
SAMPLE = 6
"""Of the files that the recordings' servers wrote, one in so many is looked at; of those they began with, all."""


def recorded_files() -> dict[str, str]:
    """Every file that a recording began with, and a sample of those that followed, each once, by its first place."""
    found: dict[str, str] = {}
    written: dict[str, str] = {}
    for place in ("walks.jsonl", "walks-ovs.jsonl"):
        for walk in load(place):
            found.setdefault(walk["initial"], walk["initial_name"])
            for number, step in enumerate(walk["steps"]):
                written.setdefault(step["new"] or "", f"walk {walk['seed']} step {number}")
    for path in sorted((FIXTURES / "exchanges").glob("*.jsonl")):
        for exchange in load(f"exchanges/{path.name}"):
            for text in (*exchange["before"].values(), *exchange["after"].values()):
                written.setdefault(text or "", exchange["name"])
    rest = [(text, name) for text, name in written.items() if text and text not in found]
    return {name: text for text, name in [*found.items(), *rest[::SAMPLE]]}


FILES = recorded_files()


@dataclass(frozen=True, kw_only=True)
class Try:
    """One update: what is asked for, and which lines of the interface's stanzas say so."""

    field: str
    values: dict[str, Any]
    clear: tuple[str, ...] = ()
    lines: tuple[str, ...]


def tries(value: Interface, network: Network) -> Iterator[Try]:
    """An update of each field that is worth one."""
    yield Try(field="mtu", values={"mtu": 1401}, lines=MTU)
    yield Try(field="comments", values={"comments": "said now\ntwice"}, lines=("#",))
    yield Try(field="autostart", values={"autostart": not value.autostart}, lines=("auto ",))
    if value.mtu:
        yield Try(field="mtu", values={}, clear=("mtu",), lines=MTU)
    if value.comments:
        yield Try(field="comments", values={}, clear=("comments",), lines=("#",))
    if isinstance(value, Bond | Bridge):
        field = "slaves" if isinstance(value, Bond) else "ports"
        taken = {port for each in network.interfaces.values() for port in getattr(each, field, ())}
        free = next((name for name in network.links if name.startswith("ens") and name not in taken), "ens33")
        members = getattr(value, field)
        lines = ("\tbond-slaves ", "\tbridge-ports ")
        yield Try(field=field, values={field: (*members, free)}, lines=lines)
        yield Try(field=field, values={field: members[:-1]} if members[1:] else {}, clear=(), lines=lines)
    yield from address_tries(value)


def address_tries(value: Interface) -> Iterator[Try]:
    """Addresses changed, added and taken away; a stanza gets its method by that."""
    name = value.name
    methods = (f"iface {name} inet static", f"iface {name} inet manual")
    new, new6 = IPv4Interface("10.99.0.7/20"), IPv6Interface("fd00:99::7/48")
    four = tuple(f"\taddress {address}" for address in (value.cidr, new) if address)
    six = (f"iface {name} inet6 static", *(f"\taddress {address}" for address in (value.cidr6, new6) if address))
    manual = value.file_only.method == "manual"
    yield Try(field="cidr", values={"cidr": new}, lines=(*four, *(methods if manual else methods[:1])))
    yield Try(field="cidr6", values={"cidr6": new6}, lines=six)
    if value.cidr:
        lines = (*four, *methods, f"\tgateway {value.gateway}")
        yield Try(field="cidr", values={}, clear=("cidr", "gateway"), lines=lines)
    if value.cidr6:
        lines = (*six, f"\tgateway {value.gateway6}")
        yield Try(field="cidr6", values={}, clear=("cidr6", "gateway6"), lines=lines)


def parts(text: str, name: str) -> tuple[set[str], list[str]]:
    """The lines of an interface's stanzas, and the rest of the file with one mark where they stood."""
    own: set[str] = set()
    rest: list[str] = []
    for paragraph in text.removeprefix(HEADER).split("\n\n"):
        if f"iface {name} " in paragraph.replace("\n", " ") + " ":
            own.update(paragraph.split("\n"))
            paragraph = "MINE"  # noqa: PLW2901  it stands for the lines that went into `own`
        if paragraph != "MINE" or rest[-1:] != ["MINE"]:
            rest.append(paragraph)
    return own, rest


@dataclass
class Bench:
    """One recorded file, and PVE's own rewriting of it."""

    text: str

    def __post_init__(self) -> None:
        self.parsed = sim.parse(self.text, OVS)
        self.plain = sim.rewrite(self.parsed, OVS)
        self.network = wire.network(sim.listing(self.parsed))

    def updates(self) -> Iterator[tuple[Interface, Try, Interface, wire.Form]]:
        for name, value in self.network.interfaces.items():
            if isinstance(value, KINDS):
                for each in tries(value, self.network):
                    after = edit.change(self.network, "pve1", type(value), name, each.values, each.clear)
                    yield value, each, after, wire.update_form(value, after)


def excess(bench: Bench, each: Try, after: Interface, new: str) -> list[str]:
    """What an update changed besides what it was for; a stanza `inet manual` that says nothing may come and go."""
    name = after.name
    own, rest = parts(bench.plain, name)
    new_own, new_rest = parts(new, name)
    moved = [f"-{line}" for line in (own - new_own)] + [f"+{line}" for line in (new_own - own)]
    found = [line for line in moved if line[1:] and not line[1:].startswith(each.lines)]
    if isinstance(after, Bond) and each.field == "slaves":
        slaves = {*after.slaves, *beneath(bench.network.interfaces[name])}
        starts = {f"auto {slave}" for slave in slaves}  # PVE's own doing, on any write (pve-api#slaves-auto)
        new_rest = ["\n".join(line for line in part.split("\n") if line not in starts) for part in new_rest]
        rest = ["\n".join(line for line in part.split("\n") if line not in starts) for part in rest]
    found += [f"elsewhere: {part}" for part in new_rest if part not in rest]
    found += [f"gone: {part}" for part in rest if part not in new_rest]
    bare = {f"-iface {name} inet manual", f"+iface {name} inet manual"}
    return [line for line in found if line not in bare]


def updated(bench: Bench, each: Try, after: Interface, form: wire.Form) -> str | None:
    """The file after an update; None where PVE refuses what was asked for, and not what was only sent again."""
    try:
        return sim.update(bench.parsed, after.name, form, OVS)
    except Refused as refused:
        asked = {wire.spelled(type(after), each.field), "gateway"}
        if set(refused.errors or {}) <= asked:
            return None
        raise


@pytest.mark.parametrize("name", FILES)
def test_an_update_changes_what_it_is_for_or_its_losses_are_named(name: str) -> None:
    """The other stanzas stay byte for byte as PVE's own rewriting has them, and so does the rest of its own."""
    try:
        bench = Bench(FILES[name])
    except Refused:
        return  # PVE takes no write of such a file at all
    for value, each, after, form in bench.updates():
        lost = wire.losses(value, after)
        with suppress(Refused) if lost else nullcontext():
            new = updated(bench, each, after, form)
            if new is None:
                continue
            found = excess(bench, each, after, new)
            assert bool(found) is bool(lost), (value, each, form, lost, found)
            there = wire.network(sim.listing(sim.parse(new, OVS))).interfaces
            if not lost:
                started = any(value.name in beneath(other) for other in there.values() if kind_of(other) in BONDS)
                wanted = canonical(after)
                assert canonical(there[value.name]) == replace(wanted, autostart=wanted.autostart or started)


def test_an_address_that_costs_a_stanza_is_refused_by_name(interfaces: Path, staged: Path, run: Run) -> None:
    """An IPv6 address on a bridge that routes for guests would drop its inet stanza, and `post-up` with it: exit 7."""
    interfaces.write_text(
        "auto lo\niface lo inet loopback\n\n"
        "auto vmbr1\niface vmbr1 inet manual\n\tbridge-ports none\n\tpost-up echo 1 > /proc/sys/net/ipv4/ip_forward\n"
    )
    ran = run("bridge", "set", "vmbr1", "--cidr6", "fd00::1/64")
    assert ran.code == 7
    assert "the stanza `inet manual` disappears, with `post-up echo 1" in ran.err
    assert not staged.exists()
    assert run("bridge", "set", "vmbr1", "--cidr", "10.0.0.1/24").code == 0
    assert "post-up" in staged.read_text()
