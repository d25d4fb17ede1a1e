"""The simulated node over HTTPS, for any PVE client."""

from __future__ import annotations

import hashlib
import signal
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection
from typing import TYPE_CHECKING, Any

import proxmoxer
import pytest
import requests
from sim_replay import FIXTURES, Replay, load
from waiting import until

from pvenet.sim.listener import Listener
from pvenet.sim.server import Endpoint, Server
from pvenet.sim.state import Sim, SimError, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = "/api2/json/version"
TOKEN = {"Authorization": "PVEAPIToken=root@pam!full=11111111-1111-1111-1111-111111111111"}


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    with Server(tmp_path) as server:
        yield server.endpoint


def session_for(folder: Path) -> requests.Session:
    """A session that trusts the certificate of this sim and no other."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(folder / "certificate.pem")
    session.headers.update(TOKEN)
    return session


def address(endpoint: Endpoint) -> tuple[str, int]:
    host, _, port = endpoint.url.rpartition("/")[2].rpartition(":")
    return host, int(port)


def connection(endpoint: Endpoint) -> HTTPConnection:
    host, port = address(endpoint)
    if endpoint.url.startswith("http://"):
        return HTTPConnection(host, port, timeout=5)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return HTTPSConnection(host, port, timeout=5, context=context)


class _Wire:
    """Sends what a replay sends over a real connection; keeps the replay's clock and faults."""

    def __init__(self, replay: Replay, server: Server) -> None:
        front = replay.adapter.front
        server._listeners[0].front = front
        self.session = session_for(replay.adapter.sim.folder)
        self.url = server.endpoint.url

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        request.url = str(request.url).replace("https://pve1.invalid:8006", self.url)
        response = self.session.get_adapter(self.url).send(request, timeout=10, verify=str(self.session.verify))
        assert response.content is not None
        return response


