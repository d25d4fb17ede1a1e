"""Calls about a node's `/etc/hosts`: who may not read may yet write. pve-api#hosts."""

from __future__ import annotations

from pvenet.sim.calls.base import Answer, Asked, Call, Gate
from pvenet.sim.hosts import complaint, digest_of, read_hosts, write_hosts
from pvenet.sim.schema import Param, Refused, Schema, bad_parameters

CHANGED = "detected modified configuration - file changed by other user? Try again."


def show(asked: Asked) -> Answer:
    text = read_hosts(asked.node)
    return Answer(data={"data": text, "digest": digest_of(text)})


def write(asked: Asked) -> Answer:
    """The whole file anew; with a digest, only if it is the one that was read."""
    text, digest = str(asked.params["data"]), asked.params.get("digest")
    if wrong := complaint(text):
        raise bad_parameters(data=wrong)
    if digest not in {None, digest_of(read_hosts(asked.node))}:
        raise Refused(500, CHANGED)
    write_hosts(asked.node, text)
    return Answer()


PATH = "/nodes/{node}/hosts"
CALLS = (
    Call(
        method="GET",
        path=PATH,
        run=show,
        gate=Gate(privilege="Sys.Audit", place=lambda _found: "/"),
        protected=True,
    ),
    Call(
        method="POST",
        path=PATH,
        run=write,
        schema=Schema(params={"data": Param(optional=False), "digest": Param(max_length=64)}),
        privilege="Sys.Modify",
        protected=True,
    ),
)
