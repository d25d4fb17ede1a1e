"""A file rehearsed: what PVE would make of it, before anybody stages a change on top of it. Pure.

A hand-written file loses its shape on the first write of any kind (pve-api#hand-written), and an update loses what no
PUT can keep (pve-api#update-loses). Both are found by doing them; a second look at each line tells which one is to
blame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.sim.diff import changes
from pvenet.sim.interfaces import Host, parse, requested, rewrite
from pvenet.sim.interfaces.characters import BLANKS, as_comment, as_read, words
from pvenet.sim.interfaces.parse import Reader
from pvenet.sim.interfaces.type_rules import NIC
from pvenet.sim.interfaces.write import HEADER, stanzas
from pvenet.sim.machine.ifupdown2 import nics_of
from pvenet.sim.schema import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pvenet.sim.interfaces import Interface, Parsed, Property
    from pvenet.sim.interfaces.parse import Draft

_STARTS = ("auto", "allow-auto", "allow-hotplug", "allow-ovs")
"""PVE reads all of them as `auto`, and writes that."""
_KEPT = ("source", "source-directory", "mapping", "allow-")
"""What such lines say belongs to no interface, and PVE keeps it as it is."""
_ADDED_UP = ("bridge_ports", "slaves", "vxlan-remoteip")
"""Properties to which a second line adds."""
_HEADER = frozenset(line.strip() for line in HEADER.splitlines() if line)


@dataclass(frozen=True, kw_only=True)
class Note:
    """One thing that a person might not expect PVE to make of a file."""

    line: int | None
    """Counted from 1; None where it is about the interface as a whole."""
    name: str
    """The interface; empty where a line belongs to none."""
    text: str


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What PVE makes of a file."""

    parsed: Parsed
    notes: tuple[Note, ...]
    refused: str | None
    """PVE's words, with which it would refuse any change of this node."""
    changes: str | None
    """What the first write would change besides what was asked for, as PVE's `changes`; nothing where that
    is the header, and blank lines, alone."""


def host_of(text: str, nics: Mapping[str, tuple[str, ...]] | None = None) -> Host:
    """A machine for a file that came without one: the NICs are those that look like some, and those that are given."""
    given = nics or {}
    altnames = {altname for others in given.values() for altname in others}
    looks = [name for name in nics_of(as_read(text)) if NIC.fullmatch(name) and name not in altnames]
    return Host(nics={**dict.fromkeys(looks, ()), **given}, up=frozenset())


def rehearse(text: str, host: Host) -> Rehearsal:
    """Read a file as PVE does, and write it as it would."""
    watch = _Watch()
    watch.read(text)
    parsed = parse(text, host)
    notes = (*watch.notes, *watch.idle_starts(), *_misread(parsed), *_lost_by_updates(parsed))
    try:
        new = rewrite(parsed, host)
    except Refused as refused:
        return Rehearsal(parsed=parsed, notes=notes, refused=refused.message.strip(), changes=None)
    same = changes(_content(text), _content(new)) is None
    return Rehearsal(parsed=parsed, notes=notes, refused=None, changes=None if same else changes(text, new))


def _content(text: str) -> str:
    """A file without PVE's header and without blank lines: the installer's own differs in these alone."""
    return "".join(f"{line}\n" for line in text.removeprefix(HEADER).split("\n") if line.strip())


