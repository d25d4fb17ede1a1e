"""Whom a connection trusts, over real TLS; and that nobody else gets a word."""

from __future__ import annotations

import os
import socket
import ssl
import traceback
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from loopback import Loopback, Talk, polite

from pvenet import errors
from pvenet.connection import AnswerLost, Connection, Trust
from pvenet.connection.endpoint import Endpoint, parse
from pvenet.connection.session import Password, Token
from pvenet.sim.front import Front
from pvenet.sim.http.certificate import certificate
from pvenet.sim.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pvenet.connection.session import Credentials
    from pvenet.sim.http.frame import Request, Response

SECRET = "11111111-1111-1111-1111-111111111111"
TOKEN = Token(id="root@pam!full", secret=SECRET)
PASSWORD = Password(user="root@pam", password="oracle-secret")
OTHER = "00:" * 31 + "00"


class Watching(Front):
    """Keeps the requests that came in."""

    def __init__(self, front: Front) -> None:
        super().__init__(front.sim)
        self.requests: list[Request] = []

    def answer(self, request: Request, *, patience: float | None = None) -> Response:
        self.requests.append(request)
        return super().answer(request, patience=patience)


class Served:
    """A sim over TLS, and what reached it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.endpoint = parse(server.endpoint.url)
        self.fingerprint = str(server.endpoint.fingerprint)
        self.pem = folder / "certificate.pem"
        self.front = Watching(server._listeners[0].front)
        server._listeners[0].front = self.front

    def ask(self, trust: Trust | None = None, who: Credentials = TOKEN) -> int:
        """How many fields /version has."""
        connection = Connection([self.endpoint], who, trust)
        try:
            return len(connection.get("version").data)
        finally:
            connection.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Server(tmp_path) as server:
        yield Served(server, tmp_path)


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key."""
    return certificate(tmp_path_factory.mktemp("certificate"))[0]


@pytest.mark.parametrize("spell", [str, str.lower, lambda text: text.replace(":", "")])
@pytest.mark.parametrize("who", [TOKEN, PASSWORD])
def test_a_pinned_certificate_is_trusted(served: Served, spell: type[str], who: Credentials) -> None:
    """The fingerprint is enough, in any spelling, for a token's requests and for a login."""
    assert served.ask(Trust(fingerprint=spell(served.fingerprint)), who)


@pytest.mark.parametrize("trust", [None, Trust(fingerprint=OTHER), Trust(fingerprint=OTHER, insecure=True)])
@pytest.mark.parametrize("who", [TOKEN, PASSWORD])
def test_an_untrusted_certificate_gets_no_word(served: Served, trust: Trust | None, who: Credentials) -> None:
    """Neither a request nor a login reaches it; the fingerprint that was seen is told, and how to pin it."""
    with pytest.raises(errors.Untrusted) as caught:
        served.ask(trust, who)
    assert served.front.requests == []
    assert caught.value.exit_code == 6
    assert caught.value.fingerprint == served.fingerprint
    assert served.fingerprint in caught.value.message
    assert f"export PVENET_FINGERPRINT={served.fingerprint}" in caught.value.hint
    assert ("a different certificate from the pinned one" in caught.value.message) == bool(trust)
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told
    assert "oracle-secret" not in told


def test_a_ca_file_is_trusted(served: Served) -> None:
    """PVENET_CA_FILE: what the CA signed for this name."""
    assert served.ask(Trust(ca_file=served.pem))


def test_a_ca_file_that_did_not_sign_is_not_trusted(served: Served, pem: Path) -> None:
    """Another CA's file leaves the certificate untrusted, and the system's CAs don't help."""
    with pytest.raises(errors.Untrusted, match="not trusted"):
        served.ask(Trust(ca_file=pem))
    assert served.front.requests == []


def test_a_certificate_for_another_name_says_so(pem: Path) -> None:
    """The CA is right and the name is not: 127.0.0.2 is not in the sim's certificate."""
    with Loopback(polite, certificate=pem, host="127.0.0.2") as server:
        connection = Connection([server.endpoint()], TOKEN, Trust(ca_file=pem))
        with pytest.raises(errors.Untrusted, match="for another name"):
            connection.get("version")
        connection.close()
    assert server.seen == []


