"""Reading a network file: text -> tree -> checked entries -> wishes by node. Everything wrong is told at once."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.spec.check import relations
from pvenet.spec.places import Fault, Place
from pvenet.spec.tree import LARGEST, Tree, Unreadable, parse, plain
from pvenet.spec.wishes import KINDS, Gone, NodeWishes, Wish, Wishes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MOST_TOLD = 100
"""Faults. Nobody reads more of them, and a file of another kind would have thousands."""


def load(path: Path) -> Wishes:
    """What a file wants, for nodes that will say by themselves whether they can be so.

    Raises UsageError for a file that can't be read, InvalidNetwork with every fault for one that can't be.
    """
    wishes, faults = examine(text_of(path), called(path))
    if faults:
        refuse([*faults, *relations(wishes)], wishes.file)
    return wishes


def check(path: Path) -> tuple[Wishes, list[Fault]]:
    """What a file wants, and everything that is wrong with it by itself. Raises UsageError."""
    wishes, faults = examine(text_of(path), called(path))
    return wishes, sorted({*faults, *relations(wishes)}, key=lambda fault: (fault.place, fault.message))


def called(path: Path) -> str:
    """What messages call a file."""
    return "stdin" if str(path) == "-" else str(path)


def refuse(faults: Iterable[Fault], file: str) -> None:
    """Raises InvalidNetwork where there are faults that are more than warnings."""
    wrong = sorted({fault for fault in faults if not fault.warning}, key=lambda fault: (fault.place, fault.message))
    if not wrong:
        return
    lines = [fault.told(file) for fault in wrong[:MOST_TOLD]]
    if len(wrong) > MOST_TOLD:
        lines.append(f"... and {len(wrong) - MOST_TOLD} more")
    raise errors.InvalidNetwork(
        f"{file} can't be the network of these nodes:\n  " + "\n  ".join(lines),
        hint="nothing was sent; `pvenet schema` lets an editor check while you type",
    )


def text_of(path: Path) -> str:
    """A file's text; `-` is stdin. Raises UsageError for what can't be read, is too large, or is no text."""
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise errors.UsageError(
                f"{path} is larger than {LARGEST // 1_000_000} MB: that is no network file", hint="name another file"
            )
        return data.decode("utf-8-sig")
    except OSError as error:
        raise errors.UsageError(f"{path} can't be read: {error.strerror}", hint="name the file with -f") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise errors.UsageError(f"{path} is no UTF-8 text (line {line})", hint="save it as UTF-8") from None


def examine(text: str, file: str) -> tuple[Wishes, list[Fault]]:
    """What a text wants, as far as it can be understood, and everything that is wrong with it."""
    try:
        tree, faults = parse(text)
    except Unreadable as end:
        return Wishes(file=file, nodes={}), [end.fault]
    data = _typed(plain(tree))
    entries, wrong = _validated(data, tree)
    faults += wrong
    nodes = {}
    for name, of_node in (entries.nodes if entries else {}).items():
        nodes[name] = _merged(name, of_node, entries.defaults or {}, tree, faults)
    return Wishes(file=file, nodes=nodes), faults


def _typed(data: Any) -> Any:
    """The data with each node's entries taking their type from the defaults: it says which keys there are."""
    with suppress(AttributeError, TypeError):
        defaults = data.get("defaults") or {}
        for entries in (data.get("nodes") or {}).values():
            for name, entry in (entries or {}).items():
                if isinstance(entry, dict) and "type" not in entry and entry.get("state", "present") == "present":
                    with suppress(AttributeError, KeyError, TypeError):
                        entry["type"] = defaults[name]["type"]
    return data


def _validated(data: Any, tree: Tree) -> tuple[Any, list[Fault]]:
    """The checked entries without those parts that are wrong, and what is wrong with them."""
    from pydantic import ValidationError

    from pvenet.spec.complaints import complaint
    from pvenet.spec.file import NetworkFile

    faults: list[Fault] = []
    for _ in range(3):  # a part that is taken out may leave its parent wrong
        try:
            return NetworkFile.model_validate(data), faults
        except ValidationError as error:
            found = error.errors(include_url=False)
        if not faults:
            faults = [complaint(each, tree) for each in found]
            faults = [fault for fault in faults if not _follows(fault, faults)]
        for each in found:
            _take_out(data, each["loc"])
    return None, faults


def _follows(fault: Fault, faults: Iterable[Fault]) -> bool:
    """Whether something is missing only because it is there by a wrong name."""
    return any(fault.message == f"{other.nearest} is missing" for other in faults)


def _take_out(data: Any, path: tuple[Any, ...]) -> None:
    parts = [part for part in path if not (isinstance(part, str) and part.startswith("<"))]
    if parts[-1:] in (["type"], ["state"]):
        parts.pop()  # an entry of no known type or state goes as a whole
    for part in parts[:-1]:
        try:
            if isinstance(data[part], list):
                break  # a list with a wrong word goes as a whole
            data = data[part]
        except (KeyError, TypeError, IndexError):
            return
    else:
        part = parts[-1] if parts else None
    if isinstance(data, dict):
        data.pop(part, None)


def _merged(node: str, of_node: Any, defaults: Mapping[str, Any], tree: Tree, faults: list[Fault]) -> NodeWishes:
    """A node's wishes: its own entries over the defaults, field by field."""
    own: dict[str, Any] = dict(of_node.__pydantic_extra__ or {}) if of_node else {}
    interfaces: dict[str, Wish | Gone] = {}
    ignored = set()
    for name in dict.fromkeys([*defaults, *own]):
        chain: list[tuple[tuple[str, ...], Any]] = []
        chain += [(("defaults", name), defaults[name])] if name in defaults else []
        chain += [(("nodes", node, name), own[name])] if name in own else []
        state = getattr(chain[-1][1], "state", "present")
        at = _place(tree, chain[-1][0])
        if state == "ignore":
            ignored.add(name)
        elif state == "absent":
            interfaces[name] = Gone(name=name, place=at)
        elif (wish := _wish(name, chain, at, tree, faults)) is not None:
            interfaces[name] = wish
    return NodeWishes(
        node=node,
        place=_place(tree, ("nodes", node)),
        interfaces=interfaces,
        ignored=frozenset(ignored),
        only=bool(of_node and of_node.only),
    )


def _wish(name: str, chain: list[tuple[Any, Any]], at: Place, tree: Tree, faults: list[Fault]) -> Wish | None:
    layers = [(path, entry) for path, entry in chain if getattr(entry, "state", "") == "present"]
    types = list(dict.fromkeys(entry.type for _, entry in layers if hasattr(entry, "type")))
    if not types:
        faults.append(Fault(at, f"{name}: its type is missing: say `type: bond`, or another of {', '.join(KINDS)}"))
        return None
    if len(types) > 1:
        faults.append(Fault(at, f"{name} is a {types[0]} in the defaults and a {types[1]} here; give it another name"))
        return None
    values: dict[str, object] = {}
    places: dict[str, Place] = {}
    for path, entry in layers:
        for key in entry.model_fields_set - {"type", "state"}:
            values[key] = getattr(entry, key)
            places[key] = _place(tree, (*path, key))
            if isinstance(values[key], tuple):
                words = enumerate(getattr(entry, key))
                places |= {f"{key} {word}": _place(tree, (*path, key, number)) for number, word in words}
    return Wish(name=name, type=types[0], fields=values, places=places, place=at)


def _place(tree: Tree, path: tuple[str | int, ...]) -> Place:
    from pvenet.spec.complaints import place

    return place(tree, path, key=True)
