"""What `ifreload -a` makes of a file, on a machine as it is now. Pure.

The behaviour is that of ifupdown2 3.3.0 over a real kernel (facts 14 and 16, fixtures/real/7-bad.jsonl). It reads the
file in its own way, which is not PVE's: so this has a reader of its own.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

FILE = "/etc/network/interfaces"
MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
Change: TypeAlias = Literal["up", "gone"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One link comes up, or is gone, when this share of the reload's time is over."""

    at: float
    link: str
    change: Change


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a reload will do, and what its log will say."""

    exit_code: int
    log: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(kw_only=True)
class Stanzas:
    """The file as ifupdown2 reads it."""

    auto: list[str] = field(default_factory=list)
    options: dict[str, dict[str, str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def words(self, iface: str, *names: str) -> list[str]:
        """What an option lists; the old spelling counts as well as the new."""
        options = self.options.get(iface, {})
        text = next((options[name] for name in names if name in options), "")
        return [word for word in text.split() if word != "none"]

    def slaves(self, iface: str) -> list[str]:
        return self.words(iface, "bond-slaves", "slaves", "ovs_bonds")

    def ports(self, iface: str) -> list[str]:
        return self.words(iface, "bridge-ports", "ovs_ports")

    def is_bond(self, iface: str) -> bool:
        return bool(self.options.get(iface, {}).keys() & {"bond-slaves", "slaves", "ovs_bonds"})

    def is_bridge(self, iface: str) -> bool:
        return bool(self.options.get(iface, {}).keys() & {"bridge-ports", "ovs_ports"})

    def raw_device(self, iface: str) -> str | None:
        if raw := self.words(iface, "vlan-raw-device"):
            return raw[0]
        name, dot, _tag = iface.rpartition(".")
        return name if dot else None


def read(text: str) -> Stanzas:
    """The stanzas of a file; comments, sources and what ifupdown2 can't read apart."""
    stanzas = Stanzas()
    current: dict[str, str] | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        words = raw.split()
        if not words or words[0].startswith("#"):
            continue
        match words:
            case ["auto", *names]:
                stanzas.auto += names
                current = None
            case ["iface", name, *_]:
                current = stanzas.options.setdefault(name, {})
            case ["source" | "source-directory" | "allow-hotplug" | "mapping" | "rename", *_]:
                current = None
            case [key, *values] if current is not None:
                current[_spelling(key)] = " ".join(values)
            case _:
                place = f"{FILE}: line{number}"
                stanzas.errors.append(f"{FILE} : error: {place}: error processing line '{raw.strip()}' ")
    return stanzas


def _spelling(key: str) -> str:
    return key if key.startswith("ovs") else key.replace("_", "-")


def nics_of(text: str) -> list[str]:
    """Names in a file that must be physical NICs: nothing in it would make such a link."""
    stanzas = read(text)
    members = [member for iface in stanzas.options for member in stanzas.slaves(iface) + stanzas.ports(iface)]
    names = dict.fromkeys([*stanzas.options, *members])
    return [name for name in names if _is_physical(stanzas, name)]


def _is_physical(stanzas: Stanzas, name: str) -> bool:
    options = stanzas.options.get(name, {})
    virtual = stanzas.is_bond(name) or stanzas.is_bridge(name) or stanzas.raw_device(name) or ":" in name
    return name != "lo" and not virtual and not any(key.startswith(("ovs_type", "vxlan")) for key in options)


def address_of(text: str) -> str:
    """The address that a node of this file is known by: the one with the gateway, else the first."""
    options = read(text).options
    with_address = [stanza for name, stanza in options.items() if name != "lo" and "address" in stanza]
    with_address.sort(key=lambda stanza: "gateway" not in stanza)
    return with_address[0]["address"].partition("/")[0] if with_address else "127.0.0.1"


def ifreload(text: str, nics: Iterable[str], up: AbstractSet[str], made: AbstractSet[str]) -> Outcome:
    """What a reload will do to the links of this machine, and say about it."""
    run = _Run(read(text), frozenset(nics), made)
    changes = [*run.removals(), *run.rises(up)]
    share = 0.8 / max(len(changes), 1)
    steps = (Step(at=0.1 + share * n, link=link, change=change) for n, (link, change) in enumerate(changes, start=1))
    log = [*run.stanzas.errors, *run.log]
    failed = run.failed or bool(run.stanzas.errors)
    return Outcome(exit_code=int(failed), log=tuple(log), steps=tuple(steps))


