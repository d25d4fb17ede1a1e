"""What a command would send, found out without sending it.

The command itself runs, over a connection that is held and journals that are not written, up to its question or to the
first request that would change something. What it refuses is refused here as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from pvenet import wire
from pvenet.apply.apply import apply
from pvenet.apply.hosts import address_move, read_hosts
from pvenet.apply.keep import confirm
from pvenet.apply.resume import roll_back
from pvenet.apply.revert import revert
from pvenet.cluster import Cluster
from pvenet.connection import Held
from pvenet.events import WouldSend
from pvenet.hosts import replaced
from pvenet.journal import Ours, ownership, replay
from pvenet.plan.restore import restore_plan
from pvenet.sdn import LOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pvenet.apply.options import ApplyOptions
    from pvenet.apply.runtime import Runtime
    from pvenet.changes import Change, Plan
    from pvenet.journal import Journals
    from pvenet.model import Network
    from pvenet.node import Node, Reading

VERIFIED = "when it is verified"
BEGUN = "when the reload has begun: the way back"
ANSWERS = "when the reload has ended and the node answers"


class _Question(BaseException):
    """Beyond this question something would be sent."""


@dataclass(frozen=True, kw_only=True)
class Discarded:
    """What a revert would throw away."""

    requests: tuple[WouldSend, ...] = ()
    changes: str | None = None
    """PVE's pending diff; None where nothing is pending."""
    steps: Sequence[Change] = ()
    """What it means, where it is ours."""


def of_plan(node: str, todo: Plan, when: str = "") -> tuple[WouldSend, ...]:
    """The requests that stage a plan on a node."""
    return tuple(_of_request(node, wire.request(step), when) for step in todo.steps)


def of_reload(node: str) -> WouldSend:
    """The request that makes live what is pending."""
    return WouldSend(method="PUT", path=f"/nodes/{node}/network")


def with_lock(requests: Sequence[WouldSend], *, wanted: bool) -> tuple[WouldSend, ...]:
    """The same with the SDN lock around them, where it is wanted."""
    if not wanted or not requests:
        return tuple(requests)
    path = f"/{'/'.join(LOCK)}"
    take = WouldSend(method="POST", path=path)
    release = WouldSend(
        method="DELETE", path=path, form={"lock-token": "..."}, when="at the end, with the lock's token"
    )
    return (take, *requests, release)


def dry_apply(node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime) -> tuple[WouldSend, ...]:
    """Show what an apply shows, and say what it would send. Raises what it raises up to its question."""

    def further() -> Iterator[WouldSend]:
        reading = node.read()
        whose = ownership(journals.at(node), reading)
        yield of_reload(node.name)
        if isinstance(whose, Ours):
            before = whose.journal.network
            if options.arm:
                back = restore_plan(before, reading.network, replay(whose.journal).values()).todo
                yield from of_plan(node.name, back, BEGUN)
                yield of_revert(node.name, ANSWERS)
            if options.update_hosts:
                yield from _of_hosts(node, before, reading.network)

    return _stopped(
        lambda: apply(node, journals, options, replace(runtime, confirm=_at_the_question)),
        lambda: with_lock(tuple(further()), wanted=options.sdn_lock),
    )


def dry_rollback(  # noqa: PLR0913 - as `roll_back`
    node: Node, journals: Journals, options: ApplyOptions, runtime: Runtime, *, name: str, same_node: bool
) -> tuple[WouldSend, ...]:
    """The same of a rollback."""

    def further() -> tuple[WouldSend, ...]:
        bound = journals.at(node, same_node=same_node)
        journal, now = bound.chosen(name), node.read().network
        if journal is None:  # it was there a moment ago
            return ()
        todo = restore_plan(journal.network, now, replay(journal).values()).todo
        return with_lock((*of_plan(node.name, todo), of_reload(node.name)), wanted=options.sdn_lock)

    runtime = replace(runtime, confirm=_at_the_question)
    return _stopped(lambda: roll_back(node, journals, options, runtime, name=name, same_node=same_node), further)


def dry_revert(node: Node, journals: Journals, *, discard: bool, warn: Callable[[str], object]) -> Discarded:
    """What a revert would throw away. Raises what it raises before it is sent."""
    requests = _stopped(lambda: revert(node, journals, discard=discard, warn=warn))
    if not requests:
        return Discarded()
    reading = node.read()
    return Discarded(requests=requests, changes=reading.changes, steps=_steps(node, journals, reading))


def dry_confirm(
    node: Node, journals: Journals, *, same_node: bool, warn: Callable[[str], None]
) -> tuple[WouldSend, ...]:
    """What a confirmation would send: nothing, unless /etc/hosts has to follow."""
    return _stopped(lambda: confirm(node, journals, same_node=same_node, warn=warn))


def _steps(node: Node, journals: Journals, reading: Reading) -> Sequence[Change]:
    whose = ownership(journals.at(node), reading)
    return whose.steps if isinstance(whose, Ours) else ()


def _at_the_question(_question: str) -> NoReturn:
    raise _Question


def _stopped(run: Callable[[], object], further: Callable[[], tuple[WouldSend, ...]] = tuple) -> tuple[WouldSend, ...]:
    """What a command would send when it is held: `further` says it where it came to its question."""
    try:
        run()
    except _Question:
        return further()
    except Held as held:
        return (WouldSend(method=held.method, path=f"/{'/'.join(held.path)}", form=held.form),)
    return ()


def _of_request(node: str, request: wire.Request, when: str) -> WouldSend:
    path = "/".join(("", "nodes", node, *request.path))
    return WouldSend(method=request.method, path=path, form=request.form, when=when)


def of_revert(node: str, when: str = "") -> WouldSend:
    """What a revert sends."""
    return WouldSend(method="DELETE", path=f"/nodes/{node}/network", when=when)


def _of_hosts(node: Node, before: Network, then: Network) -> Iterator[WouldSend]:
    """The node's own line of /etc/hosts, where its address moves."""
    move = address_move(node, (before, then), Cluster(), agreed=True)
    if move.edit is None:
        return
    new = replaced(read_hosts(node).text, move.edit.lines)
    if new is not None:
        form = {"data": new, "digest": move.edit.digest}
        yield WouldSend(method="POST", path=f"/nodes/{node.name}/hosts", form=form, when=VERIFIED)
