"""Saved plans: written with what they were planned against, and applied once."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from pvenet import errors, private, times
from pvenet.journal import utc_now
from pvenet.spec.saved import saved_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pvenet.spec.node_plan import NodePlan


def save(path: Path, plans: Sequence[NodePlan], shown: Mapping[str, Any]) -> None:
    """Write the plans of some nodes, beside what was shown of them. Raises UsageError where that can't be written."""
    data = saved_data(plans, shown, plan_id=secrets.token_hex(8), made=utc_now())
    try:
        private.write(path, (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode(), mode=0o644, follow=True)
    except OSError as error:
        raise errors.UsageError(
            f"{path} can't be written: {error.strerror}", hint="name another file with -o"
        ) from None


class Record:
    """What is kept of a saved plan in the state folder: to which nodes it was applied."""

    def __init__(self, state_dir: Path, plan_id: str) -> None:
        self._path = state_dir / "plans" / f"{plan_id}.json"

    @classmethod
    def unused(cls, state_dir: Path, plan_id: str, *, go_on: str = "") -> Self:
        """The record of a plan. Raises Stale where it was applied already, to any node; `go_on`: how that goes on."""
        record = cls(state_dir, plan_id)
        if record.used:
            record._refuse_again(f"{go_on}; or plan again" if go_on else "plan again")
        return record

    @property
    def used(self) -> bool:
        """Whether the plan was applied, to any node; so it is where nobody can tell."""
        try:
            self._path.lstat()
        except FileNotFoundError:
            return False
        except OSError:
            pass
        return True

    def _refuse_again(self, hint: str) -> None:
        try:
            nodes, since = self._read()
            named, when = ", ".join(nodes), times.told(since, datetime.now(UTC))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            named, when = "some nodes", "an unknown time"
        raise errors.Stale(f"this plan was applied already, to {named} at {when}; nothing was sent", hint=hint)

    def _read(self) -> tuple[list[str], str]:
        done = json.loads(self._path.read_text(encoding="utf8"))
        return [f"{name}" for name in done["nodes"]], f"{done['when']}"

    def add(self, nodes: Iterable[str]) -> None:
        """Keep that the plan was applied to these nodes, too. Raises PvenetError where that can't be written."""
        before: list[str] = []
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            before = self._read()[0]
        every = [*dict.fromkeys((*before, *nodes))]
        try:
            private.make_own_folder(self._path.parent)
            private.write(self._path, (json.dumps({"nodes": every, "when": utc_now()}) + "\n").encode())
        except OSError as error:
            raise errors.PvenetError(
                f"{self._path} can't be written: {error.strerror}",
                hint="name a folder that can be written with --state-dir or PVENET_STATE_DIR",
            ) from None
