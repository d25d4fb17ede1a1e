"""One request and its answer on the wire: sent in one write, answered within one time, and not without end.

urllib3 limits each wait for a byte and nothing as a whole: who sends a byte a second is read for ever.
"""

from __future__ import annotations

import http.client
import io
import math
import ssl
import zlib
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, SSLError
from urllib3.util import parse_url

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from email.message import Message

MAX_BODY = 16 * 1024 * 1024
"""Bytes of an answer, unpacked. A list of ten thousand interfaces, or a node's report, has some MB."""
MAX_WIRE = MAX_BODY + 1024 * 1024
"""Bytes of an answer as they come in, with the lengths of chunks."""
MAX_HEAD = 256 * 1024
"""Bytes of an answer's head, and of what may come before it."""
LONGEST = 86_400.0
"""Seconds; more is no timeout that a socket takes."""
_SLACK = 0.02
"""Seconds that a socket may wait longer than is left: to tell it again takes a call to the system, and in a command
with many threads another thread's turn.
"""
_WITHOUT_BODY = frozenset({*range(100, 200), 204, 304})
"""Statuses of an answer that ends with its head. None is PVE's: what comes after it may be the answer itself."""


class Broken(OSError):
    """No answer came over a connection, or not all of it."""


class BrokenTLS(Broken):
    """So it is because of TLS: a certificate that is not trusted, or what is no TLS."""


class Unpackable(OSError):
    """An answer is packed as nobody asked for, or can't be unpacked."""


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

    def limit(self, sock: socket.socket) -> None:
        """Let no wait on a socket take longer than is left for the whole, or hardly. Raises TimeoutError as `left`."""
        left, waits = self.left(), sock.gettimeout()
        if waits is None or not left <= waits <= left + _SLACK:
            sock.settimeout(left)

    def receive(self, count: int) -> None:
        """Count what comes in. Raises Oversized."""
        self._received += count
        if self._received > self._bound:
            raise Oversized(f"more than {self._bound} bytes")

    def body(self) -> None:
        """The head is over."""
        self._bound = MAX_WIRE


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is sent, to which host."""

    method: str
    origin: str
    """Scheme, host and port, as they begin a URL."""
    target: str
    """Path and query."""
    headers: Mapping[str, str] = field(repr=False)
    body: str | None = field(repr=False)
    """All in ASCII; headers and body hold secrets."""


class Adapter:
    """Sends one request a time over a connection that it keeps, and keeps to the exchange.

    What `requests` has for that is made for many threads and many hosts, and takes twice the processor. The
    connection is urllib3's: it resolves, connects and checks the certificate.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        context: Callable[[], ssl.SSLContext] | None = None,
        fingerprint: str | None = None,
        known_as: str | None = None,
    ) -> None:
        """`context`: gives what https trusts; `fingerprint`: the digits of the one certificate that is trusted.

        `known_as`: the name that a certificate has to have, where it is not the one that is asked.
        """
        self._exchange = exchange
        self._context = context
        self._names = {"assert_fingerprint": fingerprint, "server_hostname": known_as}
        self._links: dict[str, _Link] = {}

    def send(self, request: Request, *, timeout: float) -> Whole:
        """The answer; `timeout`: seconds to connect in. Raises Broken, of what happened, Unpackable and Oversized."""
        link = self._link(request.origin)
        link.timeout = timeout
        try:
            with link.ask(request) as answer:
                whole = _whole(answer)
        except BaseException as error:
            link.close()
            if isinstance(error, ssl.SSLError | SSLError):
                raise BrokenTLS(error) from error
            if isinstance(error, OSError | HTTPException | HTTPError) and not isinstance(error, Oversized | Unpackable):
                raise Broken(error) from error
            raise
        if whole.status_code in _WITHOUT_BODY:
            link.close()
        return whole

    def close(self) -> None:
        """The next request comes over a new connection."""
        for link in self._links.values():
            link.close()

    def _link(self, origin: str) -> _Link:
        if origin not in self._links:
            url = parse_url(origin)
            host = str(url.host).strip("[]")
            if url.scheme == "https":
                context = self._context() if self._context else None
                self._links[origin] = _SecureLink(self._exchange, host, url.port, ssl_context=context, **self._names)
            else:
                self._links[origin] = _Link(self._exchange, host, url.port)
        return self._links[origin]


