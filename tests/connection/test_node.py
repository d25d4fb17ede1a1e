"""The HTTP that leaves, over recordings of the real API."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from recorded import Recorded, load, named

from pvenet import errors
from pvenet.apply.steps import send
from pvenet.changes import Change, Create, Update
from pvenet.cluster import members, names
from pvenet.connection import AnswerLost, Connection
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.session import Token
from pvenet.model import Bond, Bridge
from pvenet.node import Node

if TYPE_CHECKING:
    from recorded import Exchange

BOND = {"iface": "bond0", "type": "bond"}
TOKEN = Token(id="root@pam!full", secret="11111111-1111-1111-1111-111111111111")


def at(adapter: Recorded, token: Token = TOKEN) -> Node:
    return Node(Connection([Endpoint(host="pve1", adapter=adapter)], token), "pve1")


def over(place: str, *picked: str) -> tuple[Node, Recorded]:
    adapter = Recorded(named(place, *picked))
    return at(adapter), adapter


def test_the_walkthrough_is_what_the_real_api_was_asked() -> None:
    """Read, set, create, create, read, reload, wait, log, read: the recorded requests, ours a shorter update."""
    exchanges = [each for each in load("walkthrough/exchanges.jsonl") if each["name"] != "W002-get-vmbr0"]
    ours = {"type": "bridge", "cidr": "192.168.171.21/24", "bridge_ports": "ens33 ens37"}
    adapter = Recorded(exchanges, forms={"W003-set-vmbr0": ours})
    node = at(adapter)

    vmbr0 = node.read().network.interfaces["vmbr0"]
    assert isinstance(vmbr0, Bridge)
    steps: list[Change] = [
        Update(before=vmbr0, after=replace(vmbr0, ports=("ens33", "ens37"))),
        Create(after=Bond(name="bond0", slaves=("ens38", "ens39"))),
        Create(after=Bridge(name="vmbr1", ports=("bond0",), comments="For tagged traffic")),
    ]
    for step in steps:
        send(node, step)
    assert node.read().changes
    upid = node.reload()
    assert node.task(upid).running
    assert node.task(upid).ok
    assert node.log(upid) == ("TASK OK",)
    applied = node.read()
    assert applied.changes is None
    assert applied.network.links["bond0"].active
    adapter.finish()


def test_a_token_needs_no_csrf_and_follows_no_environment() -> None:
    """Each request carries the token's header, and nothing of ~/.netrc."""
    node, adapter = over("exchanges/B.jsonl", "B003")
    node.read()
    assert adapter.seen[0].headers["Authorization"] == f"PVEAPIToken={TOKEN.id}={TOKEN.secret}"
    assert "CSRFPreventionToken" not in adapter.seen[0].headers


def test_the_pending_diff_is_equal_at_another_time() -> None:
    """PVE's two header lines carry timestamps; two readings of one state are equal without them."""
    node, _ = over("exchanges/B.jsonl", "B039")
    reading = node.read()
    assert reading.changes is not None
    assert reading.changes.startswith("--- /etc/network/interfaces\t")
    assert reading.pending is not None
    assert reading.pending.startswith("--- /etc/network/interfaces\n+++ /etc/network/interfaces.new\n@@")


def test_a_wrong_token_is_an_authentication_failure() -> None:
    """401 with an empty body; the secret is in no text."""
    wrong = Token(id="root@pam!full", secret="99999999-1111-1111-1111-111111111111")
    node = at(Recorded(named("exchanges/A.jsonl", "A003")), wrong)
    with pytest.raises(errors.AuthenticationFailed) as caught:
        node.read()
    assert "root@pam!full" in caught.value.message
    assert wrong.secret not in repr(caught.value.__dict__)
    assert caught.value.exit_code == 5


def test_a_missing_privilege_names_itself_and_the_way_to_it() -> None:
    """403: which privilege, on which path, and the `pveum` lines; not read from PVE's prose."""
    node = at(Recorded(named("exchanges/A.jsonl", "A048")), Token(id="nobody@pve!none", secret="x"))
    with pytest.raises(errors.PermissionMissing) as caught:
        node._ask(lambda: node.connection.post("nodes", "pve1", "network", form=BOND), "Sys.Modify")
    assert (caught.value.privilege, caught.value.path) == ("Sys.Modify", "/nodes/pve1")
    assert "pveum acl modify /nodes/pve1 --tokens 'nobody@pve!none'" in caught.value.hint


def test_an_unknown_node_is_told_with_the_known_ones() -> None:
    """PVE answers 500 with a failed lookup; the nodes that exist are asked for and named."""
    adapter = Recorded(named("exchanges/A.jsonl", "A066", "A061"))
    node = Node(Connection([Endpoint(host="pve1", adapter=adapter)], TOKEN), "nope")
    with pytest.raises(errors.UsageError, match="no node nope") as caught:
        node.read()
    assert "pve1" in caught.value.hint
    adapter.finish()


def test_a_node_whose_name_is_in_another_case_is_told_with_the_nearest() -> None:
    """PVE takes PVE1 for another node and can't reach it: no question whether it is online."""
    adapter = Recorded([*_unproxied("PVE1"), *named("exchanges/A.jsonl", "A061")])
    node = Node(Connection([Endpoint(host="pve1", adapter=adapter)], TOKEN), "PVE1")
    with pytest.raises(errors.UsageError, match="no node PVE1") as caught:
        node.read()
    assert "did you mean pve1?" in caught.value.hint
    adapter.finish()


