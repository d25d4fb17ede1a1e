"""One or more API endpoints over HTTPS: credentials, trust, timeouts, and what may be sent twice.

Beside `pvenet.node` the only place that may touch proxmoxer. A request that changes state is never sent twice: where
its answer is lost, `AnswerLost` says so and the caller settles by reading what became of it.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import requests
from proxmoxer.core import ProxmoxResource, ResourceException

from pvenet import errors
from pvenet.connection.endpoint import Endpoint, untrusted
from pvenet.connection.session import (
    READ_TIMEOUT,
    Answer,
    Credentials,
    Password,
    Pinned,
    Serializer,
    Session,
    Token,
    Trust,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

IDLE_LIMIT = 3.0
"""Seconds. The server closes an idle connection after 5 s; a write never starts on one that could be dead."""
TICKET_AGE = 3600.0
"""Seconds after which a ticket is renewed; PVE's expire after two hours."""

_TRANSIENT = frozenset({502, 503, 504, 595, 596, 597, 598, 599})
_OF_PVE = frozenset({400, 401, 403, 500, 501, 506})


class AnswerLost(errors.Unreachable):
    """A request that changes state was sent and its answer was lost: it may or may not have acted."""


class Connection:
    """What speaks to PVE. Endpoints are tried in order; the one that answered is asked first the next time."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        credentials: Credentials,
        trust: Trust | None = None,
        *,
        debug: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.endpoints = tuple(endpoints)
        self.credentials = credentials
        self.trust = trust or Trust()
        self._clock = clock
        self._session = Session(debug)
        self._current = 0
        self._used = clock()
        self._ticket_from = (-1, 0.0)
        self._mount()

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that is asked first."""
        return self.endpoints[self._current]

    def fresh(self) -> None:
        """Forget kept-alive connections, so that the next request may meet another of the server's workers."""
        self._session.close()

    def close(self) -> None:
        """Close the sockets."""
        self._session.close()

    def get(self, *path: str, timeout: float | None = None, **query: str | int) -> Answer:
        """Read. Asked again after a lost connection and of the other endpoints; `timeout` in seconds."""
        self._session.read_timeout = timeout or READ_TIMEOUT
        lost: errors.Unreachable | None = None
        for number in range(len(self.endpoints) + 1):  # a kept-alive connection may be dead, so the first twice
            try:
                return self._send("GET", path, dict(query))
            except AnswerLost as error:
                lost = error
                self.fresh()
                if number > 0:
                    self._turn()
            except errors.Unreachable as error:
                lost = error
                if len(self.endpoints) == 1 or isinstance(error, errors.Untrusted | errors.NotPVE):
                    raise
                self._turn()
        raise errors.Unreachable(lost.message if lost else "no endpoint", hint=lost.hint if lost else "")

    def post(self, *path: str, form: Mapping[str, str | int]) -> Answer:
        """Change. Raises AnswerLost where it can't be known whether it acted."""
        return self._change("POST", path, form)

    def put(self, *path: str, form: Mapping[str, str | int] | None = None) -> Answer:
        """Change. Raises AnswerLost where it can't be known whether it acted."""
        return self._change("PUT", path, form or {})

    def delete(self, *path: str) -> Answer:
        """Change. Raises AnswerLost where it can't be known whether it acted."""
        return self._change("DELETE", path, {})

    # --- beneath -----------------------------------------------------------------------------------------------------

    def _change(self, method: str, path: tuple[str, ...], form: Mapping[str, str | int]) -> Answer:
        self._session.read_timeout = READ_TIMEOUT
        if self._clock() - self._used > IDLE_LIMIT:
            self.fresh()
        for _ in self.endpoints[1:]:
            try:
                return self._send(method, path, dict(form))
            except AnswerLost:
                raise
            except errors.Unreachable:  # nothing was sent
                self._turn()
        return self._send(method, path, dict(form))

    def _turn(self) -> None:
        self._current = (self._current + 1) % len(self.endpoints)

    def _send(self, method: str, path: tuple[str, ...], form: dict[str, str | int]) -> Answer:
        self._enter()
        resource = ProxmoxResource(base_url=self.endpoint.base_url, session=self._session, serializer=Serializer())(
            path
        )
        verb = {"GET": resource.get, "POST": resource.post, "PUT": resource.put, "DELETE": resource.delete}[method]
        try:
            answer = verb(**form)
        except ResourceException as error:
            raise self._refusal(error, method) from None
        except requests.exceptions.RequestException as error:
            raise self._trouble(error) from None
        except ValueError:
            raise self._garbled(method) from None
        finally:
            self._used = self._clock()
        if not isinstance(answer, Answer):  # a redirect: proxmoxer answers None
            raise errors.NotPVE(f"{self.endpoint} redirects instead of answering", hint=_NOT_PVE_HINT)
        return answer

    def _garbled(self, method: str) -> errors.Unreachable:
        if method == "GET":
            return errors.NotPVE(f"{self.endpoint} answers, but not as PVE's API does", hint=_NOT_PVE_HINT)
        return AnswerLost(f"{self.endpoint} answered with something that is not PVE's API", hint=_NOT_PVE_HINT)

    def _refusal(self, error: ResourceException, method: str) -> errors.PvenetError:
        status = int(error.status_code)
        if status in _TRANSIENT:
            message = f"{self.endpoint} could not reach the node: {status} {error.content.split(' - {')[0]}"
            return AnswerLost(message, hint="is the node online? try another endpoint of the cluster")
        if status == requests.codes.unauthorized:
            return self._unauthorized()
        if status not in _OF_PVE:
            return errors.NotPVE(
                f"{self.endpoint} answers {method} with {status}, as PVE never does", hint=_NOT_PVE_HINT
            )
        envelope = error.errors if isinstance(error.errors, dict) else {}
        named = envelope.get("errors")
        texts = {str(key): str(text).strip() for key, text in named.items()} if isinstance(named, dict) else {}
        message = str(envelope.get("message") or "").strip() or str(error.content)
        return errors.RefusedByPVE(message, status=status, errors=texts)

    def _unauthorized(self) -> errors.AuthenticationFailed:
        who = self.credentials.user
        if isinstance(self.credentials, Token):
            hint = "check PVENET_TOKEN_ID (whole, USER@REALM!NAME) and the secret; has the token expired?"
        else:
            hint = "check PVENET_USER (with its realm, as root@pam) and the password"
        return errors.AuthenticationFailed(f"{self.endpoint} does not accept the credentials of {who}", hint=hint)

    def _trouble(self, error: requests.exceptions.RequestException) -> errors.Unreachable:
        if isinstance(error, requests.exceptions.SSLError):
            self.fresh()
            return untrusted(self.endpoint, str(error))
        unsent = isinstance(error, requests.exceptions.ConnectTimeout) or any(
            word in repr(error) for word in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")
        )
        if not unsent:
            what = "did not answer in time" if isinstance(error, requests.exceptions.Timeout) else "cut the connection"
            return AnswerLost(f"{self.endpoint} {what}", hint="is pveproxy running there, and the way to it free?")
        if "NameResolutionError" in repr(error):
            return errors.Unreachable(
                f"the name {self.endpoint.host} does not resolve",
                hint="check the endpoint's spelling, or give its address",
            )
        if "refused" in repr(error):
            return errors.Unreachable(f"nothing listens at {self.endpoint}", hint="check host and port (PVE's is 8006)")
        return errors.Unreachable(f"{self.endpoint} can't be reached", hint="is the node up, and the way to it free?")

    # --- entering ----------------------------------------------------------------------------------------------------

    def _mount(self) -> None:
        trust = self.trust
        self._session.verify = False if trust.fingerprint or trust.insecure else str(trust.ca_file or "") or True
        if trust.fingerprint:
            self._session.mount("https://", Pinned(trust.fingerprint.replace(":", "")))
        for endpoint in self.endpoints:
            if endpoint.adapter is not None:
                self._session.mount(endpoint.base_url, endpoint.adapter)
        if isinstance(self.credentials, Token):
            header = f"PVEAPIToken={self.credentials.id}={self.credentials.secret}"
            self._session.headers["Authorization"] = header

    def _enter(self) -> None:
        """Log in for a ticket where the credentials are a password and the ticket is missing, old or another's."""
        if not isinstance(self.credentials, Password):
            return
        endpoint, since = self._ticket_from
        if endpoint == self._current and self._clock() - since < TICKET_AGE:
            return
        form = {"username": self.credentials.user, "password": self.credentials.password}
        # not through ProxmoxResource, which would log the form; pinned and timed like every other request
        try:
            response = self._session.request("POST", f"{self.endpoint.base_url}/access/ticket", data=form)
            data = json.loads(response.content)["data"] if response.ok else None
        except requests.exceptions.RequestException as error:
            raise self._trouble(error) from None
        except (ValueError, KeyError, TypeError):
            raise errors.NotPVE(f"{self.endpoint} does not log in as PVE does", hint=_NOT_PVE_HINT) from None
        if not isinstance(data, dict):
            raise self._unauthorized()
        if data.get("NeedTFA") or "CSRFPreventionToken" not in data:
            raise errors.AuthenticationFailed(
                f"{self.credentials.user} needs a second factor to log in",
                hint="use an API token: PVENET_TOKEN_ID and PVENET_TOKEN_SECRET",
            )
        self._session.headers["CSRFPreventionToken"] = data["CSRFPreventionToken"]
        self._session.headers["Cookie"] = f"PVEAuthCookie={data['ticket']}"
        self._ticket_from = (self._current, self._clock())


_NOT_PVE_HINT = "check host and port: PVE's API is at https://HOST:8006"
