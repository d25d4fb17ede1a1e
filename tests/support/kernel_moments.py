"""Recorded moments of a kernel as the sim's values: from the JSON of `ip` and `bridge`, and the rest from texts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from paths import FIXTURES

from pvenet.sim.kernel.value import Address, Kernel, Route
from pvenet.sim.system.told import kernel_told

if TYPE_CHECKING:
    from collections.abc import Iterator

MOMENTS = FIXTURES / "kernel" / "ip"
SCENARIOS = sorted(path.name for path in MOMENTS.iterdir())
DETAIL = re.compile(r"vxlan id .*? ageing \d+")
"""What the values have no place for: a kind that the sim does not make."""
SETTINGS = re.compile(r"Settings for (\S+):\n(?:\t.*\n)*?\tSpeed: (\d+)Mb/s")

TIME_OR_CHANCE = (
    (re.compile(r"_timer +[\d.]+"), "timers of bridges and ports"),
    (re.compile(r"fdb_n_learned \d+"), "how many addresses a bridge has learned"),
    (re.compile(r"(valid|preferred)_lft \d+"), "seconds that an address is still good for"),
    (re.compile(r"mcast_hash_max \d+"), "what made the bridge decides"),
    (re.compile(r" persist (on|off)"), "whether a tap outlives who made it"),
    (re.compile(r" maxmtu \d+"), "how large the frames are that a NIC takes at most, which the sim has none of"),
    (re.compile(r" cost \d+"), "the speed that a port had when it joined"),
    (re.compile(r"(port_id|port_no|designated_port) \S+"), "the order in which ports joined"),
    (re.compile(r" udpcsum noudp6zerocsumtx noudp6zerocsumrx"), "of a VXLAN, which the sim does not make"),
    (re.compile(r"(?<=<BROADCAST,MULTICAST> mtu \d{4} )qdisc \S+"), "whether a link that is down was ever up"),
)
"""What no line is compared by, and why."""
COUNTERS = re.compile(r"[\d ]+")


def comparable_line(line: str) -> str:
    """A line of `ip` without what time or chance decides."""
    if COUNTERS.fullmatch(line):
        return "<counters>"
    for pattern, _why in TIME_OR_CHANCE:
        line = pattern.sub("", line)
    return line


def text(scenario: str, name: str) -> str:
    return (MOMENTS / scenario / name).read_text(encoding="utf-8")


def moment(scenario: str) -> Kernel:
    """The links, as `ip` and `bridge` told them in JSON."""
    return kernel_told(json.loads(text(scenario, "ip-link.json")), json.loads(text(scenario, "vlan.txt")))


def whole_moment(scenario: str) -> Kernel:
    """The links with addresses, speeds and what else a report tells; and the routes."""
    kernel, recorded = moment(scenario), text(scenario, "ip-6.15.txt")
    addresses = dict(_addresses(recorded))
    speeds = {name: int(speed) for name, speed in SETTINGS.findall(text(scenario, "ethtool.txt"))}
    detail = found[0] if (found := DETAIL.search(recorded)) else ""
    links = [
        replace(
            link,
            addresses=tuple(addresses.get(link.name, ())),
            speed=speeds.get(link.name) if link.physical else None,
            detail=detail if link.kind == "vxlan" else "",
        )
        for link in kernel.links
    ]
    return Kernel(links=tuple(links), routes=(*_routes(scenario, 4), *_routes(scenario, 6)))


def _addresses(recorded: str) -> Iterator[tuple[str, list[Address]]]:
    for block in re.split(r"^(?=\d+: )", recorded, flags=re.MULTILINE)[1:]:
        name = re.split(r"[:@]", block.split()[1])[0]
        lines = [line.split() for line in block.splitlines() if line.startswith("    inet")]
        yield name, [_address(words) for words in lines]


def _address(words: list[str]) -> Address:
    kind, cidr, *rest = words
    given = {word: rest[rest.index(word) + 1] for word in ("peer", "brd", "scope", "proto") if word in rest}
    used = {*given, *given.values(), "dynamic"}
    left = [word for word in rest if word not in used]
    label = left.pop() if kind == "inet" else ""
    return Address(
        cidr=cidr,
        scope=given["scope"],
        label=label,
        dynamic="dynamic" in rest,
        proto=given.get("proto", ""),
        peer=given.get("peer", ""),
        broadcast=given.get("brd", ""),
        flags=tuple(left),
    )


def _routes(scenario: str, family: int) -> Iterator[Route]:
    for line in text(scenario, f"route{family}.txt").splitlines():
        _unicast, to, *words = line.split()
        given = {word: words[words.index(word) + 1] for word in NAMED if word in words}
        yield Route(
            family=family,
            to=to,
            dev=given["dev"],
            via=given.get("via", ""),
            proto=given["proto"],
            scope=given["scope"],
            src=given.get("src", ""),
            metric=int(given["metric"]) if "metric" in given else None,
            flags=tuple(word for word in words if word in {"onlink", "linkdown"}),
            expires=int(given["expires"].removesuffix("sec")) if "expires" in given else None,
            hoplimit=int(given["hoplimit"]) if "hoplimit" in given else None,
        )


NAMED = ("dev", "via", "proto", "scope", "src", "metric", "expires", "hoplimit")
