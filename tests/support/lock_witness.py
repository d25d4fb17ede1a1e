"""Who holds the SDN lock, and what others do to it and to /etc/hosts: seen in the folder at each request."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from recorder import Recorder

from pvenet.sim.sdn.folder import SdnFolder

if TYPE_CHECKING:
    from pathlib import Path

    import requests
    from clock import FakeTime


class LockWitness(Recorder):
    """Keeps whose each lock was, and which of somebody else's was ended by nobody but us."""

    def __init__(self, folder: Path, time: FakeTime) -> None:
        super().__init__(folder, time)
        self._sdn = SdnFolder(folder)
        self._one = threading.RLock()
        self.ours: set[str] = set()
        self.ended: list[str] = []
        """Locks of others that went, and no other has ended them."""
        self.edits = 0
        """How often somebody else has edited /etc/hosts."""
        self.applies = 0
        """How often somebody else has tried to apply the SDN configuration."""

    @property
    def holder(self) -> str | None:
        return self._sdn.holder

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        with self._one:  # looks go out in parallel, and what befalls one is not another's
            ordered, was = [*self.front.script._waiting], self.holder
            try:
                return super().send(request, *args, **kwargs)
            finally:
                begun = [each.fault.kind for each in ordered if each.begun and each.kind.when == "request"]
                self.edits += begun.count("foreign-hosts")
                self.applies += begun.count("foreign-sdn-apply")
                self._note(was, begun, asked=f"{request.method} {request.url}".endswith("/cluster/sdn/lock"))

    def _note(self, was: str | None, begun: list[str], *, asked: bool) -> None:
        """Whose the lock is now: who asks for it just after somebody else has taken it has not got it."""
        now = self.holder
        if now not in {None, was} and asked and "sdn-locked" not in begun:
            self.ours.add(str(now))
        if was not in {None, now} and was not in self.ours and "foreign-sdn-unlock" not in begun:
            self.ended.append(str(was))
        if now is None and "sdn-locked" in begun and was not in self.ours:  # taken just before this very request
            self.ended.append("theirs")
