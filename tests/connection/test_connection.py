"""What is sent where and how often, over sockets on loopback."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from loopback import GET, POST, SECRET, TOKEN, Loopback, Talk, change, closed_port, connections, failed, polite

import pvenet.connection
from pvenet import errors
from pvenet.connection import AnswerLost, Connection
from pvenet.connection.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loopback import Connect


@pytest.fixture
def connect() -> Iterator[Connect]:
    yield from connections()


def dead() -> Endpoint:
    return Endpoint(host="127.0.0.1", port=closed_port(), scheme="http")


# --- nobody there ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("send", [lambda connection: connection.get("version"), change])
def test_nothing_listening_is_unreachable(connect: Connect, send: Callable[..., object]) -> None:
    """Nothing listens: exit code 6, and the hint is about host and port."""
    connection = connect(dead())
    with pytest.raises(errors.Unreachable, match="nothing listens at") as caught:
        send(connection)
    assert not isinstance(caught.value, AnswerLost | errors.Untrusted)
    assert caught.value.exit_code == 6
    assert "8006" in caught.value.hint


def test_a_name_that_does_not_resolve_is_told_at_once(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is named; no second try, no waiting."""
    asked, resolve = [], socket.getaddrinfo

    def look_up(name: str, *more: Any) -> Any:
        asked.append(name)
        return resolve(name, *more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    error = failed(errors.Unreachable, lambda: connect(Endpoint(host="pve.invalid")).get("version"))
    assert error.message == "the name pve.invalid does not resolve"
    assert asked == ["pve.invalid"]


def test_who_accepts_and_never_answers_is_given_up(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read is not asked again after the full time; a change's answer is lost, and it is not sent twice."""
    monkeypatch.setattr(pvenet.connection, "READ_TIMEOUT", 0.5)
    with Loopback(lambda talk, _: (talk.request(), talk.request(), None)[2]) as hole:
        connection = connect(hole.endpoint())
        assert "did not answer in time" in failed(errors.Unreachable, lambda: connection.get("version")).message
        assert hole.seen == [GET]
        assert "did not answer in time" in failed(AnswerLost, lambda: change(connection)).message
        assert hole.seen == [GET, POST]


def test_who_begins_an_answer_and_stops_is_given_up(connect: Connect) -> None:
    """Silence within the body is silence, too."""

    def stall(talk: Talk, _number: int) -> None:
        talk.request()
        talk.answer('{"data"', length=100)
        talk.request()

    with Loopback(stall) as server:
        error = failed(errors.Unreachable, lambda: connect(server.endpoint()).get("version", timeout=0.5))
        assert "did not answer in time" in error.message
        assert server.seen == [GET]


# --- the connection that dies ----------------------------------------------------------------------------------------


def cut(*numbers: int) -> Callable[[Talk, int], None]:
    """The connections of these numbers are ended at their second request, without an answer."""

    def behave(talk: Talk, number: int) -> None:
        talk.request()
        talk.data(None)
        if number in numbers:
            talk.request()
        else:
            polite(talk, number)

    return behave


def test_a_read_is_asked_again_where_the_kept_alive_connection_was_dead(connect: Connect) -> None:
    """On a fresh connection, once."""
    with Loopback(cut(1)) as server:
        connection = connect(server.endpoint())
        connection.get("version")
        connection.get("version")
        assert (server.seen, server.connections) == ([GET] * 3, 2)


def test_a_cookie_goes_with_the_next_request(connect: Connect) -> None:
    """What a load balancer before several nodes knows by whom it has asked; what it says later joins that."""
    heads = []
    said = ["backend=two", "other=3"]

    def balance(talk: Talk, _number: int) -> None:
        while talk.request():
            heads.append(talk.head)
            cookies = [f"Set-Cookie: {said.pop(0)}; Path=/"] if said else []
            talk.answer('{"data": null}', "200 OK", *cookies)

    with Loopback(balance) as server:
        connection = connect(server.endpoint())
        for _ in range(3):
            connection.get("version")
    assert b"Cookie" not in heads[0]
    assert b"\r\nCookie: backend=two\r\n" in heads[1]
    assert b"\r\nCookie: backend=two; other=3\r\n" in heads[2]


def test_a_read_that_is_cut_twice_is_given_up(connect: Connect) -> None:
    """Two tries, then it is told."""
    with Loopback(lambda talk, _: (talk.request(), None)[1]) as server:
        error = failed(errors.Unreachable, lambda: connect(server.endpoint()).get("version"))
        assert "cut the connection" in error.message
        assert server.seen == [GET] * 2


def test_a_change_is_never_sent_twice(connect: Connect) -> None:
    """Its answer is lost: that is told, also where another endpoint stands by."""
    with Loopback(cut(1)) as server, Loopback(polite) as other:
        connection = connect(server.endpoint(), other.endpoint())
        connection.get("version")
        failed(AnswerLost, lambda: change(connection))
        assert (server.seen, other.seen) == ([GET, POST], [])


def test_a_change_does_not_start_on_a_connection_that_was_idle(connect: Connect) -> None:
    """PVE ends idle connections after 5 s: after 3 s a change takes a fresh one, before that the same."""
    now = [0.0]
    with Loopback(cut()) as server:
        connection = connect(server.endpoint(), clock=lambda: now[0])
        connection.get("version")
        now[0] += 2.9
        change(connection)
        assert server.connections == 1
        now[0] += 3.1
        change(connection)
        assert server.connections == 2


def test_a_connection_that_the_server_has_closed_is_not_used(connect: Connect) -> None:
    """As PVE does after every answer of 400 and above."""

    def refuse(talk: Talk, number: int) -> None:
        talk.request()
        talk.answer('{"data":null,"message":"no\\n"}', "400 no" if number == 1 else "200 OK", "Connection: close")

    with Loopback(refuse) as server:
        connection = connect(server.endpoint())
        assert failed(errors.RefusedByPVE, lambda: change(connection)).message == "no"
        change(connection)
        assert server.seen == [POST] * 2


# --- several endpoints -----------------------------------------------------------------------------------------------


def test_the_endpoint_that_answers_is_asked_first_from_then_on(connect: Connect) -> None:
    """The first is dead, the second answers, and later requests go there at once."""
    with Loopback(polite) as server:
        connection = connect(dead(), server.endpoint())
        connection.get("version")
        assert connection.endpoint == server.endpoint()
        change(connection)
        assert server.seen == [GET, POST]


def test_a_read_gives_every_endpoint_its_second_try(connect: Connect) -> None:
    """A dead first endpoint does not use up the tries of the second."""
    with Loopback(lambda talk, n: polite(talk, n) if n > 1 else None) as server:
        assert connect(dead(), server.endpoint()).get("version").data is None


def test_where_no_endpoint_answers_each_is_named(connect: Connect) -> None:
    """Both are in the message."""
    first, second = dead(), dead()
    message = failed(errors.Unreachable, lambda: connect(first, second).get("version")).message
    assert str(first) in message
    assert str(second) in message


def test_a_change_goes_on_only_from_an_endpoint_that_was_not_reached(connect: Connect) -> None:
    """Nothing listens at the first, so nothing was sent, and the second gets it, once."""
    with Loopback(polite) as server:
        change(connect(dead(), server.endpoint()))
        assert server.seen == [POST]


@pytest.mark.parametrize("status", ["502 Bad Gateway", "595 Connection refused", "599 Too many redirections"])
def test_an_endpoint_that_can_not_reach_the_node_is_not_the_last_word(connect: Connect, status: str) -> None:
    """A read goes on to the next endpoint; a change's answer is lost."""

    def relay(talk: Talk, _number: int) -> None:
        while talk.request():
            talk.answer("", status)

    with Loopback(relay) as peer, Loopback(polite) as node:
        assert connect(peer.endpoint(), node.endpoint()).get("version").data is None
        assert peer.seen == [GET] * 2
        assert status in failed(AnswerLost, lambda: change(connect(peer.endpoint(), node.endpoint()))).message


def test_what_http_can_not_ask_is_a_wrong_setting(connect: Connect) -> None:
    """And no answer that was lost."""
    failed(errors.UsageError, lambda: change(connect(Endpoint(host=""))))


def test_no_endpoint_is_a_wrong_setting() -> None:
    """A connection to nowhere is not made."""
    with pytest.raises(errors.UsageError, match="no endpoint"):
        Connection([], TOKEN)


# --- names and lines -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_ask_for_something_else_is_refused(connect: Connect, name: str) -> None:
    """DELETE of an interface without a name would throw away all that is pending."""
    with Loopback(polite) as server:
        failed(errors.UsageError, lambda: connect(server.endpoint()).delete("nodes", "pve1", "network", name))
        assert server.seen == []


def test_a_name_stays_one_part_of_the_path(connect: Connect) -> None:
    """Whatever letters it has; those of a UPID stay as they are."""
    with Loopback(polite) as server:
        connect(server.endpoint()).get("nodes", "a/../b?c#d e", "tasks", "UPID:pve1:0:root@pam!full:")
        assert server.seen == ["GET /api2/json/nodes/a%2F..%2Fb%3Fc%23d%20e/tasks/UPID:pve1:0:root@pam!full:"]


def test_debug_lines_tell_the_request_and_no_secret(connect: Connect) -> None:
    """Method, path, what was sent, status and time, a line a request; also where no answer came."""
    lines: list[str] = []
    with Loopback(polite) as server:
        connection = connect(server.endpoint(), debug=lines.append)
        connection.get("nodes", "pve1", "tasks", limit=5)
        connection.post("nodes", "pve1", "network", form={"iface": "bond0", "comments": "für\nzwei  Zeilen"})
        url = f"{server.endpoint()}/api2/json/nodes/pve1"
    with pytest.raises(errors.Unreachable):
        connection.get("version")
    assert [line.rpartition(" (")[0] for line in lines[:2]] == [
        f"GET {url}/tasks limit=5 -> 200 OK",
        f"POST {url}/network iface=bond0 comments=für\\nzwei  Zeilen -> 200 OK",
    ]
    assert "version -> no answer (0." in lines[2]
    assert lines[0].endswith(" s)")
    assert SECRET not in "".join(lines)


def test_another_connection_is_like_the_first(connect: Connect) -> None:
    """To the same endpoints with the same credentials, trust and ear."""
    lines: list[str] = []
    with Loopback(polite) as server:
        first = connect(server.endpoint(), debug=lines.append)
        first.get("version")
        another = first.another()
        another.get("version")
        assert len(server.seen) == 2
    assert len(lines) == 2
    assert (another.endpoints, another.credentials, another.trust) == (first.endpoints, first.credentials, first.trust)
    another.close()
