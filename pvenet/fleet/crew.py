"""Several nodes at work, a thread each; whoever has begun them does what they ask for, and hears Ctrl-C for them.

Signals reach only a program's main thread, and a terminal has one hand that writes on it. So a node at work asks the
thread that has begun it whatever meets the outside (an event to be told, a person's answer) and waits until that is
done: events keep their order, and a listener that raises stops the node that had something to say, as it does where a
node is alone. A Ctrl-C is handed to each of them where it sleeps or tells: what hears it there was written for that.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import inf
from queue import Empty, SimpleQueue
from threading import Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from pvenet.events import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from pvenet.apply.runtime import Runtime
    from pvenet.events import Event

Done = TypeVar("Done")
Answer = TypeVar("Answer")

GRACE = 5.0
"""Seconds that a node at work has after the second Ctrl-C to say how it stands; a request may keep it longer."""
SILENCE = 1.0
"""Seconds between two looks whether anybody listens still, or a Ctrl-C came: one that comes just before a wait does not
end it."""


@dataclass(frozen=True, kw_only=True)
class _Favour:
    """Something that a node at work wants done."""

    do: Callable[[], Any]
    reply: SimpleQueue[tuple[Any, BaseException | None]]


@dataclass(frozen=True, kw_only=True)
class _End(Generic[Done]):
    """A node's work has ended."""

    node: str
    result: Done | BaseException


class _Interrupt:
    """A Ctrl-C."""


class Abandoned(Exception):
    """Its end was not waited for: waiting was given up, and it does not answer."""


@dataclass(kw_only=True)
class _AtWork:
    """A node at work, as its own thread and the others' see it."""

    node: str
    raised: int = 0
    """How many Ctrl-Cs it has heard."""
    sent: int = 0
    """How many there were since it began."""
    left: bool = False
    """Nobody listens to it any more."""

    def heed(self) -> None:
        """Raises KeyboardInterrupt for each Ctrl-C, once."""
        if self.left or self.raised < self.sent:
            self.raised += 1
            raise KeyboardInterrupt


@dataclass(kw_only=True)
class Crew(Generic[Done]):
    """Those who are at work, begun from one thread, which has to wait for them with `ended`."""

    runtime: Runtime
    interrupts: int = 0
    """How many Ctrl-Cs were heard."""
    at_work: dict[str, _AtWork] = field(default_factory=dict)
    _inbox: SimpleQueue[_Favour | _End[Done] | _Interrupt] = field(default_factory=SimpleQueue)
    _given_up: float | None = None
    """When the second Ctrl-C came, by the machine's clock."""
    _before: Any = None

    def __post_init__(self) -> None:
        self._owner = current_thread()

    def __enter__(self) -> Self:
        self._hear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self.at_work.values():
            each.left = True
        self._unhear()

    def _hear(self) -> None:
        """Hear Ctrl-C, unless somebody else does, or it is not to be heard at all."""
        if current_thread() is main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, lambda *_: self._inbox.put(_Interrupt()))

    def _unhear(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    @contextmanager
    def apart(self) -> Iterator[None]:
        """While something is done that a Ctrl-C shall end, as a question; where nobody is at work."""
        if self.at_work:
            yield
            return
        self._unhear()
        try:
            yield
        finally:
            self._hear()

    def begin(self, node: str, work: Callable[[Runtime], Done], *, asks: bool) -> None:
        """Let a node begin. `asks`: a person can be asked about it, because it is alone."""
        own = _AtWork(node=node)
        self.at_work[node] = own
        runtime = self._runtime(own, asks=asks)

        def run() -> None:
            try:
                result: Done | BaseException = work(runtime)
            except BaseException as error:  # noqa: BLE001 - it is told, or raised, where it is waited for
                result = error
            self._inbox.put(_End(node=node, result=result))

        Thread(target=run, name=node, daemon=True).start()

    def ended(self) -> tuple[str, Done | BaseException]:
        """The next whose work has ended, and what became of it; until then, do what they want done.

        `Abandoned` stands for the end of one that does not answer after waiting was given up.
        """
        while True:
            try:
                message = self._inbox.get(timeout=min(SILENCE, self._left()))
            except Empty:
                if self._left():
                    continue
                node, own = self.at_work.popitem()
                own.left = True
                return node, Abandoned()
            match message:
                case _Favour():
                    _serve(message)
                case _Interrupt():
                    self._interrupted()
                case _End(node=node, result=result):
                    if self.at_work.pop(node, None) is not None:
                        return node, result

    def _left(self) -> float:
        """Seconds for which the next message is waited for."""
        return inf if self._given_up is None else max(0.0, self._given_up + GRACE - time.monotonic())

    def _interrupted(self) -> None:
        self.interrupts += 1
        if self.interrupts > 1 and self._given_up is None:
            self._given_up = time.monotonic()
        for each in self.at_work.values():
            each.sent += 1

    @property
    def steady(self) -> Runtime:
        """The runtime for what outlives a node at work: it may be used in any thread, and hears no Ctrl-C."""
        nobody, outside = _AtWork(node=""), self.runtime
        return replace(outside, emit=lambda event: self._asked(nobody, lambda: outside.emit(event)))

    # --- from the threads of those at work ---------------------------------------------------------------------------

    def _runtime(self, own: _AtWork, *, asks: bool) -> Runtime:
        outside = self.runtime

        def emit(event: Event) -> None:
            if not own.left:  # what has happened is told, whatever else was heard meanwhile
                self._asked(own, lambda: outside.emit(event))
            if not isinstance(event, Ended):  # how it ended stands, whoever gives up
                own.heed()

        def sleep(seconds: float) -> None:
            own.heed()
            outside.sleep(seconds)
            own.heed()

        def await_confirmation(left: float, seconds: float) -> bool | None:
            own.heed()
            if not asks:
                sleep(seconds)
                return None
            answer = self._asked(own, lambda: outside.await_confirmation(left, seconds))
            own.heed()
            return answer

        return replace(outside, emit=emit, sleep=sleep, await_confirmation=await_confirmation)

    def _asked(self, own: _AtWork, do: Callable[[], Answer]) -> Answer:
        """What the thread makes of it that has begun everybody. Raises what that raises there."""
        if current_thread() is self._owner:
            return do()
        reply: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._inbox.put(_Favour(do=do, reply=reply))
        while True:
            try:
                answer, error = reply.get(timeout=SILENCE)
            except Empty:
                if own.left:
                    raise KeyboardInterrupt from None
                continue
            if error is not None:
                raise error
            return answer  # type: ignore[no-any-return]


def _serve(favour: _Favour) -> None:
    try:
        favour.reply.put((favour.do(), None))
    except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
        favour.reply.put((None, error))
