"""The picture of a node: each folder of `cases` is a node and how it looks at 80 and at 120 columns."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from healthy import healthy, networks
from hypothesis import given
from hypothesis import strategies as st
from tree_cases import seen

from pvenet import wire
from pvenet.impact import Guest, GuestNic
from pvenet.model import Bridge, Ethernet, Network, Other
from pvenet.render.tree import Part, Tree, tree_data
from pvenet.render.tree_build import Seen, build
from pvenet.render.tree_svg import tree_svg
from pvenet.render.tree_text import BOX, tree_lines, tree_text
from pvenet.render.values import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.kernel.links import Report

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir())

SVG = "{http://www.w3.org/2000/svg}"


def tree_of(case: Path) -> Tree:
    return build(seen((case / "node.txt").read_text(encoding="utf8")))


def drawn(seen: Seen, width: int = 80) -> str:
    return tree_text(build(seen), width, plain)


def names(parts: tuple[Part, ...]) -> list[str]:
    """Of everything that is drawn in full, from the cable up."""
    return [name for part in parts if not part.elsewhere for name in (part.name, *names(part.parts))]


def everything(tree: Tree) -> list[str]:
    trunks = [name for trunk in tree.trunks for name in names((*trunk.cables, *trunk.parts))]
    return [*trunks, *names(tree.unused)]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_node_looks_as_it_is_drawn_in_its_folder(case: Path, width: int) -> None:
    """The picture, letter by letter, and within its width; UPDATE=1 draws it anew."""
    text = tree_text(tree_of(case), width, plain) + "\n"
    path = case / f"{width}.txt"
    if os.environ.get("UPDATE"):
        path.write_text(text, encoding="utf8")
    assert text == path.read_text(encoding="utf8")
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_svg_says_the_same(case: Path) -> None:
    """Every word of the lines stands in it as text, and every stroke as a line."""
    tree = tree_of(case)
    root = ET.fromstring(tree_svg(tree, 80))
    said = "".join(text for each in root.iter(f"{SVG}text") for text in each.itertext())
    letters = (case / "80.txt").read_text(encoding="utf8").translate(dict.fromkeys(map(ord, BOX)))
    assert re.sub(r"\s", "", said) == re.sub(r"\s", "", letters)
    assert bool(list(root.iter(f"{SVG}path"))) == any(stroke in letters or tree.trunks for stroke in BOX)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_without_boxes_it_is_ascii(case: Path) -> None:
    """The same lines, as long as before."""
    tree = tree_of(case)
    text = tree_text(tree, 80, plain, boxes=False)
    assert text.isascii()
    assert [len(line) for line in text.splitlines()] == [len(line) for line in tree_text(tree, 80, plain).splitlines()]


def test_what_is_wrong_has_a_sign_beside_its_colour() -> None:
    """Who sees no colours reads the same."""
    lines = tree_lines(tree_of(Path(__file__).parent / "cases" / "a-cable-is-out"), 80)
    red = [line for line in lines if any(colour == "red" for text, colour in line if text.strip())]
    assert red
    assert all("!" in "".join(text for text, _ in line) or line[0][0].startswith("  ") for line in red)


@given(networks(), st.sampled_from([healthy, None]))
def test_everything_is_drawn_once(network: Network, kernel: Callable[[Network], Report] | None) -> None:
    """Each interface of a network, wherever it stands; what stands on several has one place."""
    tree = build(Seen(node="pve1", staged=network, applied=network, report=kernel(network) if kernel else None))
    found = everything(tree)
    assert len(found) == len(set(found))
    assert set(found) >= network.interfaces.keys()
    assert not [part for part in tree.unused if part.mark]


@given(networks(), networks())
def test_what_is_staged_is_marked_and_nothing_else(applied: Network, staged: Network) -> None:
    """A plus for what comes, a minus for what goes, a tilde for what changes."""
    tree = build(Seen(node="pve1", staged=staged, applied=applied))
    marks: dict[str, str] = {}

    def walk(parts: tuple[Part, ...]) -> None:
        for part in parts:
            marks.setdefault(part.name, part.mark)
            walk(part.parts)

    for trunk in tree.trunks:
        walk(trunk.parts)
    old, new = applied.interfaces, staged.interfaces
    for name in (old.keys() | new.keys()) & marks.keys():
        expected = "+" if name not in old else "-" if name not in new else "~" if old[name] != new[name] else ""
        assert marks[name] == expected, name


HOSTILE = "<script>&\"'\x1b[31m\u202e]]>\n\t\ud800\x00"


def test_a_hostile_name_is_text_and_nothing_else() -> None:
    """Of a guest or an interface, on a terminal and in the SVG, which stays well-formed and has no script."""
    name = HOSTILE.replace(" ", "").replace("\n", "").replace("\t", "")
    staged = Network(
        interfaces={
            name: Ethernet(name=name),
            "vmbr0": Bridge(name="vmbr0", ports=(name,)),
            "x": Other(name="x", kind=name, beneath=("vmbr0",)),
        }
    )
    guests = (Guest(vmid=101, name=HOSTILE, running=True, nics=(GuestNic(index="net0", bridge="vmbr0"),)),)
    tree = build(Seen(node="pve1", staged=staged, applied=staged, guests=guests))
    text = tree_text(tree, 80, plain)
    assert "\x1b" not in text
    assert "\u202e" not in text
    root = ET.fromstring(tree_svg(tree).encode())
    assert {each.tag for each in root.iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "title", "style", "rect", "path", "text")
    }
    assert any("<script>" in (each.text or "") for each in root.iter(f"{SVG}text"))


def test_the_svg_needs_nothing_from_elsewhere() -> None:
    """No reference, no font, no script; and it has colours for light and for dark pages."""
    text = tree_svg(tree_of(CASES[0]))
    assert "prefers-color-scheme:dark" in text
    assert text.count("http") == 1  # the namespace
    assert not re.search(r"href|@import|url\(|@font-face|<script", text)


def test_the_data_are_nested_like_the_picture() -> None:
    """A cable, what it leads to, and who hangs there."""
    trunk = tree_data(tree_of(Path(__file__).parent / "cases" / "the-walk-through"))["trunks"][1]
    assert [cable["name"] for cable in trunk["cables"]] == ["ens38", "ens39"]
    (bond,) = trunk["parts"]
    (bridge,) = bond["parts"]
    assert (bond["name"], bridge["name"], bridge["staged"]) == ("bond0", "vmbr1", None)
    assert bridge["guests"][0] == {"vmid": 101, "name": "web", "state": "running", "cards": ["net0 VLAN 20"]}


def test_what_has_a_value_that_can_not_be_read_is_drawn_as_one_of_its_kind() -> None:
    """With the mode as the file has it, where that is the value."""
    entry = {"iface": "bond0", "type": "bond", "slaves": "ens38 ens39", "families": ["inet"]}
    for fields, mode in (
        ({"bond_mode": "802.3ad", "bond_xmit_hash_policy": "vlan+srcmac"}, "802.3ad"),
        ({"bond_mode": "802.3AD"}, "802.3AD"),
    ):
        bond = wire.interface(entry | fields)
        nics = {name: Ethernet(name=name) for name in ("ens38", "ens39")}
        staged = Network(interfaces={**nics, "bond0": bond, "vmbr0": Bridge(name="vmbr0", ports=("bond0",))})
        text = tree_text(build(Seen(node="pve1", staged=staged, applied=staged)), 80, plain)
        assert f"bond0  bond, {mode}\n" in text