class _Watch(Reader):
    """Reads a file as ever, and notes what becomes of single lines."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[Note] = []
        self._number = 0
        self._starts: list[tuple[int, str]] = []
        self._last = ""
        """The line before, without blanks around it."""
        self._mapping = False
        self._ends_told = False

    def line(self, raw: str) -> None:
        self._number += 1
        whole = as_comment(raw)
        if whole and whole.splitlines() != [whole]:
            self._cut(whole)
        draft, loose = self.opened, len(self.loose)
        known = dict(draft.properties) if draft else {}
        super().line(raw)
        stripped = raw.strip(BLANKS)
        shown = as_comment(stripped)
        first = next(iter(words(stripped)), "")
        if len(self.loose) > loose:
            self._belongs_to_none(shown, first)
        elif first in _STARTS:
            self._starts_some(stripped, first)
        elif first == "iface" and self.opened:
            self._begins(self.opened)
        elif stripped.startswith("#") and self.opened is None:
            self._comment(shown)
        elif draft is self.opened and draft:
            self._says_twice(draft, known)
        self._last = stripped

    def idle_starts(self) -> Iterator[Note]:
        """Names that are to start and that nothing describes: to PVE they are interfaces all the same."""
        for line, name in self._starts:
            if name not in self.drafts:
                text = f"nothing describes {name}; it is an interface to PVE, which writes `iface {name} inet manual`"
                yield Note(line=line, name=name, text=text)

    def _note(self, text: str, name: str = "") -> None:
        self.notes.append(Note(line=self._number, name=name, text=text))

    def _belongs_to_none(self, stripped: str, first: str) -> None:
        self._mapping = first == "mapping" or (self._mapping and bool(self._last))
        if self._mapping or first.startswith(_KEPT):
            return
        if first == "iface":
            self._note(f"`{stripped}` does not begin a stanza for PVE, and what follows belongs to none")
        else:
            ended = "a blank line, or a line without a value, has ended the one above"
            self._note(f"`{stripped}` is in no stanza: {ended}; a stanza that is written before it gets it")

    def _cut(self, whole: str) -> None:
        """What ends a line for ifupdown2 and not for PVE, as a carriage return."""
        letter = next(letter for letter in whole if letter.splitlines() != [letter])
        if rest := whole.partition(letter)[2].strip():
            self._note(f"{letter!a} ends a line for ifupdown2 and not for PVE: `{rest}` may be run as a command")
        elif not self._ends_told:
            self._ends_told = True
            self._note(f"lines end in {letter!a}, here the first: for PVE it belongs to what stands before it")

    def _starts_some(self, stripped: str, first: str) -> None:
        self._starts += [(self._number, name) for name in words(stripped)[1:]]
        if first != "auto":
            self._note(f"`{first}` becomes `auto`")

    def _begins(self, draft: Draft) -> None:
        family = draft.stanzas[-1].family
        if family is None:
            self._note("a stanza without a family, which the API reads but can't create", draft.name)
        if sum(stanza.family == family for stanza in draft.stanzas) > 1:
            what = family or "such"
            self._note(f"a second {what} stanza: PVE keeps one set of options, and writes it into both", draft.name)

    def _comment(self, stripped: str) -> None:
        if stripped in _HEADER:
            return
        before = self.notes[-1] if self.notes else None
        if self._last.startswith("#") and before and before.text.startswith("comments outside"):
            return  # one note for a run of them
        self._note(f"comments outside stanzas go, here `{stripped}`")

    def _says_twice(self, draft: Draft, known: Mapping[str, Property]) -> None:
        for key, value in known.items():
            if draft.properties.get(key) != value and key not in _ADDED_UP:
                self._note(f"{key} is given twice; `{key} {as_comment(str(value))}` goes", draft.name)


def _misread(parsed: Parsed) -> Iterator[Note]:
    """Interfaces that PVE takes for something else than the file's author, by their names (pve-api#bond-name)."""
    for name, interface in parsed.interfaces.items():
        if text := _misreading(interface):
            yield Note(line=None, name=name, text=text)


def _misreading(interface: Interface) -> str | None:
    given, kind = interface.properties, interface.type
    if "slaves" in given and kind != "bond":
        return f"has slaves but is not a bond to PVE, which knows only bond<N>; its type is {kind}"
    if not kind:
        return "something is on top of it, but it is not there; PVE makes it up, without a stanza"
    if kind == "unknown" and interface.place is not None:
        return "PVE does not know what it is: neither by its name nor by its options"
    if kind == "bond" and "slaves" not in given:
        return "is a bond to PVE because of its name, one without slaves"
    return None


def _lost_by_updates(parsed: Parsed) -> Iterator[Note]:
    """What an update of an interface changes besides what it is about (pve-api#update-families)."""
    for name, interface in parsed.interfaces.items():
        if name == "lo" or interface.place is None:
            continue
        sent, reason = _resent(parsed, interface)
        try:
            updated = requested(parsed, name, sent)
        except Refused as refused:  # a name that PVE reads and does not take, such as br-lan
            why = ", ".join(f"{key}: {text.strip()}" for key, text in (refused.errors or {}).items())
            yield Note(line=None, name=name, text=f"PVE takes no update of it ({why or refused.message})")
            continue
        try:
            before, after = list(stanzas(interface)), list(stanzas(updated))
        except Refused:  # as the whole file is, in the same words
            continue
        gone = [line.strip() for line in before if line not in after]
        come = [line.strip() for line in after if line not in before]
        if gone:
            made = f" and gains {_quoted(come)}" if come else ""
            yield Note(line=None, name=name, text=f"{reason}any update loses {_quoted(gone)}{made}")


def _resent(parsed: Parsed, interface: Interface) -> tuple[dict[str, object], str]:
    """What a careful update sends again, as far as PVE takes it; and its words where it does not."""
    sent: dict[str, object] = {"type": interface.type}
    reason = ""
    for family, suffix in (("inet", ""), ("inet6", "6")):
        cidr = interface.text(f"cidr{suffix}")
        left_behind = family == "inet" and family in interface.families and interface.text("method") == "manual"
        if not cidr or (left_behind and not interface.text("cidr6")):
            continue
        try:
            requested(parsed, interface.name, sent | {f"cidr{suffix}": cidr})
        except Refused:
            reason += f"PVE refuses to be sent {cidr} again: "
        else:
            sent[f"cidr{suffix}"] = cidr
    return sent, reason


def _quoted(lines: Sequence[str]) -> str:
    return ", ".join(f"`{line}`" for line in lines)