@pytest.mark.parametrize("content", ["", "no certificate"])
def test_a_ca_file_of_no_certificate_is_a_wrong_setting(tmp_path: Path, content: str) -> None:
    """Told before anything is asked, and not as a server that can't be trusted."""
    (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(errors.UsageError, match="holds no CA certificate"):
        Connection([Endpoint(host="127.0.0.1")], TOKEN, Trust(ca_file=tmp_path / "ca.pem"))


@pytest.mark.parametrize("name", ["gone.pem", "."])
def test_a_ca_file_that_can_not_be_read_is_a_wrong_setting(tmp_path: Path, name: str) -> None:
    """Missing, or a folder."""
    with pytest.raises(errors.UsageError):
        Connection([Endpoint(host="127.0.0.1")], TOKEN, Trust(ca_file=tmp_path / name))


def test_the_system_s_cas_are_asked_where_nothing_is_named(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL's own places, not the ones that come with `requests`."""
    found = ssl.DefaultVerifyPaths(str(served.pem), "", "", "", "", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: found)
    assert served.ask()


def test_extensions_that_pve_s_ca_may_lack_are_not_demanded(served: Served) -> None:
    """Python 3.13 made that the default, and PVE's own certificates fail it."""
    context = Trust(ca_file=served.pem).context
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("host", ["b\u00fcro", "fe80::1%eth0"])
def test_a_pin_is_that_of_its_endpoint_however_its_name_is_spelled(
    served: Served, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a URL a name may be written in another way than by a person; what is pinned for it holds all the same."""
    found = socket.getaddrinfo("127.0.0.1", served.endpoint.port, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    for pin, trusted in ((served.fingerprint, True), (OTHER, False)):
        endpoint = replace(served.endpoint, host=host, fingerprint=pin)
        connection = Connection([endpoint], TOKEN, Trust(fingerprint=OTHER if trusted else served.fingerprint))
        with nullcontext() if trusted else pytest.raises(errors.Untrusted):
            assert connection.get("version").data
        connection.close()
    assert len(served.front.requests) == 1


def test_insecure_asks_whoever_answers(served: Served) -> None:
    """It works; nothing but the word turns it on."""
    assert not Trust().insecure
    assert served.ask(Trust(insecure=True))


def test_a_server_without_tls_gets_no_word() -> None:
    """HTTP where HTTPS was asked: not PVE, and nothing readable was sent."""
    heard: list[bytes] = []

    def complain(talk: Talk, _number: int) -> None:
        heard.append(talk.link.recv(2000))
        talk.answer("what?", "400 Bad Request")

    with Loopback(complain) as server:
        connection = Connection([Endpoint(host="127.0.0.1", port=server.port)], TOKEN)
        with pytest.raises(errors.NotPVE, match="does not speak TLS"):
            connection.get("version")
        connection.close()
    assert not any(b"version" in data or b"PVEAPIToken" in data for data in heard)


def test_https_asked_by_http_is_told(served: Served) -> None:
    """PVE's port answers plain HTTP with 301, which is not followed."""
    connection = Connection([Endpoint(host="127.0.0.1", port=served.endpoint.port, scheme="http")], TOKEN)
    with pytest.raises(errors.NotPVE, match="redirects"):
        connection.get("version")
    connection.close()
    assert served.front.requests == []


@pytest.mark.parametrize(("cut", "answered"), [(1, True), (9, False)])
def test_a_connection_that_ends_within_the_handshake_is_no_distrust(pem: Path, cut: int, *, answered: bool) -> None:
    """A pveproxy that restarts cuts it: asked once more, then unreachable, and the certificate is not blamed."""
    with Loopback(polite, certificate=pem, cut=cut) as server:
        connection = Connection([server.endpoint()], TOKEN, Trust(ca_file=pem))
        if answered:
            assert connection.get("version").data is None
        else:
            with pytest.raises(errors.Unreachable, match="cut the connection") as caught:
                connection.get("version")
            assert type(caught.value) is errors.Unreachable
        connection.close()


def test_a_failure_of_tls_within_an_answer_is_no_distrust(pem: Path) -> None:
    """The change was sent: its answer is lost, and no other endpoint gets it."""

    def spoil(talk: Talk, _number: int) -> None:
        talk.request()
        os.write(talk.link.fileno(), b"\x17\x03\x03\x00\x20" + b"not what was agreed upon........")

    with Loopback(spoil, certificate=pem) as server, Loopback(polite, certificate=pem) as other:
        connection = Connection([server.endpoint(), other.endpoint()], TOKEN, Trust(ca_file=pem))
        with pytest.raises(AnswerLost, match="cut the connection"):
            connection.put("nodes", "pve1", "network")
        connection.close()
    assert (server.seen, other.seen) == (["PUT /api2/json/nodes/pve1/network"], [])


def test_the_environment_changes_no_trust(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """~/.netrc, a proxy and REQUESTS_CA_BUNDLE are not for us: the token arrives, and straight."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(served.pem))
    assert served.ask(Trust(fingerprint=served.fingerprint))
    assert served.front.requests[0].headers["authorization"] == f"PVEAPIToken={TOKEN.id}={SECRET}"
    with pytest.raises(errors.Untrusted):
        served.ask()
