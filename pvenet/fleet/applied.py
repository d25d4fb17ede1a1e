"""Which saved plans were applied from here: a plan is good for once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pvenet import errors

if TYPE_CHECKING:
    from pathlib import Path


class Applied:
    """The record of one plan in the state directory."""

    def __init__(self, state_dir: Path, plan_id: str) -> None:
        self._path = state_dir / "plans" / f"{plan_id}.json"

    def refuse_again(self) -> None:
        """Raises Stale where the plan was applied already, to any node."""
        try:
            done = json.loads(self._path.read_text(encoding="utf8"))
            nodes, when = ", ".join(done["nodes"]), done["when"]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError):
            nodes, when = "some nodes", "an unknown time"
        raise errors.Stale(f"this plan was applied already, to {nodes} at {when}; nothing was sent", hint="plan again")

    def record(self, nodes: list[str], when: str) -> None:
        """Keep that the plan was applied to these nodes. Raises PvenetError where that can't be written."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.write_text(json.dumps({"nodes": nodes, "when": when}) + "\n", encoding="utf8")
        except OSError as error:
            raise errors.PvenetError(
                f"{self._path} can't be written: {error.strerror}",
                hint="name a folder that can be written with --state-dir or PVENET_STATE_DIR",
            ) from None
