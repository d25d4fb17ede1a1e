"""The links that this machine's kernel has, looked at anew each time."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pvenet.sim.system.told import kernel_told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.sim.kernel import value

IFF_UP = 1
IP = ("ip", "-json", "link", "show")
DETAILS = ("ip", "-details", "-json", "link", "show")
VLANS = ("bridge", "-json", "vlan", "show")
SECONDS = 10.0
"""How long a command may take."""


class Untold(Exception):
    """A command that tells of the kernel can't be run, or answers nonsense."""


@dataclass(frozen=True, kw_only=True)
class Links:
    """Links at one moment."""

    nics: Mapping[str, tuple[str, ...]]
    """Physical NICs, and their altnames."""
    up: frozenset[str]
    """`active` is the kernel's IFF_UP and nothing more (pve-api#active): no carrier, no LACP."""
    made: frozenset[str]
    """Bonds, bridges, VLANs and whatever else has no hardware of its own."""


@dataclass
class Kernel:
    """Reads /sys/class/net, and asks `ip` for the one thing that is not in it."""

    folder: Path = Path("/sys/class/net")
    ip: tuple[str, ...] = IP
    _altnames: tuple[object, Mapping[str, tuple[str, ...]]] = field(default=(None, {}), init=False)
    """What the links were when `ip` was asked, and what it said: altnames come and go with their links."""

    def links(self) -> Links:
        found = dict(self._read())
        nics = [name for name in found if (self.folder / name / "device").exists()]
        altnames = self._ask(tuple((name, index) for name, (index, _flags) in found.items())) if nics else {}
        return Links(
            nics={name: altnames.get(name, ()) for name in nics},
            up=frozenset(name for name, (_index, flags) in found.items() if flags & IFF_UP),
            made=frozenset(found) - {*nics, "lo"},
        )

    def told(self) -> value.Kernel:
        """All that `ip` and `bridge` tell; raises `Untold` where they can't be asked."""
        try:
            return kernel_told(_ask(DETAILS), _ask(VLANS))
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise Untold(f"can't read the links of this machine: {error}") from error

    def _read(self) -> Iterator[tuple[str, tuple[str, int]]]:
        """Name, number and flags of each link."""
        for place in sorted(self.folder.iterdir()):
            try:
                index, flags = (place / "ifindex").read_text("ascii").strip(), (place / "flags").read_text("ascii")
            except OSError:  # gone meanwhile; or `bonding_masters`, a file among the links
                continue
            yield place.name, (index, int(flags, 16))

    def _ask(self, links: object) -> Mapping[str, tuple[str, ...]]:
        if self._altnames[0] != links:
            try:
                told = {entry["ifname"]: tuple(entry.get("altnames", ())) for entry in _ask(self.ip) if entry}
            except (OSError, subprocess.SubprocessError, ValueError):
                return {}  # asked again at the next look
            self._altnames = (links, told)
        return self._altnames[1]


def _ask(command: tuple[str, ...]) -> list[dict[str, Any]]:
    """What a command lists; raises what can go wrong with one."""
    answer = subprocess.run(command, capture_output=True, check=True, timeout=SECONDS).stdout  # noqa: S603  ours
    listed: list[dict[str, Any]] = json.loads(answer)
    return listed