@pytest.mark.parametrize("group", ["A", "B", "C", "E", "H"])
def test_recorded_exchanges_are_answered_alike(group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the adapter answers comes over the wire unchanged."""
    replay = Replay(tmp_path, load(group))
    with Server(tmp_path) as server:
        wire = _Wire(replay, server)
        monkeypatch.setattr(replay.adapter, "send", wire.send)
        assert list(replay.differences()) == []
        wire.session.close()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_proxmoxer_does_the_walkthrough(endpoint: Endpoint, tmp_path: Path) -> None:
    """Bare proxmoxer with its own login stages, applies and waits; the file is the recorded one."""
    host, port = address(endpoint)
    api = proxmoxer.ProxmoxAPI(
        host, port=port, user=endpoint.user, password=endpoint.password, verify_ssl=False, timeout=5
    )
    network = api.nodes("pve1").network
    network("vmbr0").put(
        type="bridge",
        bridge_ports="ens33 ens37",
        cidr="192.168.171.21/24",
        gateway="192.168.171.2",
        autostart=1,
        comments="For management",
    )
    network.post(iface="bond0", type="bond", slaves="ens38 ens39", bond_mode="balance-rr", autostart=1)
    network.post(iface="vmbr1", type="bridge", bridge_ports="bond0", autostart=1, comments="For tagged traffic")
    write_json(tmp_path / "sim.json", {"reload_seconds": 0.02})
    upid = network.put()
    assert upid.endswith(":srvreload:networking:root@pam:")
    until(lambda: api.nodes("pve1").tasks(upid).status.get()["status"] != "running")
    status = api.nodes("pve1").tasks(upid).status.get()
    active = {entry["iface"] for entry in network.get() if entry.get("active")}
    assert status["exitstatus"] == "OK"
    assert active == {"ens33", "ens37", "ens38", "ens39", "bond0", "vmbr0", "vmbr1"}
    applied = (FIXTURES / "walkthrough" / "interfaces.applied").read_bytes()
    assert (tmp_path / "pve1" / "etc" / "network" / "interfaces").read_bytes() == applied


def test_the_certificate_stays(tmp_path: Path) -> None:
    """The fingerprint is made once, is the one on the wire, and is what /nodes says."""
    with Server(tmp_path) as first, Server(tmp_path) as second:
        assert first.endpoint.fingerprint == second.endpoint.fingerprint
        session = session_for(tmp_path)
        shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(address(first.endpoint)))
        nodes = session.get(f"{first.endpoint.url}/api2/json/nodes", timeout=5).json()["data"]
        session.close()
    assert hashlib.sha256(shown).digest().hex(":").upper() == first.endpoint.fingerprint
    assert [node["ssl_fingerprint"] for node in nodes] == [first.endpoint.fingerprint]
    assert (tmp_path / "certificate.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.171.21", "::", "example.org", ""])
def test_loopback_only(host: str, tmp_path: Path) -> None:
    """A server whose secrets everybody knows can't be reached from elsewhere."""
    with pytest.raises(SimError, match="loopback only"):
        Server(tmp_path, host=host)


def test_a_port_that_is_taken(endpoint: Endpoint, tmp_path: Path) -> None:
    """A port in use is an error with a sentence."""
    with pytest.raises(SimError, match=r"can't listen on 127\.0\.0\.1 port \d+: Address already in use"):
        Server(tmp_path, port=address(endpoint)[1])


def test_plain_http_is_sent_to_https(endpoint: Endpoint) -> None:
    """Who speaks HTTP to the port of HTTPS is told the right address."""
    host, port = address(endpoint)
    plain = HTTPConnection(host, port, timeout=5)
    plain.request("GET", PATH)
    answer = plain.getresponse()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{host}:{port}{PATH}")
    plain.close()


def test_plain_http_on_request(tmp_path: Path) -> None:
    """Without TLS there is no certificate and no fingerprint."""
    with Server(tmp_path, tls=False, host="localhost") as server:
        link = connection(server.endpoint)
        link.request("GET", PATH, headers=TOKEN)
        assert link.getresponse().status == 200
        link.close()
        assert server.endpoint.fingerprint is None
        assert not (tmp_path / "certificate.pem").exists()


def test_a_connection_serves_many_requests_until_an_error(endpoint: Endpoint) -> None:
    """Keep-alive works, and ends with the first answer of 400 and above."""
    link = connection(endpoint)
    link.connect()
    end = link.sock
    for _ in range(3):
        link.request("GET", PATH, headers=TOKEN)
        assert link.getresponse().read()
        assert link.sock is end
    link.request("GET", "/api2/json/nodes/pve1/netwerk", headers=TOKEN)
    answer = link.getresponse()
    assert (answer.status, answer.reason) == (501, "Method 'GET /nodes/pve1/netwerk' not implemented")
    assert answer.headers["Connection"] == "close"
    assert answer.read()
    assert link.sock is None
    link.close()


@pytest.mark.parametrize(("nature", "requests_served"), [({"max_requests": 2}, 2), ({"idle_close": 0.05}, 1)])
def test_connections_end_on_request(nature: dict[str, Any], requests_served: int, tmp_path: Path) -> None:
    """After a number of requests, or some time without one, when the sim is told so."""
    Sim.open(tmp_path)
    write_json(tmp_path / "sim.json", nature)
    with Server(tmp_path) as server:
        link = connection(server.endpoint)
        for _ in range(requests_served):
            link.request("GET", PATH, headers=TOKEN)
            assert link.getresponse().read()
        assert link.sock.recv(1) == b""
        link.close()


def test_a_restart_cuts_every_connection(tmp_path: Path) -> None:
    """All connections end, the one that asked and those that idle; the next ones are served."""
    with Server(tmp_path, faults=["restart@2"]) as server:
        idle, asking = connection(server.endpoint), connection(server.endpoint)
        idle.request("GET", PATH, headers=TOKEN)
        assert idle.getresponse().read()
        asking.request("GET", PATH, headers=TOKEN)
        with pytest.raises((ConnectionError, ssl.SSLError)):
            asking.getresponse()
        with pytest.raises((ConnectionError, ssl.SSLError)):
            _again(idle)
        idle.close()
        idle.request("GET", PATH, headers=TOKEN)
        assert idle.getresponse().status == 200
        idle.close()
        asking.close()


def _again(link: HTTPConnection) -> None:
    link.sock.settimeout(5)
    assert link.sock.recv(1) == b""
    raise ConnectionResetError


def test_a_dropped_connection_has_no_answer(tmp_path: Path) -> None:
    """With drop-after the call has been done, and nobody says so."""
    with Server(tmp_path, faults=["drop-after@PUT network"]) as server:
        session = session_for(tmp_path)
        with pytest.raises(requests.ConnectionError):
            session.put(f"{server.endpoint.url}/api2/json/nodes/pve1/network", timeout=5)
        tasks = session.get(f"{server.endpoint.url}/api2/json/nodes/pve1/tasks?source=all", timeout=5).json()["data"]
        session.close()
    assert len(tasks) == 1


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        ("torn", requests.exceptions.ChunkedEncodingError, ""),
        ("tls-broken=after", requests.ConnectionError, ""),
        ("trickle=0.001", None, '{"data":"UPID:'),
        ("gateway=524:after", None, "error code: 524"),
        ("odd-answer=[]", None, "[]"),
    ],
)
def test_an_answer_is_spoilt_on_order(
    fault: str, error: type[Exception] | None, text: str, tmp_path: Path, *, tls: bool
) -> None:
    """Really so, with TLS and without: the node has acted, and the next request is served."""
    with Server(tmp_path, faults=[f"{fault}@PUT network"], tls=tls) as server:
        session = session_for(tmp_path)
        url = f"{server.endpoint.url}/api2/json/nodes/pve1"
        if error is None:
            assert session.put(f"{url}/network", timeout=5).text.startswith(text)
        else:
            with pytest.raises(error) as caught:
                session.put(f"{url}/network", timeout=5)
            assert isinstance(caught.value, requests.exceptions.SSLError) is (tls and "tls" in fault)
        assert len(session.get(f"{url}/tasks?source=all", timeout=5).json()["data"]) == 1
        session.close()