class _Run:
    """One pass over the file: lower links first, each once."""

    def __init__(self, stanzas: Stanzas, nics: frozenset[str], made: AbstractSet[str]) -> None:
        self.stanzas = stanzas
        self.nics = nics
        self.made = made
        self.failed = False
        self.log: list[str] = []
        self.taken: dict[str, str] = {}
        self.risen: dict[str, bool] = {"lo": True}
        """Links that were looked at, and whether they came up."""

    def removals(self) -> Iterator[tuple[str, Change]]:
        """Virtual links that the file does not name any more; their former slaves stay up."""
        for link in sorted(self.made):
            if link not in self.stanzas.options:
                yield link, "gone"

    def rises(self, up: AbstractSet[str]) -> Iterator[tuple[str, Change]]:
        for bridge in self.stanzas.options:
            if self.stanzas.is_bridge(bridge):
                # Who is in the kernel already keeps its port (facts 16, `slave-is-vmbr0-port`).
                self.taken.update({port: bridge for port in self.stanzas.ports(bridge) if bridge in self.made})
        for iface in self.stanzas.auto:
            self.rise(iface)
        for link, risen in self.risen.items():
            if risen and link != "lo" and (link not in up or (link not in self.nics and link not in self.made)):
                yield link, "up"

    def rise(self, iface: str) -> bool:
        """Bring a link up with what is beneath it; whether there is such a link at the end."""
        if iface in self.risen:
            return self.risen[iface]
        self.risen[iface] = False  # a circle of links ends here
        risen = self._rise(iface)
        del self.risen[iface]  # what is beneath came first
        self.risen[iface] = risen
        if risen:
            self._configure(iface)
        return risen

    def _rise(self, iface: str) -> bool:
        if iface in self.nics:
            return True
        if self.stanzas.is_bond(iface):
            return self._bond(iface)
        if self.stanzas.is_bridge(iface):
            return self._bridge(iface)
        if raw := self.stanzas.raw_device(iface):
            return self._vlan(raw)
        options = self.stanzas.options.get(iface, {})
        return any(key in options for key in ("vxlan-id", "ovs_type", "ovs-type"))

    def _bond(self, bond: str) -> bool:
        for slave in self.stanzas.slaves(bond):
            owner = self.taken.setdefault(slave, bond)
            if owner != bond:
                self._error(bond, f"sub interfaces are not allowed on bond slave: {slave} ({owner})")
            elif not self.rise(slave):
                self._error(bond, f"skipping slave {slave}, does not exist")
        mode = self.stanzas.options[bond].get("bond-mode", MODES[0])
        if mode in {"802.3ad", "4"} and bond in self.made:
            # Not when the bond is made (real/3-modes-fresh), but ever after (real/3-modes-inplace).
            self._warning(bond, "attribute bond-min-links is set to '0'")
        elif mode not in MODES and not mode.isdecimal():
            self._warning(bond, f"invalid bond-mode value {mode}")
        return True

    def _bridge(self, bridge: str) -> bool:
        missing = [port for port in self.stanzas.ports(bridge) if not self.rise(port)]
        for port in missing:
            self._error(bridge, f"bridge port {port} does not exist")
        if missing:
            self._warning(bridge, "apply bridge ports settings: bridge configuration failed (missing ports)")
        return True

    def _vlan(self, raw: str) -> bool:
        risen = self.rise(raw)
        self.failed |= not risen  # without a line (facts 16, `vlan-raw-missing`)
        return risen

    def _configure(self, iface: str) -> None:
        options = self.stanzas.options.get(iface, {})
        if address := options.get("address"):
            plain = address.partition("/")[0]
            try:
                ipaddress.ip_address(plain)
            except ValueError as error:
                self._error(iface, f"convert string ip address into IPNetwork object: {error}")
        if (command := options.get("pre-up")) in {"/bin/false", "false"}:
            self._warning(iface, f"pre-up cmd '{command}' failed: returned 1")

    def _error(self, iface: str, text: str) -> None:
        self.failed = True
        self.log.append(f"{iface} : error: {iface}: {text} ")

    def _warning(self, iface: str, text: str) -> None:
        self.log.append(f"{iface} : warning: {iface}: {text} ")


def applied(
    steps: Sequence[Step], up: AbstractSet[str], made: AbstractSet[str], nics: Mapping[str, object] | None = None
) -> tuple[frozenset[str], frozenset[str]]:
    """Links that are up, and virtual links that exist, after these steps."""
    links, virtual = set(up), set(made)
    for step in steps:
        if step.change == "gone":
            links.discard(step.link)
            virtual.discard(step.link)
        else:
            links.add(step.link)
            if step.link not in (nics or {}) and step.link != "lo":
                virtual.add(step.link)
    return frozenset(links), frozenset(virtual)
