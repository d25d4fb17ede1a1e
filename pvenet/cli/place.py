"""A place that a command goes to: the connection that leads there, and what is remembered of what is met there."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pvenet.settings import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.connection import Connection, Watch
    from pvenet.kernel.links import Report
    from pvenet.nics.sight import Sight
    from pvenet.node import Reading
    from pvenet.recent import Recent
    from pvenet.seen import Seen
    from pvenet.settings import Settings


@dataclass(kw_only=True)
class Place:
    """It connects when the connection is first asked for, and hangs up when it is left."""

    settings: Settings
    prompt: Callable[[str], str] | None
    debug: Callable[[str], None] | None
    watch: Watch | None
    held: bool
    """Nothing may be written about it."""
    seen: Seen | None = field(default=None, init=False)
    """Remembers the NICs of the nodes that are read."""
    _recent: Recent | None = field(default=None, init=False)
    """Keeps the names that were met, for completion; there is none of a simulated node, whose files say them."""

    @cached_property
    def connection(self) -> Connection:
        """The connection; nothing is sent yet."""
        connection = connect(self.settings, prompt=self.prompt, debug=self.debug, watch=self.watch)
        if not self.settings.sim:
            from pvenet.recent import Recent

            self._recent = Recent(self.settings.state_dir, self.settings.place)
            connection.heard = self._recent.hear
        from pvenet.seen import Seen

        self.seen = Seen(self.settings.state_dir, connection)
        connection.noted = self._note
        if self.held:
            connection.hold()
        return connection

    def _note(self, node: str, found: Reading | Report) -> None:
        """Hear what was read of a node."""
        from pvenet.node import Reading

        if self.seen:
            self.seen.note(node, found)
        if self._recent and isinstance(found, Reading):
            self._recent.meet(node, found.network)

    def remember(self, node: str, sight: Sight) -> None:
        """Let a node's names be meant as they are."""
        if self.seen and not self.held:
            self.seen.accept(node, sight)

    def leave(self) -> bool:
        """Hang up, and keep the names that were met; whether there were any."""
        if "connection" in vars(self):
            self.connection.close()
        return self._recent is not None and not self.held and self._recent.keep()

    def prune(self) -> None:
        """Forget the names that are past their time, of every place."""
        if self._recent:
            self._recent.prune()
