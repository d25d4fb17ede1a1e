"""The last commands of the network section, `ethtool NIC`, read from the end. pve-api#ethtool."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMMAND = "\n# ethtool "
_BLOCK = re.compile(r"\n# ethtool ([!-~]+)\n((?:Settings for \1:\n(?:\t[^\n]*\n)*)?)")
"""A command and what it printed: nothing, where the NIC has nothing to say."""
_SPEED = re.compile(r"^\tSpeed: (\d{1,7})Mb/s$", re.MULTILINE)


def read_speeds(section: str) -> Mapping[str, int]:
    """Mbit/s by NIC, where the section tells them.

    A file that stands before the commands may hold what looks like them: the last ones count, and they end where
    anything else follows one.
    """
    speeds: dict[str, int] = {}
    end, seen = len(section), set[str]()
    while (at := section.rfind(_COMMAND, 0, end)) >= 0:
        block = _BLOCK.fullmatch(section, at, end)
        if block is None or block[1] in seen:
            break
        seen.add(block[1])
        found = _SPEED.findall(block[2])
        if len(found) == 1:
            speeds[block[1]] = int(found[0])
        end = at
    return speeds