def test_of_a_node_that_has_answered_nobody_is_asked_whether_it_is_there() -> None:
    """It is away, perhaps for the reload that we wait for."""
    adapter = Recorded([*named("exchanges/B.jsonl", "B003"), *_unproxied("pve1")])
    node = at(adapter)
    node.read()
    with pytest.raises(errors.Unreachable, match="595"):
        node.read()
    adapter.finish()


def _unproxied(name: str) -> list[Exchange]:
    """A listing that the endpoint could not get from a node of this name, asked for twice."""
    (listing,) = named("exchanges/B.jsonl", "B003")
    request = {**listing["request"], "path": listing["request"]["path"].replace("pve1", name)}
    answer = {**listing["response"], "status": 595, "reason": "Connection refused", "body": "", "json": None}
    return [{**listing, "request": request, "response": answer}] * 2


def test_the_cluster_knows_the_nodes_and_their_addresses() -> None:
    """GET /nodes and GET /cluster/status."""
    node, _ = over("exchanges/A.jsonl", "A061", "A064")
    assert names(node.connection) == ("pve1",)
    assert members(node.connection)[0].address == "192.168.171.21"


def _refused(place: str) -> list[Exchange]:
    return [
        each
        for each in load(place)
        if each["request"]["method"] == "POST"
        and each["request"]["path"].endswith("/network")
        and each["response"]["status"] in (400, 500)
        and each["request"]["form"]
    ]


@pytest.mark.parametrize("exchange", _refused("exchanges/C.jsonl"), ids=lambda each: each["name"])
def test_a_refusal_keeps_what_pve_said(exchange: Exchange) -> None:
    """Status, and PVE's text for each parameter or as a whole; nothing is guessed."""
    nodes = named("exchanges/A.jsonl", "A061") if exchange["response"]["status"] == 500 else []
    node = at(Recorded([exchange, *nodes]))
    form = {key: str(value) for key, value in exchange["request"]["form"].items()}
    with pytest.raises(errors.RefusedByPVE) as caught:
        node._ask(lambda: node.connection.post("nodes", "pve1", "network", form=form), "Sys.Modify")
    said = exchange["response"]["json"]
    assert caught.value.status == exchange["response"]["status"]
    for text in (said.get("errors") or {"": said["message"]}).values():
        assert text.strip() in caught.value.message


@pytest.mark.parametrize("status", [502, 595, 596, 597, 598, 599])
def test_a_proxied_write_that_fails_on_the_way_is_settled_by_reading(status: int) -> None:
    """595 to 599 may or may not have acted: the listing tells, and nothing is sent twice."""
    lost, listing = named("exchanges/B.jsonl", "B038", "B039")
    lost = {**lost, "response": {**lost["response"], "status": status, "reason": "Connection refused", "body": ""}}
    adapter = Recorded([lost, listing])
    send(at(adapter), Create(after=Bond(name="bond0", slaves=("ens38", "ens39"), autostart=False)))
    adapter.finish()


def test_a_write_that_did_not_arrive_is_an_error() -> None:
    """The listing without the new bond proves that nothing was staged."""
    lost, listing = named("exchanges/B.jsonl", "B038", "B003")
    lost = {**lost, "response": {**lost["response"], "status": 595, "reason": "Connection refused", "body": ""}}
    with pytest.raises(errors.Unreachable, match="bond0 was not created on pve1"):
        send(
            at(Recorded([lost, listing])),
            Create(after=Bond(name="bond0", slaves=("ens38", "ens39"), autostart=False)),
        )


def test_a_reload_without_an_answer_is_not_sent_again() -> None:
    """The caller has to find its task."""
    (lost,) = named("exchanges/B.jsonl", "B045")
    lost = {**lost, "response": {**lost["response"], "status": 596, "reason": "Broken pipe", "body": ""}}
    adapter = Recorded([lost])
    with pytest.raises(AnswerLost):
        at(adapter).reload()
    adapter.finish()


@pytest.mark.parametrize("body", ["<html>hello</html>", '{"data":[{"iface":', "[]", '{"data":{}}', ""])
def test_what_is_not_pves_answer_is_told_as_such(body: str) -> None:
    """HTML, half a JSON, another JSON: no traceback, and a hint at host and port."""
    (listing,) = named("exchanges/B.jsonl", "B003")
    node = at(Recorded([{**listing, "response": {**listing["response"], "body": body}}]))
    with pytest.raises(errors.NotPVE) as caught:
        node.read()
    assert "8006" in caught.value.hint or "port" in caught.value.hint


def test_reload_tasks_are_told_apart_by_their_end() -> None:
    """A task list's `status` is the exit text; what runs has no endtime (pve-api#task-list)."""
    lists = [each for each in load("exchanges/E.jsonl") if each["request"]["path"].endswith("/nodes/pve1/tasks")]
    assert lists
    for exchange in lists:
        node = at(Recorded([exchange]))
        for entry in exchange["response"]["json"]["data"]:
            if entry["type"] == "srvreload":
                task = node_tasks(node, exchange)[entry["upid"]]
                assert task == ("endtime" not in entry)


def node_tasks(node: Node, exchange: Exchange) -> dict[str, bool]:
    """The running flags as `reloads` reads them."""
    adapter = Recorded([exchange])
    fresh = at(adapter)
    assert node.name == fresh.name
    return {upid: task.running for upid, task in fresh.reloads().items()}
