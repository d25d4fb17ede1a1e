"""What one command asks for: (network, words) -> the desired interfaces. Pure.

`create` builds a value, `change` keeps everything that is not named (of a list also what no difference names), `delete`
asks for absence. A field is named by the model's word; `None` in `values` was not given.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.edit.lists import Difference as Difference
from pvenet.edit.lists import Differences as Differences
from pvenet.edit.lists import changed, refuse_mixed
from pvenet.edit.lists import needless as needless
from pvenet.edit.lists import remarks as remarks
from pvenet.limits import LONGEST_NAME
from pvenet.model import (
    HASHING_MODES,
    Bond,
    BondMode,
    Bridge,
    Ethernet,
    Interface,
    Other,
    OvsBond,
    OvsBridge,
    OvsIntPort,
    OvsPort,
    Vlan,
    defaults,
    from_vlan_name,
    kind_of,
    settable,
    with_values,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pvenet.model import Network

Kind = type[Bond] | type[Bridge] | type[Vlan] | type[Ethernet] | type[OvsBridge] | type[OvsBond] | type[OvsIntPort]
Values = dict[str, Any]

NOUNS = {"OVSBridge": "ovs-bridge", "OVSBond": "ovs-bond", "OVSIntPort": "ovs-port", "OVSPort": "ovs-port"}
"""The commands of kinds whose noun is not PVE's word."""

_PREFIXES = {Bond: "bond", Bridge: "vmbr", OvsBond: "bond", OvsBridge: "vmbr"}
NOT_CLEARABLE = frozenset({"mode", "autostart", "bridge"})


def create(network: Network, node: str, kind: Kind, name: str | None, values: Values) -> Interface:
    """A new interface; without a name, under the next free one, as in PVE's UI.

    Raises InvalidNetwork where the name is taken.
    """
    given = _given(values)
    if kind is Vlan:
        given = _vlan_words(name, given)
    name = name or _free_name(network, kind, given)
    taken = network.interfaces.get(name)
    if taken is not None:
        raise errors.InvalidNetwork(
            f"{name} exists already on {node}, as {_article(kind_of(taken))}",
            hint=f"change it with `pvenet {noun_of(kind.type)} set {name}`"
            if isinstance(taken, kind)
            else "choose another name",
        )
    if kind is Bridge and given.get("vids"):
        given.setdefault("vlan_aware", True)
    return kind(name=name, **given)


def change(  # noqa: PLR0913, PLR0917 - what a `set` command says, each word once
    network: Network,
    node: str,
    kind: Kind,
    name: str,
    values: Values,
    clear: Collection[str],
    differences: Differences | None = None,
) -> Interface:
    """An existing interface with the named fields changed and the cleared ones removed; everything else kept.

    `differences`: what comes to its lists and leaves them. What changes an OVS port changes one that is a NIC, too.

    Raises InvalidNetwork where there is none of that name and kind, UsageError for a field that can't be cleared, or is
    asked for in two ways.
    """
    nic = kind is OvsIntPort and isinstance(network.interfaces.get(name), OvsPort)
    before = find(network, node, name, None if nic else kind)
    given = _given(values)
    empty = defaults(kind)
    emptied: Values = {field: empty[field] for field in _clearable(kind, clear)}
    both = sorted(set(given) & set(emptied))
    if both:
        raise errors.UsageError(f"{', '.join(both)} can't be set and cleared at once", hint="leave one of them out")
    refuse_mixed(differences or {}, given, emptied)
    given |= changed(before, differences or {}, given)
    after = replace(before, **given, **emptied)
    return consistent(after, given) if isinstance(after, Bond | Bridge) else after


def find(
    network: Network,
    node: str,
    name: str,
    kind: Kind | None = None,
    never: Callable[[], Collection[str]] = tuple,
) -> Interface:
    """The interface of a name. Raises InvalidNetwork, naming the nearest, where there is none of the kind.

    `never`: the names that no hint may offer, asked for where one is to be given.
    """
    found = network.interfaces.get(name)
    if found is None:
        raise errors.InvalidNetwork(
            f"there is no interface {name} on {node}", hint=_nearest(network, name, kind, never())
        )
    if isinstance(found, Other) and found.unread and kind is not None and found.kind == kind.type:
        raise errors.InvalidNetwork(
            f"on {node} {found.reason}",
            hint="correct it in /etc/network/interfaces on the node",
        )
    if isinstance(found, OvsPort) and kind is Ethernet:
        message = f"{name} on {node} is a NIC that the OVS bridge {found.bridge} has"
        raise errors.InvalidNetwork(message, hint="use `pvenet ovs-port ...`")
    if kind is not None and not isinstance(found, kind):
        word = kind_of(found)
        raise errors.InvalidNetwork(
            f"{name} on {node} is {_article(word)}, not {_article(kind.type)}", hint=_hint_for_kind(found, kind)
        )
    return found


