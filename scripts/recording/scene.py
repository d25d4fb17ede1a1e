"""What a scene is: requests in order, and what they need of a node.

Paths and forms name the node as `{node}`, the task of the last reload as `{upid}` (of the scene's first:
`{first}`), and NICs by their roles: `{a}`, `{b}`, `{c}`, `{d}`. Which NICs these are is decided on the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Form: TypeAlias = Mapping[str, str | int]
NETWORK = "/nodes/{node}/network"
TASK = "/nodes/{node}/tasks/{upid}"
ROLES = "abcd"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request."""

    name: str
    method: str
    path: str
    """Below /api2/json."""
    form: Form | None = None
    note: str | None = None
    authorization: str | None = None
    """In place of the token's; empty: none at all."""
    waits: bool = False
    """Sent until the task has stopped; only the last answer is recorded, as the number of others is chance."""

    @property
    def writes(self) -> bool:
        """Whether it may change what is staged."""
        return self.method != "GET"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Requests that belong together, and are recorded together."""

    name: str
    about: str
    steps: tuple[Step, ...]
    nics: int = 0
    """How many spare NICs it needs."""
    rough: bool = False
    """A reload fails in it, so it is played only where it is named."""

    @property
    def makes(self) -> tuple[str, ...]:
        """Interfaces that it creates, or would if PVE let it, in that order. None of them may be there before."""
        names = [str((step.form or {})["iface"]) for step in self.steps if step.method == "POST"]
        return tuple(dict.fromkeys(name for name in names if name.strip("{}") not in ROLES))


def listing(name: str = "list") -> Step:
    return Step(name=name, method="GET", path=NETWORK)


def one(name: str, iface: str) -> Step:
    return Step(name=name, method="GET", path=f"{NETWORK}/{iface}")


def create(name: str, form: Form, note: str | None = None) -> Step:
    return Step(name=name, method="POST", path=NETWORK, form=form, note=note)


def update(name: str, iface: str, form: Form, note: str | None = None) -> Step:
    return Step(name=name, method="PUT", path=f"{NETWORK}/{iface}", form=form, note=note)


def remove(name: str, iface: str) -> Step:
    return Step(name=name, method="DELETE", path=f"{NETWORK}/{iface}")


def revert() -> Step:
    return Step(name="revert", method="DELETE", path=NETWORK)


def ended() -> tuple[Step, Step]:
    """The task of the last reload, at its end."""
    return (
        Step(name="task-status", method="GET", path=f"{TASK}/status", waits=True),
        Step(name="task-log", method="GET", path=f"{TASK}/log"),
    )


def reload(note: str | None = None) -> tuple[Step, ...]:
    """A reload to its end, and the list after it; nothing is listed before (pve-api#never-list)."""
    start = Step(name="reload", method="PUT", path=NETWORK, note=note)
    return (start, *ended(), listing("list-applied"))


def tried(name: str, form: Form, note: str | None = None) -> tuple[Step, ...]:
    """Create an interface, look at it and at the whole, and throw it away."""
    return (create(name, form, note), one(f"{name}.get", str(form["iface"])), listing(f"{name}.list"), revert())
