"""One node looked at: its rights, its releases, what is staged, its kernel."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.access import effective, hiding
from pvenet.apply.hosts import read_hosts
from pvenet.apply.links import look
from pvenet.apply.listing import ours_runs
from pvenet.apply.nics import sight_of
from pvenet.doctor import kernel, release, rights, staged
from pvenet.doctor.entry import TIMEOUT
from pvenet.doctor.finding import Finding, Looks, bad, good, unknown, warning
from pvenet.parallel import once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pvenet.access import Permissions
    from pvenet.journal import Journals
    from pvenet.kernel.comparison import Comparison
    from pvenet.kernel.links import Report
    from pvenet.model import Network
    from pvenet.node import Node, Reading

NODE, RELOAD = "node", "reload"
_UNSURE = "not checked: whether a reload is running is not known"
PACKAGES = (release.IFUPDOWN2, release.SWITCH)
CHECKS = (
    NODE,
    release.VERSION,
    *rights.CHECKS,
    RELOAD,
    *staged.CHECKS,
    *kernel.CHECKS,
    kernel.HOSTS,
    *PACKAGES,
)


def node_findings(node: Node, journals: Journals) -> tuple[Finding, ...]:
    """All that is found on a node; it raises nothing."""
    looks = Looks()
    _meet(node, looks)
    held = once(node.permissions)
    looks.look(rights.CHECKS, lambda: rights.right_findings(held(), node.connection.credentials.user, node.name))
    runs: list[bool] = []
    looks.look([RELOAD], partial(_reload, node, journals, held, runs))
    reading = once(partial(_read, node, runs))
    compared = once(partial(_compare, node, journals, looks, runs))
    looks.look(staged.CHECKS, lambda: _staged(journals.at(node), reading(), compared, held))
    looks.look(kernel.CHECKS, lambda: _kernel(node, journals, reading, compared()))
    looks.look([kernel.HOSTS], lambda: [_hosts(node, reading, compared)])
    looks.look(PACKAGES, lambda: _packages(node, reading))
    return tuple(replace(each, node=node.name) for each in looks.found)


def not_looked_at(node: str | None, why: str) -> tuple[Finding, ...]:
    """The same of a node that can't be asked."""
    looks = Looks()
    looks.give_up(why)
    looks.look(CHECKS, list)
    return tuple(replace(each, node=node) for each in looks.found)


def _meet(node: Node, looks: Looks) -> None:
    """The first request, to which everybody has a right. pve-api#node-version."""
    try:
        answer = node.connection.get("nodes", node.name, "version", timeout=TIMEOUT)
        told = answer.field(answer.object(), "version")
    except errors.PvenetError as error:
        looks.found.append(bad(NODE, f"{node.name} does not answer: {error.message}", error.hint))
        looks.give_up(f"{node.name} does not answer")
        looks.look([release.VERSION], list)
        return
    looks.found.append(good(NODE, f"{node.name} answers"))
    looks.look([release.VERSION], lambda: [release.version(told)])


def _reload(node: Node, journals: Journals, held: Callable[[], Permissions], runs: list[bool]) -> Iterator[Finding]:
    """`runs` takes what is known; it stays empty where nothing is: of others' tasks nobody is told without a right."""
    path = f"/nodes/{node.name}"
    ours = ours_runs(node, journals)
    if not ours and "Sys.Audit" not in effective(held(), path):
        yield unknown(RELOAD, f"whether a reload is running is not visible without Sys.Audit on {path}")
        return
    runs.append(ours or any(task.running for task in node.reloads(timeout=TIMEOUT).values()))
    if runs[0]:
        todo = f"wait until it has ended; until then, `pvenet status --node {node.name}` is safe: it lists nothing"
        yield warning(RELOAD, "a reload is running, and nothing is listed until it has ended", todo)
    else:
        yield good(RELOAD, "no reload is running")


def _read(node: Node, runs: list[bool]) -> Reading:
    """What the node lists. Raises Busy while it must not be asked. pve-api#never-list."""
    if runs != [False]:
        raise errors.Busy("not checked: a reload is running" if runs else _UNSURE)
    return node.glance()


def _compare(node: Node, journals: Journals, looks: Looks, runs: list[bool]) -> Comparison:
    """The kernel beside the file; while a reload runs, the kernel alone."""
    if not runs:
        raise errors.Busy(_UNSURE)
    notes: list[str] = []
    try:
        return look(node, journals, notes.append)
    finally:
        looks.found += kernel.noted(notes)


def _staged(
    journals: Journals, reading: Reading, compared: Callable[[], Comparison], held: Callable[[], Permissions]
) -> Iterator[Finding]:
    try:
        whole = hiding(held()) is None
    except errors.PvenetError:
        whole = False
    report = _report(compared)
    return staged.staged_findings(journals, reading, report.interfaces if report else None, whole=whole)


def _report(compared: Callable[[], Comparison]) -> Report | None:
    try:
        return compared().report
    except errors.PvenetError:
        return None


def _packages(node: Node, reading: Callable[[], Reading]) -> Iterator[Finding]:
    answer = node.connection.get("nodes", node.name, "apt", "versions", timeout=TIMEOUT)
    keys = ("Package", "Version", "CurrentState")
    rows = [{key: answer.field(row, key) for key in keys} for row in answer.rows()]
    return release.packages(rows, _network(reading))


def _kernel(node: Node, journals: Journals, reading: Callable[[], Reading], found: Comparison) -> Iterator[Finding]:
    if (network := _network(reading)) is not None:
        yield from kernel.gone(sight_of(node, journals, network, found.report))
    yield from kernel.kernel_findings(found)


def _hosts(node: Node, reading: Callable[[], Reading], compared: Callable[[], Comparison]) -> Finding:
    text = read_hosts(node).text
    return kernel.hosts(text, node.name, _network(reading), _report(compared))


def _network(reading: Callable[[], Reading]) -> Network | None:
    try:
        return reading().network
    except errors.PvenetError:
        return None
