"""What `ifreload -a` makes of a file, on a machine as it is now. Pure.

The behaviour is that of ifupdown2 3.3.0 over a real kernel (pve-api#ifreload-3.3.0, fixtures/real/7-bad.jsonl), or that
of another release where `releases.py` has it. Its reader is one of its own: ifupdown2 reads a file otherwise than PVE.

Not modelled:
- Values: addresses, MTU, modes, VLAN ids. What the kernel makes of them is in `told.py`.
- Commands of the file, `pre-up` and so on, but for the links that they make: only `false` is known to fail.
- Circles: the reload fails as here, but of its links ifupdown2 brings none up, and says nothing that PVE logs.
- The order of the log's lines among different interfaces, which depends on how ifupdown2 sorts them.
- Time: every reload takes as long, while a real one takes longer the more there is in the file.
- What `ifreload` says and PVE does not log.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from pvenet.sim.machine.ifupdown2 import AFTER, BEFORE, Stanzas, makes_link, read
from pvenet.sim.machine.releases import PVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from pvenet.sim.machine.releases import Release

MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
Change: TypeAlias = Literal["up", "down", "gone", "made"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One link comes up, goes down, is gone, or is there and down, when this share of the reload's time is over."""

    at: float
    link: str
    change: Change


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a reload will do, and what its log will say."""

    exit_code: int
    log: tuple[str, ...]
    steps: tuple[Step, ...]
    slaves: Mapping[str, str]
    """The bonds' slaves at its end, and whose each is."""
    reached: tuple[str, ...] = ()
    """Links that there are at its end and that get what the file says of them, the lower ones first."""
    hooked: frozenset[str] = frozenset()
    """Links that the file's own commands have made."""
    ports: Mapping[str, str] = field(default_factory=dict)
    """The bridges' ports at its end, and whose each is."""


def ifreload(  # noqa: PLR0913  what a machine has, by name where it is rare
    text: str,
    nics: Iterable[str] | Mapping[str, Iterable[str]],
    up: AbstractSet[str],
    made: AbstractSet[str],
    *,
    slaves: Mapping[str, str] | None = None,
    release: Release = PVES,
) -> Outcome:
    """What a reload will do to the links of this machine, and say about it; `nics` may tell their altnames."""
    altnames = {other: nic for nic, others in nics.items() for other in others} if isinstance(nics, Mapping) else {}
    run = _Run(read(text, altnames), frozenset(nics), made, release)
    rises = list(run.rises(up))
    changes = [*run.removals(), *run.let_go(slaves or {}, up), *rises]
    share = 0.8 / max(len(changes), 1)
    steps = (Step(at=0.1 + share * n, link=link, change=change) for n, (link, change) in enumerate(changes, start=1))
    log = [*run.stanzas.errors, *run.log]
    untold = not release.shared_member_told and run.stanzas.share_members()
    failed = run.failed or untold or bool(run.stanzas.errors)
    return Outcome(
        exit_code=int(failed),
        log=tuple(log),
        steps=tuple(steps),
        slaves=run.slaves,
        reached=tuple(link for link, risen in run.risen.items() if risen),
        ports=dict(run.joined()),
        hooked=frozenset(run.hooked),
    )


