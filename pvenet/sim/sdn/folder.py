"""What PVE keeps in /etc/pve/sdn: zones, what of them is applied, and the lock. pve-api#sdn-lock."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING

from pvenet.sim.files import OTHERWISE, SimError, read_file, read_json, write_file, write_json
from pvenet.sim.schema import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SDN_PM = "/usr/share/perl5/PVE/Network/SDN.pm line 291."
API_PM = "/usr/share/perl5/PVE/API2/Network/SDN.pm line 150."
WORKER = 56
"""The process that PVE names where the folder is missing (K5-sdnlock-014)."""


class SdnFolder:
    """The folder; it may be missing, as where no SDN object was ever made."""

    def __init__(self, sim: Path) -> None:
        self.folder = sim / "sdn"
        self._lock = self.folder / ".lock"
        self._zones = self.folder / "zones.cfg"
        self._running = self.folder / ".running-config"

    @property
    def holder(self) -> str | None:
        """The token of whoever holds the lock."""
        try:
            return read_file(self._lock)
        except FileNotFoundError:
            return None

    def check(self, token: object, doing: str) -> None:
        """Raises PVE's refusal where somebody else holds the lock; where nobody does, any token is good."""
        if self.holder not in {None, token}:
            raise Refused(500, f"{doing}: invalid lock token provided! at {SDN_PM}")

    def lock(self, now: float, *, allow_pending: bool = False) -> str:
        """Take the lock; its token. Raises PVE's refusals."""
        doing = "could not acquire lock for SDN config"
        if not self.folder.is_dir():
            path = f"/etc/pve/sdn/.lock.tmp.{WORKER}"
            raise Refused(500, f"{doing}: unable to open file '{path}' - No such file or directory")
        self.check(None, doing)
        if self.pending() and not allow_pending:
            raise Refused(500, f"{doing}: configuration has pending changes at {API_PM}")
        token = new_token(now)
        write_file(self._lock, token)
        return token

    def release(self) -> None:
        self._lock.unlink(missing_ok=True)

    def zones(self) -> dict[str, str]:
        """Zones and the type of each, those that are pending as well."""
        try:
            lines = read_file(self._zones).splitlines()
        except FileNotFoundError:
            return {}
        pairs = (line.partition(": ") for line in lines if line[:1].isalpha() and ": " in line)
        return {zone: kind for kind, _, zone in pairs}

    def running(self) -> dict[str, str]:
        """Zones that are applied; raises `SimError` for a file that says nothing of the kind."""
        try:
            return {zone: values["type"] for zone, values in read_json(self._running)["zones"]["ids"].items()}
        except FileNotFoundError:
            return {}
        except OTHERWISE as error:
            raise SimError(f"{self._running} does not say which zones are applied: {error!r}") from error

    def pending(self) -> bool:
        return self.zones() != self.running()

    def write_zones(self, zones: Mapping[str, str]) -> None:
        self.folder.mkdir(exist_ok=True)
        write_file(self._zones, "".join(f"{kind}: {zone}\n\n" for zone, kind in zones.items()))

    def commit(self) -> None:
        """What is pending is applied from here on."""
        self.folder.mkdir(exist_ok=True)
        write_json(self._running, {"zones": {"ids": {zone: {"type": kind} for zone, kind in self.zones().items()}}})

    def roll_back(self) -> None:
        if self.pending():
            self.write_zones(self.running())


def new_token(now: float) -> str:
    """A UUID as PVE gives them: the time, and chance."""
    milliseconds, chance = int(now * 1000) & (1 << 48) - 1, secrets.randbits(74)
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & (1 << 62) - 1))
