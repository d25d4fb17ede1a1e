"""What a strange answer is taken for; a server on loopback gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from loopback import GET, POST, Loopback, Talk, change, connections, failed, polite

from pvenet import errors
from pvenet.connection import AnswerLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loopback import Connect

HTML = "<!DOCTYPE html><title>hello</title>"


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
        ("[" * 100_000, "200 OK", errors.NotPVE, AnswerLost),
        ("[" * 100_000, "400 Bad", errors.RefusedByPVE, errors.RefusedByPVE),
        ("null", "500 oops", errors.RefusedByPVE, errors.RefusedByPVE),
        ('{"data":null,"errors":[1],"message":null}', "400", errors.RefusedByPVE, errors.RefusedByPVE),
        ("", "404 Not Found", errors.NotPVE, errors.NotPVE),
        ("", "302 Found", errors.NotPVE, errors.NotPVE),
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
