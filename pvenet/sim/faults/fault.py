"""A fault as it is written: `KIND@WHERE` or `KIND=VALUE@WHERE`, where a request or its number says where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Self

from pvenet.sim.calls import TABLE
from pvenet.sim.faults.catalogue import KINDS
from pvenet.sim.faults.scene import Scene
from pvenet.sim.files import SimError
from pvenet.sim.http.frame import METHODS, split_target

if TYPE_CHECKING:
    from pvenet.sim.http.frame import Request

HELP = """\
WHERE says at which request:
  PUT network      the first with this method and path; here the reload alone
  GET network+2    the second of those
  PUT network/*    `*` is any one part of a path; here an interface, whichever
  3                the third of all requests
A path is the node's, that is without /nodes/NODE/; one that begins with access, cluster, nodes or version is complete.
What affects the first reload, the next staging call, links or reports holds from that request on, at the
node that it names, and a lack of a privilege on every node; cables and switches stay as they are for later
commands, too."""
"""For people: how a fault is addressed."""
FORM = "write KIND@METHOD PATH as in `drop-after@PUT network` (`+2` after it is the second of those), or KIND@3"
_ABSOLUTE = ("access", "cluster", "nodes", "version")
"""Where a path begins that is not a node's."""
_REQUEST = re.compile(r"(?P<method>[A-Za-z]+) +(?P<path>[^\s?+][^\s?]*?)(?:\+(?P<nth>\d+))?")
_WRITTEN = re.compile(r"(?P<what>.+)@(?P<where>\d+|[A-Za-z]+ .*)", re.DOTALL)
"""An @ in a value, or in the name of a task's user, is none that says where."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Requests of one method to the paths of a pattern, whatever their query."""

    method: str
    path: str
    """Below /nodes/NODE/, or the whole where it begins as such; `*` stands for any one part."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def _parts(self) -> list[str]:
        parts = self.path.split("/")
        return parts if parts[0] in _ABSOLUTE else ["nodes", "*", *parts]

    def fits(self, request: Request) -> bool:
        """Whether this request is one of them."""
        parts = [part for part in split_target(request.target)[0].split("/") if part][2:]  # without /api2/json
        return request.method == self.method and _alike(self._parts, parts)

    @classmethod
    def parse(cls, text: str) -> tuple[Self, int]:
        """The requests, and which one of them is meant; raises `SimError` with what may be written."""
        found = _REQUEST.fullmatch(text)
        if found is None:
            raise SimError(f"{text!r} is not a request: {FORM}")
        method, nth = found["method"].upper(), int(found["nth"] or 1)
        if method not in METHODS:
            raise SimError(f"there is no method {found['method']}, only {', '.join(sorted(METHODS))}: {FORM}")
        if nth < 1:
            raise SimError(f"{text!r}: requests are counted from 1")
        address = cls(method=method, path=found["path"].strip("/").removeprefix("api2/json/"))
        known = {call.path: _relative(call.path) for call in TABLE if call.method == method}
        if not any(_alike(address._parts, path.strip("/").split("/")) for path in known):
            raise SimError(f"there is no request `{address}`; with {method} there are: {', '.join(known.values())}")
        return address, nth


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


def _alike(pattern: list[str], parts: list[str]) -> bool:
    """Whether a path, or one of the API's with places such as {node}, fits a pattern."""
    pairs = zip(pattern, parts, strict=False)
    return len(pattern) == len(parts) and all(part[:1] == "{" or fnmatchcase(part, want) for want, part in pairs)


def _relative(path: str) -> str:
    """How a call of the API is addressed."""
    return re.sub(r"\{\w+\}", "*", path.removeprefix("/nodes/{node}/")).strip("/")
