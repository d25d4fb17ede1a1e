"""A node's report to its network section: the recipe of pve-api#report-recipe.

A report holds other people's secrets (pve-api#report-secrets). What is not of the section is dropped at once, and no
error quotes any of it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet.kernel.ethtool import read_speeds
from pvenet.kernel.ip_text import read_links
from pvenet.kernel.links import Report
from pvenet.kernel.routes import read_routes
from pvenet.kernel.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

_BEGIN = "\n==== info about network ====\n"
_END = "\n==== info about firewall ====\n"
_BEYOND = "\n==== info about cluster ====\n"
_LINKS = "\n# ip -details -statistics address\n"
_ROUTES = "\n\n# ip -details -4 route show\n"
_ROUTES6 = "\n\n# ip -details -6 route show\n"
_FILE = "\n\n# cat /etc/network/interfaces\n"
_SOURCED = "\n# output '/etc/network/interfaces.d/.*' file(s)\n"
_SOURCED_FILE = re.compile(r"\n# cat (/etc/network/interfaces\.d/[^\n]+)\n")
_SDN = re.compile(r"^# (?:cat|output) '?/etc/pve/sdn/.*\n", re.MULTILINE)
_SDN_STATE = re.compile(r"^(?:\{|cat: /etc/pve/sdn/)", re.MULTILINE)
"""What SDN's running configuration is, or that there is none: of a file only where the command before it is missing."""
_ETHTOOL = re.compile(r"\n\n# ethtool ([!-~]+)\nSettings for \1:\n")


def read_report(text: str) -> Report:
    """What the network section says. Raises Unreadable, of which the message quotes nothing."""
    section = _section(text)
    del text  # a traceback would hold it
    return _read(section)


def _section(text: str) -> str:
    """The network section. Its end is looked for from the end, since files within it may hold anything."""
    begin = text.find(_BEGIN)
    beyond = text.find(_BEYOND, begin)
    if begin < 0 or beyond < 0 or text.find(_BEYOND, beyond + 1) >= 0:
        raise Unreadable("the report has no network section, or more than one end of it")
    end = text.rfind(_END, begin, beyond)
    if end < 0:
        raise Unreadable("the network section has no end")
    return text[begin + len(_BEGIN) : end]


def _read(section: str) -> Report:
    if not section.startswith(_LINKS):
        raise Unreadable("the network section does not begin with the links")
    links, rest = _parted(section[len(_LINKS) - 1 :], _ROUTES)
    routes4, rest = _parted(rest, _ROUTES6)
    routes6, files = _parted(rest, _FILE)
    by_name = read_links(links)
    routes = (*read_routes(routes4, 4), *read_routes(routes6, 6))
    if not {route.dev for route in routes} <= by_name.keys():
        raise Unreadable("a route leaves by a link that is not there")
    speeds = read_speeds(files)
    interfaces, sourced = _files(files)
    return Report(
        links={name: replace(link, speed=speeds.get(name)) for name, link in by_name.items()},
        routes=routes,
        interfaces=interfaces,
        sourced=sourced,
    )


def _parted(text: str, command: str) -> tuple[str, str]:
    """What was printed before a command, and what stands behind it, with the line break that ends the command."""
    output, found, rest = text.partition(command)
    if not found:
        raise Unreadable("a command of the network section is missing")
    return output.removeprefix("\n"), f"\n{rest}"


def _files(text: str) -> tuple[str, Mapping[str, str]]:
    """The applied file, and those of interfaces.d by path. pve-api#report-applied.

    Anybody's comment may look like the line between them, so there has to be one alone; without one it is a release
    that does not tell of interfaces.d, and nothing that comes behind it may be there either.
    """
    interfaces, *more = text.split(_SOURCED)
    if len(more) > 1 or (not more and any(rule.search(text) for rule in (_SDN, _SOURCED_FILE, _ETHTOOL))):
        raise Unreadable("where the applied file ends can't be known")
    if not more:
        return interfaces.removeprefix("\n"), {}
    return interfaces.removeprefix("\n") + "\n", _sourced(more[0])


def _sourced(text: str) -> Mapping[str, str]:
    sdn = _SDN.search(text)
    if sdn is None and _ETHTOOL.search(text):
        raise Unreadable("where the files of interfaces.d end can't be known")
    before, *parts = _SOURCED_FILE.split(text[: sdn.start()].removesuffix("\n") if sdn else text)
    paths = parts[::2]
    if sdn and sdn[0].startswith("# output") and _SDN_STATE.search(parts[-1] if parts else ""):
        raise Unreadable("where the last file of interfaces.d ends can't be known")
    if before.strip("\n") or len(set(paths)) < len(paths):
        raise Unreadable("a file of interfaces.d is listed twice, or without its name")
    return dict(zip(paths, parts[1::2], strict=True))
