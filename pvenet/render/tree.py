"""A node as a picture, from the cable to the guest: what it shows. `tree_text` and `tree_svg` draw it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pvenet.render.values import plain_value

if TYPE_CHECKING:
    from collections.abc import Sequence


class Mark(StrEnum):
    """What is staged, and not live yet."""

    LIVE = ""
    NEW = "+"
    CHANGED = "~"
    GONE = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hanging:
    """A guest on a bridge, with its cards there."""

    vmid: int
    name: str = ""
    state: str = ""
    """`running`, `stopped`, `template`, `next start`, or that it is not known."""
    cards: tuple[str, ...] = ()
    """`net0`, or `net0 VLAN 20`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A NIC, a bond, a bridge, a VLAN, an address, and what stands on it."""

    name: str
    kind: str
    state: str = ""
    """`up`, `no carrier`, `down` or `not there`; empty where it is not known, or nothing to be known."""
    wrong: bool = False
    """It is used and not up, or is not as the file says."""
    mark: Mark = Mark.LIVE
    facts: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    guests: tuple[Hanging, ...] = ()
    elsewhere: bool = False
    """It is drawn in full at another place."""

    @property
    def signs(self) -> str:
        """What stands before its name."""
        return f"{self.mark}{'!' if self.wrong else ''}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trunk:
    """Cables, and what they lead to. Several lead to one thing together."""

    cables: tuple[Part, ...] = ()
    loose: str = ""
    """Where there is none: why."""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """A node's network as a picture."""

    node: str
    trunks: tuple[Trunk, ...] = ()
    unused: tuple[Part, ...] = ()
    """The NICs that nothing stands on."""
    differences: tuple[str, ...] = ()
    """In what the kernel is otherwise than the file: a sentence each."""


# --- JSON ------------------------------------------------------------------------------------------------------------


def tree_data(tree: Tree) -> dict[str, Any]:
    """The same as nested data."""
    return {
        "node": tree.node,
        "trunks": [
            {"cables": _parts_data(trunk.cables), "loose": trunk.loose, "parts": _parts_data(trunk.parts)}
            for trunk in tree.trunks
        ],
        "unused": _parts_data(tree.unused),
        "differences": list(tree.differences),
    }


def _parts_data(parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [_part_data(part) for part in parts]


def _part_data(part: Part) -> dict[str, Any]:
    data = {field: plain_value(getattr(part, field)) for field in ("name", "kind", "state", "wrong", "facts")}
    data |= {"staged": {"": None, "+": "create", "~": "update", "-": "delete"}[part.mark], "elsewhere": part.elsewhere}
    guests = [
        {field: plain_value(getattr(guest, field)) for field in ("vmid", "name", "state", "cards")}
        for guest in part.guests
    ]
    return data | {"parts": _parts_data(part.parts), "guests": guests}
