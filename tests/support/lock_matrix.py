"""The fault matrix of the SDN lock and /etc/hosts: what befalls them at each request of a command, a cell each.

What was said is judged by the simulated node's own folder, never by what the client reads of it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface
from itertools import product
from typing import TYPE_CHECKING

from fault_truth import truth
from killed import back, later
from lab import Lab, interrupt
from lock_witness import LockWitness

from pvenet import errors
from pvenet.apply.options import ApplyOptions
from pvenet.apply.status import status
from pvenet.events import Reloading, Warned
from pvenet.journal import State
from pvenet.model import Bridge
from pvenet.sim.hosts import fresh_hosts, read_hosts
from pvenet.sim.sdn.folder import SdnFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from fault_truth import Truth

    from pvenet.events import Event

REFUSED, UNKNOWN, INTERRUPTED = 7, 9, 130
OLD, NEW = "192.168.171.21", "192.168.171.31"
RELOAD = "PUT network"
ASK, RELEASE = "POST cluster/sdn/lock", "DELETE cluster/sdn/lock"
LOOK, WRITE = "GET hosts", "POST hosts"
LOST = ("drop-before", "drop-after", "gateway=596", "gateway=596:after", "error", "error=after", "torn")
"""What becomes of one answer."""
ANYWHERE = ("sdn-locked", "foreign-sdn-unlock", "foreign-sdn-apply", "foreign-hosts", "lacks=SDN.Allocate")
"""At any request; a Ctrl-C, too."""
CTRL_C = ("ctrl-c", "ctrl-c-after", "ctrl-c-twice")
BY_FORCE = (
    f"foreign-sdn-unlock@{RELOAD} & sdn-locked@{RELEASE}",
    f"sdn-locked@{ASK} & foreign-sdn-unlock@{RELOAD}",
    f"drop-after@{ASK} & foreign-sdn-unlock@{RELOAD}",
    f"drop-after@{ASK} & foreign-sdn-unlock@{RELOAD} & sdn-locked@{RELEASE}",
    f"drop-before@{ASK} & drop-before@{ASK}+2 & sdn-locked@{RELOAD}",
    f"drop-before@{ASK} & drop-after@{ASK}+2",
)
NO_RELEASE = tuple(" & ".join(f"{fault}@{RELEASE}+{nth}" for nth in (1, 2, 3)) for fault in LOST)
EDITED = (
    f"foreign-hosts@{LOOK} & foreign-hosts@{RELOAD}",
    f"foreign-hosts@{WRITE} & drop-after@{WRITE}",
    f"drop-before@{WRITE} & drop-before@{WRITE}+2",
    f"drop-before@{WRITE} & drop-after@{WRITE}+2",
    f"drop-before@{WRITE} & foreign-hosts@{WRITE}+2",
)
RIGHTS = (f"lacks=SDN.Allocate@{ASK}", f"lacks=SDN.Allocate@{RELEASE}", f"lacks=Sys.Audit@{LOOK}")
LOCKS = (f"sdn-locked@{ASK}", f"foreign-sdn-unlock@{RELEASE}", *BY_FORCE, *NO_RELEASE)
HOSTS = (f"foreign-hosts@{LOOK}", f"foreign-hosts@{WRITE}", *EDITED)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is wanted of a command, and what it is about."""

    moves: bool = False
    """The node's own address, or else a bridge that nobody needs."""
    locked: bool = True
    follows: bool = True
    """It was agreed that /etc/hosts is changed."""
    confirms: bool | None = None
    """What a person says who is asked, where one is."""
    back: bool = False
    """It is live, and is rolled back."""

    @property
    def port(self) -> str:
        return "ens33" if self.moves else "bond0"


