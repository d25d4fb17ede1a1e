"""What the kernel of a node says of its network, and in what it differs from the file. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet.doctor.finding import Finding, bad, good, unknown, warning
from pvenet.doctor.staged import FILE
from pvenet.hosts import resolved
from pvenet.kernel.difference import HARMLESS, Kind
from pvenet.kernel.files import APPLIED, named_twice, stanza_names
from pvenet.kernel.refused import refused_lines
from pvenet.model import BondMode
from pvenet.model.addresses import addresses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pvenet.kernel.comparison import Comparison
    from pvenet.kernel.links import Report
    from pvenet.model import Network
    from pvenet.nics.sight import Sight

SOURCED, LINKS, LACP, HOSTS = "interfaces.d", "links", "lacp", "hosts"
CHECKS = (SOURCED, LINKS, LACP)
_PARTNER = frozenset({Kind.LACP_PARTNER, Kind.LACP_SPLIT})
_MILD = HARMLESS | {Kind.NO_CARRIER}
"""What may be meant: a cable that is not there yet, an address from elsewhere."""
_SDN = "/etc/network/interfaces.d/sdn"
"""PVE's own, made of the cluster's SDN."""
_NO_REPORT = "not known without the node's report"
_LOOK = "`pvenet links` shows all that the kernel has"


def kernel_findings(found: Comparison) -> Iterator[Finding]:
    """The kernel beside the applied file, and what ifupdown2 makes of that."""
    yield from _refused(found.report)
    yield from _sourced(found.report)
    yield from _links(found)
    yield from _lacp(found)


def _refused(report: Report | None) -> Iterator[Finding]:
    """The lines of the file for which a reload fails, whatever is changed. pve-api#no-stanza."""
    for line in refused_lines(report.interfaces) if report else ():
        yield warning(
            FILE,
            f"line {line.number} of {APPLIED}, `{line.text}`, is in no stanza: ifupdown2 refuses such a line, and a "
            "reload fails for it, whatever it is for",
            "correct it in the node's file, or take it out",
        )


def _sourced(report: Report | None) -> Iterator[Finding]:
    if report is None:
        yield unknown(SOURCED, _NO_REPORT)
        return
    twice = named_twice(report)
    files = {path: stanza_names(text) for path, text in report.sourced.items() if path != _SDN}
    for name, paths in twice.items():
        text = f"{name} has a stanza in {' and in '.join(paths)}: PVE shows and changes only the one in {APPLIED}"
        yield warning(SOURCED, text, f"keep one of them, in {APPLIED}")
    for path, names in files.items():
        rest = [name for name in names if name not in twice and name != "lo"]
        if rest:
            text = f"{path} has {', '.join(rest)}, which pvenet does not plan for"
            yield warning(SOURCED, text, f"move what pvenet should manage to {APPLIED}")
    if not twice and not any(set(names) - {"lo"} for names in files.values()):
        yield good(SOURCED, "no file but the main one has an interface")


def _links(found: Comparison) -> Iterator[Finding]:
    if found.network is None:
        yield unknown(LINKS, found.basis)
        return
    differing = [each for each in found.differences if each.kind not in _PARTNER]
    for each in differing:
        yield (warning if each.kind in _MILD else bad)(LINKS, each.text, _LOOK)
    if not differing:
        yield good(LINKS, f"nothing differs from the file{f'; {found.basis}' if found.basis else ''}")


def gone(sight: Sight) -> Iterator[Finding]:
    """The NICs that the file names and that are not there, or are others now."""
    for each in sight.gone:
        todo = "`pvenet renamed` plans the change" if each.now else "`pvenet nics` shows those that are there"
        yield bad(LINKS, each.text, todo)


def _lacp(found: Comparison) -> Iterator[Finding]:
    if found.report is None:
        yield unknown(LACP, _NO_REPORT)
        return
    todo = "compare with the switch: LACP on both ports, in one group, and not passive on both sides"
    wrong = {each.name: each for each in found.differences if each.kind in _PARTNER}
    bonds = [link for link in found.report.links.values() if link.bond and link.bond.mode == BondMode.LACP]
    for each in wrong.values():
        yield bad(LACP, each.text, todo)
    for link in bonds:
        partner = link.bond.partner_mac if link.bond else None
        if link.name not in wrong and partner:
            yield good(LACP, f"{link.name} has the partner {partner}")
        elif link.name not in wrong:
            yield (warning if found.network is not None else unknown)(LACP, f"{link.name} has no LACP partner", todo)
    if not bonds and not wrong:
        yield good(LACP, "no bond is in 802.3ad")


def hosts(text: str, node: str, network: Network | None, report: Report | None) -> Finding:
    """Whether the node's name leads to an address that it has. pve-api#hosts."""
    named, own = resolved(text, node), frozenset(_own(network, report))
    todo = f"in /etc/hosts on {node}, give {node} its actual address"
    if not own:
        return unknown(HOSTS, "which addresses the node has is not known")
    if not named:
        return bad(HOSTS, f"/etc/hosts does not name {node}: PVE looks that up at every start", todo)
    if named & own:
        return good(HOSTS, f"/etc/hosts names {node} by {', '.join(sorted(named & own))}")
    return bad(HOSTS, f"/etc/hosts names {node} by {', '.join(sorted(named))}, which it does not have", todo)


def _own(network: Network | None, report: Report | None) -> Iterator[str]:
    """By the kernel, or else by the file."""
    if report is not None:
        yield from (str(each.address.ip) for link in report.links.values() for each in link.addresses or ())
        return
    for interface in network.interfaces.values() if network else ():
        yield from (str(cidr.ip) for cidr in addresses(interface))


def noted(notes: Iterable[str]) -> Iterator[Finding]:
    """What could not be had of the kernel, and why."""
    for note in notes:
        text, _, todo = note.partition("\n")
        yield unknown("kernel", text, "" if "pveum" in todo else todo)  # the line of the right has how to grant it
