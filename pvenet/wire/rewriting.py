"""What PVE makes of the whole file at every write, as the listing shows it: the differences that are its own doing.

PVE reads the file, changes what a request asks for, and writes all of it anew. A file that was written by hand comes
out otherwise than it went in, the first time; of one that PVE has written only the consequences of the request are
new. Each rule here is a fact with its recordings (pve-api#f57 to f99). Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pvenet.model import BLANKS, kept_comments

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pvenet.wire.spelling import Entry

OVS_PORTS = frozenset({"OVSPort", "OVSIntPort", "OVSBond"})
LISTS = ("bridge_ports", "ovs_ports", "slaves", "ovs_bonds")
_NEVER_WRITTEN = frozenset({"broadcast", "broadcast6", "uplink-id"})
_OWN_LINES = {
    "bridge": {"bridge_ports", "bridge_stp", "bridge_fd", "bridge_vlan_aware", "bridge_vids"},
    "bond": {"slaves", "bond_miimon", "bond_mode", "bond_xmit_hash_policy", "bond-primary"},
    "OVSBridge": {"ovs_type", "ovs_ports"},
    "OVSPort": {"ovs_type", "ovs_bridge", "ovs_options", "ovs_tag"},
    "OVSIntPort": {"ovs_type", "ovs_bridge", "ovs_options", "ovs_tag"},
    "OVSBond": {"ovs_type", "ovs_bridge", "ovs_options", "ovs_tag", "ovs_bonds", "bond_mode"},
}
"""What the lines of a type are made of (pve-api#f78 to f84); every other property goes when it is empty or 0."""
_NOT_PROPERTIES = frozenset(
    {"iface", "type", "method", "method6", "families", "options", "options6", "comments", "autostart", "exists"}
    | {f"{key}{family}" for key in ("address", "netmask", "cidr", "gateway") for family in ("", "6")}
    | {"active", "altnames", "priority"}
)
_WRITTEN = {kind: _NOT_PROPERTIES | lines for kind, lines in _OWN_LINES.items()}
"""What is written of a type also where it says nothing."""
_STANZAS = (
    ("inet", "32", "method", ("address", "netmask", "cidr", "gateway")),
    ("inet6", "128", "method6", ("address6", "netmask6", "cidr6", "gateway6")),
)
"""The stanza of each family: the length of an address by itself, and its keys in a listing."""
_NIC_NAME = re.compile(r"(eth|nic|if)\d+|(en|ib)[^:.]+")
_BOND_NAME = re.compile(r"bond\d+")
_BETWEEN = re.compile(r"[\s,;]+")
_DELAY = range(2, 31)


def rewritten(entries: Mapping[str, Entry], only: Collection[str] | None = None) -> dict[str, Entry]:
    """The entries of a listing, by name, after a write that changes nothing; or only those of some names."""
    there = {(now := mangled(name)): {**entry, "iface": now} for name, entry in entries.items()}
    freed = free_lonely_ports(there)
    take_ports(there)
    for entry in list(there.values()):
        if entry.get("type") in ("bond", "OVSBond"):
            for slave in split(entry.get("slaves") if entry["type"] == "bond" else entry.get("ovs_bonds")):
                if slave in there:
                    there[slave]["autostart"] = 1
    wanted = there if only is None else {name: there[name] for name in there if name in only}
    return {name: entry if name in freed else _rewritten(entry) for name, entry in wanted.items()}


def take_ports(there: Mapping[str, Entry]) -> None:
    """What a bridge of Open vSwitch makes of the ports that it lists (f59)."""
    for bridge in [entry for entry in there.values() if entry.get("type") == "OVSBridge"]:
        for port in [there[name] for name in split(bridge.get("ovs_ports")) if name in there]:
            if port.get("type") == "eth":
                port.update(type="OVSPort", ovs_type="OVSPort")
            port.update(ovs_bridge=bridge["iface"], autostart=1)


def split(text: object) -> list[str]:
    """The words of a list of ports, however they are parted (pve-api#f57)."""
    return _BETWEEN.split(str(text).strip(" ,;\t\n")) if text else []


def bare(name: str, *, physical: bool = False) -> Entry:
    """What the file says as much as nothing of: a NIC, mostly."""
    kind = "eth" if physical else _type_by_name(name)
    return {"iface": name, "type": kind, "method": "manual", "method6": "manual", "families": ["inet"]}


def free_lonely_ports(there: dict[str, Entry]) -> set[str]:
    """An OVS port that nobody lists becomes a plain NIC; one that only others than OVS bridges list goes (f58).

    The names of those that are plain now, whatever their names say.
    """
    freed: set[str] = set()
    ports = [name for name, entry in there.items() if entry.get("type") in OVS_PORTS]
    if not ports:
        return freed
    listed = {word for entry in there.values() for key in LISTS for word in split(entry.get(key))}
    on_switches = {
        word for entry in there.values() if entry.get("type") == "OVSBridge" for word in split(entry.get("ovs_ports"))
    }
    for name in ports:
        entry = there[name]
        if name in on_switches:
            continue
        if name not in listed or entry.get("exists") == 1:
            there[name] = bare(name, physical=entry.get("exists") == 1) | {
                key: entry[key] for key in ("exists",) if key in entry
            }
            freed.add(name)
        else:
            del there[name]
    return freed


def _type_by_name(name: str) -> str:
    if _BOND_NAME.fullmatch(name):
        return "bond"
    return "eth" if _NIC_NAME.fullmatch(name) else "unknown"


# --- one interface ---------------------------------------------------------------------------------------------------


def _rewritten(entry: Entry) -> Entry:
    if "families" not in entry:
        return entry  # a parent that is not there is never written (f44)
    kind = str(entry.get("type"))
    written = _WRITTEN.get(kind, _NOT_PROPERTIES)
    kept = {
        key: _value(key, value)
        if isinstance(value, list) or (isinstance(value, str) and not value.isascii())
        else value
        for key, value in entry.items()
        if key in written or (value not in ("", "0", 0) and key not in _NEVER_WRITTEN)
    }
    kept["method"] = kept["method6"] = "manual"
    families = list(entry["families"] or ["inet"])
    _rewrite_addresses(kept, families, entry)
    _rewrite_lines(kept, families)
    match kind:
        case "bridge":
            _rewrite_bridge(kept)
        case "bond":
            _rewrite_bond(kept)
        case "vlan":
            parent, dot, tag = str(kept["iface"]).rpartition(".")
            if dot and tag.isdecimal():
                kept["vlan-raw-device"] = parent  # the name says it, whatever the file does (f63)
        case "OVSBond":
            kept["bond_mode"] = kept.get("bond_mode") or "active-backup"
        case _:
            pass
    return kept


def _value(key: str, value: Any) -> Any:
    """A value that is no ASCII comes back as its bytes; comments are decoded (f1)."""
    if isinstance(value, str) and key != "comments":
        return mangled(value)
    if isinstance(value, list):
        return [mangled(each) if isinstance(each, str) else each for each in value]
    return value


def mangled(text: str) -> str:
    """A text after PVE has read and written it once more (f1)."""
    if text.isascii():
        return text
    return text.encode("utf8", "surrogatepass").decode("latin-1").rstrip(BLANKS)


def _rewrite_addresses(kept: Entry, families: Iterable[str | None], entry: Entry) -> None:
    """Each family's stanza has its address, as it stands where no length was found (f52 to f55)."""
    there = set(families)
    for family, whole, method, keys in _STANZAS:
        address, netmask, cidr, _ = keys
        if family in there:
            kept[method] = entry.get(method, "manual")
        elif None not in there:
            for key in keys:
                kept.pop(key, None)
        if address not in kept:
            kept.pop(netmask, None)
            continue
        length = str(kept.get(netmask) or "")
        if kept[address] and not (length.isdecimal() and length != "0"):
            kept.pop(netmask, None)
            kept[cidr] = f"{kept[address]}/{whole}"


def _rewrite_lines(kept: Entry, families: list[str | None]) -> None:
    """Option lines and comments, written into each stanza of their family and read back (f13 to f18, f75 to f77)."""
    if kept.keys().isdisjoint(("comments", "options", "options6")):
        return
    comments = kept_comments(str(kept.pop("comments", "") or ""))
    own = {"inet": list(kept.pop("options", None) or []), "inet6": list(kept.pop("options6", None) or [])}
    lines: dict[str, list[str]] = {"inet": [], "inet6": []}
    said = {"inet": "", "inet6": ""}
    for family in families:
        text = comments if family != "inet6" or families == ["inet6"] else ""
        if family is None:
            lines["inet"] += own["inet"] + own["inet6"]
            said["inet"] += text
        else:
            lines[family] = own[family] or lines[family]
            said[family] = text or said[family]
    for key, value in (
        ("options", lines["inet"]),
        ("options6", lines["inet6"]),
        ("comments", said["inet"] + said["inet6"]),
    ):
        if value:
            kept[key] = value


def _rewrite_bridge(kept: Entry) -> None:
    kept["bridge_ports"] = _sorted(kept.get("bridge_ports"))
    kept["bridge_stp"] = kept.get("bridge_stp") or "off"
    delay = str(kept.pop("bridge_fd", "") or "0")
    if kept["bridge_stp"] == "off" or (delay.isdecimal() and int(delay) in _DELAY):
        kept["bridge_fd"] = delay
    vids = kept.pop("bridge_vids", None)
    if "bridge_vlan_aware" in kept:
        kept["bridge_vlan_aware"] = 1
        kept["bridge_vids"] = vids if vids not in (None, "", "0") else "2-4094"
    kept.pop("bridge-disable-mac-learning", None)


def _rewrite_bond(kept: Entry) -> None:
    kept["slaves"] = _sorted(kept.get("slaves"))
    kept.setdefault("bond_miimon", "100")
    mode = kept.get("bond_mode")
    kept["bond_mode"] = mode or "balance-rr"
    if mode not in ("balance-xor", "802.3ad"):
        kept.pop("bond_xmit_hash_policy", None)
    if mode != "active-backup":
        kept.pop("bond-primary", None)


def _sorted(text: object) -> str:
    return " ".join(sorted({word for word in split(text) if word != "none"}))


def same_options(one: object, other: object) -> bool:
    """Whether two texts have the same words; PVE writes them in any order."""
    return sorted(str(one or "").split()) == sorted(str(other or "").split())


def words_of(options: object) -> Iterator[tuple[str, str]]:
    """The words `KEY=VALUE` of an OVS port's options; of a key that stands there twice the last counts (f49)."""
    found = {}
    for word in str(options or "").split():
        key, equals, value = word.partition("=")
        if equals:
            found[key] = value
    yield from found.items()
