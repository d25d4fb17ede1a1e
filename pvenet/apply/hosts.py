"""The other half of a node's new address: its /etc/hosts, and what corosync has of it.

What has to change is shown before the question. The file is changed only where that was agreed to, after the verdict,
with the digest of what was shown; corosync's configuration never is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeAlias

from pvenet import errors
from pvenet.access import audit_grants
from pvenet.connection.session import LONGEST_ANSWER
from pvenet.hosts import HostsEdit, followed, moved, replaced, resolved, undone
from pvenet.journal import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pvenet.cluster import Cluster
    from pvenet.journal import Journal
    from pvenet.model import Network
    from pvenet.model.cluster import ClusterLink
    from pvenet.node import Node

TRIES = 2
"""How often a changed file is sent, where the answer was lost and it is not there: its digest keeps that harmless."""

_FORBIDDEN = 403
_APPLIED = frozenset({State.APPLIED, State.CONFIRMED})


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """The file as PVE tells it."""

    text: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class AddressMove:
    """What a change of a node's own address asks for beside it."""

    edit: HostsEdit | None = None
    """None where the file has nothing to follow, or it is not known."""
    unknown: str = ""
    """That nobody could look into the file: it is said again after the verdict."""
    looked: bool = False
    """The file was asked for, which has taken its time."""
    notes: tuple[str, ...] = ()
    """What a person has to know before the question."""


NOTHING_MOVES = AddressMove()
Between: TypeAlias = "tuple[Network | None, Network]"
"""The networks before and after a change; None where it is not known."""


def read_hosts(node: Node) -> Hosts:
    """A node's file (GET /nodes/{node}/hosts). Raises what a request raises."""
    answer = node.connection.get("nodes", node.name, "hosts", timeout=LONGEST_ANSWER)
    data = answer.object()
    return Hosts(text=answer.field(data, "data"), digest=answer.required(data, "digest"))


def with_names(node: Node, cluster: Cluster) -> Cluster:
    """The cluster with the addresses that the names of a node's own links have in its /etc/hosts.

    It costs a request only where a link has a name that is not the node's; what can't be had stays not known.
    """
    named = {link for link in cluster.links_of(node.name) if link.ip is None}
    if not named:
        return cluster
    try:
        text = read_hosts(node).text
    except errors.PvenetError:
        return cluster
    found = [replace(link, ip=min(resolved(text, link.address), default=None)) for link in named]
    return replace(cluster, links=(*(link for link in cluster.links if link not in named), *found))


def address_move(
    node: Node, between: Between, cluster: Cluster, *, agreed: bool | None, wrote: HostsEdit | None = None
) -> AddressMove:
    """What the move of an address asks for; it costs a request only where one goes.

    `agreed`: whether the file shall be changed; None where nobody can say so. `wrote`: what was changed in it before;
    nothing but its reverse is agreed to then.
    """
    before, then = between
    gone = moved(before, then) if before is not None else {}
    if not gone:
        return NOTHING_MOVES
    try:
        hosts = read_hosts(node)
    except errors.PvenetError as error:
        unknown = _not_known(node, error)
        return AddressMove(looked=True, unknown=unknown, notes=(unknown, *_of_links(node, cluster, gone, "")))
    lines, open_ends = followed(hosts.text, node.name, gone)
    changed_since = wrote is not None and {*undone(wrote.lines)} != {*lines}
    edit = HostsEdit(lines=tuple(lines), digest=hosts.digest, agreed=bool(agreed) and not changed_since)
    if edit.agreed:
        does = "pvenet changes it when the new address is verified"
    elif wrote is not None:
        does = "pvenet does not change it, because it is no longer as pvenet wrote it"
    else:
        does = "--update-hosts changes it" if agreed is not None else "pvenet does not change it"
    notes = (*_of_file(node, edit, open_ends, does), *_of_links(node, cluster, gone, hosts.text))
    return AddressMove(looked=True, edit=edit if lines else None, notes=notes)


# --- before the question ---------------------------------------------------------------------------------------------


def _of_file(node: Node, edit: HostsEdit, open_ends: Sequence[str], does: str) -> Iterator[str]:
    if edit.lines:
        yield (f"/etc/hosts of {node.name} must follow, or {node.name} breaks at its next boot; {does}\n{_shown(edit)}")
    if open_ends:
        lines = "\n".join(f"  {line}" for line in open_ends)
        yield (
            f"/etc/hosts of {node.name} has an address that goes, and nothing says what replaces it; change it by "
            f"hand, or {node.name} breaks at its next boot\n{lines}"
        )


def _not_known(node: Node, error: errors.PvenetError) -> str:
    """That nobody could look, with the right and the commands."""
    what = f"an address of {node.name} changes, and whether its /etc/hosts must follow is not known"
    look = f"look on the node before it boots again:\n  grep -w {node.name} /etc/hosts"
    if isinstance(error, errors.RefusedByPVE) and error.status == _FORBIDDEN:
        user = node.connection.credentials.user
        grants = "".join(f"\n  {line}" for line in audit_grants(user, "/"))
        return f"{what}: {user} lacks Sys.Audit on /; {look}\nor grant it, as root:{grants}"
    return f"{what}: {error.message}; {look}"


def _shown(edit: HostsEdit) -> str:
    return "\n".join(f"  - {line.old}\n  + {line.new}" for line in edit.lines)


def _of_links(node: Node, cluster: Cluster, gone: dict[str, str | None], text: str) -> Iterator[str]:
    """What has to be done about the links of corosync whose address goes."""
    for link in cluster.links_of(node.name):
        ips = {link.ip} if link.ip else resolved(text, link.address)
        old = next((ip for ip in sorted(ips) if ip in gone), None)
        if old is not None:
            yield _steps(node, link, gone[old])


