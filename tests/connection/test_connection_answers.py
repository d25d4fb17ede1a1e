"""What a strange answer is taken for; a server on loopback gives it."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import GET, POST, TOKEN, Loopback, Says, Talk, change, connections, failed, polite

from pvenet import errors
from pvenet.connection import AnswerLost, Connection, NodeNotReached
from pvenet.connection.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loopback import Connect

HTML = "<!DOCTYPE html><title>hello</title>"
REFUSED = '{"data":null,"message":"no\\n"}'


@pytest.fixture
def connect() -> Iterator[Connect]:
    yield from connections()


@pytest.mark.parametrize(
    ("body", "status", "read", "changed"),
    [
        (HTML, "200 OK", errors.NotPVE, AnswerLost),
        (HTML, "401 Unauthorized", errors.NotPVE, AnswerLost),
        (HTML, "403 Forbidden", errors.NotPVE, AnswerLost),
        (HTML, "500 Oops", errors.NotPVE, AnswerLost),
        (HTML, "503 Busy", errors.Unreachable, AnswerLost),
        ("", "200 OK", errors.NotPVE, AnswerLost),
        ('{"data": [1,', "200 OK", errors.NotPVE, AnswerLost),
        ("[]", "200 OK", errors.NotPVE, AnswerLost),
        ('{"no": "data"}', "200 OK", errors.NotPVE, AnswerLost),
        ("\udcff", "200 OK", errors.NotPVE, AnswerLost),
        ('{"data": "\udced\udca0\udc80"}', "200 OK", errors.NotPVE, AnswerLost),
        (r'{"data": ["\ud83d"]}', "200 OK", errors.NotPVE, AnswerLost),
        ('{"data": NaN}', "200 OK", errors.NotPVE, AnswerLost),
        ('{"data": 1e999}', "200 OK", errors.NotPVE, AnswerLost),
        ('{"data": ' + "9" * 5000 + "}", "200 OK", errors.NotPVE, AnswerLost),
        ("[" * 100_000, "200 OK", errors.NotPVE, AnswerLost),
        ('{"data": ' + "[" * 60 + "]" * 60 + "}", "200 OK", errors.NotPVE, AnswerLost),
        ("[" * 100_000, "400 Bad", errors.NotPVE, AnswerLost),
        ("null", "500 oops", errors.NotPVE, AnswerLost),
        ('{"message": "API rate limit exceeded"}', "403 Forbidden", errors.NotPVE, AnswerLost),
        ('{"data": {}, "message": "no"}', "400 Bad", errors.NotPVE, AnswerLost),
        ('{"data": null, "message": ["no"]}', "400 Bad", errors.RefusedByPVE, AnswerLost),
        ('{"data":null,"errors":[1],"message":null}', "400 Bad", errors.RefusedByPVE, AnswerLost),
        ("", "404 Not Found", errors.NotPVE, AnswerLost),
        ("", "500 Oops", errors.NotPVE, AnswerLost),
        ("", "302 Found", errors.NotPVE, AnswerLost),
        ("", "204 No Content", errors.NotPVE, AnswerLost),
        (REFUSED, "502 Bad Gateway", errors.Unreachable, AnswerLost),
        (REFUSED, "596 Broken pipe", NodeNotReached, AnswerLost),
        (REFUSED, "400 Parameter verification failed.", errors.RefusedByPVE, errors.RefusedByPVE),
        (REFUSED, "403 Permission check failed", errors.RefusedByPVE, errors.RefusedByPVE),
        (REFUSED, "424 Failed Dependency", errors.RefusedByPVE, errors.RefusedByPVE),
        (REFUSED, "500 bridge 'vmbr1' does not exist", errors.RefusedByPVE, errors.RefusedByPVE),
        (REFUSED, "401 authentication failure", errors.AuthenticationFailed, errors.AuthenticationFailed),
        ("", "401 Authentication failed!", errors.AuthenticationFailed, errors.AuthenticationFailed),
    ],
)
def test_a_strange_answer_is_one_clear_error(
    connect: Connect,
    body: str,
    status: str,
    read: type[errors.PvenetError],
    changed: type[errors.PvenetError],
) -> None:
    """HTML, broken JSON, a redirect, a status that PVE never has; a change may have acted all the same."""

    def behave(talk: Talk, _number: int) -> None:
        while talk.request():
            talk.answer(body.encode(errors="surrogateescape"), status, "Location: /elsewhere")

    with Loopback(behave) as server:
        connection = connect(server.endpoint())
        assert failed(read, lambda: connection.get("version")).message
        begun = len(server.seen)
        assert failed(changed, lambda: change(connection)).message
        assert len(server.seen) == begun + 1


GATEWAYS = (408, 425, 429, 502, 503, 504, 520, 522, 524, 530, *range(595, 600))


@pytest.mark.parametrize("status", GATEWAYS)
@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_a_gateway_s_word_proves_nothing(connect: Connect, status: int, kind: str) -> None:
    """It has given up on the node, or is busy itself: a change may have acted, and a read goes to the next endpoint."""

    def gateway(talk: Talk, _number: int) -> None:
        while talk.request():
            talk.answer("error code: 520", f"{status} Whatever", f"Content-Type: {kind}", "Server: pve-api-daemon/3.0")

    with Loopback(gateway) as server, Loopback(polite) as node:
        assert str(status) in failed(AnswerLost, lambda: change(connect(server.endpoint()))).message
        assert server.seen == [POST]
        assert connect(server.endpoint(), node.endpoint()).get("version").data is None


@pytest.mark.parametrize("kind", ["text/html", "text/plain;charset=UTF-8", "application/jsonp"])
@pytest.mark.parametrize(("body", "status"), [('{"data": null}', "200 OK"), (REFUSED, "400 no")])
def test_another_content_type_is_not_pves(connect: Connect, kind: str, body: str, status: str) -> None:
    """Whatever stands in the body."""

    def behave(talk: Talk, _number: int) -> None:
        while talk.request():
            talk.answer(body, status, f"Content-Type: {kind}")

    with Loopback(behave) as server:
        failed(errors.NotPVE, lambda: connect(server.endpoint()).get("version"))
        failed(AnswerLost, lambda: change(connect(server.endpoint())))


def test_of_a_reload_not_even_a_500_proves_a_thing(connect: Connect) -> None:
    """The caller says so; a 400 proves it all the same, and PVE's words are kept."""
    statuses = iter(["500 it broke", "400 no"])

    def refuse(talk: Talk, _number: int) -> None:
        while talk.request():
            talk.answer(REFUSED.replace("no", "it broke"), next(statuses))

    with Loopback(refuse) as server:
        connection = connect(server.endpoint())
        assert "it broke" in failed(AnswerLost, lambda: connection.put("nodes", "pve1", acts_first=True)).message
        failed(errors.RefusedByPVE, lambda: connection.put("nodes", "pve1", acts_first=True))


