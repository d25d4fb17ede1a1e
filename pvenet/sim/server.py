"""A sim over HTTPS on loopback, for any PVE client."""

from __future__ import annotations

import ipaddress
import signal
import ssl
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pvenet.sim.access.users import ROOT
from pvenet.sim.files import SimError
from pvenet.sim.front import Front
from pvenet.sim.http.certificate import certificate
from pvenet.sim.listener import At, Listener
from pvenet.sim.state import Sim

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from pvenet.sim.faults import Fault

__all__ = ["At", "Endpoint", "Server", "serve"]


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
    also: tuple[str, ...] = ()
    """Further URLs; with them each answers only while a node has its address."""


class Server:
    """A sim that is being served while this is entered."""

    def __init__(  # noqa: PLR0913  options, all by name
        self,
        place: Path | Sim,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool = True,
        address: str = "",
        also: Sequence[At] = (),
        faults: Sequence[Fault | str] = (),
        node: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """With an address or further places, each answers only while a node has its address."""
        places = (At(host=host, port=port, address=address), *also)
        by_address = bool(address or also)
        if not (isinstance(place, Sim) and place.backend.real and tls):
            for at in places:
                _must_be_loopback(at.host)
        self.sim = place if isinstance(place, Sim) else Sim.open(place)
        if by_address:
            _must_be_had(self.sim, [at.answers_for for at in places])
        context, fingerprint = _tls(self.sim.folder) if tls else (None, None)
        front = Front(self.sim, clock=clock, faults=faults, local=node, by_address=by_address)
        self._listeners: list[Listener] = []
        for at in places:
            self._listen(at, front, context)
        urls = [f"{'https' if tls else 'http'}://{listener.place}" for listener in self._listeners]
        users = self.sim.users()
        token, secret = users.credentials()
        self.endpoint = Endpoint(
            url=urls[0],
            also=tuple(urls[1:]),
            token_id=token,
            token_secret=secret,
            user=ROOT,
            password=str(users.users.get(ROOT, {}).get("password", "")),
            fingerprint=fingerprint,
        )
        self._threads = [threading.Thread(target=listener.serve, daemon=True) for listener in self._listeners]

    def _listen(self, at: At, front: Front, context: ssl.SSLContext | None) -> None:
        try:
            self._listeners.append(Listener(at, front, context))
        except OSError as error:
            for listener in self._listeners:
                listener.server_close()
            raise SimError(f"can't listen on {at.host} port {at.port}: {error.strerror}") from error

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener, thread in zip(self._listeners, self._threads, strict=True):
            listener.end()
            thread.join()
            listener.reset()
            listener.server_close()


def serve(  # noqa: PLR0913  options, all by name
    place: Path | Sim,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: bool = True,
    address: str = "",
    also: Sequence[At] = (),
    faults: Sequence[Fault | str] = (),
    announce: Callable[[Endpoint], None],
    node: str | None = None,
) -> None:
    """Serve a folder until SIGINT or SIGTERM comes."""
    ended = threading.Event()
    server = Server(place, host=host, port=port, tls=tls, address=address, also=also, faults=faults, node=node)
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


def _must_be_had(sim: Sim, hosts: Sequence[str]) -> None:
    """At one of the addresses a node must answer now."""
    nodes = [sim.node(name) for name in sim.nodes]
    having = [address for node in nodes for address in node.addresses(node.machine())]
    if not set(hosts) & set(having):
        raise SimError(
            f"no node in {sim.folder} answers at {' or '.join(hosts)}, only at {', '.join(having) or 'none'}"
        )


def _tls(folder: Path) -> tuple[ssl.SSLContext, str]:
    path, fingerprint = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, fingerprint
