"""The course of many nodes: who begins when, up to the first that fails, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.events import Row, Verdict, Warned
from pvenet.fleet.crew import Abandoned, Crew
from pvenet.fleet.stage import Summary
from pvenet.model import runs
from pvenet.outcome import verdict_of, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Sequence

    from pvenet.apply.runtime import Runtime
    from pvenet.events import Ended


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How many nodes at once, and how far."""

    at_once: int = 1
    in_cluster: bool = False
    """Also several members of one cluster at once."""
    max_failures: int = 0
    """How many nodes may fail without that it ends."""
    skip_unreachable: bool = False
    """Leave out nodes that can't be reached, instead of ending there."""
    canary: str = ""
    """The node to begin with; nobody else is begun before it has ended well."""

    def __post_init__(self) -> None:
        """Raises UsageError for numbers that are none."""
        if self.at_once < 1:
            raise errors.UsageError(f"{self.at_once} nodes at once is not possible", hint="1 means one after another")
        if self.max_failures < 0:
            raise errors.UsageError(f"{self.max_failures} failures are not possible", hint="0 stops at the first")


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Whose turn it is."""

    node: str
    number: int
    """Counted from 1."""
    of: int
    after: str = ""
    """The canary that has gone well just before; empty where there was none."""


class Skipped(Exception):
    """The node can't be reached, and nothing was sent to it."""

    def __init__(self, error: errors.PvenetError) -> None:
        super().__init__(error.message)
        self.error = error


class Halted(Exception):
    """No node may be begun any more, this one not either: nothing was sent to it."""

    def __init__(self, error: errors.PvenetError) -> None:
        super().__init__(error.message)
        self.error = error


def next_of(
    waiting: Sequence[str], at_work: Collection[str], cluster: Callable[[str], Hashable], pace: Pace
) -> str | None:
    """The node that may begin now, beside those that are at work; None where they have to be waited for."""
    if not waiting or len(at_work) >= pace.at_once or pace.canary in at_work:
        return None
    if waiting[0] == pace.canary:
        return waiting[0] if not at_work else None
    busy = set() if pace.in_cluster else {cluster(name) for name in at_work}
    return next((name for name in waiting if cluster(name) not in busy), None)


