"""`corosync.conf`: the members of a cluster and the addresses of their links. Pure. pve-api#cluster-nodes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME = "sim"
"""What a cluster is called unless somebody named it."""
_RING = re.compile(r"ring(\d)_addr")
_LINE = re.compile(r"(\w+)\s*:\s*(.*)")


@dataclass(frozen=True, kw_only=True)
class Member:
    """A node of the cluster."""

    name: str
    nodeid: str
    votes: str = "1"
    rings: Mapping[int, str] = field(default_factory=dict)
    """Its address, or a name, on each link."""

    def entry(self) -> dict[str, str]:
        """How the API tells it: texts and nothing else (K4-two-nodes-002)."""
        rings = {f"ring{link}_addr": address for link, address in self.rings.items()}
        return {"node": self.name, "name": self.name, "nodeid": self.nodeid, "quorum_votes": self.votes, **rings}


@dataclass(frozen=True, kw_only=True)
class Corosync:
    """What `corosync.conf` holds."""

    cluster: str = NAME
    version: int = 0
    members: tuple[Member, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Sections that play no part here are passed over."""
        sections = list(_sections(text))
        totem: Mapping[str, str] = next((values for name, values in sections if name == "totem"), {})
        version = totem.get("config_version", "0")
        return cls(
            cluster=totem.get("cluster_name", NAME),
            version=int(version) if version.isdecimal() else 0,
            members=tuple(_member(values) for name, values in sections if name == "node"),
        )

    def member(self, name: str) -> Member | None:
        return next((member for member in self.members if member.name == name), None)

    def joined(self, name: str, rings: Mapping[int, str]) -> Self:
        """The cluster with one node more."""
        number = max((int(member.nodeid) for member in self.members if member.nodeid.isdecimal()), default=0) + 1
        member = Member(name=name, nodeid=str(number), rings=rings)
        return replace(self, version=self.version + 1, members=(*self.members, member))

    def text(self) -> str:
        """The file, as PVE writes it."""
        links = sorted({link for member in self.members for link in member.rings})
        return _FILE.format(
            nodes="".join(map(_node, self.members)),
            cluster=self.cluster,
            version=self.version,
            links="".join(f"  interface {{\n    linknumber: {link}\n  }}\n" for link in links),
        )


_FILE = """logging {{
  debug: off
  to_syslog: yes
}}

nodelist {{
{nodes}}}

quorum {{
  provider: corosync_votequorum
}}

totem {{
  cluster_name: {cluster}
  config_version: {version}
{links}  ip_version: ipv4-6
  link_mode: passive
  secauth: on
  version: 2
}}
"""


def _node(member: Member) -> str:
    values = {"name": member.name, "nodeid": member.nodeid, "quorum_votes": member.votes}
    values |= {f"ring{link}_addr": address for link, address in sorted(member.rings.items())}
    return "  node {\n" + "".join(f"    {key}: {value}\n" for key, value in values.items()) + "  }\n"


def _member(values: Mapping[str, str]) -> Member:
    rings = {int(found[1]): value for key, value in values.items() if (found := _RING.fullmatch(key))}
    name = values.get("name", rings.get(0, ""))
    return Member(name=name, nodeid=values.get("nodeid", ""), votes=values.get("quorum_votes", "1"), rings=rings)


def _sections(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every section with its own values, the outer ones after those in them."""
    within: list[tuple[str, dict[str, str]]] = [("", {})]
    for line in map(str.strip, text.splitlines()):
        if line.endswith("{"):
            within.append((line[:-1].strip(), {}))
        elif line == "}" and len(within) > 1:
            yield within.pop()
        elif found := _LINE.fullmatch(line):
            within[-1][1][found[1]] = found[2]
