"""The kinds that commands stage, as one table: the word of each and the options of its fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import EnumType
from typing import TYPE_CHECKING, Any

import typer

from pvenet.cli import completion
from pvenet.cli.completion import clearable, fixed, free, interfaces, one, several
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
    from pvenet.cli.completion import Complete, Find
    from pvenet.cli.options import Group

LISTS = ("slaves", "ports", "vids")
"""Fields whose options take several words."""


@dataclass(frozen=True)
class Field:
    """The option of a field: `--name`, or `--name/--no-name` for a flag; one that is not given changes nothing."""

    type: Any
    help: str
    metavar: str | None = None
    complete: Complete | None = None
    parser: Callable[[str], Any] | None = None
    """Takes words that the type alone does not."""
    find: Find | None = None
    """Of a list: finds what it may have."""
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
    "autostart": Field(bool, "Whether it comes up at boot and reload; on by default for a new one."),
}
OVS_PORT: Fields = {
    "tag": Field(int, "The VLAN that it is in, 1 to 4094.", "TAG"),
    "options": Field(str, "Options for ovs-vsctl.", "TEXT"),
}
OVS_BRIDGE = Field(
    str,
    "The OVS bridge that it is a port of; another bridge recreates it there.",
    "IFACE",
    one(interfaces("OVSBridge")),
)
SLAVES = Field(list[str], "Its NICs, separated by commas or repeated.", "NIC[,NIC]", find=free("eth"), one="slave")


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
    examples: Mapping[str, str]
    """What stands after each verb in the example of its help."""

    @property
    def a_word(self) -> str:
        """The word with its article."""
        return f"{'an' if self.word.startswith('OVS') else 'a'} {self.word}"

    @property
    def verbs(self) -> tuple[str, ...]:
        """What can be done with one."""
        return ("create", "delete", "set") if self.naming else ("set",)

    @property
    def complete(self) -> Complete:
        """Completes the name of one that is there; an OVS port may be a NIC, too."""
        return one(interfaces(*(("OVSIntPort", "OVSPort") if self.kind is OvsIntPort else (self.kind.type,))))

    @property
    def clear(self) -> Complete:
        """Completes the fields that can be removed."""
        return several("clear", clearable(self.kind))

    @property
    def options(self) -> Group:
        """The options of its fields, as parameters of a command."""
        return {name: _parameter(name, field) for name, field in self.fields.items()}

    @property
    def differences(self) -> Group:
        """The options that add to its lists, and take out of them."""
        lists = {name: field for name, field in self.fields.items() if field.one}
        found = {}
        for name, field in lists.items():
            members = completion.members if field.find else None
            for verb, text, find in (
                ("add", f"Add to its {name}; the others stay.", field.find),
                ("remove", f"Remove from its {name}; the others stay.", members),
            ):
                called = f"{verb}_{name}"
                option = Field(list[str], text, field.metavar, find=find)
                found[called] = _parameter(f"{verb}_{field.one}", option, called=called)
        return found


def _parameter(name: str, field: Field, *, called: str = "") -> inspect.Parameter:
    """The option `--name`; `called`: the parameter that takes it, where that has another name."""
    dashed = name.replace("_", "-")
    flags = (f"--{dashed}/--no-{dashed}",) if field.type is bool else (f"--{dashed}",) if called else ()
    completes = several(called or name, field.find) if field.find else field.complete
    option = typer.Option(
        None, *flags, help=_help(field), metavar=field.metavar, parser=field.parser, autocompletion=completes
    )
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(called or name, kind, default=option, annotation=field.type | None)


def _mode(text: str) -> BondMode:
    """A mode by its name, or by the one that everybody knows. Raises BadParameter for another, as Typer words it."""
    try:
        return ALSO_CALLED.get(text.lower()) or BondMode(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(map(repr, map(str, BondMode)))}.") from None


def _help(field: Field) -> str:
    """The text of a field, with its words where it has a choice of some: they are too many for a column of options."""
    chosen = isinstance(field.type, EnumType)
    return f"{field.help} One of {', '.join(each.value for each in field.type)}." if chosen else field.help


NOUNS = (
    Noun(
        command="bond",
        kind=Bond,
        word="bond",
        naming="bond<N>; by default the next free one.",
        examples={
            "create": "--slaves ens38,ens39 --mode 802.3ad",
            "set": "bond0 --mtu 9000 --clear comments",
            "delete": "bond0",
        },
        fields={
            "slaves": SLAVES,
            "mode": Field(
                BondMode,
                "How the slaves share traffic; balance-rr by default. lacp means 802.3ad.",
                "MODE",
                one(fixed(*BondMode)),
                parser=_mode,
            ),
            "primary": Field(str, "The preferred slave; active-backup only.", "NIC", one(completion.slaves)),
            "xmit_hash_policy": Field(
                XmitHashPolicy, "How a slave is chosen for a frame; balance-xor and 802.3ad only.", "POLICY"
            ),
            **ADDRESSES,
            **COMMON,
            **AUTOSTART,
        },
    ),
    Noun(
        command="bridge",
        kind=Bridge,
        word="bridge",
        naming="By default the next free vmbr<N>.",
        examples={"create": "vmbr1 --ports bond0 --vlan-aware", "set": "vmbr1 --comments storage", "delete": "vmbr1"},
        fields={
            "ports": Field(
                list[str],
                "Its ports, separated by commas or repeated.",
                "IFACE[,IFACE]",
                find=free("eth", "bond", "vlan"),
                one="port",
            ),
            "vlan_aware": Field(bool, "Whether it filters VLANs."),
            "vids": Field(
                list[str],
                "The VLANs that its ports let through, as in 7,100-200; 2-4094 by default.",
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
        naming="bond0.50, vlan50 or a free name; by default DEVICE.TAG.",
        examples={"create": "bond0.50 --cidr 192.0.2.5/24", "set": "bond0.50 --mtu 9000", "delete": "bond0.50"},
        fields={
            "raw_device": Field(str, "The interface that it is on.", "IFACE", one(completion.raw_devices)),
            "tag": Field(int, "The VLAN's ID, 1 to 4094.", "TAG"),
            **ADDRESSES,
            **COMMON,
            **AUTOSTART,
        },
    ),
    Noun(
        command="eth",
        kind=Ethernet,
        word="NIC",
        examples={"set": "ens37 --mtu 9000"},
        fields={**ADDRESSES, **COMMON, **AUTOSTART},
    ),
    Noun(
        command="ovs-bridge",
        kind=OvsBridge,
        word="OVS bridge",
        naming="By default the next free vmbr<N>.",
        examples={"create": "vmbr2 --ports ens40", "set": "vmbr2 --mtu 9000", "delete": "vmbr2"},
        fields={
            "ports": Field(
                list[str],
                "Its NICs, internal ports and OVS bonds, separated by commas or repeated. A new bond or internal port "
                "is added by its own command, and removed when it is deleted.",
                "IFACE[,IFACE]",
                find=completion.ovs_ports,
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
        naming="By default the next free bond<N>.",
        examples={"create": "bond1 --bridge vmbr2 --slaves ens38,ens39", "set": "bond1 --tag 50", "delete": "bond1"},
        fields={  # it has no address, and its bridge starts it
            "bridge": OVS_BRIDGE,
            "slaves": SLAVES,
            "mode": Field(OvsBondMode, "How the slaves share traffic; active-backup by default.", "MODE"),
            **OVS_PORT,
            **COMMON,
        },
    ),
    Noun(
        command="ovs-port",
        kind=OvsIntPort,
        word="OVS port",
        naming="A free name, as in mgmt0.",
        examples={"create": "mgmt0 --bridge vmbr2 --tag 50", "set": "mgmt0 --cidr 192.0.2.5/24", "delete": "mgmt0"},
        fields={"bridge": OVS_BRIDGE, **OVS_PORT, **ADDRESSES, **COMMON},  # its bridge starts it
    ),
)
