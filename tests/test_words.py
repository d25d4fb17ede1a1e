"""One word a thing: those that the glossary of CONTRIBUTING has given up are no part of a name where they meant it.

Each is retired in the packages where it had the other meaning, and free elsewhere: the simulated node has its faults.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent / "pvenet"

RETIRED = {
    "story": ("apply",),
    "surroundings": ("apply",),
    "tell": ("apply",),
    "ask": ("apply",),
    "word": ("apply",),
    "span": ("apply",),
    "patience": ("apply",),
    "ways": ("apply", "connection", "plan"),
    "doors": ("apply", "connection"),
    "way": ("apply", "plan", "journal"),
    "vital": ("apply", "plan"),
    "carriers": ("apply", "plan"),
    "leftover": ("apply", "journal"),
    "consent": ("apply",),
    "carry": ("cli", "fleet"),
    "make_so": ("cli", "fleet"),
    "everywhere": ("cli", "fleet"),
    "side_by_side": ("cli", "fleet"),
    "telling": ("cli",),
    "asking": ("cli",),
    "person": ("cli", "apply"),
    "outlook": ("spec", "cli", "fleet", "render"),
    "wish": ("spec", "cli", "fleet", "render"),
    "wishes": ("spec", "cli", "fleet", "render"),
    "fault": ("spec",),
    "told": ("spec",),
    "complaints": ("spec",),
    "places": ("spec",),
    "settled": ("",),
    "settle": ("sim",),
    "beneath": ("sim",),
    "others": ("sim",),
    "look": ("sim",),
    "claims": ("sim",),
    "nature": ("sim",),
    "findings": ("kernel", "apply"),
}
"""A retired word, and the packages in which no name has it as a part; "" is all of pvenet."""

WHOLE = {"back": ("apply",)}
"""Words that are retired only as a whole name: `rolled_back` is one."""

PAIRS = [(word, package) for word, packages in (*RETIRED.items(), *WHOLE.items()) for package in packages]


@cache
def parts(name: str) -> list[str]:
    """The words of a name in snake or camel case, in lower case."""
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def has(name: str, word: str) -> bool:
    """Whether a name has the word as a part; a word of several parts, in a row."""
    own, wanted = parts(name), word.split("_")
    if word in WHOLE:
        return own == wanted
    return any(own[at : at + len(wanted)] == wanted for at in range(len(own)))


def defined(tree: ast.Module) -> Iterator[str]:
    """Every name that a module gives: classes, functions, arguments, attributes, and those of its top level."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case _:
                pass
        if isinstance(node, ast.Module | ast.ClassDef):
            for statement in node.body:
                yield from _targets(statement)


def _targets(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name
        case _:
            pass


def modules(package: str) -> list[Path]:
    """The files of a part of pvenet, be it a folder or one module."""
    found = sorted((ROOT / package).rglob("*.py"))
    return found or [ROOT / f"{package}.py"]


@cache
def names(path: Path) -> frozenset[str]:
    """What a file defines, and what it and its folders are called."""
    called = path.relative_to(ROOT).with_suffix("").parts
    return frozenset((*called, *defined(ast.parse(path.read_text(encoding="utf-8")))))


@pytest.mark.parametrize(("word", "package"), PAIRS)
def test_a_retired_word_is_no_part_of_a_name(word: str, package: str) -> None:
    """Neither of a module, a class, a function, an argument nor an attribute."""
    found = {
        f"{path.relative_to(ROOT)}: {name}" for path in modules(package) for name in names(path) if has(name, word)
    }
    assert sorted(found) == []


@pytest.mark.parametrize(
    ("name", "word", "expected"),
    [
        ("WayBack", "way", True),
        ("_way_back", "way", True),
        ("always", "way", False),
        ("always", "ways", False),
        ("side_by_side", "side_by_side", True),
        ("readSideBySide", "side_by_side", True),
        ("by_side", "side_by_side", False),
        ("back", "back", True),
        ("rolled_back", "back", False),
        ("HTTPWay2", "way", True),
    ],
)
def test_a_word_is_found_as_a_part(name: str, word: str, expected: bool) -> None:  # noqa: FBT001 - a parameter
    """In snake and camel case, and not within another word."""
    assert has(name, word) is expected


def test_every_name_that_a_module_gives_is_looked_at() -> None:
    """And none that it only uses."""
    text = (
        "TOP = used\n\nlate: int = 1\n\nclass Klass:\n    field: int\n    def method(self, argument):\n"
        "        self.attribute = argument.other\n        local = 1\n"
    )
    given = {"TOP", "late", "Klass", "field", "method", "self", "argument", "attribute"}
    assert set(defined(ast.parse(text))) == given
