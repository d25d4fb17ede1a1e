"""One request and its answer on the wire: sent in one write, answered within one time, and not without end.

urllib3 limits each wait for a byte and nothing as a whole: who sends a byte a second is read for ever.
"""

from __future__ import annotations

import http.client
import io
import math
import ssl
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer, unpacked. A list of ten thousand interfaces, or a node's report, has some MB."""
MAX_WIRE = MAX_BODY + 1024 * 1024
"""Bytes of an answer as they come in, with the lengths of chunks."""
MAX_HEAD = 256 * 1024
"""Bytes of an answer's head, and of what may come before it."""
LONGEST = 86_400.0
"""Seconds; more is no timeout that a socket takes."""


class Oversized(OSError):
    """An answer is larger than any of PVE's."""


class Exchange:
    """The request that is under way: how much time is left for it, and whether a byte of it was sent."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = math.inf
        self._received, self._bound = 0, MAX_HEAD
        self.seconds = LONGEST
        """How long the whole may take."""
        self.begun = False
        """Something was sent, as far as can be known."""
        self.certificate: bytes | None = None
        """What the last handshake met and trusted, in DER."""

    def allow(self, seconds: float) -> None:
        """All that follows has to be over in so many seconds."""
        self.seconds = min(seconds, LONGEST)
        self._until = self._clock() + self.seconds

    def start(self, *, begun: bool) -> None:
        """A request comes; `begun` where nobody would tell of its first byte."""
        self.begun = begun
        self._received, self._bound = 0, MAX_HEAD

    def left(self) -> float:
        """Seconds that are left. Raises TimeoutError where none are."""
        left = self._until - self._clock()
        if left <= 0:
            raise TimeoutError("timed out")
        return min(left, LONGEST)

    def receive(self, count: int) -> None:
        """Count what comes in. Raises Oversized."""
        self._received += count
        if self._received > self._bound:
            raise Oversized(f"more than {self._bound} bytes")

    def body(self) -> None:
        """The head is over."""
        self._bound = MAX_WIRE


class Adapter(HTTPAdapter):
    """Plain `requests`, but for the exchange that it keeps to."""

    def __init__(self, exchange: Exchange | None = None) -> None:
        self._exchange = exchange or Exchange(time.monotonic)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": partial(_pool, HTTPConnectionPool, partial(_Link, self._exchange)),
            "https": partial(_pool, HTTPSConnectionPool, partial(_SecureLink, self._exchange)),
        }


def _pool(kind: type[HTTPConnectionPool], link: Any, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
    """A pool whose connections `link` makes."""
    pool = kind(*args, **kwargs)
    pool.ConnectionCls = link
    return pool


class _Link(HTTPConnection):
    """A connection that sends head and body in one write: PVE may hang up on two where a ticket is used."""

    def __init__(self, exchange: Exchange, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.exchange = exchange
        self._pieces: list[bytes] | None = None
        self._answer: http.client.HTTPResponse | None = None
        self.response_class = self._response  # type: ignore[assignment]

    def connect(self) -> None:
        super().connect()
        if isinstance(self.sock, ssl.SSLSocket):
            self.exchange.certificate = self.sock.getpeercert(binary_form=True)

    def request(self, *args: Any, **kwargs: Any) -> None:
        pieces: list[bytes] = []
        self._pieces = pieces
        try:
            super().request(*args, **kwargs)
        finally:
            self._pieces = None
        if self.sock is None:
            self.connect()
        self.sock.settimeout(self.exchange.left())
        self.exchange.begun = True
        self.send(b"".join(pieces))

    def getresponse(self) -> Any:
        try:
            return super().getresponse()
        except BaseException:
            if self._answer is not None:  # urllib3 forgets to where a head is malformed
                self._answer.close()
            self.close()
            raise

    def send(self, data: Any) -> None:
        if self._pieces is None:
            super().send(data)
        else:
            self._pieces.append(data)

    def _response(self, sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:
        self._answer = _Response(self.exchange, _Readable(sock, self.exchange), *args, **kwargs)
        return self._answer


class _SecureLink(_Link, HTTPSConnection):
    """The same over TLS."""


class _Response(http.client.HTTPResponse):
    """Tells the exchange where its head ends."""

    def __init__(self, exchange: Exchange, *args: Any, **kwargs: Any) -> None:
        self._exchange = exchange
        super().__init__(*args, **kwargs)

    def begin(self) -> None:
        super().begin()
        self._exchange.body()


class _Readable:
    """Of a socket, what http.client's response uses: a file of what comes in."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._sock = sock
        self._exchange = exchange

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._sock, self._exchange))


class _Incoming(io.RawIOBase):
    """What comes in on a socket; each wait for more has the time that is left for the whole."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        super().__init__()
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._exchange.left())
        count: int | None = self._file.readinto(buffer)
        self._exchange.receive(count or 0)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
