"""A node's report and its bridges, asked for: once, one at a time, and without a trace of what nobody may see."""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from kernel_texts import KERNEL, REPORTS, report
from loopback import TOKEN, Loopback, Says, connections

from pvenet import errors, observe
from pvenet.connection import Connection
from pvenet.connection.answers import Answer
from pvenet.connection.endpoint import Endpoint
from pvenet.kernel.report import read_report
from pvenet.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback import Connect, Talk

MARKER = "HUNTER2"
connect = pytest.fixture(connections)


def recorded(name: str) -> dict[str, Any]:
    """The answer of a recording."""
    lines = [
        json.loads(line) for path in KERNEL.glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return next(line["response"] for line in lines if line["name"] == name)


def saying(body: str, status: int = 200) -> Node:
    """A node that answers every request alike."""
    return Node(Connection([Endpoint(host="pve1", adapter=Says(body, status))], TOKEN), "pve1")


def as_recorded(name: str) -> Node:
    """A node that answers as a recording does."""
    response = recorded(name)
    return saying(response["body"], response["status"])


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_asked_for_and_read(name: str) -> None:
    """Each recorded one."""
    assert observe.report(saying(json.dumps({"data": report(name)}))) == read_report(report(name))


def test_the_bridges_are_asked_for_and_read() -> None:
    """What hangs on each of them."""
    bridges = observe.bridges(as_recorded("K1-bridges-003-guests"))
    assert any(port.vmid for bridge in bridges.values() for port in bridge.ports)


# --- what is missing -------------------------------------------------------------------------------------------------


def test_a_missing_right_to_the_report_is_named() -> None:
    """Sys.Audit, on the node."""
    with pytest.raises(errors.PermissionMissing, match=r"lacks Sys\.Audit on /nodes/pve1"):
        observe.report(as_recorded("K2-report-005-as-nobody-pve-none"))


@pytest.mark.parametrize(
    "name", ["K1-bridges-015-as-sysonly-pve-tok", "K1-bridges-016-as-nobody-pve-none", "K1-acl-018-see-zone-use"]
)
def test_a_missing_right_to_the_bridges_is_named(name: str) -> None:
    """SDN.Audit on the zone; SDN.Use, which shows bridges in a list, is not enough."""
    with pytest.raises(errors.PermissionMissing, match=r"lacks SDN\.Audit on /sdn/zones/localnetwork"):
        observe.bridges(as_recorded(name))


def test_an_old_release_offers_no_bridges() -> None:
    """And is named as that, with what tells it instead."""
    with pytest.raises(observe.NotOffered, match=r"pve1 .* older than 9\.1") as caught:
        observe.bridges(as_recorded("K1-bridges-034-older"))
    assert "report" in caught.value.hint


@pytest.mark.parametrize("body", [json.dumps({"data": f"{MARKER}\n==== info about network ====\n{MARKER}"}), "{}"])
def test_what_is_no_report_is_not_believed(body: str) -> None:
    """And not shown."""
    with pytest.raises(errors.PvenetError) as caught:
        observe.report(saying(body))
    assert MARKER not in "".join(traceback.format_exception(caught.value))


def test_bridges_of_other_types_are_not_believed() -> None:
    """The error names the node."""
    with pytest.raises(observe.ReportUnreadable, match="the list of bridges of pve1"):
        observe.bridges(saying(json.dumps({"data": [{"name": "vmbr0", "vlan_filtering": MARKER, "ports": []}]})))


def test_an_answer_shows_nothing_of_its_data() -> None:
    """Where somebody prints it, or an error's traceback does."""
    assert MARKER not in repr(Answer(data=MARKER, beside={"changes": MARKER}))


# --- once, and one at a time -----------------------------------------------------------------------------------------


def late(talk: Talk, _number: int) -> None:
    """PVE's answer where a report takes longer than it gets."""
    while talk.request():
        talk.answer("", "596 Connection timed out")


def hangs_up(talk: Talk, _number: int) -> None:
    """The connection ends without an answer."""
    talk.request()


def silent(talk: Talk, _number: int) -> None:
    """Nothing comes."""
    while talk.request():
        time.sleep(0.01)


@pytest.mark.parametrize("behave", [late, hangs_up, silent])
def test_a_report_that_was_lost_is_asked_for_once(connect: Connect, behave: Callable[[Talk, int], None]) -> None:
    """Neither again at once, nor of another endpoint, nor by the next who wants one: the node still makes it."""
    with Loopback(behave) as server, Loopback(behave) as other:
        node = Node(connect(server.endpoint(), other.endpoint()), "pve1")
        with pytest.raises(observe.ReportLost, match="pve1 does not return a report") as first:
            observe.report(node, timeout=0.3)
        with pytest.raises(observe.ReportLost) as second:
            observe.report(node)
        assert second.value is first.value
        assert len(server.seen) + len(other.seen) == 1


def test_a_report_that_was_never_sent_may_be_asked_for_again(connect: Connect) -> None:
    """An endpoint at which nobody answers keeps no worker busy: the next one is asked."""
    with Loopback(late) as gone:
        closed = gone.endpoint()
    body = json.dumps({"data": report("vm-base")})

    def answers(talk: Talk, _number: int) -> None:
        while talk.request():
            talk.answer(body)

    with Loopback(answers) as server:
        node = Node(connect(closed, server.endpoint()), "pve1")
        assert observe.report(node).links
        assert server.seen == ["GET /api2/json/nodes/pve1/report"]


def test_two_reports_never_run_at_once(connect: Connect) -> None:
    """The second waits for the first."""
    body = json.dumps({"data": report("vm-base")})
    running, most, lock = [0], [0], threading.Lock()

    def answers(talk: Talk, _number: int) -> None:
        while talk.request():
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            time.sleep(0.05)
            with lock:
                running[0] -= 1
            talk.answer(body)

    with Loopback(answers) as server:
        node = Node(connect(server.endpoint()), "pve1")
        with ThreadPoolExecutor(3) as pool:
            assert len(list(pool.map(lambda _: observe.report(node), range(3)))) == 3
        assert (len(server.seen), most[0]) == (3, 1)


# --- what nobody may see ---------------------------------------------------------------------------------------------


def marked(name: str) -> str:
    """A recorded report with a marker in every line of every section but that of the network."""
    before, network, rest = report(name).partition("\n==== info about network ====\n")
    section, firewall, after = rest.rpartition("\n==== info about firewall ====\n")
    return "".join((_marked(before), network, section, firewall, _marked(after)))


def _marked(text: str) -> str:
    return "\n".join(
        line if line.startswith(("#", "====")) or not line else f"{line} {MARKER}" for line in text.split("\n")
    )


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """All that was logged, by whatever library at its loudest, and all that `--debug` shows."""
    for name in ("", "proxmoxer", "proxmoxer.core", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    return lambda: "\n".join(caplog.messages)


BODIES: dict[str, Callable[[str], str]] = {
    "sound": lambda text: json.dumps({"data": text}),
    "cut": lambda text: json.dumps({"data": text})[:-9],
    "no JSON": lambda text: text,
    "no text": lambda text: json.dumps({"data": [text]}),
    "no section": lambda text: json.dumps({"data": text.replace("info about network", "info")}),
    "an alias too long": lambda text: json.dumps(
        {"data": text.replace("    RX:", f"    alias {MARKER * 99}\n    RX:", 1)}
    ),
}


@pytest.mark.parametrize("status", ["200 OK", "500 Internal", "403 Forbidden", "596 late"])
@pytest.mark.parametrize("form", BODIES)
@pytest.mark.parametrize("name", REPORTS)
def test_nothing_of_other_sections_is_kept_or_shown(
    connect: Connect, shown: Callable[[], str], name: str, form: str, status: str
) -> None:
    """Neither in what is returned, nor in an error and its traceback, nor in `--debug`, nor in any library's log."""
    body, lines = BODIES[form](marked(name)), list[str]()

    def answers(talk: Talk, _number: int) -> None:
        while talk.request():
            talk.answer(body, status)

    with Loopback(answers) as server:
        node = Node(connect(server.endpoint(), debug=lines.append), "pve1")
        try:
            told = repr(observe.report(node))
        except errors.PvenetError as error:
            told = "".join((*traceback.format_exception(error), repr(error), repr(vars(error)), error.hint))
            assert status != "200 OK" or form != "sound"
        assert MARKER in body
        assert lines
        assert MARKER not in "\n".join((told, shown(), *lines, repr(vars(node)), repr(vars(node.connection))))
