"""A sim over HTTPS on loopback, for any PVE client."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import socketserver
import ssl
import sys
import threading
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Self

from pvenet.sim.access.users import ROOT
from pvenet.sim.config import SimConfig
from pvenet.sim.files import SimError
from pvenet.sim.front import Dropped, Front, Silence
from pvenet.sim.http.certificate import certificate
from pvenet.sim.http.stream import BadRequest, as_bytes, read_request
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from pvenet.sim.faults import Fault
    from pvenet.sim.http.frame import Request, Response

TLS_RECORD = b"\x16"
GARBLED = b"\x17\x03\x03\x00\x20" + bytes(32)
"""A record of 32 bytes that nobody has encrypted."""
HANDSHAKE_SECONDS = 10.0
SILENCE_SECONDS = 60.0
"""How long a connection is held on which nothing comes."""
LOOK_SECONDS = 0.05
"""How often it is looked whether something can come again."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a sim is served, and what opens it."""

    url: str
    token_id: str
    token_secret: str
    user: str
    password: str
    fingerprint: str | None
    """Of the certificate, SHA-256; None without TLS."""


class _Connection(socketserver.BaseRequestHandler):
    """One client's connection: requests in turn, until somebody has enough."""

    server: _Listener

    def handle(self) -> None:
        try:
            self._converse()
        except (OSError, BadRequest):
            return  # the client went away, or talks something else: nobody is there to be told

    def _converse(self) -> None:
        listener = self.server
        plain: socket.socket = self.request
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = plain
        if not self._reachable():
            return
        if listener.context is not None:
            plain.settimeout(HANDSHAKE_SECONDS)
            if plain.recv(1, socket.MSG_PEEK)[:1] != TLS_RECORD:
                self._redirect(plain)
                return
            link = listener.context.wrap_socket(plain, server_side=True)
        config = listener.config()
        link.settimeout(config.idle_close or None)
        with contextlib.closing(link), listener.tracking(link), link.makefile("rb") as stream:
            worker = next(listener.numbers)
            for number in count(1):
                request = read_request(stream, worker)
                if request is None or not self._serve(link, request) or number == config.max_requests:
                    break
            _take_leave(link)

    def _serve(self, link: socket.socket, request: Request) -> bool:
        """Answer; whether the connection stays open."""
        try:
            response = self.server.front.answer(request)
        except Dropped as dropped:
            if dropped.everything:
                self.server.reset()
            if dropped.garbled:
                _garble(link)
            raise ConnectionResetError from dropped
        except Silence:
            if not self._reachable():
                return False
            response = self.server.front.answer_late(request)
        self._send(link, response)
        return not response.closes and request.headers.get("connection", "").lower() != "close"

    def _send(self, link: socket.socket, response: Response) -> None:
        data = as_bytes(response)
        if response.torn:
            link.sendall(data[: len(data) - len(response.body) // 2 - 1])
            raise ConnectionResetError
        if not response.pace:
            link.sendall(data)
            return
        for byte in data:
            link.sendall(bytes([byte]))
            if self.server.ended.wait(response.pace):
                raise ConnectionResetError

    def _reachable(self) -> bool:
        """Wait, without a word, until the way to the node is back; not for ever (real/5-management-dies)."""
        waits = range(int(SILENCE_SECONDS / LOOK_SECONDS))
        return self.server.front.reachable() or any(
            self.server.front.reachable() for _ in waits if not self.server.ended.wait(LOOK_SECONDS)
        )

    def _redirect(self, plain: socket.socket) -> None:
        """Plain HTTP on the port of HTTPS is told where to go, as by PVE."""
        with plain.makefile("rb") as stream:
            request = read_request(stream, 0)
        if request is not None:
            place = f"https://{request.headers.get('host', self.server.host)}{request.target}"
            text = f"HTTP/1.0 301 Moved Permanently\r\nLocation: {place}\r\nConnection: close\r\n\r\n"
            plain.sendall(text.encode("latin-1"))


def _garble(link: socket.socket) -> None:
    """Send what looks like a record of TLS and is none, past the layer that would make it one."""
    with socket.socket(fileno=os.dup(link.fileno())) as plain:
        plain.sendall(GARBLED)


def _take_leave(link: socket.socket) -> None:
    """Say that nothing more comes, and wait for nothing: a client may take an end without it for an attack."""
    if isinstance(link, ssl.SSLSocket):
        link.settimeout(0)
        with contextlib.suppress(OSError, ValueError):
            link.unwrap()


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], front: Front, context: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.front = front
        self.context = context
        self.host = address[0]
        self.numbers = count()
        self.ended = threading.Event()
        self.links: set[socket.socket] = set()
        self.guard = threading.Lock()
        super().__init__(address, _Connection)

    def config(self) -> SimConfig:
        try:
            return self.front.sim.config()
        except SimError:
            return SimConfig()  # the answer to the first request says what is wrong

    @contextlib.contextmanager
    def tracking(self, link: socket.socket) -> Iterator[None]:
        """Know a connection while it is open."""
        with self.guard:
            self.links.add(link)
        try:
            yield
        finally:
            with self.guard:
                self.links.discard(link)

    def reset(self) -> None:
        """Cut every connection, as a restart of the service does."""
        with self.guard:
            links = list(self.links)
        for link in links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  socketserver's interface
        """A fault of the sim itself goes to stderr in one piece; the client sees a lost connection."""
        import traceback

        sys.stderr.write(f"pvenet sim: {client_address}: {traceback.format_exc()}")


class Server:
    """A sim that is being served while this is entered."""

    def __init__(  # noqa: PLR0913  options, all by name
        self,
        place: Path | Sim,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool = True,
        faults: Sequence[Fault | str] = (),
        node: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not (isinstance(place, Sim) and place.backend.real and tls):
            _must_be_loopback(host)
        self.sim = place if isinstance(place, Sim) else Sim.open(place)
        context, fingerprint = _tls(self.sim.folder) if tls else (None, None)
        front = Front(self.sim, clock=clock, faults=faults, local=node)
        try:
            self._listener = _Listener((host, port), front, context)
        except OSError as error:
            raise SimError(f"can't listen on {host} port {port}: {error.strerror}") from error
        shown = f"[{host}]" if ":" in host else host
        users = self.sim.users()
        token, secret = users.credentials()
        self.endpoint = Endpoint(
            url=f"{'https' if tls else 'http'}://{shown}:{self._listener.server_address[1]}",
            token_id=token,
            token_secret=secret,
            user=ROOT,
            password=str(users.users.get(ROOT, {}).get("password", "")),
            fingerprint=fingerprint,
        )
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.ended.set()
        self._listener.shutdown()
        self._listener.reset()
        self._listener.server_close()
        self._thread.join()


def serve(  # noqa: PLR0913  options, all by name
    place: Path | Sim,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: bool = True,
    faults: Sequence[Fault | str] = (),
    announce: Callable[[Endpoint], None],
    node: str | None = None,
) -> None:
    """Serve a folder until SIGINT or SIGTERM comes."""
    ended = threading.Event()
    server = Server(place, host=host, port=port, tls=tls, faults=faults, node=node)
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        announce(server.endpoint)
        with server:
            ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _must_be_loopback(host: str) -> None:
    """A sim's secrets are known to everybody: it must not be reachable from elsewhere.

    Those of a node in system mode are its own.
    """
    if host == "localhost":
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise SimError(f"a simulated node listens on loopback only, not on {host}")


def _tls(folder: Path) -> tuple[ssl.SSLContext, str]:
    path, fingerprint = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, fingerprint
