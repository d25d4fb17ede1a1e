"""Reading a network file: text -> tree -> checked entries -> spec. Everything that is wrong is reported at once."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.foreign import one_line
from pvenet.limits import names_node
from pvenet.spec.check import relations
from pvenet.spec.diagnostics import Diagnostic, FileDiagnostics, InvalidFile, Position, in_file_order
from pvenet.spec.network_spec import KINDS, MAC, Absent, InterfaceSpec, NetworkSpec, NodeSpec
from pvenet.spec.tree import LARGEST, Tree, Unreadable, plain, position_of, tree_at, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

MOST_SHOWN = 100
"""Diagnostics. Nobody reads more of them, and a file of another kind would have thousands."""


def load(path: Path) -> NetworkSpec:
    """What a file wants, for nodes that will say by themselves whether they can be so.

    Raises UsageError for a file that can't be read, InvalidNetwork with every diagnostic for one that no node can have.
    """
    spec, diagnostics = examine(text_of(path), called(path))
    if diagnostics:
        refuse([*diagnostics, *relations(spec)], spec.file)
    return spec


def of_data(data: Mapping[str, Any], called: str) -> NetworkSpec:
    """The same of what another program hands over as data; `called` is what messages call it.

    Raises InvalidNetwork with every diagnostic.
    """
    spec, diagnostics = _understood(lambda: (tree_of(data), []), called)
    if diagnostics:
        refuse([*diagnostics, *relations(spec)], called)
    return spec


def check(path: Path) -> tuple[NetworkSpec, list[Diagnostic]]:
    """What a file wants, and everything that is wrong with it by itself. Raises UsageError."""
    spec, diagnostics = examine(text_of(path), called(path))
    return spec, in_file_order([*diagnostics, *relations(spec)])


def called(path: Path) -> str:
    """What messages call a file."""
    return "stdin" if str(path) == "-" else str(path)


def refuse(diagnostics: Iterable[Diagnostic], file: str) -> None:
    """Raises InvalidFile where there are diagnostics that are more than warnings."""
    refuse_all([FileDiagnostics(file=file, diagnostics=tuple(in_file_order(diagnostics)))])


def refuse_all(found: Iterable[FileDiagnostics]) -> None:
    """The same of several files, in one error."""
    wrong = [each for each in found if any(not diagnostic.warning for diagnostic in each.diagnostics)]
    if not wrong:
        return
    lines = [diagnostic.text(each.file) for each in wrong for diagnostic in each.diagnostics if not diagnostic.warning]
    more = [f"... and {len(lines) - MOST_SHOWN} more"] if len(lines) > MOST_SHOWN else []
    are = "is" if len(wrong) == 1 else "are"
    raise InvalidFile(
        f"{', '.join(one_line(each.file) for each in wrong)} {are} not valid for these nodes:\n  "
        + "\n  ".join([*lines[:MOST_SHOWN], *more]),
        wrong,
        hint="nothing was sent; with `pvenet schema`, an editor checks it as you type",
    )


def text_of(path: Path, *, what: str = "", hint: str = "name the file with -f") -> str:
    """A file's text; `-` is stdin. Raises UsageError for what can't be read, is too large, or is no text.

    `what` and `hint`: what it should be, and what to do where it can't be read.
    """
    name = one_line(str(path))
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise errors.UsageError(
                f"{name} is larger than {LARGEST // 1_000_000} MB: that is not a network file", hint="name another file"
            )
        return data.decode("utf-8-sig")
    except OSError as error:
        raise errors.UsageError(f"{what}{name} can't be read: {error.strerror}", hint=hint) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise errors.UsageError(f"{name} is not UTF-8 text (line {line})", hint="save it as UTF-8") from None


def examine(text: str, file: str) -> tuple[NetworkSpec, list[Diagnostic]]:
    """What a text wants, as far as it can be understood, and everything that is wrong with it."""
    from pvenet.spec.parse import parse

    return _understood(lambda: parse(text), file)


def _understood(read: Callable[[], tuple[Tree, list[Diagnostic]]], file: str) -> tuple[NetworkSpec, list[Diagnostic]]:
    try:
        tree, diagnostics = read()
    except Unreadable as end:
        return NetworkSpec(file=file, nodes={}), [end.diagnostic]
    data = _typed(plain(tree))
    entries, wrong = _validated(data, tree)
    nameless = _no_names(tree)
    diagnostics += [*wrong, *nameless.values()]
    nodes = {}
    for name, of_node in (entries.nodes if entries else {}).items():
        if name not in nameless:
            nodes[name] = _merged(name, of_node, entries, tree, diagnostics)
    return NetworkSpec(file=file, nodes=nodes), diagnostics


def _no_names(tree: Tree) -> dict[str, Diagnostic]:
    """What stands among the nodes and can't be the name of one."""
    nodes = tree.value.get("nodes") if isinstance(tree.value, dict) else None
    return {
        name: Diagnostic(at, f"{name!r} is not a node's name: a node has its host's name, as in pve1")
        for name, at in (nodes.keys if nodes else {}).items()
        if not names_node(name)
    }


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


