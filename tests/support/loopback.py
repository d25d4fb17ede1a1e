"""A server on loopback that does to each connection what a test tells it, and keeps what it was sent."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pytest
import requests
from requests.adapters import BaseAdapter

from pvenet.connection import Connection
from pvenet.connection.endpoint import Endpoint
from pvenet.connection.session import Token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pvenet import errors

SECRET = "11111111-1111-1111-1111-111111111111"
TOKEN = Token(id="root@pam!full", secret=SECRET)
GET, POST = "GET /api2/json/version", "POST /api2/json/nodes/pve1/network iface=bond0"
Connect = Callable[..., Connection]


@dataclass
class Talk:
    """One client's connection."""

    link: socket.socket
    seen: list[str]
    head: bytes = b""
    """Of the last request."""

    def request(self) -> bool:
        """Read a request; its first line goes to `seen`, with its body. False where the client has gone."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.link.recv(1)
            if not byte:
                return False
            head += byte
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
        body = b""
        while len(body) < length:
            body += self.link.recv(length - len(body))
        self.head = head
        words = head.split(b"\r\n")[0].decode().split()
        self.seen.append(" ".join([words[0], words[1], body.decode()]).strip())
        return True

    def answer(self, body: bytes | str, status: str = "200 OK", *headers: str, length: int | None = None) -> None:
        """Send an answer, whole or less than it promises."""
        data = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data) if length is None else length}", *headers]
        if data and not any(header.startswith("Content-Type:") for header in headers):
            lines.append("Content-Type: application/json;charset=UTF-8")
        self.link.sendall("\r\n".join([*lines, "", ""]).encode() + data)

    def trickle(self, data: bytes, seconds: float = 0.02) -> None:
        """Send bytes one by one, with a pause before each."""
        for byte in data:
            time.sleep(seconds)
            self.link.sendall(bytes([byte]))

    def data(self, data: object) -> None:
        """Answer as PVE does."""
        self.answer(json.dumps({"data": data}))


@dataclass
class Loopback:
    """Serves while it is entered; `behave` gets each connection, from 1, and ends it by returning."""

    behave: Callable[[Talk, int], None]
    certificate: Path | None = None
    host: str = "127.0.0.1"
    cut: int = 0
    """How many connections are ended at once, before TLS."""
    seen: list[str] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._links: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._socket = socket.create_server((self.host, 0))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.certificate:
            self._context.load_cert_chain(self.certificate)
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for each in [self._socket, *self._links]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def endpoint(self) -> Endpoint:
        """It, as a connection takes it."""
        return Endpoint(host=self.host, port=self.port, scheme="https" if self.certificate else "http")

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._links.append(link)
            self._start(self._serve, link, self.connections)

    def _serve(self, link: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(link)
            if number <= self.cut:
                link.recv(2000)
                return
            if self.certificate:
                link = stack.enter_context(self._context.wrap_socket(link, server_side=True))
                self._links.append(link)
            self.behave(Talk(link, self.seen), number)


class Says(BaseAdapter):
    """In process, and answers every request alike."""

    def __init__(self, body: str, status: int = 200, **headers: str) -> None:
        super().__init__()
        self._body, self._status, self._headers = body, status, headers

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        response = requests.Response()
        response.status_code, response.reason, response.request = self._status, "Whatever", request
        response.headers.update(self._headers)
        response.raw = io.BytesIO(self._body.encode())
        return response

    def close(self) -> None:
        """Nothing is open."""


def polite(talk: Talk, _number: int) -> None:
    """Answer every request with nothing, as PVE does."""
    while talk.request():
        talk.data(None)


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def connections() -> Iterator[Connect]:
    """Makes connections, closes them, and looks that they show no secret."""
    made: list[Connection] = []

    def to(*endpoints: Endpoint, **options: Any) -> Connection:
        made.append(Connection(endpoints, TOKEN, **options))
        return made[-1]

    yield to
    for connection in made:
        connection.close()
        assert SECRET not in repr(connection) + repr(connection.credentials) + repr(vars(connection))


def change(connection: Connection) -> object:
    """Send a change."""
    return connection.post("nodes", "pve1", "network", form={"iface": "bond0"}).data


def failed(kind: type[errors.PvenetError], send: Callable[[], object]) -> errors.PvenetError:
    """The error of exactly this kind; it and its traceback hold no secret."""
    with pytest.raises(kind) as caught:
        send()
    assert type(caught.value) is kind
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told + repr(caught.value) + repr(vars(caught.value))
    assert "During handling" not in told
    return caught.value
