"""Entering with a password: the ticket, its age, and where the password goes."""

from __future__ import annotations

import json
import logging
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from clock import FakeTime
from loopback import Loopback, Talk

import pvenet.connection
from pvenet import errors
from pvenet.connection import AnswerLost, Connection, Trust
from pvenet.connection.endpoint import Endpoint, parse
from pvenet.connection.session import Password
from pvenet.connection.ticket import AGE
from pvenet.sim.adapter import SimAdapter
from pvenet.sim.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

SECRET = "oracle-secret"
ROOT = Password(user="root@pam", password=SECRET)
BOND = {"iface": "bond0", "type": "bond", "slaves": "ens38", "bond_mode": "balance-rr"}
LOGIN = "POST /api2/json/access/ticket"


class Watched(SimAdapter):
    """A sim that keeps what it was sent; its clock is the test's."""

    def __init__(self, folder: Path, clock: FakeTime) -> None:
        super().__init__(folder, clock=clock.clock, sleep=clock.sleep)
        self.seen: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.seen.append(request)
        return super().send(request, *args, **kwargs)

    @property
    def logins(self) -> int:
        return sum(str(request.url).endswith("/access/ticket") for request in self.seen)


def entered(folder: Path, who: Password = ROOT, **options: Any) -> tuple[Connection, Watched, FakeTime]:
    clock = FakeTime()
    adapter = Watched(folder, clock)
    endpoint = Endpoint(host="sim.invalid", adapter=adapter)
    return Connection([endpoint], who, clock=clock.clock, **options), adapter, clock


def refused(kind: type[errors.PvenetError], send: Callable[[], object]) -> errors.PvenetError:
    """The error of exactly this kind; the password is in nothing of it that is shown."""
    with pytest.raises(kind) as caught:
        send()
    assert type(caught.value) is kind
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told + repr(caught.value) + repr(vars(caught.value))
    return caught.value


def test_one_login_gives_the_ticket_and_what_a_change_needs(tmp_path: Path) -> None:
    """The cookie goes with every request, the CSRF token with a change; the password with the login alone."""
    connection, sim, _ = entered(tmp_path)
    connection.get("version")
    connection.post("nodes", "pve1", "network", form=BOND)
    login, read, change = sim.seen
    assert parse_qs(str(login.body)) == {"username": ["root@pam"], "password": [SECRET]}
    assert "Cookie" not in login.headers
    assert str(read.headers["Cookie"]).startswith("PVEAuthCookie=PVE:root@pam:")
    assert change.headers["Cookie"] == read.headers["Cookie"]
    assert change.headers["CSRFPreventionToken"]
    assert "Authorization" not in change.headers
    assert SECRET not in f"{change.body!r}{read.body!r}{dict(change.headers)}{dict(read.headers)}"


def test_a_ticket_is_renewed_before_it_expires(tmp_path: Path) -> None:
    """After an hour, also in the middle of the work; PVE's own ends after two."""
    connection, sim, clock = entered(tmp_path)
    connection.get("version")
    clock.now += AGE - 1
    connection.get("version")
    assert sim.logins == 1
    clock.now += 2
    connection.post("nodes", "pve1", "network", form=BOND)
    assert sim.logins == 2
    clock.now += 2 * AGE
    connection.get("version")
    assert sim.logins == 3


@pytest.mark.parametrize("who", ["root@pam", "nobody@nowhere"])
def test_a_wrong_password_is_an_authentication_failure(tmp_path: Path, who: str) -> None:
    """Exit code 5; the user is named and the password is not. It is asked once."""
    connection, sim, _ = entered(tmp_path, Password(user=who, password=f"{SECRET}!", named="--user"))
    error = refused(errors.AuthenticationFailed, lambda: connection.get("version"))
    assert error.exit_code == 5
    assert who in error.message
    assert "check --user " in error.hint
    assert len(sim.seen) == 1


