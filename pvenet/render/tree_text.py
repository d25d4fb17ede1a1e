"""The picture of a node in lines of text: cables at the left, what they lead to at their right and beneath."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from pvenet.foreign import one_line
from pvenet.kernel.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pvenet.render.tree import Hanging, Mark, Part, Tree, Trunk
    from pvenet.render.values import Paint

Span = tuple[str, str]
"""A text, and its colour; LINE is what connects."""
Line = list[Span]

LINE = "line"
BOX = "─│┐┤┴├└┬"
_ASCII = str.maketrans(BOX, "-|.++|`+")
MOST = 9
"""Guests of a bridge that are named; with more, the first of them."""
_COLUMN = 24
"""Letters of a guest's number and name that a column is made for."""
_FAST = "\xa0"
"""A blank at which no line ends."""
_NARROWEST = 16
"""Columns that facts are squeezed into at least."""
_COLOURS = {"+": "green", "~": "yellow", "-": "red"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Node:
    """One thing with what hangs beneath it."""

    head: Line
    facts: str = ""
    children: tuple[_Node, ...] = ()


def tree_text(tree: Tree, width: int, paint: Paint, *, boxes: bool = True) -> str:
    """The picture; without `boxes` in ASCII."""
    return "\n".join(_painted(line, paint, boxes=boxes) for line in tree_lines(tree, width))


def _painted(line: Line, paint: Paint, *, boxes: bool) -> str:
    words = []
    for text, colour in line:
        if colour == LINE:
            words.append(text if boxes else text.translate(_ASCII))
        else:
            words.append(paint(text, colour) if colour else text)
    return "".join(words).rstrip()


def tree_lines(tree: Tree, width: int) -> list[Line]:
    """The picture in coloured pieces that fit a width."""
    cables = [*(cable for trunk in tree.trunks for cable in trunk.cables), *tree.unused]
    cells = _Cells(cables, [trunk.loose for trunk in tree.trunks])
    lines: list[Line] = [[(one_line(tree.node), "bold")]]
    for before, trunk in zip((None, *tree.trunks), tree.trunks, strict=False):
        gap: list[Line] = [] if before and before.loose and before.loose == trunk.loose else [[]]
        lines += [*gap, *_trunk(trunk, cells, width)]
    if tree.unused:
        lines += [[], [("not used", "bold")], *(cells.of(cable) for cable in tree.unused)]
    if tree.differences:
        lines += [[], [("differs from the file", "bold")]]
        for text in tree.differences:
            said = wrap(one_line(text), max(width, 40), initial_indent="! ", subsequent_indent="  ")
            lines += [[(each, "red")] for each in said]
    return lines


class _Cells:
    """Cables in columns, all of the same width."""

    def __init__(self, cables: Sequence[Part], loose: Sequence[str]) -> None:
        self._signs = max((len(cable.signs) for cable in cables), default=0)
        self._name = max((len(one_line(cable.name)) for cable in cables), default=0)
        state = max((len(_cable_state(cable)) for cable in cables), default=0)
        self.width = max(self._lead + self._name + 2 + state, *map(len, loose), 0)

    @property
    def _lead(self) -> int:
        return self._signs + 1 if self._signs else 0

    def of(self, cable: Part) -> Line:
        """A cable, as wide as all."""
        name, state = one_line(cable.name), _cable_state(cable)
        lead = cable.signs.ljust(self._lead)
        fill = " " * (self.width - self._lead - self._name - 2 - len(state))
        colour = "red" if cable.wrong else "green" if cable.state == LinkState.UP else ""
        named = [(lead, _colour(cable.mark, wrong=cable.wrong)), (name.ljust(self._name) + "  ", "")]
        return [*named, (state, colour), (fill, "")]


def _cable_state(cable: Part) -> str:
    return "see above" if cable.elsewhere else " ".join([cable.state, *cable.facts])


def _colour(mark: Mark, *, wrong: bool) -> str:
    return "red" if wrong else _COLOURS.get(mark, "")


def _trunk(trunk: Trunk, cells: _Cells, width: int) -> Iterator[Line]:
    """Several cables flow together into one thing; one cable may lead to several."""
    *joining, last = [cells.of(cable) for cable in trunk.cables] or [[(trunk.loose.ljust(cells.width), "")]]
    for number, cell in enumerate(joining):
        yield [*cell, (" ─┤" if number else " ─┐", LINE)]
    edge = " " * cells.width
    for number, part in enumerate(trunk.parts):
        more = number + 1 < len(trunk.parts)
        turn = "┴" if joining else "┬" if more else "─"
        first = [*last, (f" ─{turn}─ ", LINE)] if not number else [(edge, ""), ("  ├─ " if more else "  └─ ", LINE)]
        rest: Line = [(edge, ""), ("  │  " if more else "     ", LINE)]
        yield from _drawn(_node(part), first, rest, width)


def _node(part: Part) -> _Node:
    signs = f"{part.signs} " if part.signs else ""
    head = [(signs, _colour(part.mark, wrong=part.wrong)), (one_line(part.name), _colour(part.mark, wrong=part.wrong))]
    children = (*map(_node, part.parts), *_guests(part))
    return _Node(head=head, facts=_joined(part.facts), children=children)


def _guests(part: Part) -> list[_Node]:
    """Those on a bridge, their cards in a column; of many the first."""
    shown = part.guests if len(part.guests) <= MOST else part.guests[: MOST - 1]
    names = [f"{guest.vmid} {one_line(guest.name)}".rstrip() for guest in shown]
    column = max((len(name) for name in names if len(name) <= _COLUMN), default=0)
    found = [_guest(guest, name, column) for guest, name in zip(shown, names, strict=True)]
    rest = len(part.guests) - len(shown)
    return (
        [*found, _Node(head=[(f"and {rest} more", "")], facts=_joined([f"pvenet guests {part.name}"]))]
        if rest
        else found
    )


def _guest(guest: Hanging, name: str, column: int) -> _Node:
    head = [(name, "cyan"), (" " * (column - len(name)), "")]
    told = {"running": [], "not known": ["state not known"]}.get(guest.state, [guest.state])
    return _Node(head=head, facts=_joined([*guest.cards, *told]))


def _joined(facts: Sequence[str]) -> str:
    """Facts in a row; a short one is not broken over lines."""
    words = [one_line(fact) for fact in facts]
    return ", ".join(word.replace(" ", _FAST) if len(word) <= _COLUMN else word for word in words)


def _drawn(node: _Node, first: Line, rest: Line, width: int) -> Iterator[Line]:
    """A thing's own lines, and those beneath it."""
    head = _cut(node.head, max(width - _length(first), _NARROWEST))
    used = _length(first) + _length(head) + 2
    mid: Line = [*rest, ("│ " if node.children else "  ", LINE)]
    words = [text.replace(_FAST, " ") for text in _wrapped(node.facts, width - used, width - _length(mid))]
    yield [*first, *head, (f"  {words[0]}" if words and words[0] else "", "")]
    yield from ([*mid, (text, "")] for text in words[1:])
    for number, child in enumerate(node.children):
        more = number + 1 < len(node.children)
        yield from _drawn(
            child, [*rest, ("├─ " if more else "└─ ", LINE)], [*rest, ("│  " if more else "   ", LINE)], width
        )


def _wrapped(text: str, first: int, rest: int) -> list[str]:
    """A text in lines, of which the first has another width; an empty one where nothing fits there."""
    if len(text) <= first or not text:
        return [text]
    rest = max(rest, _NARROWEST)
    if first < _NARROWEST:
        return ["", *wrap(text, rest)]
    head, *_ = wrap(text, first)
    return [head, *wrap(text[len(head) :].lstrip(), rest)]


def _cut(line: Line, room: int) -> Line:
    """A name that fits: of one that is too long the beginning."""
    if _length(line) <= room:
        return line
    found: Line = []
    for text, colour in line:
        left = room - len("...") - _length(found)
        found.append((text[:left], colour))
        if len(text) > left:
            return [*found, ("...", colour)]
    return found


def _length(line: Line) -> int:
    return sum(len(text) for text, _ in line)
