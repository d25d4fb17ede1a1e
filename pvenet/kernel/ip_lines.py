"""The lines of `ip -details -statistics address`: a block a link, and what stands where in it. pve-api#ip-lines.

Whatever is missing or too much makes the whole text unreadable: a fact that is missing looks like one that is not so.
The one free text is a link's alias, which may have line breaks (pve-api#report-hostile). It is too short for the end of
one link and the beginning of another; the names and addresses that it may have made up are told apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pvenet.kernel import words
from pvenet.kernel.unreadable import Unreadable

_HEADER = re.compile(r"(\d{1,10}): ([!-.0-9;-?A-~]{1,15})(?:@([!-.0-9;-?A-~]{1,15}))?: <([A-Z0-9_,-]*)> (mtu .*)")
"""A name has neither a colon nor a slash, and `@` is where another one begins."""
_DETAILS = re.compile(r"    ((?!link/|alias\b|altname\b|inet6?\b)[a-z0-9][a-z0-9_.-]*)(?: .*)?")
_MAP = re.compile(r" {6}(?:in|e)gress-qos-map \{ .*")
"""A VLAN's priorities go on over its line."""
_LIFETIME = re.compile(r" {7}valid_lft (forever|\d+sec) preferred_lft (?:forever|\d+sec)")
_OUT_OF_PLACE = re.compile(r"\d+: | {4}link/| {7}valid_lft ")
"""No alias of a person's looks like these lines."""
_SLAVE = "_slave"
_LAST = "numtxqueues"
"""Hangs on the last line of a link's details, so that none of them is missing behind it."""
_HEADER_WORDS = ("mtu", "qdisc", "state", "group")
_COUNTED = ("bytes", "packets", "errors", "dropped")

LONGEST_ALIAS = 255
"""Bytes, for Linux."""
SHORTEST_COUNTERS = 210
"""Characters of a link's last four lines. With the first two of another they are more than an alias has, so that none
goes on into the next link, or makes one up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressLine:
    """An address and its lifetime."""

    words: tuple[str, ...]
    forever: bool


@dataclass(kw_only=True, slots=True)
class Block:
    """What stands about one link, by the line that it stands in."""

    index: int
    name: str
    at: str | None
    """What stands behind the name's `@`."""
    flags: frozenset[str]
    header: tuple[str, ...]
    link: tuple[str, ...]
    kind: tuple[str, ...] = ()
    slave: tuple[str, ...] = ()
    altnames: list[str] = field(default_factory=list)
    addresses: list[AddressLine] = field(default_factory=list)
    made_up: set[str] = field(default_factory=set)
    """Kinds of lines of which the alias may be the author: `altname`, `inet`."""


class _Lines:
    """The lines in turn, and how much of an alias may still be among them."""

    def __init__(self, text: str) -> None:
        self._lines = text.removesuffix("\n").split("\n")
        self._at = 0
        self._left = -1

    def __bool__(self) -> bool:
        return self._at < len(self._lines)

    def peek(self) -> str:
        return self._lines[self._at] if self else ""

    def take(self) -> str:
        if not self:
            raise Unreadable("the text ends within a link")
        line = self._lines[self._at]
        self._at += 1
        self._left -= len(line) + 1
        return line

    def begin_alias(self, text: str) -> None:
        """An alias begins, with a line of its own."""
        if len(text) > LONGEST_ALIAS:
            raise Unreadable("an alias is longer than Linux allows")
        self._left = LONGEST_ALIAS - len(text)

    @property
    def in_alias(self) -> bool:
        """Whether the alias may have gone on to the end of the line that was taken last."""
        return self._left >= 0


def blocks(text: str) -> tuple[Block, ...]:
    """The links of a text, in its order. Raises Unreadable."""
    lines = _Lines(text)
    found = []
    while lines:
        found.append(_block(lines))
    return tuple(found)


def _block(lines: _Lines) -> Block:
    block = _begun(lines)
    while match := _DETAILS.fullmatch(lines.peek()):
        row = _with_maps(words.split(lines.take()), lines)
        if match[1].endswith(_SLAVE) and not block.slave:
            block.slave = row
        elif not block.kind and not block.slave:
            block.kind = row
        else:
            raise Unreadable("a link has more lines than one of its kind")
    rows = [row for row in (block.link, block.kind, block.slave) if row]
    if [_LAST in row for row in rows] != [row is rows[-1] for row in rows]:
        raise Unreadable("a line of a link's details is missing")
    _rest(lines, block)
    return block


def _begun(lines: _Lines) -> Block:
    """The two lines that every link begins with."""
    header = _HEADER.fullmatch(lines.take())
    link = words.split(lines.peek())
    if header is None or not lines.take().startswith("    link/"):
        raise Unreadable("a link does not begin as links do")
    row = words.split(header[5])
    for name in _HEADER_WORDS:
        words.required(row, name)
    flags = header[4].split(",") if header[4] else []
    if len(set(flags)) < len(flags):
        raise Unreadable("a flag is listed twice")
    return Block(index=int(header[1]), name=header[2], at=header[3], flags=frozenset(flags), header=row, link=link)


def _with_maps(row: tuple[str, ...], lines: _Lines) -> tuple[str, ...]:
    while _MAP.fullmatch(lines.peek()):
        row += words.split(lines.take())
    return row


def _rest(lines: _Lines, block: Block) -> None:
    """The alias, further names, addresses, and the counters at the end."""
    aliased = False
    while True:
        line = lines.take()
        kind = line[4:].partition(" ")[0] if line.startswith("    ") else ""
        if kind == "RX:":
            return _counters(lines, line)
        if kind == "alias" and not (aliased or block.altnames or block.addresses):
            aliased = True
            lines.begin_alias(line.removeprefix("    alias "))
        elif kind == "altname" and not block.addresses:
            _altname(lines, block, line)
        elif kind in ("inet", "inet6"):
            _address(lines, block, line)
        elif not lines.in_alias or _OUT_OF_PLACE.match(line):
            raise Unreadable("a line stands where none of its kind does")


def _altname(lines: _Lines, block: Block, line: str) -> None:
    row = words.split(line)
    if line != f"    altname {row[-1]}" or row[-1] in block.altnames:
        raise Unreadable("a further name is none")
    block.altnames.append(row[-1])
    if lines.in_alias:
        block.made_up.add("altname")


def _address(lines: _Lines, block: Block, line: str) -> None:
    lifetime = _LIFETIME.fullmatch(lines.take())
    if lifetime is None:
        raise Unreadable("an address has no lifetime")
    block.addresses.append(AddressLine(words=words.split(line), forever=lifetime[1] == "forever"))
    if lines.in_alias:
        block.made_up.add("inet")


def _counters(lines: _Lines, first: str) -> None:
    """What was received and sent: nothing of it is kept, but no link is without it."""
    rows = [first, lines.take(), lines.take(), lines.take()]
    for way, names, numbers in (("RX:", *rows[:2]), ("TX:", *rows[2:])):
        named, counted = words.split(names), words.split(numbers)
        sound = names.startswith(f"    {way} ") and named[1:5] == _COUNTED and len(counted) == len(named) - 1
        if not sound or not numbers.startswith("    ") or not all(count.isdigit() for count in counted):
            raise Unreadable("a link has no counters")
    if sum(len(row) + 1 for row in rows) < SHORTEST_COUNTERS:
        raise Unreadable("a link's counters are cut")
