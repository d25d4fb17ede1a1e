"""What can go wrong, on order: faults as data, written `KIND@N` or `KIND=VALUE@N`.

N is a request, counted from 1 at this server or adapter. A fault of a connection or an answer happens at that request,
a fault of a reload in the first reload from there on, a lasting one from there on.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from pvenet.sim import others
from pvenet.sim.calls import NO_ORDERS, Orders
from pvenet.sim.state import SimError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pvenet.sim.frame import Request, Response
    from pvenet.sim.others import Act

REASONS = {
    595: "Connection refused",
    596: "Connection timed out",
    597: "Connection reset by peer",
    598: "Connection timed out",
    599: "Too many redirections",
}
FOREVER = -1.0
When: TypeAlias = Literal["request", "reload", "staging", "lasting"]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is to go wrong with one request."""

    restart: bool = False
    """Every connection is reset, and what the workers kept is gone."""
    drop_before: bool = False
    drop_after: bool = False
    status: int = 0
    """Answered by the proxy in between with this."""
    status_after: bool = False
    """It answers so although the node has acted."""
    delay: float = 0.0
    foreign: tuple[Act, ...] = ()
    """What others do just before."""
    foreign_reload: bool = False
    lacking: frozenset[str] = frozenset()
    freeze: bool = False
    orders: Orders = NO_ORDERS

    def but(self, **changes: object) -> Self:
        return replace(self, **changes)  # type: ignore[arg-type]  # the names are checked by the tests of the kinds

    def order(self, **changes: object) -> Self:
        return self.but(orders=replace(self.orders, **changes))  # type: ignore[arg-type]  # see above


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of fault."""

    about: str
    when: When
    play: Callable[[Scene, str], Scene]
    value: str = ""
    """What its value says; in brackets when it may be left out."""
    made_up: bool = False
    """It is done by a machine that is made up; a real one can't be told to."""


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SimError(f"{text!r} is no number of seconds") from None


def _fails(scene: Scene, value: str, *, whole: bool) -> Scene:
    code, _, log = value.partition(":")
    if code and not code.isdecimal():
        raise SimError(f"{code!r} is no exit code")
    return scene.order(exit_code=int(code or 1), log=tuple(log.split("|")) if log else (), whole=whole)


def _lost(scene: Scene, value: str, *, cut_off: bool) -> Scene:
    return scene.order(silent=_seconds(value) if value else FOREVER, cut_off=cut_off)


def _status(code: int) -> Kind:
    def play(scene: Scene, value: str) -> Scene:
        if value not in {"", "after"}:
            raise SimError(f"{value!r} says nothing about a status; 'after' says that the node has acted")
        return scene.but(status=code, status_after=value == "after")

    about = f"a proxy answers {code} {REASONS[code]}, and the node has not acted, or has (after)"
    return Kind(about=about, when="request", play=play, value="[after]")


def _others(act: Callable[[str], Act]) -> Callable[[Scene, str], Scene]:
    return lambda scene, value: scene.but(foreign=(*scene.foreign, act(value)))


def _half(scene: Scene, value: str) -> Scene:
    return _fails(scene, value, whole=False)


def _whole(scene: Scene, value: str) -> Scene:
    return _fails(scene, value, whole=True)