def test_a_trickle_comes_byte_by_byte(tmp_path: Path) -> None:
    """From the first byte of the head on."""
    with Server(tmp_path, faults=["trickle=60@GET version"], tls=False) as server:
        link = connection(server.endpoint)
        link.request("GET", PATH, headers=TOKEN)
        assert link.sock.recv(4096) == b"H"
        link.close()


def test_a_lost_path_is_silence_and_then_an_answer(tmp_path: Path) -> None:
    """Open and new connections hear nothing while the way is lost, and go on where it comes back."""
    now = [1_800_000_000.0]
    with Server(tmp_path, faults=["path-lost=30@PUT network"], clock=lambda: now[0]) as server:
        open_before = connection(server.endpoint)
        open_before.request("PUT", "/api2/json/nodes/pve1/network", headers=TOKEN)
        assert open_before.getresponse().read()
        open_before.request("GET", PATH, headers=TOKEN)  # on a connection of its own, as the answer said close
        assert open_before.getresponse().read()
        now[0] += 1
        open_before.request("GET", PATH, headers=TOKEN)
        assert open_before.sock is not None
        open_before.sock.settimeout(0.06)
        with pytest.raises(TimeoutError):
            open_before.sock.recv(1)
        open_before.sock.settimeout(5)
        new = connection(server.endpoint)
        new.timeout = 0.06
        with pytest.raises(TimeoutError, match="handshake"):
            new.connect()
        new.close()
        now[0] += 30
        assert open_before.getresponse().status == 200
        open_before.close()


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01", b"hello\r\n\r\n", b"\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_garbage_ends_one_connection(endpoint: Endpoint, garbage: bytes) -> None:
    """Whatever somebody sends, the server goes on."""
    with socket.create_connection(address(endpoint), timeout=5) as link:
        link.sendall(garbage)
        link.shutdown(socket.SHUT_WR)
        while link.recv(4096):
            pass
    link2 = connection(endpoint)
    link2.request("GET", PATH, headers=TOKEN)
    assert link2.getresponse().status == 200
    link2.close()


def test_many_clients_at_once(endpoint: Endpoint, tmp_path: Path) -> None:
    """Staging calls that arrive together all count: the folder is held by one at a time."""

    def stage(number: int) -> None:
        with session_for(tmp_path) as session:
            form = {"iface": f"vmbr{number}", "type": "bridge"}
            session.post(f"{endpoint.url}/api2/json/nodes/pve1/network", data=form, timeout=10)

    threads = [threading.Thread(target=stage, args=(number,)) for number in range(10, 18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = (tmp_path / "pve1" / "etc" / "network" / "interfaces.new").read_text()
    assert all(f"iface vmbr{number} " in text for number in range(10, 18))


SCRIPT = """
import sys
from pathlib import Path
from pvenet.sim.server import serve
serve(Path(sys.argv[1]), announce=lambda endpoint: print(endpoint.url, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    """SIGINT and SIGTERM end the server without a word, while a client is connected."""
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        host, _, port = process.stdout.readline().strip().rpartition("/")[2].partition(":")
        with socket.create_connection((host, int(port)), timeout=5):
            process.send_signal(number)
            out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_connection_that_can_not_be_served_ends_and_the_next_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As where the system gives no further thread; it is told on stderr."""
    with Server(tmp_path) as server:
        start = Listener.process_request

        def refuse(*_: object) -> None:
            monkeypatch.setattr(Listener, "process_request", start)
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(Listener, "process_request", refuse)
        with closing(connection(server.endpoint)) as first, pytest.raises(OSError, match=r"EOF|reset"):
            first.connect()
        assert "can't start new thread" in capfd.readouterr().err
        with closing(connection(server.endpoint)) as second:
            second.connect()
