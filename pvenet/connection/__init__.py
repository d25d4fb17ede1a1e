"""One or more API endpoints over HTTPS: credentials, trust, timeouts, and what may be sent twice.

The only place that may touch proxmoxer. A request that changes state is never sent twice: where its answer is lost,
`AnswerLost` says so and the caller settles by reading what became of it.
"""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import quote

from proxmoxer.core import ProxmoxResource, ResourceException
from urllib3.exceptions import HTTPError

from pvenet import errors
from pvenet.connection.answers import Answer, Serializer
from pvenet.connection.exchange import Adapter, Exchange
from pvenet.connection.failures import READ, garbled, refusal, trouble, unproven
from pvenet.connection.failures import AnswerLost as AnswerLost
from pvenet.connection.failures import NodeNotReached as NodeNotReached
from pvenet.connection.failures import NotReached as NotReached
from pvenet.connection.held import Held as Held
from pvenet.connection.session import READ_TIMEOUT, Credentials, Password, Session, Token
from pvenet.connection.session import Trust as Trust
from pvenet.connection.ticket import Ticket
from pvenet.connection.trust import fingerprint, unchecked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pvenet.connection.endpoint import Endpoint

_T = TypeVar("_T")

IDLE_LIMIT = 3.0
"""Seconds. The server closes an idle connection after 5 s; a write never starts on one that could be dead."""
SHARE = 8.0
"""Seconds that each endpoint has at least; a living node was seen to take 6.4 for one answer (pve-api#slow-answer)."""

Watch: TypeAlias = "Callable[[str], AbstractContextManager[None]]"
"""Makes what is entered while a request is on its way to an endpoint."""


def _unwatched(_endpoint: str) -> AbstractContextManager[None]:
    return nullcontext()