class _Link(HTTPConnection):
    """A connection that sends head and body in one write: PVE may hang up on two where a ticket is used."""

    # not urllib3's, which look in each header for a mark to leave it out
    putrequest, putheader = http.client.HTTPConnection.putrequest, http.client.HTTPConnection.putheader

    def __init__(self, exchange: Exchange, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.exchange = exchange
        self._pieces: list[bytes] = []
        self.response_class = self._response  # type: ignore[assignment]

    def connect(self) -> None:
        super().connect()
        if isinstance(self.sock, ssl.SSLSocket):
            self.exchange.certificate = self.sock.getpeercert(binary_form=True)

    def ask(self, request: Request) -> http.client.HTTPResponse:
        """The answer to a request, of which no more than the head has to be there."""
        if not self.is_connected or self._has_more():
            self.close()  # the server may have ended it meanwhile
            self.connect()
        self._pieces = []
        http.client.HTTPConnection.request(self, request.method, request.target, request.body, request.headers)
        self.exchange.limit(self.sock)
        self.exchange.begun = True
        self.sock.sendall(b"".join(self._pieces))
        answer = http.client.HTTPConnection.getresponse(self)
        self.exchange.body()
        return answer

    def _has_more(self) -> bool:
        """Whether more came than the last answer, which would be taken for that of the next request.

        `is_connected` looks at what the system has; a record of TLS was taken from it as a whole.
        """
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def send(self, data: Any) -> None:
        self._pieces.append(data)

    def _response(self, sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:
        return http.client.HTTPResponse(_Readable(sock, self.exchange), *args, **kwargs)  # type: ignore[arg-type]


class _SecureLink(_Link, HTTPSConnection):
    """The same over TLS."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Whole:
    """An answer with all of its body, by the names that proxmoxer has from `requests`."""

    status_code: int
    reason: str
    headers: Message
    content: Unshown


class Unshown(bytes):
    """A body that no log shows: proxmoxer writes every answer into its own."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


def bound(size: int) -> None:
    """Raises Oversized for the size of a body that none of PVE's has."""
    if size > MAX_BODY:
        raise Oversized(f"more than {MAX_BODY} bytes")


def is_packed(encoding: str | None) -> bool:
    """Whether a body is packed. Raises Unpackable for an encoding that nobody asked for."""
    if encoding is None or encoding.lower() == "identity":
        return False
    if encoding.lower() != "gzip":
        raise Unpackable("an encoding that was not requested")
    return True


def _whole(answer: http.client.HTTPResponse) -> Whole:
    """An answer with its body. Raises Oversized and Unpackable."""
    if answer.length is not None:
        bound(answer.length)
    # of a chunk no more than may be: http.client makes room for what its length says before a byte of it has come
    body = answer.read(MAX_BODY + 1) if answer.chunked else answer.read()
    if is_packed(answer.getheader("Content-Encoding")) and body:
        body = _unpacked(body)
    bound(len(body))
    return Whole(status_code=answer.status, reason=answer.reason, headers=answer.headers, content=Unshown(body))


def _unpacked(data: bytes) -> bytes:
    """What was packed, up to a byte more than may be. Raises Unpackable."""
    gzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        body = gzip.decompress(data, MAX_BODY + 1)
    except zlib.error as error:
        raise Unpackable(error) from None
    if not gzip.eof and len(body) <= MAX_BODY:
        raise Unpackable("the body ends within what is packed")
    return body


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
        self._exchange.limit(self._sock)
        count: int | None = self._file.readinto(buffer)
        self._exchange.receive(count or 0)
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