ENDING = "[CODE[:LINE|LINE]]"
KINDS: Mapping[str, Kind] = {
    "drop-before": Kind(
        about="the connection ends before the node has acted",
        when="request",
        play=lambda scene, _: scene.but(drop_before=True),
    ),
    "drop-after": Kind(
        about="the connection ends when the node has acted",
        when="request",
        play=lambda scene, _: scene.but(drop_after=True),
    ),
    **{str(code): _status(code) for code in REASONS},
    "delay": Kind(
        about="the answer takes longer",
        when="request",
        play=lambda scene, value: scene.but(delay=_seconds(value)),
        value="SECONDS",
    ),
    "restart": Kind(
        about="the node's server restarts: every connection ends, its caches are gone",
        when="request",
        play=lambda scene, _: scene.but(restart=True),
    ),
    "reboot": Kind(
        about="the node is power-cycled: what is staged goes live, and nothing answers for a while",
        when="request",
        play=_others(lambda value: others.reboot(_seconds(value or "30"))),
        value="[SECONDS]",
        made_up=True,
    ),
    "foreign-edit": Kind(
        about="somebody else stages a bridge just before",
        when="request",
        play=_others(lambda value: others.edit(value or "vmbr99")),
        value="[BRIDGE]",
    ),
    "foreign-revert": Kind(
        about="somebody else reverts just before", when="request", play=_others(lambda _value: others.revert)
    ),
    "foreign-reload": Kind(
        about="somebody else reloads just before",
        when="request",
        play=lambda scene, _: scene.but(foreign_reload=True),
    ),
    "lacks": Kind(
        about="nobody has this privilege any more",
        when="lasting",
        play=lambda scene, value: scene.but(lacking=scene.lacking | {value}),
        value="PRIVILEGE",
    ),
    "freeze": Kind(
        about="active flags stay as they are until a file changes",
        when="lasting",
        play=lambda scene, _: scene.but(freeze=True),
    ),
    "locked": Kind(
        about="somebody holds the file's lock: the next staging call waits in vain",
        when="staging",
        play=lambda scene, _: scene.order(locked=True),
    ),
    "never-up": Kind(
        about="this link does not come up, whatever the task says",
        when="lasting",
        play=lambda scene, value: scene.order(never_up=scene.orders.never_up | {value}),
        value="LINK",
        made_up=True,
    ),
    "reload-fails": Kind(
        about="the reload ends in an error, half of it applied",
        when="reload",
        play=_half,
        value=ENDING,
        made_up=True,
    ),
    "reload-lies": Kind(
        about="the reload ends in an error, all of it applied",
        when="reload",
        play=_whole,
        value=ENDING,
        made_up=True,
    ),
    "reload-hangs": Kind(
        about="the reload never ends, and holds its lock",
        when="reload",
        play=lambda scene, _: scene.order(hangs=True),
        made_up=True,
    ),
    "task-late": Kind(
        about="the reload's task is missing from the lists for a while",
        when="reload",
        play=lambda scene, value: scene.order(late=_seconds(value or "1")),
        value="[SECONDS]",
    ),
    "path-lost": Kind(
        about="the reload cuts the way to the node, not its peers'; without a time until a later reload",
        when="reload",
        play=lambda scene, value: _lost(scene, value, cut_off=False),
        value="[SECONDS]",
        made_up=True,
    ),
    "node-lost": Kind(
        about="the same, and its peers don't reach it either",
        when="reload",
        play=lambda scene, value: _lost(scene, value, cut_off=True),
        value="[SECONDS]",
        made_up=True,
    ),
}


def usage() -> list[tuple[str, str]]:
    """Every fault as it is written, and what it does."""
    values = {name: f"={kind.value}".replace("=[", "[=", 1) if kind.value else "" for name, kind in KINDS.items()}
    return [(f"{name}{values[name]}@N", kind.about) for name, kind in KINDS.items()]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is to go wrong."""

    kind: str
    at: int
    value: str = ""

    def __str__(self) -> str:
        return f"{self.kind}={self.value}@{self.at}" if self.value else f"{self.kind}@{self.at}"


def parse(text: str) -> Fault:
    """A fault as a command line has it; raises `SimError` with what is wrong."""
    what, _, at = text.rpartition("@")
    name, _, value = what.partition("=")
    kind = KINDS.get(name)
    if not what or not at.isdecimal() or int(at) < 1:
        raise SimError(f"fault {text!r} does not say at which request: KIND@N, with N from 1")
    if kind is None:
        raise SimError(f"unknown fault {name!r}; there are: {', '.join(KINDS)}")
    if value and not kind.value:
        raise SimError(f"fault {name} takes no value: {name}@{at}")
    if kind.value and not kind.value.startswith("[") and not value:
        raise SimError(f"fault {name} needs a value: {name}={kind.value}@{at}")
    kind.play(Scene(), value)  # says what is wrong with the value
    return Fault(kind=name, at=int(at), value=value)


class Script:
    """Which faults are due at which request; raises `SimError` for what a real machine can't be told to do."""

    def __init__(self, faults: Sequence[Fault | str], *, real: bool = False) -> None:
        self._waiting = [parse(fault) if isinstance(fault, str) else fault for fault in faults]
        if real and (made_up := [f"{fault}" for fault in self._waiting if KINDS[fault.kind].made_up]):
            raise SimError(f"only a simulated machine can be told to do this: {', '.join(made_up)}")
        self._count = 0
        self._guard = threading.Lock()

    def next(self) -> Scene:
        """What happens to the next request."""
        with self._guard:
            self._count += 1
            scene = Scene()
            for fault in list(self._waiting):
                scene = self._played(fault, scene)
            return scene

    def _played(self, fault: Fault, scene: Scene) -> Scene:
        kind = KINDS[fault.kind]
        if kind.when == "request" and fault.at == self._count:
            self._waiting.remove(fault)
            return kind.play(scene, fault.value)
        if kind.when != "request" and fault.at <= self._count:
            return kind.play(scene, fault.value)
        return scene

    def seen(self, request: Request, response: Response) -> None:
        """What was ordered for a reload, or for a staging call, has happened with the first one."""
        path = request.target.partition("?")[0].rstrip("/")
        reload = request.method == "PUT" and path.endswith("/network") and response.status < 400  # noqa: PLR2004
        staging = request.method != "GET" and "/network" in path and not (request.method == "PUT" and reload)
        done = {"reload"} if reload else {"staging"} if staging else set()
        with self._guard:
            self._waiting = [
                fault for fault in self._waiting if fault.at > self._count or KINDS[fault.kind].when not in done
            ]
