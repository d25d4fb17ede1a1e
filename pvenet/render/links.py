"""What a node's kernel has: the table, what differs from the file, and the files of interfaces.d."""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING

from pvenet.foreign import one_line
from pvenet.kernel.files import APPLIED, named_twice, stanza_names
from pvenet.kernel.links import LinkState
from pvenet.model import Bond, BondMode, natural, typed
from pvenet.render.values import aligned, counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pvenet.kernel.comparison import Comparison
    from pvenet.kernel.difference import Difference
    from pvenet.kernel.links import BondStatus, KernelLink, Port
    from pvenet.render.values import Paint

_PLUMBING = re.compile(r"(?:tap|veth|fwbr|fwln)(?P<guest>\d+)i(?P<index>\d+)|fwpr(?P<behind>\d+)p(?P<port>\d+)")
"""How PVE names what leads to a guest's NIC. pve-api#bridges-guests."""
_ORDER = {"": 0, "bond": 1, "bridge": 2, "openvswitch": 2, "vlan": 3}
_COLOURS = {LinkState.UP: "green", LinkState.NO_CARRIER: "red", LinkState.DOWN: "yellow"}
_HEAD = ("name", "kind", "state", "speed", "mtu", "mac", "in")
_MAC = _HEAD.index("mac")
_KEPT = 3
"""Columns that a table has also where they say nothing."""


def shown(comparison: Comparison, names: Collection[str]) -> list[KernelLink]:
    """The links of the table, in its order.

    Without names: all but `lo`, and what leads to a guest, which stands with its bridge.
    """
    links = comparison.report.links.values() if comparison.report else ()
    found = [
        link
        for link in links
        if (
            {link.name, *(link.altnames or ())} & set(names) if names else link.name != "lo" and not guest_of(link.name)
        )
    ]
    return sorted(found, key=lambda link: (_ORDER.get(link.kind or "", 9), natural(link.name)))


def differing(comparison: Comparison, names: Collection[str]) -> list[Difference]:
    """The differences that are about one of the names, or all."""
    return [each for each in comparison.differences if not names or {each.name, *each.subjects} & set(names)]


def guest_of(name: str) -> str | None:
    """The guest and its NIC that a link leads to, as `100 net0`; None of any other."""
    found = _PLUMBING.fullmatch(name)
    if found is None:
        return None
    return f"{found['guest'] or found['behind']} net{found['index'] or found['port']}"


def links_text(comparison: Comparison, names: Collection[str], width: int, paint: Paint) -> str:
    """The whole answer, in lines that fit a terminal of some width."""
    parts = [_table(comparison, names, width, paint), _bridges_alone(comparison, names, width)]
    parts += [_differences_text(comparison, names, width, paint)]
    if not names:
        parts.append(_sourced(comparison, width))
    return "\n\n".join(part for part in parts if part)


# --- the table -------------------------------------------------------------------------------------------------------


def _table(comparison: Comparison, names: Collection[str], width: int, paint: Paint) -> str:
    """A line a link, and beneath it what more there is. What does not fit is said beneath, too."""
    links = shown(comparison, names)
    if not links:
        return ""
    rows = [_row(link) for link in links]
    used = [at for at in range(len(_HEAD)) if at < _KEPT or any(row[at] for row in rows)]
    lines = aligned([[line[at] for at in used] for line in (_HEAD, *rows)]).splitlines()
    narrow = _MAC in used and max(map(len, lines)) > width
    if narrow:
        used.remove(_MAC)
        lines = aligned([[line[at] for at in used] for line in (_HEAD, *rows)]).splitlines()
    found = [paint(lines[0], "bold")]
    for link, row, line in zip(links, rows, lines[1:], strict=True):
        more = [f"mac {row[_MAC]}"] if narrow and row[_MAC] else []
        found.append(paint(line, _COLOURS[link.state]) if link.state is LinkState.NO_CARRIER else line)
        found += _wrapped([*_details(comparison, link), *more], width)
    return "\n".join(found)


def _row(link: KernelLink) -> tuple[str, ...]:
    kind = {"": "nic", None: "?"}.get(link.kind, link.kind or "")
    speed = f"{link.speed}M" if link.speed else ""
    return (
        link.name,
        kind,
        link.state,
        speed,
        str(link.mtu),
        link.permanent_mac or link.mac or "",
        link.master or "",
    )


