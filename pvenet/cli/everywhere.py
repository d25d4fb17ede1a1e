"""`pvenet apply -f FILE` and `pvenet apply PLAN`: many nodes, one after another."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.cli.asking import Person
from pvenet.cli.common import Where, connected, counted, debug_of, journals, out, painter, say, utc_now
from pvenet.cli.fleet import refuse
from pvenet.cli.plans import node_plans, show, warn

if TYPE_CHECKING:
    from pathlib import Path

    from pvenet.apply import ApplyOptions, StageOptions
    from pvenet.connection import Connection
    from pvenet.events import Row
    from pvenet.fleet.applied import Applied
    from pvenet.fleet.carry import Job
    from pvenet.spec.network_spec import NetworkSpec
    from pvenet.spec.node_plan import NodePlan
    from pvenet.spec.saved import Saved


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the command line says beside the options of any apply."""

    file: Path | None
    saved: Path | None
    canary: str = ""
    lossy: bool = False
    yes: bool = False


def apply_everywhere(where: Where, asked: Asked, options: ApplyOptions) -> None:
    """Make it so on every node. Raises what the first node that fails raises, after the summary."""
    from pvenet.apply import StageOptions
    from pvenet.fleet.carry import refuse_unagreed
    from pvenet.render.node_plan import counts_text, node_plans_data

    if not options.wait:
        raise errors.UsageError("--no-wait would not see whether to go on to the next node", hint="leave it out")
    spec, saved = _read(asked)
    with connected(where) as (connection, place):
        record = _record(place, saved)
        found = _found(connection, place, spec, saved)
        todo = _ordered([each for each in found if each.plan or each.ours], asked.canary)
        warn(found, spec)
        if place.json:
            _line("planned", node_plans_data(found, spec.file))
        else:
            show(found)
            out(counts_text(found, spec.file))
        refuse_unagreed(todo, options, consent := StageOptions(lossy=asked.lossy, adopt=options.adopt))
        jobs = [_job(connection, place, each) for each in todo]
        with Person(yes=asked.yes, json=place.json) as person:
            if todo:
                person.ask(f"Apply this to {counted(len(todo), 'node')} now?")
            rows, failure = _carry_out(jobs, place, person, (options, consent), record, canary=asked.canary)
        _sum_up(rows, place, failure)


def _read(asked: Asked) -> tuple[NetworkSpec, Saved | None]:
    from pvenet.spec import saved as saved_plans
    from pvenet.spec.load import load

    if asked.saved and asked.file:
        raise errors.UsageError("-f FILE and a saved plan are two different things", hint="leave one of them out")
    if asked.saved:
        saved = saved_plans.read(asked.saved)
        return saved.spec, saved
    if asked.file is None:  # pragma: no cover - the caller has one of the two
        raise errors.UsageError("no file")
    return load(asked.file), None


def _record(place: Where, saved: Saved | None) -> Applied | None:
    """Where it is kept that a saved plan was applied. Raises Stale where it was."""
    from pvenet.fleet.applied import Applied

    if saved is None or place.state_dir is None:
        return None
    record = Applied(place.state_dir, saved.id)
    record.refuse_again()
    return record


def _found(connection: Connection, place: Where, spec: NetworkSpec, saved: Saved | None) -> list[NodePlan]:
    """What would happen to each node. Raises where one can't be read, or is not what a saved plan was made against."""
    from pvenet.fleet.carry import stale

    found = node_plans(connection, place, spec)
    refuse({name: each for name, each in found.items() if isinstance(each, errors.PvenetError)})
    ready = [each for each in found.values() if not isinstance(each, errors.PvenetError)]
    others = [each.node for each in ready if saved and saved.against[each.node] != each.against]
    if others:
        raise stale(" and ".join(others))
    return ready


def _ordered(todo: list[NodePlan], canary: str) -> list[NodePlan]:
    """The nodes in the file's order, the canary first."""
    if canary and canary not in (names := [each.node for each in todo]):
        there = f"the nodes are {', '.join(names)}" if names else "there is nothing to do"
        raise errors.UsageError(f"the canary {canary} is no node that would change", hint=there)
    return sorted(todo, key=lambda each: each.node != canary)


def _job(connection: Connection, place: Where, found: NodePlan) -> Job:
    from pvenet.fleet.carry import Job
    from pvenet.fleet.side_by_side import another
    from pvenet.node import Node

    node = Node(another(connection, debug_of(place)), found.node)
    return Job(node=node, journals=journals(place, node), node_plan=found)


def _carry_out(
    jobs: list[Job],
    place: Where,
    person: Person,
    terms: tuple[ApplyOptions, StageOptions],
    record: Applied | None,
    *,
    canary: str,
) -> tuple[list[Row], errors.PvenetError | None]:
    """Carry the jobs out and tell each; what became of the nodes, and what ended the work."""
    from pvenet.apply import Runtime
    from pvenet.cli.telling import Lines, Terminal
    from pvenet.fleet.carry import carry_out

    rows: list[Row] = []
    failure: errors.PvenetError | None = None

    def go_on(number: int) -> None:
        name = jobs[number].node.name
        if number == 1 and canary:
            _ask_to_go_on(person, canary, len(jobs) - 1)
        with suppress(OSError):  # a reader who has gone stops no story
            if place.json:
                _line("node", {"node": name, "number": number + 1, "of": len(jobs)})
            elif len(jobs) > 1:
                say(f"\n{name}, {number + 1} of {len(jobs)}:")

    with Lines() if place.json else Terminal(say, painter()) as ear:
        runtime = Runtime(emit=person.overheard(ear.hear), confirm=lambda _: False, await_confirmation=person.word)
        for result in carry_out(jobs, *terms, runtime, go_on):
            if isinstance(result, errors.PvenetError):
                failure = result
                continue
            rows.append(result)
            if record and result.verdict == "applied":
                record.record([row.node for row in rows if row.verdict == "applied"], utc_now())
    return rows, failure


def _ask_to_go_on(person: Person, canary: str, others: int) -> None:
    try:
        person.ask(f"{canary} is as it shall be. Go on with {counted(others, 'node')} now?")
    except errors.NeedsConsent:
        raise errors.NeedsConsent(
            f"not agreed to go on after {canary}, which stays as it is now", hint="the summary says what was done"
        ) from None


def _sum_up(rows: list[Row], place: Where, failure: errors.PvenetError | None) -> None:
    from pvenet.render.node_plan import rows_data, rows_text

    with suppress(OSError):  # the exit code still tells
        if place.json:
            _line("summary", {"exit": failure.exit_code if failure else 0, "nodes": rows_data(rows)})
        elif len(rows) > 1:
            out("\n" + rows_text(rows, painter()))
    if failure:
        raise failure


def _line(event: str, data: dict[str, Any]) -> None:
    out(json.dumps({"event": event, **data}, ensure_ascii=False))