def _validated(data: Any, tree: Tree) -> tuple[Any, list[Diagnostic]]:
    """The checked entries without those parts that are wrong, and what is wrong with them."""
    from pydantic import ValidationError

    from pvenet.spec.file import NetworkFile
    from pvenet.spec.validation import diagnostic_of, is_inherited, path_and_kind

    diagnostics: list[Diagnostic] = []
    for _ in range(3):  # a part that is taken out may leave its parent wrong
        try:
            return NetworkFile.model_validate(data), diagnostics
        except ValidationError as error:
            found = error.errors(include_url=False)
        if not diagnostics:
            diagnostics = [diagnostic_of(each, tree) for each in found if not is_inherited(each, tree)]
            diagnostics = [diagnostic for diagnostic in diagnostics if not _follows(diagnostic, diagnostics)]
        for each in found:
            _take_out(data, path_and_kind(each["loc"])[0])
    return None, diagnostics


def _follows(diagnostic: Diagnostic, diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether something is missing only because it is there by a wrong name."""
    return any(diagnostic.message == f"{other.nearest} is missing" for other in diagnostics)


def _take_out(data: Any, path: tuple[Any, ...]) -> None:
    parts = list(path)
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


def _merged(node: str, of_node: Any, file: Any, tree: Tree, found: list[Diagnostic]) -> NodeSpec:
    """A node's spec: its own entries over the defaults, field by field."""
    own = of_node.__pydantic_extra__ if of_node else None
    layers = [
        (tree_at(tree, path), entries)
        for path, entries in ((("defaults",), file.defaults), (("nodes", node), own))
        if entries
    ]
    interfaces: dict[str, InterfaceSpec | Absent] = {}
    ignored = set()
    for name in dict.fromkeys(name for _, entries in layers for name in entries):
        chain = [(within, entries[name]) for within, entries in layers if name in entries]
        within, last = chain[-1]
        at, state = within.keys[name], getattr(last, "state", "present")
        if state == "ignore":
            ignored.add(name)
        elif state == "absent":
            interfaces[name] = Absent(name=name, position=at)
        elif (spec := _interface_spec(name, chain, at, found)) is not None:
            interfaces[name] = spec
    return NodeSpec(
        node=node,
        position=position_of(tree, ("nodes", node), key=True),
        interfaces=interfaces,
        ignored=frozenset(ignored),
        only=bool(of_node and of_node.only),
        lint_ignore=frozenset(name for each in (file, of_node) if each and each.lint for name in each.lint.ignore),
    )


def _interface_spec(
    name: str, chain: list[tuple[Tree, Any]], at: Position, found: list[Diagnostic]
) -> InterfaceSpec | None:
    layers = [(within.value[name], entry) for within, entry in chain if getattr(entry, "state", "") == "present"]
    types = list(dict.fromkeys(entry.type for _, entry in layers if hasattr(entry, "type")))
    if not types:
        message = f"{name}: its type is missing: add `type: bond`, or another of {', '.join(KINDS)}"
        found.append(Diagnostic(at, message))
        return None
    if len(types) > 1:
        message = f"{name} is a {types[0]} in the defaults and a {types[1]} here; give it another name"
        found.append(Diagnostic(at, message))
        return None
    values: dict[str, object] = {}
    positions: dict[str, Position] = {}
    for own, entry in layers:
        right = entry.model_fields_set
        for key, position in own.keys.items():
            if key not in right or key in ("type", "state"):
                continue
            value = values[key] = getattr(entry, key)
            positions[key] = position
            if isinstance(value, tuple):
                words = zip(value, own.value[key].value, strict=True)
                positions |= {f"{key} {word}": each.position for word, each in words}
    mac = values.pop(MAC, None)
    named = None if mac is None else str(mac)
    return InterfaceSpec(name=name, type=types[0], fields=values, positions=positions, position=at, mac=named)