def _wrapped(parts: Sequence[str], width: int) -> list[str]:
    text = "; ".join(one_line(part) for part in parts if part)
    return wrap(text, max(width, 40), initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def _details(comparison: Comparison, link: KernelLink) -> Iterator[str]:
    """What one link has besides its line, each a clause."""
    if link.bond:
        yield from _bond(comparison, link, link.bond)
    if link.bridge or (comparison.bridges and link.name in comparison.bridges):
        yield from _bridge(comparison, link.name)
    if link.vlan:
        yield f"VLAN {link.vlan.id} on {link.parent or '?'}"
    if link.port_state not in (None, "forwarding"):
        yield f"the port is {link.port_state}"
    if link.addresses:
        yield ", ".join(str(each.address) for each in link.addresses if each.scope != "link")
    if link.altnames:
        yield f"also {', '.join(link.altnames)}"


def _bond(comparison: Comparison, link: KernelLink, status: BondStatus) -> Iterator[str]:
    joined = {each.name: each for each in members(comparison, link.name)}
    wanted = typed(comparison.network.interfaces.get(link.name)) if comparison.network else None
    of = f" of {len(set(wanted.slaves))}" if isinstance(wanted, Bond) else ""
    yield f"{status.mode}, {len(joined)}{of} slaves{': ' if joined else ''}{', '.join(joined)}"
    if status.active_slave:
        yield f"active {status.active_slave}"
    if status.mode != BondMode.LACP:
        return
    yield f"LACP partner {status.partner_mac}" if status.partner_mac else "no LACP partner"
    if status.partner_mac and joined:
        out = [name for name, each in joined.items() if not in_sync(each)]
        yield f"not in sync: {', '.join(out)}" if out else "all in sync"


def members(comparison: Comparison, name: str) -> list[KernelLink]:
    """The links in a bond or a bridge, sorted."""
    links = comparison.report.links.values() if comparison.report else ()
    return sorted((link for link in links if link.master == name), key=lambda link: natural(link.name))


def in_sync(slave: KernelLink) -> bool:
    """Whether a slave and its LACP partner agree; what one without carrier says is stale (pve-api#lacp-stale)."""
    status = slave.slave
    return bool(slave.carrier and status and "in_sync" in status.actor and "in_sync" in status.partner)


# --- bridges ---------------------------------------------------------------------------------------------------------


def ports_of(comparison: Comparison, name: str) -> dict[str, Port | None]:
    """The ports of a bridge, by the report, the bridges call, or both, sorted."""
    told = comparison.bridges.get(name) if comparison.bridges else None
    found: dict[str, Port | None] = dict.fromkeys(link.name for link in members(comparison, name))
    found |= {port.name: port for port in (told.ports if told else ())}
    return {port: found[port] for port in sorted(found, key=natural)}


def filtering_of(comparison: Comparison, name: str) -> bool | None:
    """Whether a bridge filters VLANs; None where that is not known."""
    link = comparison.report.links.get(name) if comparison.report else None
    told = comparison.bridges.get(name) if comparison.bridges else None
    return link.bridge.vlan_filtering if link and link.bridge else told.vlan_filtering if told else None


def guest_at(name: str, port: Port | None) -> str | None:
    """The guest and its NIC behind a port: by the bridges call, or by the port's name."""
    if port is not None and port.vmid is not None:
        return f"{port.vmid} {port.index or ''}".rstrip()
    return guest_of(name)


def _bridge(comparison: Comparison, name: str) -> Iterator[str]:
    ports = ports_of(comparison, name)
    guests = [guest for port, told in ports.items() if (guest := guest_at(port, told))]
    others = [port for port, told in ports.items() if not guest_at(port, told)]
    yield f"ports {', '.join(others)}" if others else "no port but guests'" if guests else "no port"
    if guests:
        yield f"guests {', '.join(sorted(guests, key=natural))}"
    filtering = filtering_of(comparison, name)
    if filtering is not None:
        yield f"VLAN filtering {'on' if filtering else 'off'}"


def _bridges_alone(comparison: Comparison, names: Collection[str], width: int) -> str:
    """The bridges, where no report tells more of them."""
    if comparison.report is not None:
        return ""
    lines = []
    for name, told in (comparison.bridges or {}).items():
        if not names or name in names:
            lines.append(f"{one_line(name)}  bridge")
            there = told.vlan_filtering is not None
            lines += _wrapped([*_bridge(comparison, name)] if there else ["the kernel has no such bridge"], width)
    return "\n".join(lines)


# --- what differs ----------------------------------------------------------------------------------------------------


def _differences_text(comparison: Comparison, names: Collection[str], width: int, paint: Paint) -> str:
    """A sentence each; what was compared, where it is not simply the file."""
    found = differing(comparison, names)
    lines = _plain(comparison.basis, width)
    if comparison.network is None:
        return "\n".join(lines)
    if not found:
        known = "" if comparison.report else ", as far as the bridges' ports go: nothing else of the kernel is known"
        return "\n".join([*lines, *_plain(f"nothing differs from the file{known}", width)])
    head = f"{counted(len(found), 'difference')} from the file:"
    return "\n".join([*lines, paint(head, "bold"), *(line for each in found for line in _said(each, width))])


def _plain(text: str, width: int) -> list[str]:
    return wrap(one_line(text), max(width, 40), break_on_hyphens=False)


def _said(difference: Difference, width: int) -> list[str]:
    text = one_line(difference.text)
    return wrap(text, max(width, 40), initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False)


def _sourced(comparison: Comparison, width: int) -> str:
    """What stands in interfaces.d, which PVE's own list does not show."""
    files = comparison.report.sourced if comparison.report else {}
    lines = []
    for path, text in files.items():
        lines += _plain(f"{path}: {', '.join(stanza_names(text)) or 'no interface'}", width)
    return "\n".join(["besides the file there are:", *(f"  {line}" for line in lines)]) if lines else ""


def doubled_warnings(comparison: Comparison) -> list[str]:
    """A warning for each interface that two files name."""
    twice = named_twice(comparison.report) if comparison.report else {}
    return [
        f"{name} has a stanza in {' and in '.join(paths)}: ifupdown2 merges them, PVE shows and changes only the "
        f"one in {APPLIED}, and pvenet does not compare it"
        for name, paths in twice.items()
    ]
