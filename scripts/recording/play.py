"""Plays a scene on a live node, and gives back what was said, scrubbed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from recording.caller import Answer, Trouble
from recording.scene import listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording.scene import Form, Scene, Step
    from recording.scrub import Scrub
    from recording.stage import Stage, View

OK = 200


class Player:
    """One scene on one node."""

    def __init__(self, stage: Stage, scrub: Scrub, roles: Mapping[str, str]) -> None:
        self._stage = stage
        self._scrub = scrub
        self._words = {"node": stage.node, **roles}
        self._nics = tuple(roles.values())
        self._running: list[str] = []
        """Reloads that have not been seen to end."""
        self._pending: str | None = None
        """What was pending after our last write."""
        self._unsettled = False
        """Whether the answer to a write has not been seen: it may have happened or not."""

    def play(self, scene: Scene, before: View) -> list[dict[str, Any]]:
        """The exchanges of a scene; whatever happens, the node is put back."""
        made = tuple(name.format_map(self._words) for name in scene.makes)
        try:
            exchanges = [self._step(step) for step in (listing("start"), *scene.steps)]
        except BaseException as error:
            self._put_back(before, made, error)
            raise
        self._put_back(before, made)
        return exchanges

    def _step(self, step: Step) -> dict[str, Any]:
        if step.writes and not self._running:
            self._look_for_others()
        path, form = self._path(step.path), self._form(step.form)
        self._unsettled = step.writes
        answer = self._ask(step, path, form)
        if step.writes:
            self._after_write(answer)
            self._unsettled = False
        elif step.waits:
            self._after_reload(path)
        return self._scrub.exchange(step, path, form, answer)

    def _ask(self, step: Step, path: str, form: Form | None) -> Answer:
        if step.waits:
            self._stage.wait(next(upid for upid in self._running if quote(upid, safe="") in path))
        return self._stage.caller.ask(step.method, path, form, step.authorization)

    def _after_write(self, answer: Answer) -> None:
        if answer.status == OK and isinstance(answer.data, str) and answer.data.startswith("UPID:"):
            self._running.append(answer.data)
            self._words |= {"upid": quote(answer.data, safe="")}
            self._words.setdefault("first", self._words["upid"])
        elif not self._running:
            self._pending = self._stage.look().changes

    def _after_reload(self, path: str) -> None:
        self._running = [upid for upid in self._running if quote(upid, safe="") not in path]
        if not self._running:
            self._pending = self._stage.look().changes

    def _look_for_others(self) -> None:
        """Whoever else writes meanwhile keeps the work: PVE has no lock, so a window of one request remains."""
        found = self._stage.look().changes
        if found != self._pending:
            raise _Foreign(f"what is pending on {self._stage.node} is not what the recorder staged last:\n{found}")

    def _put_back(self, before: View, made: tuple[str, ...], cause: BaseException | None = None) -> None:
        known = f"{cause if isinstance(cause, Trouble) else repr(cause)}\n"
        told = "" if cause is None or isinstance(cause, KeyboardInterrupt) else known
        try:
            if isinstance(cause, _Foreign):
                raise Trouble("nothing was reverted")  # noqa: TRY301  one end for all that is left behind
            for upid in self._running:
                self._stage.wait(upid)
                self._pending = None  # the reload has taken it
            if self._unsettled:
                self._stage.wait_for_any()
                self._pending = self._stage.look().changes  # within this one request, nobody can tell whose it is
            self._look_for_others()
            self._stage.restore(before, made, self._nics)
        except (Trouble, KeyboardInterrupt) as trouble:
            told += str(trouble) or "interrupted while the node was put back"
            names = ", ".join(made) or "nothing"
            raise Trouble(
                f"{told}\nthe scene may have left {names} on {self._stage.node}, pending or applied: "
                f"look at it in the web interface, and revert or delete them there"
            ) from cause

    def _path(self, path: str) -> str:
        return path.format_map(self._words)

    def _form(self, form: Form | None) -> Form | None:
        if form is None:
            return None
        return {key: value.format_map(self._words) if isinstance(value, str) else value for key, value in form.items()}


class _Foreign(Trouble):
    """Somebody else writes at the same time."""
