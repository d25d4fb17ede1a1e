"""The names that commands have met a moment ago, kept for the shell's completion: nodes, and their interfaces.

What completes a command line asks no node: a list that is asked for while a reload runs freezes its flags
(pve-api#never-list), and a TAB can't know whether one runs. So whatever any command reads anyway is kept here for some
minutes, by the place that it came from. Nothing but names, kinds and who is made of whom; no address and no secret.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from pvenet import private
from pvenet.model import kind_of
from pvenet.model.relations import members

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pvenet.model import Network

LIFETIME = 600.0
"""Seconds for which a name is offered after a command has met it."""
LARGEST = 1_000_000
"""Bytes of one node's names."""
_NODES = "nodes"
_NODE = "node-"
_ENDING = ".json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """An interface by its name, and what there is to know before one names it."""

    name: str
    type: str
    """PVE's word for the kind."""
    ports: tuple[str, ...] = ()
    """What it takes for itself alone: its slaves or ports."""
    addressed: bool = False
    """It has an address."""


class Recent:
    """What was met at one place; `place` tells it from any other, and is not kept."""

    def __init__(self, state_dir: Path, place: Iterable[str]) -> None:
        self._root = state_dir / "completion"
        self.folder = self._root / sha256("\n".join(place).encode("utf8", "surrogateescape")).hexdigest()[:32]
        self._heard: object = None
        """What was answered to who asks for the nodes, if anybody did."""
        self._met: dict[str, Network] = {}

    # --- kept by commands ---

    def hear(self, path: tuple[str, ...], data: object) -> None:
        """Hear what was answered to a GET, and remember the last list of nodes."""
        if path == ("nodes",):
            self._heard = data

    def meet(self, node: str, network: Network) -> None:
        """Remember a node as it was read last."""
        self._met[node] = network

    def keep(self) -> bool:
        """Put on disk what was met; whether there was anything. A disk that takes nothing is no matter."""
        met = dict(self._met)  # whoever still reads may meet more meanwhile
        if not met and self._heard is None:
            return False
        with suppress(OSError, ValueError):  # the latter for half a character, which is no text that can be written
            private.make_own_folder(self._root)
            private.make_own_folder(self.folder)
            self._write(_NODES, _node_names(self._heard))
            for node, network in met.items():
                self._write(_NODE + quote(node, safe=""), _interfaces(network))
        return True

    def _write(self, name: str, data: list[Any]) -> None:
        if data:
            private.put(self.folder / f"{name}{_ENDING}", json.dumps(data).encode())

    def prune(self) -> None:
        """Forget what is past its time, of every place. A disk that can't is no matter."""
        with suppress(OSError):
            for folder in self._root.iterdir():
                with suppress(OSError):  # it is none, or it is not empty
                    if not folder.is_symlink() and not _prune(folder):
                        folder.rmdir()

    # --- offered to a person ---

    def nodes(self) -> tuple[str, ...]:
        """The nodes that were met, be it by name alone or with their interfaces."""
        listed = [path for path in self.folder.glob(f"{_NODE}*{_ENDING}") if _is_fresh(path.stat())]
        alone = {unquote(path.name.removeprefix(_NODE).removesuffix(_ENDING)) for path in listed}
        return tuple(sorted({*self.all_nodes(), *alone}))

    def all_nodes(self) -> tuple[str, ...]:
        """All nodes of the place; none where they were not asked for."""
        return tuple(map(str, self._read(_NODES)))

    def interfaces(self, node: str) -> tuple[Named, ...]:
        """The interfaces of a node, as they were listed last."""
        rows = self._read(_NODE + quote(node, safe=""))
        return tuple(Named(**{**row, "ports": tuple(row["ports"])}) for row in rows)

    def _read(self, name: str) -> list[Any]:
        """What is kept under a name; nothing of what is old, or may be somebody else's."""
        try:
            data, status = private.read_checked(self.folder / f"{name}{_ENDING}", LARGEST)
        except OSError:
            return []
        if not _is_fresh(status) or status.st_uid != os.geteuid() or status.st_mode & private.WRITE:
            return []
        found = json.loads(data)
        return found if isinstance(found, list) else []


def _prune(folder: Path) -> int:
    """Remove the files that are past their time; how many there are that are not."""
    kept = 0
    for file in os.scandir(folder):
        with suppress(OSError):  # somebody was quicker
            if _is_fresh(file.stat(follow_symlinks=False)):
                kept += 1
            else:
                Path(file.path).unlink()
    return kept


def _is_fresh(status: os.stat_result) -> bool:
    """Whether it is within its time; a clock that was set back makes it old."""
    return 0 <= time.time() - status.st_mtime < LIFETIME


def _node_names(data: object) -> list[str]:
    rows = data if isinstance(data, list) else []
    return [row["node"] for row in rows if isinstance(row, dict) and isinstance(row.get("node"), str)]


def _interfaces(network: Network) -> list[dict[str, Any]]:
    """The fields of `Named`."""
    return [
        {
            "name": each.name,
            "type": kind_of(each),
            "ports": members(each),
            "addressed": each.cidr is not None or each.cidr6 is not None,
        }
        for each in network.interfaces.values()
    ]