SCENARIOS: Mapping[str, Scenario] = {
    "bridge": Scenario(),
    "address": Scenario(moves=True),
    "unlocked": Scenario(moves=True, locked=False),
    "left": Scenario(moves=True, follows=False),
    "confirmed": Scenario(moves=True, confirms=True),
    "refused": Scenario(moves=True, confirms=False),
    "back": Scenario(moves=True, back=True),
}


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a command has ended."""

    code: int
    message: str
    events: tuple[Event, ...]

    @property
    def warnings(self) -> str:
        return "\n".join(event.text for event in self.events if isinstance(event, Warned))

    @property
    def after(self) -> str:
        """The warnings since the first reload."""
        begun = [n for n, event in enumerate(self.events) if isinstance(event, Reloading)]
        return "\n".join(each.text for each in self.events[begun[0] if begun else 0 :] if isinstance(each, Warned))


@dataclass
class CtrlC:
    """Ctrl-Cs at some requests, before they are sent; or after the node has acted at one."""

    lab: Lab
    at: tuple[int, ...]
    acted: bool = False
    count: int = 0

    def __call__(self) -> None:
        self.count += 1
        if self.count in self.at:
            if not self.acted:
                interrupt()
            self.lab.adapter.once_acted = self._once

    def _once(self) -> None:
        self.lab.adapter.once_acted = lambda: None
        interrupt()


class LockMatrix:
    """The cells of one scenario."""

    def __init__(self, scenario: str, place: Path) -> None:
        self.scenario = SCENARIOS[scenario]
        self._place = place
        self._number = 0
        staged = Lab(place / "staged")
        self.before = truth(staged.folder, staged.time.now)
        self._stage(staged)
        self.wanted = truth(staged.folder, staged.time.now).view
        if self.scenario.back:
            staged.apply(allow_management=True, update_hosts=True)
        self.first = truth(staged.folder, staged.time.now + 30.0)
        """As the command finds it."""
        clean = self._lab()
        self.said = self._run(clean)
        self.requests = clean.sent

    def _stage(self, lab: Lab) -> None:
        if not self.scenario.moves:
            lab.tagged()
            return
        vmbr0 = lab.node.read().network.interfaces["vmbr0"]
        assert isinstance(vmbr0, Bridge)
        lab.stage({"vmbr0": replace(vmbr0, cidr=IPv4Interface(f"{NEW}/24"))})

    # --- cells -------------------------------------------------------------------------------------------------------

    def cells(self, step: int = 1) -> Iterator[tuple[str, ...]]:
        """What befalls one request, at every so many in turn; what befalls the lock and the file, with each reload."""
        for number, fault in enumerate((*ANYWHERE, *CTRL_C)):
            yield from ((f"{fault}@{at}",) for at in range(1 + number % step, len(self.requests) + 1, step))
        for (first, fault), (second, trouble) in product(enumerate(self._own()), enumerate(self._troubles())):
            if (first + second) % step == 0:
                yield (*fault.split(" & "), *trouble)

    def _own(self) -> Iterator[str]:
        """What concerns the lock and the file."""
        lost = [f"{fault}@{where}" for where in (ASK, RELEASE, LOOK, WRITE) for fault in LOST]
        for fault in (*RIGHTS, *LOCKS, *HOSTS, *lost):
            if fault.rpartition("@")[2].partition("+")[0] in self.requests:
                yield fault

    def _troubles(self) -> Iterator[tuple[str, ...]]:
        at = self.requests.index(RELOAD) + 1
        yield ()
        yield (f"reload-fails@{RELOAD}",)
        yield (f"port-missing={self.scenario.port}@{RELOAD}",)
        yield (f"ctrl-c@{at}",)
        yield (f"ctrl-c-twice@{at + 1}",)
        yield (f"ctrl-c-after@{len(self.requests)}",)

    # --- a run -------------------------------------------------------------------------------------------------------

    def complaints(self, cell: tuple[str, ...]) -> list[str]:
        """What is wrong with what was said; nothing is what it should be."""
        lab = self._lab()
        for word in cell:
            if word.startswith("ctrl-c"):
                kind, _, at = word.partition("@")
                twice = (int(at), int(at) + 1) if kind == "ctrl-c-twice" else (int(at),)
                lab.adapter.every = CtrlC(lab, twice, acted=kind == "ctrl-c-after")
        lab.order(*(word for word in cell if not word.startswith("ctrl-c")))
        said = self._run(lab)
        try:
            return [f"exit {said.code}: {text}: {said.message}" for text in self._wrong(lab, cell, said)]
        finally:
            shutil.rmtree(lab.folder)

    def _lab(self) -> Lab:
        self._number += 1
        folder = self._place / str(self._number)
        shutil.copytree(self._place / "staged", folder)
        lab = Lab(folder, recorder=LockWitness)
        lab.time.now += 60.0
        lab.person = lambda _left: self.scenario.confirms
        return lab

    def _run(self, lab: Lab) -> Said:
        code, message = 0, ""
        try:
            if self.scenario.back:
                back(lab, allow_management=True, sdn_lock=True)
            else:
                lab.apply_with(lab.runtime(), self._options)
            message = lab.end.message
        except errors.PvenetError as error:
            code, message = error.exit_code, error.message
        return Said(code=code, message=message, events=tuple(lab.events))

    @property
    def _options(self) -> ApplyOptions:
        return ApplyOptions(
            allow_management=True,
            sdn_lock=self.scenario.locked,
            update_hosts=self.scenario.follows,
            confirm_within=None if self.scenario.confirms is None else 60.0,
        )

    # --- what is wrong -----------------------------------------------------------------------------------------------

    def _wrong(self, lab: Lab, cell: tuple[str, ...], said: Said) -> Iterator[str]:
        lab.order()
        lab.adapter.every = lambda: None
        listed = any(sent.reloading and sent.text == "GET network" for sent in lab.adapter.sent)
        if listed and not _witness(lab).applies:  # of somebody else's nobody knows in the moment when it begins
            yield "lists while its reload runs, which freezes the flags"
        now = truth(lab.folder, lab.time.now)
        yield from self._verdict(lab, cell, said, now)
        if self.scenario.moves:
            yield from self._hosts(lab, said, now)
        yield from _lock(lab, said)

    def _verdict(self, lab: Lab, cell: tuple[str, ...], said: Said, now: Truth) -> Iterator[str]:
        is_back, is_live = now.live == self.before.live, now.live == self.wanted
        match said.code:
            case 0 if said.message.startswith("nothing is pending"):
                yield from self._unsent(lab, said, now)
            case 0 if not self.scenario.back:
                if not (is_live and now.agrees):
                    yield "applied, and it is not live"
            case 0 | 8:
                if not (is_back and now.agrees) or now.pending is not None:
                    yield "rolled back, and it is not"
                if said.code and not self._fails(cell):
                    yield "a healthy change was rolled back"
            case 9:
                if not any(word.startswith("ctrl-c") for word in cell):
                    yield "nobody knows, without a reason"
            case 7 | 130:
                yield from self._unsent(lab, said, now)
            case _:
                yield "ends otherwise"

    def _unsent(self, lab: Lab, said: Said, now: Truth) -> Iterator[str]:
        """Refused, or interrupted before the reload: nothing is live that somebody else has not made live."""
        others = _witness(lab).applies
        if now.reloads > self.first.reloads or (now.live != self.first.live and not others):
            yield "nothing was sent, and something has changed"
        if said.code == REFUSED and not others:
            yield "refused without a reason"

    def _fails(self, cell: tuple[str, ...]) -> bool:
        failing = any(word.startswith(("reload-fails", "port-missing")) for word in cell)
        return failing or self.scenario.confirms is False

    def _hosts(self, lab: Lab, said: Said, now: Truth) -> Iterator[str]:
        """The file has the address that the node has, and that was said; or what is left to do is."""
        text = read_hosts(lab.adapter.sim.node("pve1"))
        others = [line for line in text.splitlines() if " somebody" in line]
        if len(others) != _witness(lab).edits:
            yield "somebody's edit of /etc/hosts was overwritten"
        first = NEW if self.scenario.back else OLD
        own = text.removesuffix("".join(f"{line}\n" for line in others))
        has = next((ip for ip in (OLD, NEW) if own == fresh_hosts("pve1", ip)), "")
        should = NEW if now.live == self.wanted else OLD
        if not has:
            yield "/etc/hosts has become something else"
        if ("; /etc/hosts follows" in said.message) is not (has != first):
            yield f"/etc/hosts has {has}, and that was said otherwise"
        if has != first and said.code != 0:
            yield "/etc/hosts was changed before the verdict"
        if has != should and said.code in {0, 8, UNKNOWN} and "/etc/hosts" not in said.after:
            yield "what is left to do in /etc/hosts is not said"
        if has != should and "not known: " not in said.after and not said.message.startswith("nothing is pending"):
            yield from self._later(lab, said)

    def _later(self, lab: Lab, said: Said) -> Iterator[str]:
        """Whoever looks later hears what is left to do; where nobody knew, the next command does it or says so."""
        lab.time.now += 60.0
        new = later(lab)
        if said.code in {REFUSED, UNKNOWN}:
            last = new.journals.chosen()
            goes_on = self.scenario.back or (last is not None and last.state is State.ROLLING_BACK)
            _ = back(new, allow_management=True) if goes_on else new.apply()
        told = f"{new.warnings}{status(new.node, new.journals).hosts}"
        should = NEW if truth(lab.folder, new.time.now).live == self.wanted else OLD
        if should not in read_hosts(lab.adapter.sim.node("pve1")) and "/etc/hosts" not in told:
            yield "whoever looks later does not hear what is left to do in /etc/hosts"


def _witness(lab: Lab) -> LockWitness:
    assert isinstance(lab.adapter, LockWitness)
    return lab.adapter


def _lock(lab: Lab, said: Said) -> Iterator[str]:
    """No lock of somebody else's was ended, and none of ours is left that nobody speaks of."""
    seen, sdn = _witness(lab), SdnFolder(lab.folder)
    if seen.ended:
        yield "somebody else's SDN lock was ended"
    left = sdn.holder
    if left in seen.ours and "SDN lock" not in said.warnings:
        yield "our SDN lock is left behind, and nobody says so"
    lab.time.now += 60.0
    new = later(lab)
    told = status(new.node, new.journals).sdn_lock
    if left in seen.ours and not told:
        yield "status does not know of our SDN lock"
    if sdn.holder in seen.ours and "--force" not in told:
        yield "our SDN lock is left behind after `pvenet status`, and what to do is not said"
    if left is not None and left not in seen.ours and sdn.holder != left:
        yield "status has ended somebody else's SDN lock"
