"""One request, one answer: in one write, within one time, and not without end; over sockets on loopback."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import resource
import socket
import ssl
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
import requests
from clock import FakeTime
from loopback import GET, POST, TOKEN, Loopback, Talk, change, connections, failed, polite
from requests.adapters import BaseAdapter

from pvenet import errors
from pvenet.connection import AnswerLost, Connection, NotReached, Trust
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.exchange import MAX_BODY
from pvenet.connection.session import Password
from pvenet.sim.http.certificate import certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from loopback import Connect

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"
"""Of a server that ends after it, and says so: else the next request may go into what is about to be closed."""


@pytest.fixture
def connect() -> Iterator[Connect]:
    yield from connections()


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key."""
    return certificate(tmp_path_factory.mktemp("certificate"))[0]


def answering(data: bytes) -> Callable[[Talk, int], None]:
    """Answers every request with these bytes, at once, and ends."""

    def behave(talk: Talk, _number: int) -> None:
        if talk.request():
            talk.link.sendall(data)

    return behave


# --- within one time -------------------------------------------------------------------------------------------------

TRICKLES = {
    "head": (b"", HEAD + b"X: y\r\n" * 1000),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "body": (HEAD + b"Content-Length: 5000\r\n\r\n", b" " * 5000),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 1000),
    "a chunk's length": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 5000),
    "trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 1000),
    "until the end": (HEAD + b"\r\n", b" " * 5000),
}


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("name", TRICKLES)
def test_who_trickles_is_given_up_in_time(connect: Connect, pem: Path, name: str, *, tls: bool) -> None:
    """A byte now and then outlasts no deadline: neither a read's nor a change's, and nothing is asked again."""
    whole, drops = TRICKLES[name]

    def trickle(talk: Talk, _number: int) -> None:
        talk.request()
        talk.link.sendall(whole)
        talk.trickle(drops)

    with Loopback(trickle, certificate=pem if tls else None) as server:
        connection = connect(server.endpoint(), trust=Trust(ca_file=pem))
        error = failed(errors.Unreachable, lambda: connection.get("version", timeout=0.3))
        assert "did not answer in time" in error.message
        lost = failed(
            AnswerLost, lambda: connection.post("nodes", "pve1", "network", form={"iface": "bond0"}, timeout=0.3)
        )
        assert "did not answer in time" in lost.message
        assert server.seen == [GET, POST]


def test_a_slow_answer_that_comes_in_time_is_one(connect: Connect) -> None:
    """Byte by byte."""
    data = HEAD + b'Content-Length: 14\r\n\r\n{"data": "ok"}'

    def trickle(talk: Talk, _number: int) -> None:
        talk.request()
        talk.trickle(data, 0.001)

    with Loopback(trickle) as server:
        assert connect(server.endpoint()).get("version", timeout=20).data == "ok"


@pytest.mark.parametrize("verb", ["get", "post", "put", "delete"])
def test_every_verb_takes_its_time(connect: Connect, verb: str) -> None:
    """Seconds for the whole answer."""
    form = {"form": {"iface": "bond0"}} if verb in ("post", "put") else {}
    with Loopback(lambda talk, _: (talk.request(), talk.request(), None)[2]) as hole:
        connection = connect(hole.endpoint())
        with pytest.raises(errors.Unreachable, match="did not answer in time"):
            getattr(connection, verb)("nodes", timeout=0.1, **form)


@pytest.mark.parametrize(("before", "then", "comes"), [(0.5, 20.0, True), (20.0, 0.5, False)])
def test_a_request_over_a_kept_connection_has_its_own_time(
    connect: Connect, before: float, then: float, *, comes: bool
) -> None:
    """More or less of it than the one before: here for an answer that takes a second."""

    def behave(talk: Talk, _number: int) -> None:
        while talk.request():
            time.sleep(1.0 if len(talk.seen) > 1 else 0.0)
            talk.data("ok")

    with Loopback(behave) as server:
        connection = connect(server.endpoint())
        assert connection.get("version", timeout=before).data == "ok"
        if comes:
            assert connection.get("version", timeout=then).data == "ok"
        else:
            failed(AnswerLost, lambda: connection.put("version", timeout=then))
        assert server.connections == 1