class _Run:
    """One pass over the file: lower links first, each once."""

    def __init__(self, stanzas: Stanzas, nics: frozenset[str], made: AbstractSet[str], release: Release) -> None:
        self.stanzas = stanzas
        self.nics = nics
        self.made = made
        self.release = release
        self.failed = False
        self.log: list[str] = []
        self.taken: dict[str, str] = {}
        self.slaves: dict[str, str] = {}
        self.risen: dict[str, bool] = {"lo": True}
        """Links that were looked at, and whether they came up."""
        self.hooked: set[str] = set()
        """Links that the file's own commands have made."""

    def removals(self) -> Iterator[tuple[str, Change]]:
        """Virtual links that the file does not name any more; their former slaves stay up.

        VLANs on them go too, whatever the file says: Linux does that, and no recording has it.
        """
        gone = self.made - self.stanzas.hooked() - self.stanzas.implied() - self.stanzas.options.keys()
        while more := {link for link in self.made - gone if self.stanzas.raw_device(link) in gone}:
            gone |= more
        for link in sorted(gone):
            yield link, "gone"

    def let_go(self, slaves: Mapping[str, str], up: AbstractSet[str]) -> Iterator[tuple[str, Change]]:
        """The kernel closes a slave that a bond lets go; who has `auto` comes up again, but not always."""
        for slave, bond in slaves.items():
            early = not self.release.let_go_slave_rises and bond in self.risen
            if slave in up and slave not in self.slaves and (early or not self.risen.get(slave)):
                yield slave, "down"

    def rises(self, up: AbstractSet[str]) -> Iterator[tuple[str, Change]]:
        for bridge in self.stanzas.options:
            if self.stanzas.is_bridge(bridge):
                # A bridge keeps its port, be it there already (pve-api#slave-twice, `slave-is-vmbr0-port`) or not.
                self.taken.update(dict.fromkeys(self.stanzas.ports(bridge), bridge))
        for iface in self.stanzas.auto:
            self.rise(iface)
        for link, risen in self.risen.items():
            if risen and link != "lo" and (link not in up or (link not in self.nics and link not in self.made)):
                yield link, "up"
        for link in sorted(self.hooked - self.made - self.nics):
            if not self.risen.get(link):
                yield link, "made"

    def joined(self) -> Iterator[tuple[str, str]]:
        """The ports that bridges get, each one's last bridge last: there is no more than one for it."""
        for bridge, risen in self.risen.items():
            if risen and self.stanzas.is_bridge(bridge):
                ports = self.stanzas.ports(bridge)
                yield from ((port, bridge) for port in ports if self.risen.get(port) and port not in self.slaves)

    def rise(self, iface: str) -> bool:
        """Bring a link up with what is beneath it; whether there is such a link at the end."""
        if iface in self.risen:
            return self.risen[iface]
        self.risen[iface] = False  # a circle of links ends here
        self.hooked.update(self.stanzas.made_by_hooks(iface, BEFORE))
        risen = self._rise(iface)
        self.hooked.update(self.stanzas.made_by_hooks(iface, AFTER))
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
        if iface in self.hooked:
            return True
        if raw := self.stanzas.raw_device(iface):
            return self._vlan(raw)
        known = makes_link(self.stanzas.options.get(iface, {}))
        if iface in self.stanzas.options and not known:
            self._stranger(iface)
        return known

    def _bond(self, bond: str) -> bool:
        for slave in self._slaves(bond):
            owner = self.taken.setdefault(slave, bond)
            if owner != bond and self.release.shared_member_told:
                self._error(bond, f"sub interfaces are not allowed on bond slave: {slave} ({owner})")
            elif self.rise(slave):
                self.slaves[slave] = bond
            else:
                self._missing(bond, slave)
        mode = self.stanzas.options[bond].get("bond-mode", MODES[0])
        if mode in {"802.3ad", "4"} and bond in self.made:
            # Not when the bond is made (real/3-modes-fresh), but ever after (real/3-modes-inplace).
            self._warning(bond, "attribute bond-min-links is set to '0'")
        elif mode not in MODES and not mode.isdecimal():
            self._warning(bond, f"invalid bond-mode value {mode}")
        return True

    def _slaves(self, bond: str) -> list[str]:
        """What PVE writes for a bond without slaves is a slave's name to some."""
        return self.stanzas.slaves(bond) or (["none"] if self.release.none_is_a_slave else [])

    def _missing(self, bond: str, slave: str) -> None:
        self._error(bond, f"skipping slave {slave}, does not exist", fails=self.release.missing_slave_fails)
        if slave not in self.stanzas.options:
            self._stranger(slave)

    def _stranger(self, iface: str) -> None:
        if self.release.stranger_warned:
            self._warning(iface, "interface not recognized - please check interface configuration")

    def _bridge(self, bridge: str) -> bool:
        missing = [port for port in self.stanzas.ports(bridge) if not self.rise(port)]
        for port in missing:
            self._error(bridge, f"bridge port {port} does not exist")
        if missing and self.release.missing_port_warned:
            self._warning(bridge, "apply bridge ports settings: bridge configuration failed (missing ports)")
        return True

    def _vlan(self, raw: str) -> bool:
        risen = self.rise(raw)
        self.failed |= not risen  # without a line (pve-api#vlan-on-nothing, `vlan-raw-missing`)
        return risen

    def _configure(self, iface: str) -> None:
        options = self.stanzas.options.get(iface, {})
        if address := options.get("address"):
            plain = address.partition("/")[0]
            try:
                ipaddress.ip_address(plain)
            except ValueError as error:
                text = f"convert string ip address into IPNetwork object: {error}"
                (self._error if self.release.bad_address_fails else self._warning)(iface, text)
        for when in ("pre-up", "post-up"):
            if (command := options.get(when)) in {"/bin/false", "false"}:
                self._warning(iface, f"{when} cmd '{command}' failed: returned 1")

    def _error(self, iface: str, text: str, *, fails: bool = True) -> None:
        self.failed |= fails
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
        elif step.change == "down":
            links.discard(step.link)
        elif step.change == "made":
            virtual.add(step.link)
        else:
            links.add(step.link)
            if step.link not in (nics or {}) and step.link != "lo":
                virtual.add(step.link)
    return frozenset(links), frozenset(virtual)
