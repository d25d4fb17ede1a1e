"""Calls about tasks (pve-api#reload, groups B and E)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pvenet.sim.calls.base import Answer, Asked, Call
from pvenet.sim.machine.tasks import Task, TaskFolder, Upid
from pvenet.sim.schema import Param, Refused, Schema

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = 50
UPID_PARAMS = Schema(params={"upid": Param(optional=False)})
LOG_PARAMS = Schema(
    params={
        "upid": Param(optional=False),
        "start": Param(type="integer", minimum=0),
        "limit": Param(type="integer", minimum=0),
        "download": Param(type="boolean"),
    }
)
LIST_PARAMS = Schema(
    params={
        "start": Param(type="integer", minimum=0),
        "limit": Param(type="integer", minimum=0),
        "userfilter": Param(),
        "typefilter": Param(),
        "vmid": Param(type="integer", minimum=100, maximum=999999999),
        "errors": Param(type="boolean"),
        "source": Param(enum=("archive", "active", "all")),
        "since": Param(type="integer"),
        "until": Param(type="integer"),
        "statusfilter": Param(),
    }
)


def _named(asked: Asked, privilege: str = "Sys.Audit") -> tuple[str, Task] | None:
    """The task of the path, for who may know about it; raises for a name that is none (E071, E073)."""
    text = asked.found["upid"]
    upid = Upid.parse(text)
    if upid is None:
        raise Refused(400, "Parameter verification failed.", {"upid": "unable to parse worker upid"})
    if not asked.identity.owns(upid.user):
        asked.need(privilege)
    return TaskFolder(asked.node.tasks).find(text)


def index(asked: Asked) -> Answer:
    _named(asked)
    return Answer(data=[{"name": "log"}, {"name": "status"}])  # B049


def status(asked: Asked) -> Answer:
    found = _named(asked)
    if found is None:
        raise Refused(400, "Parameter verification failed.", {"upid": "no such task"})  # E069
    return Answer(data=found[1].status(asked.now))


def log(asked: Asked) -> Answer:
    found = _named(asked)
    if found is None:
        lines = ["unable to open file - No such file or directory"]  # E070: no error, but a line
    else:
        lines = found[1].lines(asked.now) or ["no content"]  # E032
    start, limit = asked.params.get("start", 0), asked.params.get("limit", PAGE)
    numbered = [{"n": n, "t": text} for n, text in enumerate(lines, start=1)]
    return Answer(data=numbered[start:][: limit or None], siblings={"total": len(lines)})


def stop(asked: Asked) -> Answer:
    """Interrupt a task: what it had done stays done (E061, H012)."""
    found = _named(asked, privilege="Sys.Modify")
    if found is not None and found[1].running(asked.now):
        asked.node.backend.stop(asked.node, *found, asked.now)
    return Answer()


def list_some(asked: Asked) -> Answer:
    """Tasks of a node: finished ones unless told otherwise, and only the user's own without Sys.Audit (E041)."""
    tasks = [task for task in _listed(asked) if _wanted(asked.params, task)]
    start, limit = asked.params.get("start", 0), asked.params.get("limit", PAGE)
    return Answer(data=tasks[start:][: limit or None], siblings={"total": len(tasks)} if tasks else {})  # E041


def _listed(asked: Asked) -> Iterator[dict[str, Any]]:
    source = asked.params.get("source", "archive")
    audits = asked.may("Sys.Audit", f"/nodes/{asked.node.name}")
    tasks = [task for _number, task in TaskFolder(asked.node.tasks).all() if task.listed_from <= asked.now]
    tasks = [task for task in tasks if audits or asked.identity.owns(task.name.user)]
    if source != "archive":
        running = [task for task in reversed(tasks) if task.running(asked.now)]
        # E036: those of the same second in the order of their start
        yield from (task.active() for task in sorted(running, key=lambda task: -task.name.starttime))
    if source != "active":
        finished = [task for task in tasks if not task.running(asked.now)]
        yield from (task.finished() for task in sorted(finished, key=lambda task: -int(task.end)))


def _wanted(params: dict[str, Any], entry: dict[str, Any]) -> bool:
    state = str(entry["status"])
    tests = (
        not params.get("errors") or state not in {"OK", "RUNNING"},
        params.get("typefilter") in {None, entry["type"]},
        str(params.get("userfilter", "")).lower() in str(entry["user"]).lower(),
        "vmid" not in params,
        entry["starttime"] >= params.get("since", 0),
        entry["starttime"] <= params.get("until", entry["starttime"]),
        "statusfilter" not in params or _kind(state) in str(params["statusfilter"]).replace(";", ",").split(","),
    )
    return all(tests)


def _kind(state: str) -> str:
    if state in {"OK", "RUNNING"}:
        return "ok"
    return "warning" if state.startswith("WARNINGS") else "error"


def list_cluster(asked: Asked) -> Answer:
    """The last tasks of all nodes, without the numbers of their processes (B070)."""
    entries = []
    for name in asked.sim.nodes:
        audits = asked.may("Sys.Audit", f"/nodes/{name}")
        for _number, task in TaskFolder(asked.sim.node(name).tasks).all():
            if task.listed_from <= asked.now and (audits or asked.identity.owns(task.name.user)):
                entries.append(_for_cluster(task, asked.now))
    entries.sort(key=lambda entry: -entry["starttime"])
    return Answer(data=entries[:PAGE])


def _for_cluster(task: Task, now: float) -> dict[str, Any]:
    if task.running(now):
        entry = task.status(now) | {"saved": "0"}
        entry.pop("status")
    else:
        entry = task.finished() | {"saved": "1"}
    entry.pop("pid")
    entry.pop("pstart")
    return entry


PATH = "/nodes/{node}/tasks"
ONE = f"{PATH}/{{upid}}"
CALLS = (
    Call(method="GET", path="/cluster/tasks", run=list_cluster),
    Call(method="GET", path=PATH, run=list_some, schema=LIST_PARAMS),
    Call(method="GET", path=ONE, run=index, schema=UPID_PARAMS),
    Call(method="DELETE", path=ONE, run=stop, schema=UPID_PARAMS, protected=True),
    Call(method="GET", path=f"{ONE}/status", run=status, schema=UPID_PARAMS, protected=True),
    Call(method="GET", path=f"{ONE}/log", run=log, schema=LOG_PARAMS, protected=True),
)