@pytest.mark.parametrize("timeout", [float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(connect: Connect, timeout: float) -> None:
    """Before anything is asked."""
    with Loopback(polite) as server:
        connection = connect(server.endpoint())
        failed(errors.UsageError, lambda: connection.get("version", timeout=timeout))
        failed(errors.UsageError, lambda: connection.put("version", timeout=timeout))
        assert server.seen == []


@pytest.mark.parametrize("timeout", [0, -1])
def test_no_time_at_all_is_over_before_anything_is_sent(connect: Connect, timeout: float) -> None:
    """A deadline that has passed asks nothing."""
    with Loopback(polite) as server:
        connection = connect(server.endpoint())
        failed(NotReached, lambda: connection.put("version", timeout=timeout))
        assert server.seen == []


def test_more_time_than_a_socket_takes_is_as_good_as_a_day(connect: Connect) -> None:
    """It is no number that a socket refuses."""
    with Loopback(polite) as server:
        assert connect(server.endpoint()).get("version", timeout=1e300).data is None


class Trickling(io.BytesIO):
    """A body in process; each byte takes a second of the test's clock."""

    def __init__(self, body: bytes, clock: FakeTime) -> None:
        super().__init__(body)
        self._clock = clock

    def read(self, size: int | None = -1) -> bytes:
        self._clock.sleep(1)
        return super().read(1 if size else 0)


class InProcess(BaseAdapter):
    """Answers with a body that trickles."""

    def __init__(self, body: bytes, clock: FakeTime) -> None:
        super().__init__()
        self._body, self._clock = body, clock

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        response = requests.Response()
        response.status_code, response.reason, response.request = 200, "OK", request
        response.raw = Trickling(self._body, self._clock)
        return response

    def close(self) -> None:
        """Nothing is open."""


def test_in_process_the_clock_is_the_one_that_was_given() -> None:
    """A body of 100 bytes, a second each, has not come after 40 seconds; nor within the 200 of a patient one it has."""
    clock = FakeTime()
    begun = clock.clock()
    adapter = InProcess(b'{"data": null}'.ljust(100), clock)
    connection = Connection([Endpoint(host="sim.invalid", adapter=adapter)], TOKEN, clock=clock.clock)
    failed(AnswerLost, lambda: change(connection))
    assert clock.clock() - begun < 45
    assert connection.get("version", timeout=200).data is None


# --- not without end -------------------------------------------------------------------------------------------------

FLOOD = 3 * MAX_BODY


def bomb(size: int) -> bytes:
    """Zeros, packed."""
    return gzip.compress(bytes(size))


def packed(data: bytes, encoding: str = "gzip", status: bytes = b"200 OK") -> bytes:
    head = HEAD.replace(b"200 OK", status) + f"Content-Encoding: {encoding}\r\nLocation: /\r\n".encode()
    return head + f"Content-Length: {len(data)}\r\n\r\n".encode() + data


FLOODS: dict[str, Callable[[], bytes]] = {
    "body": lambda: HEAD + f"Content-Length: {FLOOD}\r\n\r\n".encode() + b" " * FLOOD,
    "a length beyond all": lambda: HEAD + b"Content-Length: 1000000000000000\r\n\r\n" + b" " * 100,
    "until the end": lambda: HEAD + b"\r\n" + b" " * FLOOD,
    "a chunk's length": lambda: HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * FLOOD,
    "a chunk beyond all": lambda: HEAD + b"Transfer-Encoding: chunked\r\n\r\n38D7EA4C68000\r\nabc",
    "a chunk beyond all numbers": lambda: HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"F" * 100 + b"\r\nabc",
    "trailer": lambda: HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * (FLOOD // 6),
    "a line of the head": lambda: HEAD + b"X: " + b"y" * FLOOD,
    "lines of the head": lambda: HEAD + b"X: y\r\n" * (FLOOD // 6),
    "continue": lambda: b"HTTP/1.1 100 Continue\r\n\r\n" * (FLOOD // 25),
    "packed": lambda: packed(bomb(20 * MAX_BODY)),
    "packed twice": lambda: packed(gzip.compress(bomb(20 * MAX_BODY)), "gzip, gzip"),
    "packed, and a redirect": lambda: packed(bomb(20 * MAX_BODY), status=b"302 Found"),
    "packed, and a refusal": lambda: packed(bomb(20 * MAX_BODY), status=b"400 no"),
    "packed otherwise": lambda: packed(b"anything", "br"),
    "packed and broken": lambda: packed(bomb(1000)[:10] + b"broken"),
    "packed and cut": lambda: packed(gzip.compress(b'{"data": null}'.ljust(1000))[:-4]),
    "a length that is none": lambda: HEAD + b"Content-Length: -5\r\n\r\n",
    "two lengths": lambda: HEAD + b"Content-Length: 5, 6\r\n\r\n",
    "no HTTP": lambda: b"\x15\x03\x03\x00\x02\x02\x28" + b"SSH-2.0",
    "a status that is none": lambda: b"HTTP/1.1 abc OK\r\n\r\n",
    "a place that is none": lambda: (
        HEAD.replace(b"200", b"302") + b"Location: http://[\xff\r\nContent-Length: 0\r\n\r\n"
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_an_answer_without_end_is_none_of_pves(connect: Connect, name: str) -> None:
    """However it is made; a change's answer is lost, and neither takes time without end."""
    with Loopback(answering(FLOODS[name]())) as server:
        connection = connect(server.endpoint())
        with pytest.raises(errors.Unreachable):
            connection.get("version")
        asked = len(server.seen)
        failed(AnswerLost, lambda: change(connection))
    assert server.seen[asked:] == [POST]


@pytest.mark.parametrize("name", [name for name in FLOODS if name.startswith(("packed", "body", "a chunk"))])
def test_an_answer_takes_no_memory_without_end(connect: Connect, name: str) -> None:
    """A megabyte that is packed well would take a thousand times as much."""
    with Loopback(answering(FLOODS[name]())) as server:
        connection = connect(server.endpoint())
        tracemalloc.start()
        with pytest.raises(errors.Unreachable):
            connection.get("version")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 * MAX_BODY


def test_an_answer_that_is_too_large_says_so(connect: Connect) -> None:
    """And is not asked for again."""
    with Loopback(answering(packed(bomb(2 * MAX_BODY)))) as server:
        error = failed(errors.NotPVE, lambda: connect(server.endpoint()).get("version"))
        assert "more than" in error.message
        assert server.seen == [GET]


@pytest.mark.parametrize("name", ["packed otherwise", "packed and broken", "packed and cut"])
def test_an_answer_that_can_not_be_unpacked_is_none_of_pves(connect: Connect, name: str) -> None:
    """It has come, and is not asked for again."""
    with Loopback(answering(FLOODS[name]())) as server:
        error = failed(errors.NotPVE, lambda: connect(server.endpoint()).get("version"))
        assert "answers, but not as PVE's API does" in error.message
        assert server.seen == [GET]


class Raises(BaseAdapter):
    """Fails as `requests` does."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def send(self, *_: Any, **__: Any) -> requests.Response:
        raise self._error

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (requests.ConnectionError("by the peer"), "cut the connection"),
        (requests.exceptions.SSLError("record layer failure"), "cut the connection"),
        (requests.ReadTimeout("of 40 s"), "did not answer in time"),
        (OSError("something else"), "failed: something else"),
    ],
)
def test_what_requests_raises_in_process_is_told_as_over_the_network(error: Exception, said: str) -> None:
    """By the names of its classes, as nothing of it is loaded for that."""
    connection = Connection([Endpoint(host="sim.invalid", adapter=Raises(error))], TOKEN)
    assert said in failed(AnswerLost, lambda: change(connection)).message


def test_an_answer_of_some_megabytes_is_one(connect: Connect) -> None:
    """Packed or not: a long list, a node's report."""
    body = b'{"data": "' + b"x" * (MAX_BODY // 2) + b'"}'
    for data in (packed(gzip.compress(body)), HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body):
        with Loopback(answering(data)) as server:
            assert len(connect(server.endpoint()).get("version").data) == MAX_BODY // 2


def test_no_body_is_none_whatever_it_would_be_packed_with(connect: Connect) -> None:
    """A refusal of the credentials has none, and is one."""
    with Loopback(answering(packed(b"", status=b"401 No ticket"))) as server:
        failed(errors.AuthenticationFailed, lambda: connect(server.endpoint()).get("version"))


# --- in one write, and from its first byte on ------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_head_and_body_leave_in_one_write(
    connect: Connect, pem: Path, monkeypatch: pytest.MonkeyPatch, *, tls: bool
) -> None:
    """PVE hangs up on a tenth of the requests with a ticket that come in two."""
    writes: list[bytes] = []
    kind = ssl.SSLSocket if tls else socket.socket
    real = kind.sendall

    def sendall(link: Any, data: bytes, *args: Any) -> None:
        writes.append(bytes(data))
        real(link, data, *args)

    with Loopback(polite, certificate=pem if tls else None) as server:
        monkeypatch.setattr(kind, "sendall", sendall)
        change(connect(server.endpoint(), trust=Trust(ca_file=pem)))
    asked = [data for data in writes if b"POST" in data]
    assert len(asked) == 1
    assert asked[0].endswith(b"\r\n\r\niface=bond0")
    assert b"iface=bond0" not in [data for data in writes if data not in asked]


def test_a_change_that_was_cut_within_the_handshake_was_not_sent(connect: Connect, pem: Path) -> None:
    """Another endpoint gets it; and alone it is not reached, rather than lost."""
    with Loopback(polite, certificate=pem, cut=9) as server, Loopback(polite, certificate=pem) as other:
        change(connect(server.endpoint(), other.endpoint(), trust=Trust(ca_file=pem)))
        assert (server.seen, other.seen) == ([], [POST])
        failed(NotReached, lambda: change(connect(server.endpoint(), trust=Trust(ca_file=pem))))


def test_a_change_that_waited_for_a_handshake_was_not_sent(connect: Connect) -> None:
    """Who takes the connection and says nothing is there, and did not answer in time."""
    with Loopback(lambda talk, _: (talk.request(), None)[1]) as hole:
        connection = connect(Endpoint(host="127.0.0.1", port=hole.port))
        error = failed(
            NotReached, lambda: connection.post("nodes", "pve1", "network", form={"iface": "bond0"}, timeout=0.3)
        )
        assert "did not answer in time" in error.message


def test_a_change_that_met_no_tls_was_not_sent(connect: Connect) -> None:
    """HTTP where HTTPS was asked."""
    with Loopback(lambda talk, _: talk.answer("what?", "400 Bad Request")) as server:
        failed(NotReached, lambda: change(connect(Endpoint(host="127.0.0.1", port=server.port))))


@pytest.mark.parametrize("alert", [b"\x15\x03\x03\x00\x02\x02\x28", b"\x17\x03\x03\x00\x05short", b"\x00" * 50])
@pytest.mark.parametrize("stays", [False, True])
def test_a_failure_of_tls_after_a_change_loses_its_answer(
    connect: Connect, pem: Path, alert: bytes, *, stays: bool
) -> None:
    """An alert, a broken record; also where the server shows no certificate afterwards."""

    def spoil(talk: Talk, _number: int) -> None:
        talk.request()
        os.write(talk.link.fileno(), alert)
        if not stays:
            server._socket.shutdown(socket.SHUT_RDWR)  # nobody can look at its certificate

    with Loopback(spoil, certificate=pem) as server, Loopback(polite, certificate=pem) as other:
        connection = connect(server.endpoint(), other.endpoint(), trust=Trust(ca_file=pem))
        failed(AnswerLost, lambda: change(connection))
        assert (server.seen, other.seen) == ([POST], [])


@pytest.mark.parametrize("ticket", ["t\r\nX: y", "\u20ac", "", 7, None])
def test_a_ticket_that_is_no_header_is_no_login(ticket: object) -> None:
    """Nothing of it is sent; the change has not been sent either."""

    def enter(talk: Talk, _number: int) -> None:
        while talk.request():
            talk.data({"ticket": ticket, "CSRFPreventionToken": "x"})

    with Loopback(enter) as server:
        connection = Connection([server.endpoint()], Password(user="root@pam", password="x"))
        with pytest.raises(errors.NotPVE, match="log in"):
            change(connection)
        connection.close()
        assert len(server.seen) == 1


# --- an answer is that of its request -------------------------------------------------------------------------------

KEPT = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
RIGHT, WRONG = (KEPT + b"Content-Length: 17\r\n\r\n" + data for data in (b'{"data": "right"}', b'{"data": "wrong"}'))
MORE = {
    "in one record": (RIGHT.ljust(io.DEFAULT_BUFFER_SIZE) + WRONG, b""),
    "after what came early": (b"HTTP/1.1 103 Early Hints\r\n\r\n", WRONG),
    "after a switch": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", WRONG),
    "after what has no body": (b"HTTP/1.1 204 No Content\r\nContent-Length: 17\r\n\r\n", WRONG),
}


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("name", MORE)
def test_what_comes_after_an_answer_is_not_that_of_the_next_request(
    connect: Connect, pem: Path, name: str, *, tls: bool
) -> None:
    """Else a change that was never made would count as made."""
    first, rest = MORE[name]

    def more(talk: Talk, number: int) -> None:
        talk.request()
        talk.link.sendall(first if number == 1 else RIGHT)
        if talk.request():
            talk.link.sendall(rest)

    with Loopback(more, certificate=pem if tls else None) as server:
        connection = connect(server.endpoint(), trust=Trust(ca_file=pem))
        with contextlib.suppress(AnswerLost):
            assert change(connection) == "right"
        assert change(connection) == "right"
        assert (server.seen, server.connections) == ([POST, POST], 2)


# --- a machine that has no more to give ------------------------------------------------------------------------------


@pytest.fixture
def no_files() -> Iterator[Callable[[], None]]:
    """Lets the process open no more files, until the test ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_without_a_file_to_open_nothing_is_sent(
    connect: Connect, pem: Path, no_files: Callable[[], None], *, tls: bool
) -> None:
    """The error says that it is this machine."""
    with Loopback(polite, certificate=pem if tls else None) as server:
        connection = connect(server.endpoint(), trust=Trust(ca_file=pem))
        no_files()
        error = failed(NotReached, lambda: change(connection))
        assert "this machine" in error.message
        assert "ulimit" in error.hint
        assert server.seen == []


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_is_read_once(connect: Connect, pem: Path, tmp_path: Path, content: str | None) -> None:
    """Whatever becomes of it after the connection was made: what it held then is trusted."""
    ca = tmp_path / "ca.pem"
    ca.write_bytes(pem.read_bytes())
    with Loopback(polite, certificate=pem) as server:
        connection = connect(server.endpoint(), trust=Trust(ca_file=ca))
        ca.unlink()
        if content is not None:
            ca.write_text(content)
        change(connection)
        assert server.seen == [POST]


def test_an_address_that_is_no_name_has_no_addresses() -> None:
    """A cluster may call a member anything."""
    assert Endpoint(host="x" * 70).addresses() == frozenset()
    assert Endpoint(host="a..b").addresses() == frozenset()
