"""Reading the file: lines become stanzas of interfaces, words of `auto`, and loose lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from pvenet.sim.interfaces.characters import BLANK, BLANKS, INK, LETTER, as_comment, as_read, words
from pvenet.sim.interfaces.derive import derive
from pvenet.sim.interfaces.model import Host, Interface, Loose, Parsed, Property
from pvenet.sim.interfaces.options import BY_FAMILY, PROPERTIES, value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AUTO = re.compile(rf"{BLANK}*(?:auto|allow-auto|allow-ovs|allow-hotplug){BLANK}+(.*)")
_IFACE = re.compile(rf"{BLANK}*iface{BLANK}+({INK}+)(?:{BLANK}+(inet6?){BLANK}+({INK}+))?{BLANK}*")
_ALLOW = re.compile(rf"allow-({INK}+){BLANK}+(.*)")
_SECTION = re.compile(rf"(?:iface|mapping|auto|source|source-directory){BLANK}|allow-")
_OPTION = re.compile(rf"({INK}+){BLANK}+(.+)")

FIRST_PLACE = 2


@dataclass
class Stanza:
    """One stanza of an interface: what is its own. Properties that PVE knows are the interface's (pve-api#f14)."""

    family: str | None
    method: str | None
    options: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


class Draft:
    """An interface while its stanzas are read."""

    def __init__(self, name: str, place: int) -> None:
        self.name = name
        self.place = place
        self.properties: dict[str, Property] = {}
        self.stanzas: list[Stanza] = []

    def option(self, line: str, key: str, text: str) -> None:
        """An option of the stanza that was begun last."""
        stanza = self.stanzas[-1]
        if key in BY_FAMILY:
            self.properties[key + _suffix_of(stanza.family, key, text)] = text
        elif name := PROPERTIES.get(key):
            self.properties[name] = value(name, self.properties.get(name), text)
        else:
            stanza.options.append(line)

    def finish(self) -> dict[str, Property]:
        """All of its stanzas as one bag of properties."""
        found: dict[str, Property] = {"method": "manual", "method6": "manual", **self.properties}
        found["priority"] = self.place
        found["families"] = tuple(stanza.family for stanza in self.stanzas)
        comments: dict[str, list[str]] = {"": [], "6": []}
        options: dict[str, list[str]] = {"": [], "6": []}
        for stanza in self.stanzas:
            suffix = "6" if stanza.family == "inet6" else ""
            if stanza.method:
                found[f"method{suffix}"] = stanza.method
            _gather(options, suffix, stanza.options, stanza.family)
            _gather(comments, suffix, stanza.comments, stanza.family)
        if lines := comments[""] + comments["6"]:
            found["comments"] = "".join(f"{line}\n" for line in lines)  # pve-api#f17
        found |= {f"options{suffix}": tuple(lines) for suffix, lines in options.items() if lines}
        return found


def _suffix_of(family: str | None, key: str, text: str) -> str:
    """Which of the two families' property an option is; without a family, the value tells (pve-api#f24)."""
    if family is None:
        return "6" if ":" in text and key != "netmask" else ""
    return "6" if family == "inet6" else ""


def _gather(lines: dict[str, list[str]], suffix: str, more: list[str], family: str | None) -> None:
    """Lines of a stanza replace those of an earlier one; of one without a family, they join them (pve-api#f15)."""
    if more:
        lines[suffix] = more if family else lines[suffix] + more


class Reader:
    """The file read line by line: a stanza is open or none is."""

    def __init__(self) -> None:
        self.drafts: dict[str, Draft] = {}
        self.auto: dict[str, None] = {}
        """Names that start with the node, in their order."""
        self.loose: list[Loose] = []
        self.opened: Draft | None = None
        """The interface whose stanza the line that was read last belongs to."""
        self._next = FIRST_PLACE

    def read(self, text: str) -> None:
        """All of a file."""
        for line in as_read(text).split("\n"):
            self.line(line)

    def line(self, raw: str) -> None:
        if self.opened is not None:
            raw = raw.rstrip(BLANKS)  # one that ends the stanza has lost them, too (pve-api#f3)
            if self._inside(self.opened, raw.lstrip(BLANKS)):
                return
            self.opened = None
        self._outside(raw)

    def _inside(self, draft: Draft, stripped: str) -> bool:
        """Whether a line belongs to the open stanza (pve-api#f7)."""
        if stripped.startswith("#"):
            draft.stanzas[-1].comments.append(as_comment(stripped[1:]))
        elif _SECTION.match(stripped) or not (option := _OPTION.fullmatch(stripped)):
            return False
        else:
            draft.option(stripped, option[1], option[2])
        return True

    def _outside(self, raw: str) -> None:
        """A line in no stanza (pve-api#f4)."""
        if raw.lstrip(BLANKS).startswith("#"):
            return
        if auto := _AUTO.fullmatch(raw):
            self.auto.update(dict.fromkeys(words(auto[1])))
        elif iface := _IFACE.fullmatch(raw):
            self._begin(iface[1], Stanza(iface[2], iface[3]))
        elif LETTER.search(raw):
            self.loose.append(Loose(self._place(), raw))

    def _begin(self, name: str, stanza: Stanza) -> None:
        draft = self.drafts.get(name)
        if draft is None:
            draft = self.drafts[name] = Draft(name, self._place())
        draft.stanzas.append(stanza)
        self.opened = draft

    def _place(self) -> int:
        """The next place (pve-api#f9)."""
        self._next += 1
        return self._next - 1


def parse(text: str, host: Host) -> Parsed:
    """The file as PVE reads it on this machine."""
    reader = Reader()
    reader.read(text)
    drafted = {name: draft.finish() for name, draft in reader.drafts.items()}
    found = derive(drafted, reader.auto, host)
    return Parsed(
        interfaces=MappingProxyType({name: Interface(name, MappingProxyType(found[name])) for name in _in_file(found)}),
        loose=tuple(_without_listed_ports(reader.loose, found)),
        text=text,
        host=host,
    )


def _in_file(found: Mapping[str, Mapping[str, Property]]) -> list[str]:
    """The names in the order of the file; what has no place in it comes last, by name."""

    def key(name: str) -> tuple[bool, Property, str]:
        place = found[name].get("priority")
        return place is None, place or 0, name

    return sorted(found, key=key)


def _without_listed_ports(loose: list[Loose], found: Mapping[str, Mapping[str, Property]]) -> Iterator[Loose]:
    """`allow-vmbr5 ens40` says what the OVS bridge says as well; what it lists needs it no more (pve-api#f11)."""
    for each in loose:
        if not (match := _ALLOW.fullmatch(each.line)):
            yield each
            continue
        listed = words(str(found.get(match[1], {}).get("ovs_ports", "")))
        if left := [port for port in words(match[2]) if port not in listed]:
            yield Loose(each.place, f"allow-{match[1]} {' '.join(left)}")