def _steps(node: Node, link: ClusterLink, new: str | None) -> str:
    new = new or "its new address"
    where = "/etc/pve/corosync.conf"
    if not _is_address(link.address):
        change = (
            f"`{link.address}` is a name: make sure that it resolves to {new} on every member, in /etc/hosts or DNS"
        )
    else:
        change = (
            f"cp {where} {where}.new; in the copy set ring{link.number}_addr of {node.name} to {new} and raise "
            f"config_version by one; mv {where}.new {where}"
        )
    return (
        f"corosync link {link.number} of {node.name} ({link.address}) loses its address. pvenet does not write "
        "corosync's configuration; one node at a time, and only while the cluster is quorate:\n"
        f"  1. on any member: {change}\n"
        f"  2. apply this, at once\n"
        f"  3. on {node.name}: systemctl restart corosync; then look with `corosync-cfgtool -n` and `pvecm status`\n"
        "  4. when all members are back, go on with the next node"
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


# --- after the verdict -----------------------------------------------------------------------------------------------


def follow_move(node: Node, move: AddressMove, warn: Callable[[str], None]) -> str:
    """The same as `follow`, of what was shown before the question."""
    if move.unknown:
        warn(move.unknown)
    return follow(node, move.edit, warn)


def may_follow(node: Node, move: AddressMove, warn: Callable[[str], None], *, restores: bool) -> None:
    """Say what is left to do where nobody knows yet whether the address changes; `restores`: it is a rollback."""
    if move.unknown:
        warn(move.unknown)
    if move.edit is not None:
        does = "changes it" if move.edit.agreed else "says so again"
        then = "`pvenet rollback` goes on, and takes care of it" if restores else f"`pvenet apply` checks, and {does}"
        warn(
            f"whether the address of {node.name} changes is not known yet; if it does, /etc/hosts must follow, or "
            f"{node.name} breaks at its next boot; {then}\n{_shown(move.edit)}"
        )


def follow(node: Node, edit: HostsEdit | None, warn: Callable[[str], None]) -> str:
    """Change the file where that was agreed to, and say what is left to do; a clause of what was done."""
    if edit is None:
        return ""
    if not edit.agreed:
        warn(_left(node.name, edit))
        return ""
    try:
        problem = _changed(node, edit)
    except KeyboardInterrupt:
        problem = _interrupted(node, edit)
    except errors.PvenetError as error:
        problem = error.message
    if problem:
        warn(f"{_left(node.name, edit)}\nas far as is known, pvenet did not change it: {problem}")
        return ""
    return "; /etc/hosts follows"


def _changed(node: Node, edit: HostsEdit) -> str:
    """Send the file with its lines changed; why that is not so, or nothing. Raises what a request raises."""
    problem = ""
    for _ in range(TRIES):
        hosts = read_hosts(node)
        if _is_done(hosts, edit):
            return ""
        new = replaced(hosts.text, edit.lines) if hosts.digest == edit.digest else None
        if new is None:
            return "somebody has edited it since it was shown"
        try:
            form = {"data": new, "digest": edit.digest}
            node.connection.post("nodes", node.name, "hosts", form=form, timeout=LONGEST_ANSWER)
        except errors.RefusedByPVE as error:
            problem = error.message
            break
        except errors.Unreachable as error:
            problem = error.message
        else:
            return ""
    return "" if _is_done(read_hosts(node), edit) else problem


def _interrupted(node: Node, edit: HostsEdit) -> str:
    """That it was, unless a look shows that it was done all the same."""
    try:
        return "" if _is_done(read_hosts(node), edit) else "it was interrupted"
    except (KeyboardInterrupt, errors.PvenetError):
        return "it was interrupted"


def _is_done(hosts: Hosts, edit: HostsEdit) -> bool:
    lines = hosts.text.split("\n")
    return all(line.new in lines and line.old not in lines for line in edit.lines)


def _left(node: str, edit: HostsEdit) -> str:
    return (
        f"/etc/hosts of {node} must still follow its address, or {node} breaks at its next boot; on the node, "
        f"change\n{_shown(edit)}"
    )


# --- for whoever comes after -----------------------------------------------------------------------------------------


def live_elsewhere(node: Node, journal: Journal | None, now: Network, cluster: Cluster) -> AddressMove:
    """What the move of an address asks for that was staged from here, and that somebody else has made live."""
    if journal is None or journal.state is not State.STAGING or journal.pending is None or journal.adopted:
        return NOTHING_MOVES
    return address_move(node, (journal.network, now), cluster, agreed=False)


def catch_up(node: Node, journal: Journal, warn: Callable[[str], None]) -> None:
    """Do what an apply has not come to that was killed when its change was live, and say what is left."""
    if journal.hosts is not None and journal.state in _APPLIED and hosts_left(node, journal):
        follow(node, journal.hosts, warn)


def hosts_left(node: Node, journal: Journal | None) -> str:
    """What is left to do to the file after the youngest apply or rollback; it costs a request where one has moved."""
    if journal is None or journal.hosts is None or journal.state not in {*_APPLIED, State.ROLLED_BACK}:
        return ""
    edit = journal.hosts
    if journal.state is State.ROLLED_BACK:
        edit = HostsEdit(lines=undone(edit.lines), digest=edit.digest)
    try:
        lines = read_hosts(node).text.split("\n")
    except errors.PvenetError as error:
        return f"{_left(node.name, edit)}\nwhether that was done is not known: {error.message}"
    return _left(node.name, edit) if any(line.old in lines for line in edit.lines) else ""