def noun_of(kind: str) -> str:
    """The command that is about a kind, by PVE's word for it."""
    return NOUNS.get(kind, kind)


def _hint_for_kind(found: Interface, kind: Kind) -> str:
    """What to do about an interface that is of another kind than its command."""
    if isinstance(found, OvsPort) and kind is OvsIntPort:
        return f"take it out of the bridge with `pvenet ovs-bridge set {found.bridge} --ports ...`"
    if isinstance(found, Other):
        return f"pvenet shows interfaces of kind {found.kind}, but does not change them"
    return f"use `pvenet {noun_of(found.type)} ...`"


def _nearest(network: Network, name: str, kind: Kind | None, never: Collection[str]) -> str:
    for real, link in network.links.items():
        if name in link.altnames:
            return f"{name} is another name of {real}; PVE takes only {real}"
    suits = [each for each, it in network.interfaces.items() if each not in never and isinstance(it, kind or Interface)]
    return errors.did_you_mean(name, suits, otherwise="`pvenet list` shows what is there")


def _given(values: Values) -> Values:
    return {field: value for field, value in values.items() if value is not None}


def _vlan_words(name: str | None, given: Values) -> Values:
    """The tag and raw device that a VLAN's name says, where they are not given: `bond0.50`, `vlan50`."""
    raw_device, tag = from_vlan_name(name or "")
    return _given({"raw_device": raw_device, "tag": tag}) | given


def _free_name(network: Network, kind: Kind, given: Values) -> str:
    if kind is Vlan:
        if not given.get("raw_device") or not given.get("tag"):
            raise errors.UsageError(
                "a VLAN needs a raw device and a tag", hint="pvenet vlan create --raw-device bond0 --tag 50"
            )
        name = f"{given['raw_device']}.{given['tag']}"
        return name if len(name) <= LONGEST_NAME else f"vlan{given['tag']}"
    if kind is OvsIntPort:
        raise errors.UsageError("an OVS port needs a name", hint="pvenet ovs-port create mgmt0 --bridge vmbr1 --tag 50")
    prefix = _PREFIXES[kind]
    number = 0
    while f"{prefix}{number}" in network.interfaces:
        number += 1
    return f"{prefix}{number}"


def _clearable(kind: Kind, clear: Collection[str]) -> list[str]:
    can = [name for name in settable(kind) if name not in NOT_CLEARABLE]
    chosen = [word.replace("-", "_") for word in clear]
    for word in chosen:
        if word not in can:
            hint = errors.did_you_mean(word, can, otherwise=f"these can: {', '.join(sorted(can))}")
            raise errors.UsageError(f"{word} can't be cleared on {_article(kind.type)}", hint=hint)
    return chosen


def consistent(after: Bond | Bridge, given: Mapping[str, Any]) -> Bond | Bridge:
    """Without the fields that the new mode does not have, unless they were named: PVE drops them silently."""
    if isinstance(after, Bridge):
        if given.get("vids"):
            return with_values(after, vlan_aware=given.get("vlan_aware", True))
        return after if after.vlan_aware else with_values(after, vids=())
    if after.mode is not BondMode.ACTIVE_BACKUP and "primary" not in given:
        after = with_values(after, primary=None)
    if after.mode not in HASHING_MODES and "xmit_hash_policy" not in given:
        after = with_values(after, xmit_hash_policy=None)
    return after


def _article(kind: str) -> str:
    words = {
        "eth": "a NIC",
        "vlan": "a VLAN",
        "OVSBridge": "an OVS bridge",
        "OVSBond": "an OVS bond",
        "OVSIntPort": "an OVS internal port",
        "OVSPort": "a NIC on an OVS bridge",
    }
    return words.get(kind) or f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
