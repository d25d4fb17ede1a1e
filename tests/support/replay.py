"""Replays recorded walks, and exchanges about the network, on the pure functions of the sim.

What the real server leaves to chance is made comparable in the function and the module `comparable`, and nowhere else.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from comparable import sorted_options, with_sorted_options, without_times
from paths import FIXTURES

from pvenet.sim import interfaces
from pvenet.sim.interfaces import Host
from pvenet.sim.parameters import LIST, ONE
from pvenet.sim.schema import Refused, verify

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

NICS = ("ens33", "ens37", "ens38", "ens39", "ens40", "ens41")
HOST = Host(nics=dict.fromkeys(NICS, ()), up=frozenset())

_USED = re.compile(r"\S+ is already used on interface (?:'\S+'|IFACE)\.")
_NETWORK = re.compile(r"/api2/json/nodes/(?:pve1|localhost)/network(?:/([^/]*))?/?")
_AT_THE_DOOR = {401, 403, 501, 506, 595}


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    iface: str
    params: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a request leads to: the answer, and the staged file after it."""

    status: int = 200
    reason: str = "OK"
    errors: Mapping[str, str] | None = None
    data: Any = None
    changes: str | None = None
    staged: str | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """A recorded request with the files before it, and what the real server made of them."""

    name: str
    request: Request
    host: Host
    applied: str
    staged: str | None
    expected: Answer


def divergence(case: Case) -> str | None:
    """How our answer differs from the recorded one; None when it doesn't."""
    ours, theirs = answered(case), case.expected
    vague = {key for key, text in (theirs.errors or {}).items() if _names_any(text, case.request.params.get(key))}
    ours, theirs = comparable(ours, vague), comparable(theirs, vague)
    if ours == theirs:
        return None
    return f"{case.name} {case.request}\n ours: {ours}\n real: {theirs}"


def _names_any(error: str, ports: object) -> bool:
    """Whether the error names any of several taken ports, or the recording leaves the names out."""
    return bool(_USED.match(error)) and (" " in str(ports) or error.startswith("PORT "))


def answered(case: Case) -> Answer:
    """Our answer."""
    try:
        if case.request.method == "GET":
            return _read(case)
        return Answer(staged=_staged(case))
    except Refused as refused:
        reason = refused.message.split("\n")[0]
        return Answer(status=refused.status, reason=reason, errors=refused.errors, staged=case.staged)


def _parsed(case: Case) -> interfaces.Parsed:
    return interfaces.parse(case.applied if case.staged is None else case.staged, case.host)


def _read(case: Case) -> Answer:
    iface, params = case.request.iface, case.request.params
    if iface:
        verify({**params, "iface": iface}, ONE)
        return Answer(data=interfaces.entry(_parsed(case), iface), staged=case.staged)
    data = interfaces.listing(_parsed(case), verify(params, LIST).get("type"))  # type: ignore[arg-type]  # a text, by LIST
    changes = None if case.staged is None else interfaces.changes(case.applied, case.staged)
    return Answer(data=data, changes=changes, staged=case.staged)


def _staged(case: Case) -> str | None:
    """The text of interfaces.new after a write; None after a revert."""
    iface, params = case.request.iface, case.request.params
    match case.request.method:
        case "POST":
            return interfaces.create(_parsed(case), params, case.host)
        case "PUT":
            return interfaces.update(_parsed(case), iface, params, case.host)
        case _:
            return interfaces.delete(_parsed(case), iface, case.host) if iface else None


def comparable(answer: Answer, vague: Collection[str] = ()) -> Answer:
    """An answer without what chance decides.

    Arrays come in random order; so do the words of ovs_options; of several taken ports any is named (the errors
    of the `vague` parameters); and the times of a diff are the files' own.
    """
    errors = {
        key: _USED.sub("PORT is already used on interface IFACE.", text) if key in vague else text
        for key, text in (answer.errors or {}).items()
    }
    data = answer.data
    if isinstance(data, list):
        data = sorted((sorted_options(entry) for entry in data), key=lambda entry: str(entry["iface"]))
    elif isinstance(data, dict):
        data = sorted_options(data)
    changes = answer.changes and with_sorted_options(without_times(answer.changes))
    staged = with_sorted_options(answer.staged or "") or None
    return replace(answer, errors=errors, data=data, changes=changes, staged=staged)


def walks(name: str, host: Host) -> Iterator[list[Case]]:
    """The walks of a file, each as its steps; the staged file of a step is the recorded one."""
    for line in (FIXTURES / name).read_text("utf-8").splitlines():
        walk, staged = json.loads(line), None
        cases = []
        for number, step in enumerate(walk["steps"]):
            body = step["json"] or {}
            cases.append(
                Case(
                    name=f"walk {walk['seed']} ({walk['initial_name']}) step {number}",
                    request=Request(method=step["method"], iface=step["path"], params=step["form"] or {}),
                    host=host,
                    applied=walk["initial"],
                    staged=staged,
                    expected=_expected(step["status"], step["reason"], body, step["new"]),
                )
            )
            staged = step["new"]
        yield cases


def exchanges(groups: Iterable[str], hosts: Mapping[str, Host], exceptions: Mapping[str, str]) -> Iterator[Case]:
    """The exchanges of groups that reach the network's staging, but for the exceptions.

    `hosts` are the machines of those recorded on another than `HOST`. Which links are up, the answer tells.
    """
    for group in groups:
        for line in (FIXTURES / "exchanges" / f"{group}.jsonl").read_text("utf-8").splitlines():
            exchange = json.loads(line)
            number = exchange["name"].split("-")[0]
            if (request := _staging_request(exchange)) and number not in exceptions:
                yield _case(exchange, request, hosts.get(number, HOST))


def _staging_request(exchange: dict[str, Any]) -> Request | None:
    """The request as it reaches the network's functions; None when the door, or a reload, answers."""
    recorded, status = exchange["request"], exchange["response"]["status"]
    url = urlsplit(recorded["path"])
    if not (match := _NETWORK.fullmatch(url.path)) or status in _AT_THE_DOOR:
        return None
    if exchange["response"]["reason"].startswith(("malformed JSON", "can't lock file")):
        return None
    method, iface = recorded["method"], match[1] or ""
    if method == "PUT" and not iface:
        return None
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    return Request(method=method, iface=iface, params=query | _body(recorded))


def _body(recorded: dict[str, Any]) -> dict[str, Any]:
    raw = recorded.get("raw_body") or ""
    if "json" in recorded["headers"].get("Content-Type", ""):
        parsed: dict[str, Any] = json.loads(raw)
        return parsed
    body: dict[str, Any] = {}
    for key, value in parse_qsl(raw, keep_blank_values=True):
        body[key] = f"{body[key]},{value}" if key in body else value
    return body


def _case(exchange: dict[str, Any], request: Request, host: Host) -> Case:
    response, before = exchange["response"], exchange["before"]
    body = response.get("json") or {}
    data = body.get("data")
    entries = data if isinstance(data, list) else [dict(data, iface=request.iface)] if data else []
    up = frozenset(entry["iface"] for entry in entries if entry.get("active"))
    return Case(
        name=exchange["name"],
        request=request,
        host=replace(host, up=up),
        applied=before["interfaces"],
        staged=before["interfaces.new"],
        expected=_expected(response["status"], response["reason"], body, exchange["after"]["interfaces.new"]),
    )


def _expected(status: int, reason: str, body: dict[str, Any], staged: str | None) -> Answer:
    return Answer(
        status=status,
        reason=reason,
        errors=body.get("errors"),
        data=body.get("data"),
        changes=body.get("changes"),
        staged=staged,
    )