def test_a_key_twice_is_harmless(connect: Connect) -> None:
    """The last one counts."""

    def behave(talk: Talk, _number: int) -> None:
        talk.request()
        talk.answer('{"data": [], "data": {"a": 1, "a": 2}}')

    with Loopback(behave) as server:
        assert connect(server.endpoint()).get("version").data == {"a": 2}


def test_a_letter_in_two_halves_is_a_letter(connect: Connect) -> None:
    """JSON may write one outside of the first 65,536 so."""

    def behave(talk: Talk, _number: int) -> None:
        talk.request()
        talk.answer(r'{"data": "\ud83d\ude00"}')

    with Loopback(behave) as server:
        assert connect(server.endpoint()).get("version").data == "\U0001f600"


def test_a_redirect_is_not_followed(connect: Connect) -> None:
    """The token would go along."""
    with Loopback(polite) as elsewhere:

        def redirect(talk: Talk, _number: int) -> None:
            talk.request()
            talk.answer("", "302 Found", f"Location: {elsewhere.endpoint()}/")

        with Loopback(redirect) as server:
            failed(errors.NotPVE, lambda: connect(server.endpoint()).get("version"))
        assert elsewhere.seen == []


def test_half_an_answer_is_none(connect: Connect) -> None:
    """The body is shorter than it should be: a read is asked again, a change's answer is lost."""

    def halve(talk: Talk, number: int) -> None:
        talk.request()
        talk.answer('{"data": ', length=100 if number < 3 else None)

    with Loopback(halve) as server:
        connection = connect(server.endpoint())
        failed(AnswerLost, lambda: change(connection))
        failed(errors.NotPVE, lambda: connection.get("version"))
        assert server.seen == [POST, GET, GET]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["no\n", "UPID:"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["data", "message", "errors"]) | st.text(), inner),
)
BODIES = JSON.map(json.dumps) | st.text() | st.fixed_dictionaries({"data": st.none(), "message": JSON}).map(json.dumps)


@given(status=st.integers(100, 999), body=BODIES | st.just(""), kind=st.sampled_from(["application/json", "text/html"]))
def test_whatever_is_answered_only_pves_own_form_is_definite(status: int, body: str, kind: str) -> None:
    """Any status with any body: an answer, a refusal with PVE's words, or a lost answer; for a read no other error."""
    adapter = Says(body, status, **{"Content-Type": kind})
    connection = Connection([Endpoint(host="pve1", adapter=adapter)], TOKEN)
    with contextlib.suppress(errors.PvenetError):
        connection.get("version")
    try:
        change(connection)
    except AnswerLost:
        return
    except errors.AuthenticationFailed:
        assert status == 401
        assert not body or isinstance(json.loads(body)["message"], str)
    except errors.RefusedByPVE:
        assert (json.loads(body)["data"], kind) == (None, "application/json")
        assert isinstance(json.loads(body)["message"], str)
        assert status >= 400
    else:
        assert 200 <= status < 300
        assert "data" in json.loads(body)
