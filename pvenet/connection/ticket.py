"""Logging in with a password: each endpoint gives a ticket, which grows old."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeGuard

from urllib3.exceptions import HTTPError

from pvenet import errors
from pvenet.connection.answers import Serializer
from pvenet.connection.failures import NOT_PVE_HINT, READ, AnswerLost, NotReached, refusal, trouble
from pvenet.connection.session import LOGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.exchange import Exchange, Whole
    from pvenet.connection.session import Password, Session

AGE = 3600.0
"""Seconds after which a ticket is renewed; PVE's expire after two hours."""

_Reply = dict[str, Any]


class Ticket:
    """The ticket that a session's requests carry; there is none before the first one is taken."""

    def __init__(self, session: Session, exchange: Exchange, clock: Callable[[], float]) -> None:
        self._session = session
        self._exchange = exchange
        self._clock = clock
        self._by = ""
        """The URL of the endpoint that gave it."""
        self._since = 0.0

    def is_good_for(self, endpoint: Endpoint) -> bool:
        """Whether this endpoint gave it, and not long ago."""
        return self._by == endpoint.url and self._clock() - self._since < AGE

    def take(self, credentials: Password, endpoint: Endpoint, twice: Callable[[Callable[[], _Reply]], _Reply]) -> None:
        """Log in, and let the session's requests carry what was answered; `twice` sends what may be sent twice.

        Raises NotReached where no answer came, and what a read raises.
        """
        try:
            data = twice(lambda: self._login(credentials, endpoint))
        except AnswerLost as lost:  # of the login; what it was for has not been sent
            raise NotReached(lost.message, hint=lost.hint) from None
        if data.get("NeedTFA"):
            raise errors.AuthenticationFailed(
                f"{credentials.user} needs a second factor to log in",
                hint="use an API token: the web UI makes one (Datacenter > Permissions > API Tokens), or the lines of\n"
                "`pvenet login --print` do; `pvenet login --token-id USER@REALM!NAME` asks for its secret",
            )
        ticket, csrf = data.get("ticket"), data.get("CSRFPreventionToken")
        if not (_is_header(ticket) and _is_header(csrf)):
            raise _no_login(endpoint)
        self._session.headers["Cookie"] = f"PVEAuthCookie={ticket}"
        self._session.headers["CSRFPreventionToken"] = csrf
        self._by, self._since = endpoint.url, self._clock()
        self._exchange.allow(self._exchange.seconds)  # the login was an answer of its own

    def _login(self, credentials: Password, endpoint: Endpoint) -> _Reply:
        """Post the password; not through ProxmoxResource, which would log the form.

        It changes nothing, so that what goes wrong is told as of a read.
        """
        form = {"username": credentials.user, "password": credentials.password}
        try:
            response = self._session.request("POST", f"{endpoint.base_url}{LOGIN}", data=form)
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                raise _refusal(endpoint, credentials, response)
            data = Serializer(asked=f"POST {LOGIN}", by=str(endpoint)).loads(response).data
        except (OSError, HTTPError) as error:
            raise trouble(endpoint, error, READ, begun=self._exchange.begun) from None
        except ValueError:
            raise _no_login(endpoint) from None
        if not isinstance(data, dict):
            raise _no_login(endpoint)
        return data


def _refusal(endpoint: Endpoint, credentials: Password, response: Whole) -> errors.PvenetError:
    envelope: Mapping[str, Any] | None = Serializer.loads_errors(response)
    status, reason = response.status_code, response.reason
    return refusal(endpoint, credentials, READ, status=status, reason=reason, envelope=envelope)


def _no_login(endpoint: Endpoint) -> errors.NotPVE:
    return errors.NotPVE(f"{endpoint} does not log in as PVE does", hint=NOT_PVE_HINT)


def _is_header(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and re.fullmatch("[!-~]+", value) is not None
