"""The kinds that commands stage, as one table: the word of each and the options of its fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from pvenet import errors
from pvenet.model import (
    ALSO_CALLED,
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    OvsBond,
    OvsBondMode,
    OvsBridge,
    OvsIntPort,
    Vlan,
    XmitHashPolicy,
)

if TYPE_CHECKING:
    from pvenet import edit
    from pvenet.cli.options import Group

LISTS = ("slaves", "ports", "vids")
"""Fields whose options take several words."""


@dataclass(frozen=True)
class Field:
    """The option of a field: `--name`, or `--name/--no-name` for a flag; one that is not given changes nothing."""

    type: Any
    help: str
    metavar: str | None = None
    parser: Callable[[str], Any] | None = None
    """Takes words that the type alone does not."""
    words: tuple[str, ...] = ()
    """What a shell completes, where the type does not say it."""
    one: str = ""
    """Of a list: what `--add-` and `--remove-` take of it, and are called by."""


Fields = Mapping[str, Field]

ADDRESSES: Fields = {
    "cidr": Field(str, "IPv4 address with its prefix length.", "ADDRESS/LENGTH"),
    "gateway": Field(str, "IPv4 default gateway.", "ADDRESS"),
    "cidr6": Field(str, "IPv6 address with its prefix length.", "ADDRESS/LENGTH"),
    "gateway6": Field(str, "IPv6 default gateway.", "ADDRESS"),
}
COMMON: Fields = {
    "mtu": Field(int, "1280 to 65520.", "BYTES"),
    "comments": Field(str, "A remark; it may have several lines.", "TEXT"),
}
AUTOSTART: Fields = {
    "autostart": Field(bool, "Whether it comes up at boot and reload; a new one does unless told."),
}
OVS_PORT: Fields = {
    "tag": Field(int, "The VLAN that it is in, 1 to 4094.", "TAG"),
    "options": Field(str, "Words for ovs-vsctl.", "TEXT"),
}
OVS_BRIDGE = Field(str, "The OVS bridge that it is a port of; another makes it anew there.", "IFACE")


@dataclass(frozen=True, kw_only=True)
class Noun:
    """A kind as the command line has it."""

    command: str
    kind: edit.Kind
    word: str
    """What help calls it."""
    naming: str = ""
    """How a new one is named; empty for a kind that is neither created nor deleted."""
    fields: Fields

    @property
    def a_word(self) -> str:
        """The word with its article."""
        return f"{'an' if self.word.startswith('OVS') else 'a'} {self.word}"

    @property
    def options(self) -> Group:
        """The options of its fields, as parameters of a command."""
        return {name: _parameter(name, field) for name, field in self.fields.items()}

    @property
    def differences(self) -> Group:
        """The options that add to its lists, and take out of them."""
        lists = {name: field for name, field in self.fields.items() if field.one}
        words = {"add": "Add to its {}, which stay.", "remove": "Take out of its {}; the others stay."}
        return {
            f"{verb}_{name}": _parameter(
                f"{verb}_{field.one}", Field(list[str], text.format(name), field.metavar), called=f"{verb}_{name}"
            )
            for name, field in lists.items()
            for verb, text in words.items()
        }


def _parameter(name: str, field: Field, *, called: str = "") -> inspect.Parameter:
    """The option `--name`; `called`: the parameter that takes it, where that has another name."""
    dashed = name.replace("_", "-")
    flags = (f"--{dashed}/--no-{dashed}",) if field.type is bool else (f"--{dashed}",) if called else ()
    completes = _completing(field.words) if field.words else None
    option = typer.Option(
        None, *flags, help=field.help, metavar=field.metavar, parser=field.parser, autocompletion=completes
    )
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(called or name, kind, default=option, annotation=field.type | None)


def _completing(words: tuple[str, ...]) -> Callable[[str], list[str]]:
    """What Typer asks for the words that begin so."""

    def complete(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete


def _mode(text: str) -> BondMode:
    """A mode by its name, or by the one that everybody knows. Raises BadParameter for another."""
    try:
        return ALSO_CALLED.get(text.lower()) or BondMode(text)
    except ValueError:
        modes = tuple(map(str, BondMode))
        numbered = text.isascii() and text.isdecimal() and int(text) < len(modes)
        near = modes[int(text)] if numbered else errors.nearest(text, modes)
        meant = f"; did you mean {near}?" if near else ""
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(map(repr, modes))}{meant}") from None


NOUNS = (
    Noun(
        command="bond",
        kind=Bond,
        word="bond",
        naming="bond<N>; the next free one unless given.",
        fields={
            "slaves": Field(list[str], "Its NICs, with commas or repeated.", "NIC[,NIC]", one="slave"),
            "mode": Field(
                BondMode,
                "How the slaves share traffic; balance-rr unless told otherwise. lacp is 802.3ad.",
                f"<{'|'.join(BondMode)}>",  # as Typer writes the words of an enumeration
                parser=_mode,
                words=tuple(map(str, BondMode)),
            ),
            "primary": Field(str, "The preferred slave; active-backup only.", "NIC"),
            "xmit_hash_policy": Field(XmitHashPolicy, "What picks the slave; balance-xor and 802.3ad only."),
            **ADDRESSES,
            **COMMON,
            **AUTOSTART,
        },
    ),
    Noun(
        command="bridge",
        kind=Bridge,
        word="bridge",
        naming="The next free vmbr<N> unless given.",
        fields={
            "ports": Field(list[str], "Its ports, with commas or repeated.", "IFACE[,IFACE]", one="port"),
            "vlan_aware": Field(bool, "Whether it filters VLANs."),
            "vids": Field(
                list[str],
                "The VLANs that its ports let through, as 7,100-200; 2-4094 unless told otherwise.",
                "TAGS",
                one="vids",
            ),
            **ADDRESSES,
            **COMMON,
            **AUTOSTART,
        },
    ),
    Noun(
        command="vlan",
        kind=Vlan,
        word="VLAN",
        naming="bond0.50, vlan50 or a free name; DEVICE.TAG unless given.",
        fields={
            "raw_device": Field(str, "What it sits on.", "IFACE"),
            "tag": Field(int, "The VLAN's id, 1 to 4094.", "TAG"),
            **ADDRESSES,
            **COMMON,
            **AUTOSTART,
        },
    ),
    Noun(command="eth", kind=Ethernet, word="NIC", fields={**ADDRESSES, **COMMON, **AUTOSTART}),
    Noun(
        command="ovs-bridge",
        kind=OvsBridge,
        word="OVS bridge",
        naming="The next free vmbr<N> unless given.",
        fields={
            "ports": Field(
                list[str],
                "Its NICs, internal ports and OVS bonds, with commas or repeated. A new bond or internal port comes "
                "in by its own command, and leaves when it is deleted.",
                "IFACE[,IFACE]",
                one="port",
            ),
            "options": OVS_PORT["options"],
            **ADDRESSES,
            **COMMON,
            **AUTOSTART,
        },
    ),
    Noun(
        command="ovs-bond",
        kind=OvsBond,
        word="OVS bond",
        naming="The next free bond<N> unless given.",
        fields={  # it has no address, and its bridge starts it
            "bridge": OVS_BRIDGE,
            "slaves": Field(list[str], "Its NICs, with commas or repeated.", "NIC[,NIC]", one="slave"),
            "mode": Field(OvsBondMode, "How the slaves share traffic; active-backup unless told otherwise."),
            **OVS_PORT,
            **COMMON,
        },
    ),
    Noun(
        command="ovs-port",
        kind=OvsIntPort,
        word="OVS port",
        naming="A free name, as mgmt0.",
        fields={"bridge": OVS_BRIDGE, **OVS_PORT, **ADDRESSES, **COMMON},  # its bridge starts it
    ),
)