@dataclass(kw_only=True)
class Course:
    """Nodes on their way, in their order."""

    names: tuple[str, ...]
    pace: Pace
    cluster: Callable[[str], Hashable]
    """What is the same for the members of one cluster."""
    work: Callable[[str, Runtime], Ended]
    """What is done on a node, in a thread of its own. Raises PvenetError, KeyboardInterrupt, Skipped and Halted."""
    runtime: Runtime
    announce: Callable[[Turn], None] = lambda _: None
    """Is called before each node; what it raises ends the course, with that node untouched."""
    begun: Callable[[str], None] = lambda _: None
    noted: Callable[[Row], None] = lambda _: None
    """Hears what became of each node, as it becomes so."""
    rows: dict[str, Row] = field(default_factory=dict)
    failed: dict[str, errors.PvenetError] = field(default_factory=dict)
    """Why nodes have failed."""
    stops: list[errors.PvenetError] = field(default_factory=list)
    """What has ended it beside that."""
    stopped: bool = False
    bug: BaseException | None = None
    """What nobody foresaw; raised when those at work have ended."""

    def __post_init__(self) -> None:
        self._crew: Crew[Ended] = Crew(runtime=self.runtime)
        self._waiting = list(self.names)

    def run(self) -> Summary:
        """Let them go, each in its turn; what became of each, and the worst failure."""
        with self._crew as crew:
            while self._begin() or crew.at_work:
                if crew.at_work:
                    self._note(*crew.ended())
                if crew.interrupts and not self.stopped:
                    self._interrupted()
        if self.bug is not None:
            raise self.bug
        rows = tuple(self.rows.get(name, Row(node=name, verdict=None)) for name in self.names)
        failed = {name: self.failed[name] for name in self.names if name in self.failed}  # whoever was first
        failure = worst([*failed.values(), *self.stops])
        of = next((name for name, error in failed.items() if error is failure), "")
        return Summary(rows=rows, failure=self._told(rows, failure), of=of)

    @property
    def steady(self) -> Runtime:
        """The runtime for what is done for several nodes, in any thread."""
        return self._crew.steady

    @property
    def at_work(self) -> tuple[str, ...]:
        """Those who are at work now."""
        return tuple(self._crew.at_work)

    def _begin(self) -> bool:
        """Begin those whose turn it is; whether any were."""
        some = False
        while not self.stopped and not self._crew.interrupts:
            name = next_of(self._waiting, self._crew.at_work, self.cluster, self.pace)
            if name is None:
                break
            try:
                with self._crew.apart():
                    self.announce(self._turn(name))
                self.begun(name)
            except (errors.PvenetError, KeyboardInterrupt) as stop:
                self._stop(_error(stop, name))
                break
            self._waiting.remove(name)
            self._crew.begin(name, self._worked(name), asks=self.pace.at_once == 1 or name == self.pace.canary)
            some = True
        return some

    def _worked(self, name: str) -> Callable[[Runtime], Ended]:
        return lambda runtime: self.work(name, runtime)

    def _turn(self, name: str) -> Turn:
        number = len(self.names) - len(self._waiting) + 1
        after = self.pace.canary if number == 2 and self.names[0] == self.pace.canary else ""  # noqa: PLR2004
        return Turn(node=name, number=number, of=len(self.names), after=after)

    def _interrupted(self) -> None:
        """A Ctrl-C: nobody is begun any more, and those at work end as each of them does."""
        self.stopped = True
        if self._waiting:
            self.runtime.emit(Warned(text=f"interrupted: {runs(self._waiting)} will not be started"))

    # --- what became of them -----------------------------------------------------------------------------------------

    def _note(self, name: str, result: Ended | BaseException) -> None:
        match result:
            case Skipped() if name == self.pace.canary:  # else the others would follow one that nobody has seen go well
                row = self._failed(name, result.error)
            case Skipped():
                row = skipped(name, result.error)
            case Halted():
                self._stop(result.error)
                row = Row(node=name, verdict=None)
            case Abandoned():
                row = self._failed(name, _abandoned(name))
            case errors.PvenetError() | KeyboardInterrupt():
                row = self._failed(name, _error(result, name))
            case BaseException():
                self.stopped, self.bug = True, self.bug or result
                return
            case _:
                row = Row(node=name, verdict=result.verdict, message=result.message)
        self.rows[name] = row
        try:
            self.noted(row)
        except errors.PvenetError as error:  # whoever comes after would not know how far it has come
            self._stop(error)

    def _failed(self, name: str, error: errors.PvenetError) -> Row:
        self.failed[name] = error
        final = isinstance(error, errors.Interrupted) or name == self.pace.canary
        if final or len(self.failed) > self.pace.max_failures:
            self.stopped = True
        return Row(
            node=name, verdict=verdict_of(error), message=error.message, exit_code=error.exit_code, hint=error.hint
        )

    def _stop(self, error: errors.PvenetError) -> None:
        self.stopped = True
        self.stops.append(error)

    def _told(self, rows: Sequence[Row], failure: errors.PvenetError | None) -> errors.PvenetError | None:
        """The failure, with what else has ended it and who was not reached; after an interrupt also who was changed."""
        untouched = [row.node for row in rows if row.verdict is None and not row.message]
        if failure is None and self._crew.interrupts and untouched:
            failure = errors.Interrupted("interrupted")
        if failure is None:
            return None
        lines = [failure.message, *(stop.message for stop in self.stops if stop is not failure)]
        changed = [row.node for row in rows if row.verdict == Verdict.APPLIED]
        if changed and isinstance(failure, errors.Interrupted):
            lines.append(f"applied before that, and stays: {runs(changed)}")
        if len(self.failed) > 1:
            failed = [row.node for row in rows if row.verdict is not None and row.exit_code]
            lines.append(f"failed: {runs(failed)}")
        if untouched and len(rows) > 1:
            lines.append(f"not reached: {runs(untouched)}")
        return failure.with_message("\n".join(lines)) if len(lines) > 1 else failure


def skipped(name: str, error: errors.PvenetError) -> Row:
    """What is said of a node that can't be reached, and was left out."""
    return Row(node=name, verdict=None, message=f"skipped: {error.message}", exit_code=error.exit_code)


def _error(stop: errors.PvenetError | KeyboardInterrupt, name: str) -> errors.PvenetError:
    if isinstance(stop, errors.PvenetError):
        return stop
    return errors.Interrupted(
        f"interrupted at {name}", hint=f"`pvenet status --node {name}` shows the state of the node"
    )


def _abandoned(name: str) -> errors.StateUnknown:
    return errors.StateUnknown(
        f"stopped waiting; {name} had not answered yet",
        hint=f"`pvenet wait --node {name}` goes on waiting, and ends with the verdict",
    )
