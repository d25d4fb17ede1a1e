"""What has to change in a file whose NICs have other names, and what of it no call of the API can change. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.kernel.files import APPLIED
from pvenet.model import Other, OvsPort, kind_of, looks_like_a_nic, natural
from pvenet.nics.gone import uses
from pvenet.nics.names import exchanged, footing, is_configured, named_anew, named_in, on, renamed, users

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.kernel.links import Report
    from pvenet.model import Interface, Network
    from pvenet.nics.sight import Sight


@dataclass(frozen=True, kw_only=True, slots=True)
class Renaming:
    """New names, and what they come to."""

    names: Mapping[str, str]
    """New names by the old ones."""
    desired: Mapping[str, Interface | None]
    moved: Mapping[str, Interface]
    """The stanzas that stand under another name then, by that; with the lines that only the file has."""
    by_hand: tuple[str, ...]
    """What names an old name and stays as it is, a clause each, with its line."""
    early: tuple[str, ...] = ()
    """The new names that no NIC has yet: it is for the next boot."""


def renaming(network: Network, names: Mapping[str, str], report: Report | None = None) -> Renaming:
    """What the file has to become where its NICs have these names."""
    wanted = renamed(network, names)
    stays = {name for name, each in network.interfaces.items() if isinstance(each, Other)}
    return Renaming(
        names=names,
        desired={
            name: each
            for name, each in wanted.items()
            if not isinstance(each, Other) and not (each is None and name in stays)
        },
        moved={
            new: named_anew(each, names)
            for name, each in network.interfaces.items()
            if (new := exchanged(name, names)) != name and name not in stays and wanted.get(new) is not None
        },
        by_hand=(*_unwritten(network, names), *_lines(network, names, report)),
        early=tuple(sorted((new for new in names.values() if not _is_there(network, new)), key=natural)),
    )


def _is_there(network: Network, name: str) -> bool:
    return name in network.links and network.links[name].exists


def _unwritten(network: Network, names: Mapping[str, str]) -> Iterator[str]:
    """What pvenet can't write."""
    for name, each in network.interfaces.items():
        if isinstance(each, Other) and (
            named := [old for old in names if old in footing(network, each) or old == name]
        ):
            yield f"{name}, of the kind {kind_of(each)}, uses {', '.join(named)}"


def _lines(network: Network, names: Mapping[str, str], report: Report | None) -> Iterator[str]:
    """Lines that PVE doesn't know, which it keeps as they are; and those of interfaces.d, which it does not write."""
    for name, each in network.interfaces.items():
        if exchanged(name, names) == name:
            for line in each.file_only.lines:
                if old := named_in(line, names):
                    yield f"{_place(line, report)}, in the stanza of {name}, names {old}: {line}"
    for path, text in (report.sourced if report else {}).items():
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.lstrip().startswith("#") and (old := named_in(line, names)):
                yield f"line {number} of {path} names {old}: {line.strip()}"


def _place(line: str, report: Report | None) -> str:
    """Where a line stands in the applied file; in a word where that is not known, or it stands there twice."""
    words = line.split()
    lines = report.interfaces.splitlines() if report else []
    found = [number for number, each in enumerate(lines, start=1) if each.split() == words]
    return f"line {found[0]} of {APPLIED}" if len(found) == 1 else "a line"


def told(names: Mapping[str, str]) -> str:
    """New names, as one says them: `eno1 is enp5s0`."""
    return ", ".join(f"{old} is {new}" for old, new in sorted(names.items(), key=lambda each: natural(each[0])))


def refusal(sight: Sight, names: Mapping[str, str]) -> tuple[str, str]:
    """Why names that somebody gives can't be, and what to do; empty where they can."""
    network = sight.network
    for old, new in names.items():
        if not any(old in (name, *on(each)) or name.startswith(f"{old}.") for name, each in network.interfaces.items()):
            return f"nothing in the file names {old}", candidates(sight)
        if old == new:
            return f"{old} has that name already", "leave it out"
        if [*names.values()].count(new) > 1:
            return f"two NICs would be {new}", "each has a name of its own"
        if new not in names and (users(network, new) or is_configured(network.interfaces.get(new))):
            return f"{new} is {uses(network, new)} already", _meant_otherwise(sight, new)
        if not _is_there(network, new) and (why := _too_early(network, old, new)):
            return why, "run this again after the boot, over another endpoint of the node"
    return "", ""


def _meant_otherwise(sight: Sight, name: str) -> str:
    """What to do about a name that the file has for another NIC."""
    took = next((each for each in sight.gone if each.name == name and not each.now), None)
    todo = f"if that is to be another NIC, name that too: --map {name}=..."
    if took is None:
        return todo
    return f"{took.text}.\n{todo}; or take {name} out there first\n{candidates(sight)}"


def _too_early(network: Network, old: str, new: str) -> str:
    """Why a NIC can't be named before it is there."""
    if isinstance(network.interfaces.get(old), OvsPort):
        return f"{old} is on Open vSwitch, whose ports PVE couples with NICs that are there"
    return "" if looks_like_a_nic(new) else f"PVE takes {new} for no NIC while there is none of that name"


def candidates(sight: Sight) -> str:
    """The NICs that there are, for a choice: MAC, state, who uses each."""
    lines = [
        f"{card.name}: {card.mac or 'MAC not known'}, {_state(sight, card.name)}"
        for card in sorted(sight.cards, key=lambda card: natural(card.name))
    ]
    return "the NICs are\n" + "\n".join(f"  {line}" for line in lines) if lines else "no NIC is there"


def _state(sight: Sight, name: str) -> str:
    card = next(card for card in sight.cards if card.name == name)
    cable = ("carrier" if card.carrier else "no carrier") if card.carrier is not None else "up" if card.up else "down"
    speed = f", {card.speed} Mbit/s" if card.speed else ""
    above = users(sight.network, name)
    return f"{cable}{speed}, {'used by ' + ', '.join(above) if above else 'free'}"
