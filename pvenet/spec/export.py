"""A network as a network file: planning it on the node that it came from gives no change. Pure.

What a file can't hold (kinds that pvenet does not write, lines that no call of the API sets) stands in comments.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pvenet.model import (
    Ethernet,
    FileOnly,
    Interface,
    Network,
    Other,
    natural,
)
from pvenet.spec.from_network import OWN_KEYS, Description, description
from pvenet.spec.network_spec import KINDS, InterfaceSpec, NodeSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCHEMA = "# yaml-language-server: $schema=pvenet.schema.json"
"""By which an editor finds the schema, where `pvenet schema` was written beside the file."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./+-]*(?: [A-Za-z][A-Za-z0-9_./+-]*)*")
"""Words that YAML takes as they are, in any place."""
_MEANING = re.compile(
    r"null|true|false|[-+]?[0-9]*[.]?[0-9]*(?:e[-+]?[0-9]+)?|0x[0-9a-f]+|0o[0-7]+|y|n|yes|no|on|off", re.IGNORECASE
)
"""Words that mean something else without quotes, in YAML 1.2 or in the 1.1 that other tools read."""


def exported(networks: Mapping[str, Network]) -> str:
    """The text of a network file that describes the nodes, and that passes its check."""
    lines = [SCHEMA, "nodes:"]
    for node, network in networks.items():
        entries = list(_entries(network, description(node, network)))
        described = any(not entry.lstrip().startswith("#") for entry in entries)
        lines += [f"  {quoted(node)}:{'' if described else ' {}'}", *entries]
    return "\n".join(lines) + "\n" if networks else "nodes: {}\n"


def exported_data(networks: Mapping[str, Network]) -> dict[str, Any]:
    """The same as the data of a network file that is JSON, which has no comments."""
    return {
        "nodes": {node: dict(_described(network, description(node, network))) for node, network in networks.items()}
    }


def unheld(network: Network) -> Iterator[str]:
    """What of a network no description holds, by the interface that it is about: what its text has in comments."""
    described = description("", network)
    for interface in _ordered(network):
        why = _undescribed(interface)
        for each in ([why] if why else []) + list(_besides(interface, described)):
            yield f"{_line(interface.name)}: {each}"


def _described(network: Network, described: Description) -> Iterator[tuple[str, Any]]:
    for interface in _ordered(network):
        writable = not isinstance(interface, Other) and interface.name not in OWN_KEYS
        if writable and _entry(interface, described.spec):
            said = described.spec.interfaces.get(interface.name)
            if interface.name in described.spec.ignored or not isinstance(said, InterfaceSpec):
                yield interface.name, {"state": "ignore"}
            else:
                fields = {name: _plain(value) for name, value in said.fields.items()}
                yield interface.name, {"type": said.type, **fields}


def _plain(value: object) -> Any:
    if isinstance(value, tuple):
        return [str(word) for word in value]
    return value if value is None or isinstance(value, bool | int) else str(value)


def _ordered(network: Network) -> list[Interface]:
    order: dict[type, int] = {kind: number for number, kind in enumerate(KINDS.values())}
    return sorted(network.interfaces.values(), key=lambda each: (order.get(type(each), 99), natural(each.name)))


def _entries(network: Network, described: Description) -> Iterator[str]:
    for interface in _ordered(network):
        besides = list(_besides(interface, described))
        if why := _undescribed(interface):
            yield f"    # {_line(interface.name)}: {why}"
        elif entry := _entry(interface, described.spec):
            yield f"    {quoted(interface.name)}: {entry}"
        elif besides:
            yield f"    # {_line(interface.name)}:"
        yield from (f"    #   {each}" for each in besides)


def _undescribed(interface: Interface) -> str:
    """Why nothing can be said of an interface; empty where something can."""
    if isinstance(interface, Other):
        why = interface.unwritten if interface.unread else f"of the kind {interface.kind}, which pvenet does not write"
        return _line(why)
    return "an interface of this name can't be described" if interface.name in OWN_KEYS else ""


def _besides(interface: Interface, described: Description) -> Iterator[str]:
    """What there is of an interface that is described, and can't be said."""
    if not _undescribed(interface):
        yield from (f"in the file besides: {_line(word)}" for word in _unsaid(interface.file_only))
    yield from (f"left out: {_line(why)}" for why in described.left_out.get(interface.name, ()))


def _entry(interface: Interface, spec: NodeSpec) -> str:
    """What is said of an interface; nothing for a NIC of which nothing is set."""
    if interface.name in spec.ignored:
        return "{state: ignore}"
    said = spec.interfaces[interface.name]
    if not isinstance(said, InterfaceSpec) or (isinstance(interface, Ethernet) and not said.fields):
        return ""
    words = [("type", said.type), *((name, _text(value)) for name, value in said.fields.items())]
    return f"{{{', '.join(f'{key}: {text}' for key, text in words)}}}"


def _unsaid(kept: FileOnly) -> Iterator[str]:
    """What of a stanza the API can't set."""
    if kept.method not in ("manual", "static"):
        yield f"inet {kept.method}"
    if kept.method6 not in ("manual", "static"):
        yield f"inet6 {kept.method6}"
    yield from kept.options
    yield from kept.options6


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(quoted(str(word)) for word in value)}]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value) if isinstance(value, int) else quoted(str(value))


def quoted(text: str) -> str:
    """A word as YAML holds it, in quotes where it needs them."""
    if _PLAIN.fullmatch(text) and not _MEANING.fullmatch(text):
        return text
    return f'"{"".join(_escaped(letter) for letter in text)}"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter == "\n":
        return "\\n"
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004 - YAML 1.2, section 5.7


def _line(text: str) -> str:
    """A text in a comment, on one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