class Connection:
    """What speaks to PVE. Endpoints are tried in order; the one that answered is asked first the next time."""

    def __init__(  # noqa: PLR0913 - whom to ask as whom, and who looks on
        self,
        endpoints: Sequence[Endpoint],
        credentials: Credentials,
        trust: Trust | None = None,
        *,
        debug: Callable[[str], None] | None = None,
        watch: Watch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not endpoints:
            raise errors.UsageError("no endpoint: which node?")
        self.endpoints = tuple(endpoints)
        self.credentials = credentials
        self.trust = trust or Trust()
        self.heard: Callable[[tuple[str, ...], object], None] | None = None
        """Is told what each read without a query was answered: its path and its data."""
        self.noted: Callable[[str, Any], None] | None = None
        """Is told what was made of a node's listing or report: the node, and a `Reading` or a `Report`."""
        self._debug = debug
        self._watch = watch or _unwatched
        """What is entered while a request is on its way to an endpoint, and left when it was answered."""
        self._clock = clock
        self._exchange = Exchange(clock)
        self._session = Session(self._exchange, debug)
        self._current = 0
        self._learnt: frozenset[str] = frozenset()
        """The URLs of the endpoints that nobody has given."""
        self._met: dict[str, str] = {}
        """The SHA-256 of the certificate that each endpoint has shown, by its URL."""
        self._held = False
        self._used = clock()
        self._ticket = Ticket(self._session, self._exchange, clock)
        self._mount()

    def another(self) -> Connection:
        """One more to the same place as the same user; whoever was asked for a secret is not asked again."""
        more = Connection(
            self.endpoints, self.credentials, self.trust, debug=self._debug, watch=self._watch, clock=self._clock
        )
        more.heard, more.noted, more._held = self.heard, self.noted, self._held
        return more

    def hold(self) -> None:
        """Send nothing from here on that changes anything; what would be raises Held."""
        self._held = True

    def watching(self, endpoint: Endpoint) -> AbstractContextManager[None]:
        """While something else than a request is on its way to an endpoint: the same is heard of it."""
        return self._watch(str(endpoint))

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that is asked first."""
        return self.endpoints[self._current]

    @property
    def learnt(self) -> tuple[Endpoint, ...]:
        """The endpoints that nobody has given."""
        return tuple(endpoint for endpoint in self.endpoints if endpoint.url in self._learnt)

    def certificate(self, endpoint: Endpoint) -> str | None:
        """The SHA-256 of an endpoint's certificate, as `AA:BB:...`: the one that was met there, or is pinned.

        None where there is none (http, a simulated node in process), or it was not asked yet and nothing is pinned.
        """
        pinned = endpoint.adapter is None and endpoint.scheme == "https"
        return self._met.get(endpoint.url) or ((endpoint.fingerprint or self.trust.fingerprint) if pinned else None)

    def also(self, more: Sequence[Endpoint]) -> None:
        """Know further endpoints, to be tried after those that were given; one that leads nowhere fails nothing."""
        known = {endpoint.url for endpoint in self.endpoints}
        new = [endpoint for endpoint in more if endpoint.url not in known]
        self.endpoints = (*self.endpoints, *new)
        self._learnt |= {endpoint.url for endpoint in new}
        for endpoint in new:
            self._mount_at(endpoint)

    def answers(self, endpoint: Endpoint, *, timeout: float) -> bool:
        """Whether one endpoint answers now, whatever it says; if so, it is asked first the next time."""
        self._exchange.allow(self._seconds(timeout))
        before, self._current = self._current, self.endpoints.index(endpoint)
        try:
            self._twice(lambda: self._send(READ, ("version",), {}))
        except errors.Unreachable:
            self._current = before
            return False
        except errors.PvenetError:
            pass
        return True

    def fresh(self) -> None:
        """Forget kept-alive connections, so that the next request may meet another of the server's workers."""
        self._session.close()

    def close(self) -> None:
        """Close the sockets."""
        self._session.close()

    def get(self, *path: str, timeout: float | None = None, **query: str | int) -> Answer:
        """Read. Asked again after a lost connection, and of the other endpoints."""
        answer = self._get(path, query, timeout)
        if self.heard and not query:
            self.heard(path, answer.data)
        return answer

    def _get(self, path: tuple[str, ...], query: dict[str, str | int], timeout: float | None) -> Answer:
        seconds = self._share(self._seconds(timeout))
        failures: list[errors.Unreachable] = []
        for _ in self.endpoints:
            self._exchange.allow(seconds)
            try:
                return self._twice(lambda: self._send(READ, path, dict(query)))
            except errors.Unreachable as error:
                if not isinstance(error, AnswerLost | NotReached) and self.endpoint.url not in self._learnt:
                    raise
                failures.append(error)
                self._turn()
        proxied = any(isinstance(error, AnswerLost) and error.proxied for error in failures)
        kind = NodeNotReached if proxied else errors.Unreachable
        raise kind("\n  ".join(error.message for error in failures), hint=failures[-1].hint)

    def get_once(self, *path: str, timeout: float | None = None) -> Answer:
        """Read what is much work for the node: sent once, and raises AnswerLost and NotReached, as a change does."""
        return self._change(READ, path, {}, self._seconds(timeout))

    def post(self, *path: str, form: Mapping[str, str | int], timeout: float | None = None) -> Answer:
        """Change. Raises AnswerLost where it can't be known whether it acted, NotReached where nothing was sent."""
        return self._change("POST", path, form, self._seconds(timeout))

    def put(
        self,
        *path: str,
        form: Mapping[str, str | int] | None = None,
        timeout: float | None = None,
        acts_first: bool = False,
    ) -> Answer:
        """Change, as `post` does. `acts_first`: it may fail after it has acted, so that a 500 is a lost answer, too."""
        try:
            return self._change("PUT", path, form or {}, self._seconds(timeout))
        except errors.RefusedByPVE as refused:
            if acts_first and refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise unproven(self.endpoint, refused) from None
            raise

    def delete(self, *path: str, query: Mapping[str, str | int] | None = None, timeout: float | None = None) -> Answer:
        """Change, as `post` does; what it is asked with stands in the URL (pve-api#sdn-lock-release)."""
        return self._change("DELETE", path, query or {}, self._seconds(timeout))

    # --- beneath -----------------------------------------------------------------------------------------------------

    def _seconds(self, timeout: float | None) -> float:
        """How long an answer may take in all, head and body."""
        seconds = READ_TIMEOUT if timeout is None else timeout
        if not math.isfinite(seconds):
            raise errors.UsageError(f"{seconds} is not a number of seconds to wait for an answer")
        return seconds

    def _share(self, seconds: float) -> float:
        """Of the time for an answer, what each of several endpoints may take: never less than a living one needs."""
        return max(min(seconds, SHARE), seconds / len(self.endpoints)) if self._learnt else seconds

    def _change(self, method: str, path: tuple[str, ...], form: Mapping[str, str | int], seconds: float) -> Answer:
        if self._held and method != READ:
            raise Held(method, path, form)
        if self._clock() - self._used > IDLE_LIMIT:
            self.fresh()
        for _ in self.endpoints[1:]:
            self._exchange.allow(seconds)
            try:
                return self._send(method, path, dict(form))
            except NotReached:
                self._turn()
            except errors.Untrusted:  # before anything was sent
                if self.endpoint.url not in self._learnt:
                    raise
                self._turn()
        self._exchange.allow(seconds)
        return self._send(method, path, dict(form))

    def _turn(self) -> None:
        self._current = (self._current + 1) % len(self.endpoints)

    def _twice(self, send: Callable[[], _T]) -> _T:
        """Send what may be sent twice: once more where the connection was cut; both within the allowed time."""
        try:
            return send()
        except AnswerLost as error:
            if error.silent:
                raise
        except NotReached as error:
            if not error.again:
                raise
        self.fresh()
        return send()

    def _send(self, method: str, path: tuple[str, ...], form: dict[str, str | int]) -> Answer:
        with self._watch(str(self.endpoint)):
            return self._answer(method, path, form)

    def _answer(self, method: str, path: tuple[str, ...], form: dict[str, str | int]) -> Answer:
        url = "/".join((self.endpoint.base_url, *_quoted(path)))
        serializer = Serializer(asked=f"{method} /{'/'.join(path)}", by=str(self.endpoint))
        resource = ProxmoxResource(base_url=url, session=self._session, serializer=serializer)
        verb = {READ: resource.get, "POST": resource.post, "PUT": resource.put, "DELETE": resource.delete}[method]
        try:
            self._enter()
            answer = verb(**form)
        except ResourceException as error:
            raise self._refusal(method, int(error.status_code), error.content, error.errors) from None
        except (OSError, HTTPError) as error:
            raise trouble(self.endpoint, error, method, begun=self._exchange.begun) from None
        except ValueError:
            raise garbled(self.endpoint, method) from None
        finally:
            self._used = self._clock()
            self._remember()
        if not isinstance(answer, Answer):  # a redirect: proxmoxer answers None
            raise garbled(self.endpoint, method, ": it redirects")
        return answer

    def _remember(self) -> None:
        """Whose certificate was met, where there was a handshake."""
        if self._exchange.certificate:
            self._met[self.endpoint.url] = fingerprint(self._exchange.certificate)
        self._exchange.certificate = None

    def _refusal(self, method: str, status: int, reason: str, envelope: Mapping[str, Any] | None) -> errors.PvenetError:
        return refusal(
            self.endpoint, self.credentials, method, status=status, reason=str(reason or ""), envelope=envelope
        )

    # --- entering ----------------------------------------------------------------------------------------------------

    def _mount(self) -> None:
        trust = self.trust
        if trust.ca_file:
            _ = trust.context  # a file of no CA is told before anything is asked
        self._session.mount("http://", Adapter(self._exchange))
        self._session.mount("https://", self._adapter(trust.fingerprint))
        for endpoint in self.endpoints:
            self._mount_at(endpoint)
        if isinstance(self.credentials, Token):
            header = f"PVEAPIToken={self.credentials.id}={self.credentials.secret}"
            self._session.headers["Authorization"] = header

    def _mount_at(self, endpoint: Endpoint) -> None:
        """What an endpoint has of its own: an adapter, a certificate, a name."""
        if endpoint.adapter is not None:
            self._session.mount(endpoint.base_url, endpoint.adapter)
        elif endpoint.fingerprint:
            self._session.mount(endpoint.base_url, self._adapter(endpoint.fingerprint))
        elif endpoint.known_as and not (self.trust.fingerprint or self.trust.insecure):
            self._session.mount(endpoint.base_url, self._adapter(known_as=endpoint.known_as))

    def _adapter(self, fingerprint: str | None = None, *, known_as: str | None = None) -> Adapter:
        if fingerprint:
            return Adapter(self._exchange, context=unchecked, fingerprint=fingerprint.replace(":", ""))
        return Adapter(self._exchange, context=lambda: self.trust.context, known_as=known_as)

    def _enter(self) -> None:
        """Log in where the credentials are a password, and this endpoint has given no ticket that is still good."""
        if isinstance(self.credentials, Password) and not self._ticket.is_good_for(self.endpoint):
            self._ticket.take(self.credentials, self.endpoint, self._twice)


def _quoted(path: tuple[str, ...]) -> list[str]:
    """Names as parts of a path. One that is empty or goes up would change what is asked: all for one, at worst."""
    for part in path:
        if part in ("", ".", ".."):
            raise errors.UsageError(f"{part!r} is not a name")
    return [quote(part, safe=":@!") for part in path]
