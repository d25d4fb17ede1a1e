"""Connections on one host and port: requests in turn, answers as bytes, and what can go wrong on the way."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import socketserver
import ssl
import sys
import threading
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from pvenet.sim.config import SimConfig
from pvenet.sim.files import SimError
from pvenet.sim.front import Dropped, Front, Silence
from pvenet.sim.http.stream import BadRequest, as_bytes, read_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.sim.http.frame import Request, Response

TLS_RECORD = b"\x16"
GARBLED = b"\x17\x03\x03\x00\x20" + bytes(32)
"""A record of 32 bytes that nobody has encrypted."""
HANDSHAKE_SECONDS = 10.0
SILENCE_SECONDS = 60.0
"""How long a connection is held on which nothing comes."""
POLL_SECONDS = 0.05
"""How often it is looked whether something can come again."""


@dataclass(frozen=True, kw_only=True)
class At:
    """Where a sim is served."""

    host: str
    port: int = 0
    """0: a free one."""
    address: str = ""
    """The node's address that is answered for here; the host unless said otherwise."""

    @property
    def answers_for(self) -> str:
        return self.address or self.host


class _Connection(socketserver.BaseRequestHandler):
    """One client's connection: requests in turn, until somebody has enough."""

    server: Listener

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
        front = self.server.front
        request = replace(request, host=self.server.at.answers_for) if front.by_address else request
        try:
            response = front.answer(request)
        except Dropped as dropped:
            if dropped.everything:
                self.server.reset()
            if dropped.garbled:
                _garble(link)
            raise ConnectionResetError from dropped
        except Silence:
            if not self._reachable():
                return False
            response = front.answer_late(request)
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
        waits = range(int(SILENCE_SECONDS / POLL_SECONDS))
        front, host = self.server.front, self.server.at.answers_for
        return front.reachable(host) or any(
            front.reachable(host) for _ in waits if not self.server.ended.wait(POLL_SECONDS)
        )

    def _redirect(self, plain: socket.socket) -> None:
        """Plain HTTP on the port of HTTPS is told where to go, as by PVE."""
        with plain.makefile("rb") as stream:
            request = read_request(stream, 0)
        if request is not None:
            place = f"https://{request.headers.get('host', self.server.at.host)}{request.target}"
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


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, at: At, front: Front, context: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
        self.at = at
        self.front = front
        self.context = context
        self.numbers = count()
        self.ended = threading.Event()
        self.links: set[socket.socket] = set()
        self.guard = threading.Lock()
        self._ends, self._end = socket.socketpair()
        super().__init__((at.host, at.port), _Connection)
        self.socket.settimeout(0)  # whoever came may have gone again

    def serve(self) -> None:
        """Take connections until `end`; nobody looks meanwhile whether that has come."""
        with selectors.DefaultSelector() as ready:
            ready.register(self.socket, selectors.EVENT_READ)
            ready.register(self._ends, selectors.EVENT_READ)
            while all(key.fileobj is self.socket for key, _ in ready.select()):
                self.handle_request()

    def end(self) -> None:
        """Take no further connection."""
        self.ended.set()
        self._end.send(b"\0")

    def server_close(self) -> None:
        super().server_close()
        self._ends.close()
        self._end.close()

    @property
    def place(self) -> str:
        """Host and port, as in a URL."""
        shown = f"[{self.at.host}]" if ":" in self.at.host else self.at.host
        return f"{shown}:{self.server_address[1]}"

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