def test_the_password_is_in_no_line_and_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in --debug nor in what the libraries log at their loudest, proxmoxer's among them."""
    lines: list[str] = []
    for name in ("", "proxmoxer", "proxmoxer.core", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    connection, sim, _ = entered(tmp_path, debug=lines.append)
    connection.post("nodes", "pve1", "network", form=BOND)
    assert any("bond0" in text for text in caplog.messages)
    ticket = str(sim.seen[1].headers["Cookie"]).removeprefix("PVEAuthCookie=")
    shown = "\n".join([*lines, *caplog.messages, repr(connection), repr(vars(connection)), repr(ROOT)])
    assert len(lines) == 2
    assert "/access/ticket -> 200 OK" in lines[0]
    for secret in (SECRET, ticket, str(sim.seen[1].headers["CSRFPreventionToken"])):
        assert secret not in shown


def test_a_login_over_tls_is_pinned(tmp_path: Path) -> None:
    """The real server, the real handshake; reading and changing."""
    with Server(tmp_path) as server:
        trust = Trust(fingerprint=server.endpoint.fingerprint)
        connection = Connection([parse(server.endpoint.url)], ROOT, trust)
        connection.post("nodes", "pve1", "network", form=BOND)
        assert "bond0" in connection.get("nodes", "pve1", "network").beside["changes"]
        connection.close()


# --- logins that go wrong --------------------------------------------------------------------------------------------


def door(body: object, status: str = "200 OK") -> Callable[[Talk, int], None]:
    """Answers every request with this."""

    def behave(talk: Talk, _number: int) -> None:
        while talk.request():
            talk.answer(body if isinstance(body, str) else json.dumps(body), status)

    return behave


TFA = {"data": {"NeedTFA": 1, "ticket": "PVE:!tfa!", "CSRFPreventionToken": "x", "username": "root@pam"}}


@pytest.mark.parametrize(
    ("body", "status", "kind", "words"),
    [
        (TFA, "200 OK", errors.AuthenticationFailed, "second factor"),
        ({"data": None}, "401 authentication failure", errors.AuthenticationFailed, "does not accept"),
        ({"data": None, "message": "no\n"}, "400 no", errors.RefusedByPVE, "no"),
        ({"data": None, "message": "broken\n"}, "500 broken", errors.RefusedByPVE, "broken"),
        ({"data": None}, "200 OK", errors.NotPVE, "log in"),
        ({"data": {"ticket": "x"}}, "200 OK", errors.NotPVE, "log in"),
        ({"data": {"CSRFPreventionToken": "x"}}, "200 OK", errors.NotPVE, "log in"),
        ("<html>", "200 OK", errors.NotPVE, "log in"),
        ("{", "200 OK", errors.NotPVE, "log in"),
        ("", "302 Found", errors.NotPVE, "log in"),
        ("", "404 Not Found", errors.NotPVE, "404"),
        ("", "595 Connection refused", errors.Unreachable, "595"),
    ],
)
def test_a_login_that_fails_says_why(body: object, status: str, kind: type[errors.PvenetError], words: str) -> None:
    """Only a 401 is about the credentials; nothing but the login was sent."""
    with Loopback(door(body, status)) as server:
        connection = Connection([server.endpoint()], ROOT)
        error = refused(kind, lambda: connection.get("version"))
        connection.close()
    assert words in error.message
    assert {line.partition(" username")[0] for line in server.seen} == {LOGIN}


def test_a_lost_login_leaves_nothing_open() -> None:
    """The change behind it was not sent, so it is not a lost answer, and the next endpoint may have it."""
    ticket = {"data": {"ticket": "t", "CSRFPreventionToken": "c"}}
    with Loopback(lambda talk, _: (talk.request(), None)[1]) as broken, Loopback(door(ticket)) as other:
        alone = Connection([broken.endpoint()], ROOT)
        with pytest.raises(errors.Unreachable) as caught:
            alone.put("nodes", "pve1", "network")
        assert not isinstance(caught.value, AnswerLost)
        alone.close()
        both = Connection([broken.endpoint(), other.endpoint()], ROOT)
        both.put("nodes", "pve1", "network")
        both.close()
        assert [line.partition(" username")[0] for line in other.seen] == [LOGIN, "PUT /api2/json/nodes/pve1/network"]


def test_another_endpoint_gets_a_login_of_its_own() -> None:
    """A ticket of one endpoint is not shown to another."""
    ticket = {"data": {"ticket": "t", "CSRFPreventionToken": "c"}}
    with Loopback(door(ticket)) as second:
        with Loopback(door(ticket)) as first:
            connection = Connection([first.endpoint(), second.endpoint()], ROOT)
            connection.get("version")
        connection.get("version")
        connection.get("version")
        connection.close()
    assert [line.partition(" ")[0] for line in first.seen] == ["POST", "GET"]
    assert [line.partition(" ")[0] for line in second.seen] == ["POST", "GET", "GET"]


def test_a_login_without_an_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the same limit as every request, and is not posted twice."""
    monkeypatch.setattr(pvenet.connection, "READ_TIMEOUT", 0.5)
    with Loopback(lambda talk, _: (talk.request(), talk.request(), None)[2]) as hole:
        connection = Connection([hole.endpoint()], ROOT)
        error = refused(errors.Unreachable, lambda: connection.get("version"))
        connection.close()
    assert "did not answer in time" in error.message
    assert len(hole.seen) == 1
