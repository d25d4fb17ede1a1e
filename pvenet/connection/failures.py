"""What went wrong with a request, as our errors; and above all whether it may have acted.

Whether something was sent is read from the kind of failure, never from its text, which holds names that others chose.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import requests

from pvenet import errors
from pvenet.connection.session import Token
from pvenet.connection.trust import seen_at, untrusted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.session import Credentials

NOT_PVE_HINT = "check host and port: PVE's API is at https://HOST:8006"

_TRANSIENT = frozenset({502, 503, 504, 595, 596, 597, 598, 599})
_OF_PVE = frozenset({400, 401, 403, 500, 501, 506})
_UNSENT = frozenset({"ConnectTimeout", "ConnectTimeoutError", "NameResolutionError", "NewConnectionError"})
"""Kinds of failure, of requests and urllib3, before a connection stands."""


class NotReached(errors.Unreachable):
    """Nothing was sent: another endpoint may be asked."""


class AnswerLost(errors.Unreachable):
    """A request was sent and its answer was lost: where it changes state, it may or may not have acted."""

    def __init__(self, message: str, *, hint: str = "", silent: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.silent = silent
        """There was time for an answer; asking the same endpoint once more would wait as long again."""


def refusal(  # noqa: PLR0913 - an answer's parts
    endpoint: Endpoint,
    credentials: Credentials,
    method: str,
    *,
    status: int,
    reason: str,
    envelope: Mapping[str, Any] | None,
) -> errors.PvenetError:
    """The error for an answer of 400 and above; `envelope` is its JSON, None where it is a page."""
    if status in _TRANSIENT:
        return AnswerLost(
            f"{endpoint} could not reach the node: {status} {reason}".rstrip(),
            hint="is the node online? try another endpoint of the cluster",
        )
    if envelope is None:
        return garbled(endpoint, method)
    if status == requests.codes.unauthorized:
        return unauthorized(endpoint, credentials)
    if status not in _OF_PVE:
        return errors.NotPVE(f"{endpoint} answers {method} with {status}, as PVE never does", hint=NOT_PVE_HINT)
    named = envelope.get("errors")
    texts = {str(key): str(text).strip() for key, text in named.items()} if isinstance(named, dict) else {}
    message = str(envelope.get("message") or "").strip() or reason or f"status {status}"
    return errors.RefusedByPVE(message, status=status, errors=texts)


def garbled(endpoint: Endpoint, method: str) -> errors.Unreachable:
    """The error for an answer that is no JSON of PVE's; a change may have acted all the same."""
    if method == "GET":
        return errors.NotPVE(f"{endpoint} answers, but not as PVE's API does", hint=NOT_PVE_HINT)
    return AnswerLost(f"{endpoint} answered with something that is not PVE's API", hint=NOT_PVE_HINT)


def unauthorized(endpoint: Endpoint, credentials: Credentials) -> errors.AuthenticationFailed:
    """The error for a token or a password that is not accepted."""
    if isinstance(credentials, Token):
        hint = "check PVENET_TOKEN_ID (whole, USER@REALM!NAME) and the secret; has the token expired?"
    else:
        hint = "check PVENET_USER (with its realm, as root@pam) and the password"
    return errors.AuthenticationFailed(f"{endpoint} does not accept the credentials of {credentials.user}", hint=hint)


def trouble(endpoint: Endpoint, error: requests.exceptions.RequestException) -> errors.PvenetError:
    """The error where no answer came."""
    causes = tuple(_causes(error))
    kinds = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    if isinstance(error, requests.exceptions.SSLError):
        return _tls_trouble(endpoint, error, causes)
    if kinds & _UNSENT:
        return _not_reached(endpoint, kinds)
    if isinstance(error, ValueError):  # requests refuses to make a request of it
        return errors.UsageError(f"{endpoint} is nothing that HTTP can ask", hint="write it as https://HOST:8006")
    silent = bool(kinds & {"Timeout", "ReadTimeoutError"})
    what = "did not answer in time" if silent else "cut the connection"
    return AnswerLost(f"{endpoint} {what}", hint="is pveproxy running there, and the way to it free?", silent=silent)


def _not_reached(endpoint: Endpoint, kinds: set[str]) -> NotReached:
    if "NameResolutionError" in kinds:
        return NotReached(
            f"the name {endpoint.host} does not resolve", hint="check the endpoint's spelling, or give its address"
        )
    if "ConnectionRefusedError" in kinds:
        return NotReached(f"nothing listens at {endpoint}", hint="check host and port (PVE's is 8006)")
    return NotReached(f"{endpoint} can't be reached", hint="is the node up, and the way to it free?")


def _tls_trouble(
    endpoint: Endpoint, error: requests.exceptions.SSLError, causes: tuple[BaseException, ...]
) -> errors.Unreachable:
    """Distrust comes before anything is sent; another failure of TLS may come at any time."""
    text = str(error)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes) or "ingerprints did not" in text:
        return untrusted(endpoint, text)
    ended = any(isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError) for cause in causes)
    if not ended and seen_at(endpoint) is None:
        return errors.NotPVE(f"{endpoint} does not speak TLS as it should", hint=NOT_PVE_HINT)
    return AnswerLost(f"{endpoint} cut the connection", hint="is pveproxy running there, and the way to it free?")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it was made of: the libraries keep that in different places."""
    todo, known = [error], set()
    while todo:
        cause = todo.pop()
        if not isinstance(cause, BaseException) or id(cause) in known:
            continue
        known.add(id(cause))
        yield cause
        todo += [cause.__cause__, getattr(cause, "reason", None), *cause.args]
