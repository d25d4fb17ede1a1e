"""One word a thing: those that the glossary of CONTRIBUTING has given up are no part of a name where they meant it.

Each is retired in the packages where it had the other meaning, and free elsewhere: the simulated node has its faults.
Messages and help are plain English: turns that were given up are in no text of pvenet's.
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


PHRASES = (
    "(is|are) no(?! longer)",
    "gives? no",
    "stands? (here|in|twice)",
    "what became of",
    "how (it|a node|the node) stands",
    "the way to ",
    "hangs? on",
    "stands? on",
    "can't be (had|asked|told)",
    "shall",
    "anew",
    "if that is meant",
    "is meant[?]",
    "with commas",
    "unless (told|given)",
    "leaves nobody",
    "(is|be) called back",
    "waited for[;:]",
    "nobody can be",
    "has to",
    "so that (nothing|nobody|there)",
    "and neither",
    "mend",
    "two different things",
    "looks whether",
    "is said twice",
    "nothing of (it|them)",
)
"""What no message says, as patterns: turns of another language in English words, and what the glossary has given up."""

IDIOMS = ("there (is|are) no ", "stands? in the way", "interface '{}' is no OVS bridge")
"""What a pattern hits, and may stay: good English, and what the simulated node answers in PVE's name."""


Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def texts(tree: ast.Module) -> Iterator[str]:
    """The texts of a module that people may read: all of its strings but docstrings, whose parts that vary are `{}`.

    The docstring of a function is one of them where it has an example, and is a command's help.
    """
    bodies = (node.body for node in ast.walk(tree) if isinstance(node, Scope))
    silent = {id(each.value) for body in bodies for each in body if isinstance(each, ast.Expr) and not _is_help(each)}
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values):
                yield "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in values)
            case ast.Constant(value=str(text)) if id(node) not in silent | inner:
                yield text
            case _:
                pass


def _is_help(statement: ast.Expr) -> bool:
    return isinstance(statement.value, ast.Constant) and "\n    $ " in str(statement.value.value)


def calques(text: str) -> list[str]:
    """The retired phrases of a text, as they stand in it."""
    plain = re.sub("|".join(IDIOMS), "", " ".join(text.split()))
    return [found[0] for phrase in PHRASES if (found := re.search(rf"\b{phrase}(?!\w)", plain))]


def test_no_message_has_a_retired_phrase() -> None:
    """Nor has a command's help."""
    found = {
        f"{path.relative_to(ROOT)}: {phrase!r} in {text!r}"
        for path in sorted(ROOT.rglob("*.py"))
        for text in texts(ast.parse(path.read_text(encoding="utf-8")))
        for phrase in calques(text)
    }
    assert sorted(found) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bond7 is no mode", ["is no"]),
        ("there is no bond7", []),
        ("bond7 is no longer there", []),
        ("there is no bond7, and x is no name", ["is no"]),
        ("`a` stands here twice", ["stands here"]),
        ("what stands in the way", []),
        ("it says how a\n    node stands", ["how a node stands"]),
        ("PVE writes it anew", ["anew"]),
        ("a mended file", []),
    ],
)
def test_a_phrase_is_found_in_a_text(text: str, expected: list[str]) -> None:
    """Over lines, as whole words, and not where it is good English."""
    assert calques(text) == expected


def test_every_text_that_a_person_reads_is_looked_at() -> None:
    """And no docstring but that of a command, which has an example."""
    helped = "Help.\n\n    $ run\n    "
    module = (
        f'"""Module."""\n\nTOP = "top"\n"""About it."""\n\ndef command(named="given"):\n    """{helped}"""\n'
        '    say(f"{named} is {\'in\'} it")\n\ndef other():\n    """Docstring."""\n    return \'part \' \'two\'\n'
    )
    assert set(texts(ast.parse(module))) == {"top", "given", helped, "{} is {} it", "in", "part two"}
