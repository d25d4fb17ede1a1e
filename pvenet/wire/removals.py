"""What PVE's write of the file takes away by itself, from stanzas that nobody touched.

The listing shows most of it: what it has before a write and has no more after one that changes nothing
(`rewriting`). What the listing can't show, because PVE has read past it already (all but the last address of a family,
the option lines of an earlier stanza, `bridge-vlan-aware no`), stands in PVE's diff: its `-` lines of which neither
the listing nor a `+` line knows. Those are shown and decide nothing. pve-api#f88. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from ipaddress import ip_interface
from typing import TYPE_CHECKING

from pvenet.changes import Loss
from pvenet.wire.moved import moved
from pvenet.wire.prediction import by_name, predicted
from pvenet.wire.properties import known, missing_words, property_of
from pvenet.wire.rewriting import LISTS, OVS_PORTS, mangled, rewritten, same_options
from pvenet.wire.spelling import OBSERVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pvenet.wire.requests import Request
    from pvenet.wire.spelling import Entry

_SAID_ELSEWHERE = OBSERVED | {"iface", "type", "method", "method6", "families", "address", "address6", "netmask6"}
_OFF_MODE = frozenset({"bond_xmit_hash_policy", "bond-primary", "bridge_vids"})
"""What the write drops only where the mode, or a bridge that is not VLAN-aware, does not use it."""
_IFACE = re.compile(r"iface\s+(\S+)(?:\s+(inet6?)\s+(\S+))?\s*(?:#.*)?")
_NOTHING = re.compile(r"iface\s.* manual")
"""A stanza that gives its interface nothing."""
_HOTPLUG = re.compile(r"allow-hotplug (.+)")
"""The listing has it as autostart (pve-api#f74)."""
_COMMENTS_SHOWN = 2
_UNREADABLE = "\ufffd"
"""What PVE's diff has for bytes that are no UTF-8; the listing tells what becomes of them."""


def removed(entries: Iterable[Entry], changes: str = "", steps: Sequence[Request] = ()) -> tuple[Loss, ...]:
    """All that PVE's write takes from a live file by itself: by its listing, and by PVE's diff from it, if any.

    What the steps ask for is left out.
    """
    listing = by_name(entries)
    return tuple(dict.fromkeys((*_listed(listing, steps), *_unlisted(changes, listing), *moved(changes, listing))))


# --- what the listing shows ------------------------------------------------------------------------------------------


def _listed(before: Mapping[str, Entry], steps: Sequence[Request]) -> Iterator[Loss]:
    asked = _asked(before, steps)
    after = predicted(before.values(), steps[0]) if steps else rewritten(before)
    after |= rewritten(before, only=asked.keys())
    gone = {step.name for step in steps if step.method == "DELETE"}
    for name, entry in before.items():
        if name in gone:
            continue
        now = after.get(mangled(name))
        if now is None:
            yield Loss(name=name, what=f"all of it, because no OVS bridge lists it{_had(entry)}")
            continue
        if entry.get("type") in OVS_PORTS and now.get("type") not in OVS_PORTS:
            what = f"what makes it an OVS port, because no OVS bridge lists it{_had(entry)}"
            yield Loss(name=name, what=what)
            continue
        if now == entry and "vxlan-remoteip" not in entry:
            continue
        said = _SAID_ELSEWHERE | asked[name] if name in asked else _SAID_ELSEWHERE
        for key, value in entry.items():
            if key not in said and not _is_kept(key, value, now, entry):
                yield from _lost(name, key, value, now, entry)
        yield from _lost_method(name, entry, now)


def _asked(before: Mapping[str, Entry], steps: Sequence[Request]) -> dict[str, set[str]]:
    """The properties that steps ask for, by interface; of a port that comes or goes its bridge's list, too."""
    asked: dict[str, set[str]] = {}
    for step in steps:
        asked.setdefault(step.name, set()).update(step.form, str(step.form.get("delete", "")).split(","))
        said = before.get(step.name, {}) if step.method == "DELETE" else step.form
        if step.method != "PUT" and said.get("type") in OVS_PORTS:
            asked.setdefault(str(said.get("ovs_bridge")), set()).add("ovs_ports")  # pve-api#ovs-coupling
    return asked


def _had(entry: Entry) -> str:
    """What of an OVS port goes with it, or when it becomes a plain NIC (pve-api#f58)."""
    keys = ("cidr", "gateway", "cidr6", "gateway6", "mtu", "ovs_tag", "ovs_bonds", "bond_mode", "ovs_options")
    had = [f"{key} {entry[key]}" for key in keys if entry.get(key)]
    had += [f"`{line}`" for line in (*(entry.get("options") or ()), *(entry.get("options6") or ()))]
    return f": {', '.join(had)}" if had else ""


def _is_kept(key: str, value: object, now: Entry, entry: Entry) -> bool:
    if key == "ovs_options":
        return same_options(value, now.get(key))
    if key == "netmask":  # a length says the same as the mask; what is none is no more
        return key in now or "address" not in entry or str(value).isdecimal()
    if key == "vxlan-remoteip":
        return entry.get("type") == "vxlan" or str(value).startswith("['ARRAY(")  # what an earlier write left (f31)
    if value in ("", None) or (str(value) == "0" and _is_nothing(key, now)):
        return True  # it says nothing
    return key in now and str(now[key]) == str(value)


def _is_nothing(key: str, now: Entry) -> bool:
    """Whether a 0 says nothing there."""
    return key == "mtu" or (key == "bridge_fd" and now.get("type") != "bridge")


def _lost(name: str, key: str, value: object, now: Entry, entry: Entry) -> Iterator[Loss]:
    if key in ("options", "options6") and isinstance(value, list):
        left = now.get(key) or ()
        for line in [str(line) for line in value if line not in left]:
            spoilt = mangled(line)
            yield Loss(name=name, what=f"`{line}`, which becomes `{spoilt}`" if spoilt in left else line)
    elif key == "comments":
        here = str(now.get(key) or "").splitlines()
        gone = [line for line in str(value).splitlines() if line.strip() and line not in here]
        yield from (Loss(name=name, what=f"the comment `#{line}`", remark=True) for line in gone)
    elif key in LISTS:
        if words := sorted(set(str(value).split()) - set(str(now.get(key)).split())):
            yield Loss(name=name, what=f"{key} {' '.join(words)}")
    elif isinstance(value, list):
        yield Loss(name=name, what=f"{key} {' '.join(map(str, value))}")
    elif key in now and now[key] not in ("", None):
        yield Loss(name=name, what=f"{key} {value}, which becomes {now[key]}")
    else:
        yield Loss(name=name, what=f"{key} {value}", remark=key in _OFF_MODE or _is_default(key, value, entry))


def _is_default(key: str, value: object, entry: Entry) -> bool:
    """Whether it is what the kernel has anyway."""
    if key != "broadcast":
        return key == "bridge-disable-mac-learning" and str(value) == "0"
    try:
        return str(ip_interface(str(entry.get("cidr"))).network.broadcast_address) == str(value)
    except ValueError:
        return False


def _lost_method(name: str, entry: Entry, now: Entry) -> Iterator[Loss]:
    for family, key in (("inet", "method"), ("inet6", "method6")):
        method = entry.get(key, "manual")
        if family in (entry.get("families") or ()) and now.get(key) != method:
            yield Loss(name=name, what=f"{family} {method}, which becomes {family} {now.get(key)}")


# --- what PVE's diff alone shows -------------------------------------------------------------------------------------


def _unlisted(changes: str, listing: Mapping[str, Entry]) -> Iterator[Loss]:
    lines = changes.split("\n")[2:]  # its two header lines
    added = Counter(_bare(line[1:]) for line in lines if line.startswith("+"))
    comments = []
    for name, text in _taken_out(lines, listing):
        if added[text]:
            added[text] -= 1  # it stands elsewhere
        elif text.startswith("#"):
            comments += [] if _is_comment_of(text, listing) else [text]
        elif starts := _HOTPLUG.fullmatch(text):
            for each in starts[1].split():
                yield Loss(name=each, what="allow-hotplug, which becomes auto", remark=True)
        elif not _is_listed(text, name, listing):
            yield Loss(name=name, what=_described(text, name, listing), remark=bool(_NOTHING.fullmatch(text)))
    if comments:
        shown = ", ".join(f"`{text}`" for text in comments[:_COMMENTS_SHOWN])
        more = f" and {len(comments) - _COMMENTS_SHOWN} more" if len(comments) > _COMMENTS_SHOWN else ""
        yield Loss(name="", what=f"comments outside of stanzas: {shown}{more}", remark=True)


def _taken_out(lines: Sequence[str], listing: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    """The `-` lines that say something, with the interface in whose stanza they stand; empty where nobody can tell."""
    for part in _parts(line for line in lines if not line.startswith("+")):
        head = _IFACE.fullmatch(_bare(part[0][1:])) if part else None
        name = head[1] if head else _whose([_bare(line[1:]) for line in part if line.startswith(" ")], listing)
        for line in part:
            text = _bare(line[1:])
            if line.startswith("-") and re.search(r"\w", text) and _UNREADABLE not in text:
                yield name, text


def _parts(lines: Iterable[str]) -> Iterator[list[str]]:
    """The lines of the old file that are in sight, stanza by stanza; a blank line ends one (pve-api#f7)."""
    part: list[str] = []
    for line in lines:
        text = _bare(line[1:])
        if line.startswith("@@") or not text or _IFACE.fullmatch(text):
            yield part
            part = []
        if not line.startswith("@@"):
            part.append(line)
    yield part


def _whose(beside: Sequence[str], listing: Mapping[str, Entry]) -> str:
    """The only interface that has all the lines that stand beside."""
    found = [name for name, entry in listing.items() if beside and all(known(text, entry) for text in beside)]
    return found[0] if len(found) == 1 else ""


def _bare(line: str) -> str:
    return " ".join(line.split())


def _is_comment_of(text: str, listing: Mapping[str, Entry]) -> bool:
    said = _bare(text[1:])
    kept = _bare(mangled(said).encode("latin-1").decode("utf8", "replace"))  # its last letter may be spoilt (f2)
    return any(
        _bare(line) in (said, kept)
        for entry in listing.values()
        for line in str(entry.get("comments") or "").split("\n")
    )


def _is_listed(text: str, name: str, listing: Mapping[str, Entry]) -> bool:
    """Whether the listing knows of a line, so that it is judged by that."""
    if re.match(r"(auto|allow-\S*)(\s|$)", text):
        return True
    if found := _IFACE.fullmatch(text):
        return _is_listed_stanza(found[1], found[2], found[3], listing)
    here = [listing[each] for each in (name, mangled(name)) if each in listing] or list(listing.values())
    return any(known(text, entry) or known(mangled(text), entry) for entry in here)


def _is_listed_stanza(name: str, family: str | None, method: str | None, listing: Mapping[str, Entry]) -> bool:
    entry = listing.get(name) or listing.get(mangled(name))
    if entry is None or family not in (entry.get("families") or ()):
        return entry is None  # what is no interface is no stanza: a line of which PVE keeps the text
    return family is None or entry.get("method6" if family == "inet6" else "method") == method


def _described(text: str, name: str, listing: Mapping[str, Entry]) -> str:
    """A line that goes, and what it becomes where it is a property that stays, with another value."""
    key, value = property_of(text)
    entry = listing.get(name, {})
    now = entry.get(key)
    if (found := _IFACE.fullmatch(text)) and found[2]:
        method = entry.get("method6" if found[2] == "inet6" else "method")
        return f"a stanza `{found[2]} {found[3]}`, which becomes {method}"
    if key == "ovs_options":
        return f"{' '.join(missing_words(value, entry)) or value} of ovs_options"
    if key == "bridge_vlan_aware":
        return f"bridge-vlan-aware {value}, which becomes yes"
    if key == "bridge_stp" and now:
        return f"bridge-stp {value}, which becomes {now}"
    return text
