"""A fault as it is written: `KIND@WHERE` or `KIND=VALUE@WHERE`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet.sim.faults.address import FORM, Address
from pvenet.sim.faults.kinds import KINDS
from pvenet.sim.faults.scene import Scene
from pvenet.sim.files import SimError

if TYPE_CHECKING:
    from pvenet.sim.http.frame import Request

_WRITTEN = re.compile(r"(?P<what>.+)@(?P<where>\d+|[A-Za-z]+ .*)", re.DOTALL)
"""An @ in a value, or in the name of a task's user, is none that says where."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is to go wrong."""

    kind: str
    at: int
    """Which request, counted from 1: of all, or of those that are addressed."""
    value: str = ""
    address: Address | None = None

    def __str__(self) -> str:
        what = f"{self.kind}={self.value}" if self.value else self.kind
        if self.address is None:
            return f"{what}@{self.at}"
        return f"{what}@{self.address}" + (f"+{self.at}" if self.at > 1 else "")

    def counts(self, request: Request) -> bool:
        """Whether this is one of the requests among which it happens."""
        return self.address is None or self.address.fits(request)


def parse(text: str) -> Fault:
    """A fault as a command line has it; raises `SimError` with what is wrong."""
    found = _WRITTEN.fullmatch(text)
    what, where = (found["what"], found["where"]) if found else (text, "0")
    name, _, value = what.partition("=")
    kind = KINDS.get(name)
    if where.isdecimal() and int(where) < 1:
        raise SimError(f"fault {text!r} does not say at which request: {FORM}")
    if kind is None:
        raise SimError(f"unknown fault {name!r}; there are: {', '.join(KINDS)}")
    if value and not kind.value:
        raise SimError(f"fault {name} takes no value: {name}@{where}")
    if kind.value and not kind.value.startswith("[") and not value:
        raise SimError(f"fault {name} needs a value: {name}={kind.value}@{where}")
    kind.play(Scene(), value)  # says what is wrong with the value
    if where.isdecimal():
        return Fault(kind=name, at=int(where), value=value)
    try:
        address, nth = Address.parse(where)
    except SimError as error:
        raise SimError(f"fault {name}: {error}") from None
    return Fault(kind=name, at=nth, value=value, address=address)
