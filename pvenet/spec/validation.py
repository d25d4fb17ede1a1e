"""What pydantic objects to, in the words of a network file: each where it stands, with what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.errors import nearest
from pvenet.model import BOND_MODE_NUMBERS
from pvenet.spec.diagnostics import Diagnostic
from pvenet.spec.file import KEYS, TAGS
from pvenet.spec.network_spec import KINDS
from pvenet.spec.tree import position_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.spec.tree import Tree

Path = tuple[str | int, ...]

_DEPTHS = {"defaults": 2, "nodes": 3}
"""How many keys lead to an entry."""
_TOP = ("defaults", "nodes", "lint")
_STATES = ("present", "absent", "ignore")
_LONGEST_SHOWN = 40


def diagnostic_of(error: Mapping[str, Any], tree: Tree) -> Diagnostic:
    """One of pydantic's errors as a diagnostic of the file."""
    path, kind = path_and_kind(error["loc"])
    value = error["input"]
    if error["type"] == "extra_forbidden":
        return _unknown_key(tree, path, kind)
    message, meant = _wrong_value(error, path, value)
    whole = value is None or error["type"] == "union_tag_invalid"  # where the key stands: nothing has no position
    at = position_of(tree, path, key=whole)
    return Diagnostic(at, f"{_subject(path)}{message}", nearest=meant)


def path_and_kind(location: Path) -> tuple[Path, str]:
    """An error's path in the file, and what its entry was taken for: pydantic puts that behind the entry's name."""
    depth = _DEPTHS.get(str(location[0]), len(location)) if location else 0
    tag = str(location[depth]) if depth < len(location) else ""
    return (location[:depth] + location[depth + 1 :], tag[1:-1]) if tag in TAGS else (location, "")


def is_inherited(error: Mapping[str, Any], tree: Tree) -> bool:
    """Whether a type is wrong that the entry has from the defaults, where it is told."""
    path, _ = path_and_kind(error["loc"])
    return path[-1:] == ("type",) and len(path) > 1 and "type" not in _value(tree, path[:-1])


def _subject(path: Path) -> str:
    """The interface that a path leads to, for the beginning of a message."""
    depth = _DEPTHS.get(str(path[0]) if path else "", 0)
    return f"{path[depth - 1]}: " if depth and len(path) >= depth else ""


def _unknown_key(tree: Tree, path: Path, kind: str) -> Diagnostic:
    at, word = position_of(tree, path, key=True), str(path[-1])
    if kind == "state":
        return Diagnostic(at, f"{_subject(path)}what is absent or ignored takes no {word}")
    if word == "type" and not _in_lint(path):
        message, meant = _no_type(_value(tree, path))
        return Diagnostic(position_of(tree, path), f"{_subject(path)}{message}", nearest=meant)
    words = [*KEYS[kind], "type", "state"] if kind in KINDS else ["ignore"] if _in_lint(path) else list(_TOP)
    if kind == "typeless":
        words = sorted({name for each in KEYS.values() for name in each} | {"type", "state"})
    what = f"a {kind} has no key {word}" if kind in KINDS else f"unknown key {word}"
    return Diagnostic(at, f"{_subject(path)}{what}", nearest=nearest(word, words, cutoff=0.5))


def _in_lint(path: Path) -> bool:
    """Whether a path leads into what the file says to `pvenet lint`, at its top or of a node."""
    return "lint" in (path[2:3] if path[0] == "nodes" else path[:1])


def _value(tree: Tree, path: Path) -> Any:
    for part in path:
        tree = tree.value[part]
    return tree.value


def _wrong_value(  # noqa: PLR0911 - a table, a line a kind of error
    error: Mapping[str, Any], path: Path, value: object
) -> tuple[str, str | None]:
    """What is wrong with a value, and what was probably meant."""
    word = str(path[-1]) if path else "the file"
    match error["type"]:
        case "missing":
            return f"{word} is missing", None
        case "bool_type":
            meant = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}
            return f"{word} must be true or false, not {shown(value)}", meant.get(str(value).lower())
        case "int_type":
            given = f'"{shown(value)}"' if isinstance(value, str) else shown(value)
            return f"{word} must be a whole number, not {given}", None
        case "string_type":
            listed = isinstance(path[-1], int)
            return (
                f"{f'{path[-2]} must list words' if listed else f'{word} must be text'}, not {_quotable(value)}",
                None,
            )
        case "tuple_type":
            return f"{word} must be a list: write [{value if isinstance(value, str) else ''}]", None
        case "enum" | "literal_error":
            return _no_choice(error, path, value)
        case "value_error":
            return f"{word}: {error['ctx']['error']}", None
        case "union_tag_invalid":
            return _no_type_of(value)
        case _ if value is None:
            return f"{word} is empty", None
        case _:
            return f"{word} must hold keys and values, not {shown(value)}", None


def _no_type_of(entry: object) -> tuple[str, str | None]:
    if isinstance(entry, dict) and "type" in entry:
        return _no_type(entry["type"])
    return f"its type is missing: add `type: bond`, or another of {', '.join(KINDS)}", None


def _no_type(given: object) -> tuple[str, str | None]:
    return f"{shown(given)} is not a type; choose one of {', '.join(KINDS)}", nearest(str(given), KINDS)


def _no_choice(error: Mapping[str, Any], path: Path, value: object) -> tuple[str, str | None]:
    word = str(path[-1])
    choices = [each.strip("'") for each in str(error["ctx"]["expected"]).replace(" or ", ", ").split(", ")]
    if word == "state":
        choices = list(_STATES)
    if _in_lint(path):
        word = "rule"
    meant = nearest(str(value), choices, cutoff=0.5, aliases=BOND_MODE_NUMBERS)
    return f"{shown(value)} is not a valid {word}; choose one of {', '.join(choices)}", meant


def _quotable(value: object) -> str:
    if value is None or isinstance(value, list | dict):
        return shown(value)
    return f'{shown(value)}; write "{str(value).lower() if isinstance(value, bool) else value}"'


def shown(value: object) -> str:
    """A value as the file has it, shortened."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "keys and values"
    text = str(value)
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
    return text if text.isprintable() else repr(text)
