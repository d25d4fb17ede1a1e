"""Plans on the simulated node's file: how it is seen, and what becomes of it step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plan_model import word, words

from pvenet import wire
from pvenet.changes import Change, Create, Delete, Plan, Update
from pvenet.model import Interface, Network, canonical
from pvenet.plan import problems
from pvenet.sim import interfaces as sim

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pvenet.sim.interfaces import Host


def shown(step: Change) -> str:
    """A step in a line."""
    match step:
        case Create(after=after):
            return f"+ {words(after)}"
        case Update():
            return " ".join([f"~ {step.name}", *(f"{f.field}={word(f.before)}>{word(f.after)}" for f in step.fields())])
        case Delete():
            return f"- {step.name}"


def towards(now: Mapping[str, Interface], then: Mapping[str, Interface]) -> dict[str, Interface | None]:
    """What has to be desired of one network so that it becomes the other."""
    return {name: then.get(name) for name in sorted(now.keys() | then.keys())}


def wrong(current: Network, desired: Mapping[str, Interface | None]) -> list[str]:
    """What stands against a change."""
    return [str(problem) for problem in problems(current, desired) if not problem.warning]


def kept(network: Network | Mapping[str, Interface]) -> dict[str, Interface]:
    """The interfaces as PVE keeps them."""
    interfaces = network.interfaces if isinstance(network, Network) else network
    return {name: canonical(interface) for name, interface in interfaces.items()}


def bare_file(nics: Iterable[str]) -> str:
    """The file of a node that has some NICs and nothing else."""
    return "auto lo\niface lo inet loopback\n\n" + "".join(f"iface {nic} inet manual\n\n" for nic in nics)


@dataclass(frozen=True)
class FileOf:
    """What a simulated machine makes of a file."""

    host: Host

    def seen(self, file: str) -> Network:
        return wire.network(sim.listing(sim.parse(file, self.host)))

    def staged(self, file: str, steps: Plan) -> str:
        """The file after some steps; each step finds what the plan believes."""
        for step in steps.steps:
            parsed, now = sim.parse(file, self.host), kept(self.seen(file))
            match step:
                case Create(after=after):
                    file = sim.create(parsed, wire.create_form(after), self.host)
                case Update(before=before, after=after):
                    assert canonical(before) == now[step.name]
                    file = sim.update(parsed, step.name, wire.update_form(before, after), self.host)
                case Delete(before=before):
                    assert canonical(before) == now[step.name]
                    file = sim.delete(parsed, step.name, self.host)
        return file
