"""A rollout on 40 simulated nodes in as many clusters, one after another and twenty at once: seconds.

Each answer takes some milliseconds, as over a network, and each reload some seconds; the clusters are in this process.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from pvenet.apply.options import ApplyOptions
from pvenet.apply.runtime import Runtime
from pvenet.apply.stage import StageOptions
from pvenet.events import Verdict
from pvenet.fleet.book import Rollouts, digest
from pvenet.fleet.course import Pace
from pvenet.fleet.nodes import Fleet
from pvenet.fleet.places import Places
from pvenet.fleet.plans import plan_nodes
from pvenet.fleet.rollout import Terms, roll_out
from pvenet.settings import connect, read_settings
from pvenet.settings.options import Options
from pvenet.sim.adapter import SimAdapter
from pvenet.sim.files import read_json, write_json
from pvenet.sim.state import Sim
from pvenet.spec.load import load

NODES = 40
ANSWER = 0.05
"""Seconds."""
RELOAD = 3.0
"""Seconds."""
WANTED = "  bond0: {type: bond, slaves: [ens38, ens39], mode: balance-rr}\n  vmbr1: {type: bridge, ports: [bond0]}\n"


def main() -> None:
    """Measure and print."""
    send = SimAdapter.send

    def later(self: SimAdapter, *words: Any, **rest: Any) -> Any:
        time.sleep(ANSWER)
        return send(self, *words, **rest)

    SimAdapter.send = later  # type: ignore[method-assign]
    print(f"{NODES} nodes in {NODES} clusters; an answer takes {ANSWER * 1000:.0f} ms, a reload {RELOAD:.0f} s")
    print(f"{'at once':>7}  {'plan':>6}  {'rollout':>7}  client CPU a node")
    for at_once in (1, 20):
        with tempfile.TemporaryDirectory() as scratch:
            plan, took, work = measured(Path(scratch), at_once)
        print(f"{at_once:7}  {plan:4.1f} s  {took:5.1f} s  {work / NODES * 1000:.0f} ms, the simulated nodes' included")


def measured(folder: Path, at_once: int) -> tuple[float, float, float]:
    """Seconds of the plan and of the rollout, and of the processor meanwhile."""
    names = [f"n{number:02}" for number in range(1, NODES + 1)]
    connections = {}
    for name in names:
        place = folder / name
        Sim.init(place, node=name)
        write_json(place / "sim.json", read_json(place / "sim.json") | {"reload_seconds": RELOAD})
        connections[name] = connect(read_settings(Options(sim=place), {}))
    fleet = Fleet(connection=connections[names[0]], state_dir=folder / "state", places=Places(connections))
    file = folder / "network.yaml"
    file.write_text(f"defaults:\n{WANTED}nodes: {{{': , '.join(names)}: }}\n")
    spec = load(file)
    begun = time.perf_counter()
    alone = (Fleet(connection=connections[name], state_dir=fleet.state_dir) for name in names)
    plans = [plan_nodes(each, spec, [name], lambda _: None).nodes[0] for each, name in zip(alone, names, strict=True)]
    planned, work = time.perf_counter(), time.process_time()
    terms = Terms(apply=ApplyOptions(), stage=StageOptions(), pace=Pace(at_once=at_once))
    with Rollouts(fleet.state_dir).begun(names, file="network.yaml", digest=digest(spec)) as book:
        summary = roll_out(fleet, plans, terms, Runtime(emit=lambda _: None), book=book)
    took = time.perf_counter() - planned
    assert {row.verdict for row in summary.rows} == {Verdict.APPLIED}, summary.rows
    return planned - begun, took, time.process_time() - work


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
