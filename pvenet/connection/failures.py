"""What went wrong with a request, as our errors; and above all whether it may have acted.

Whether something was sent is read from the kind of failure, never from its text, which holds names that others chose.
"""

from __future__ import annotations

import errno
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.connection.exchange import BrokenTLS
from pvenet.connection.session import Token
from pvenet.connection.trust import seen_at, untrusted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from urllib3.exceptions import HTTPError

    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.session import Credentials

READ = "GET"
NOT_PVE_HINT = "check host and port: PVE's API is at https://HOST:8006"

_UNREACHED = frozenset({502, 503, 504, *range(595, 600)})
"""Who answers has not got the node's answer: it may have acted, whatever form this takes."""
_PROXIED = range(595, 600)
"""PVE itself says so (pve-api#nodes)."""
_GATEWAYS = frozenset({408, 425, 429, *range(520, 531)})
"""Somebody between us and the node answers, unless it is in PVE's own form."""
_UNSENT = frozenset({"ConnectTimeout", "ConnectTimeoutError", "NameResolutionError", "NewConnectionError"})
"""Kinds of failure, of urllib3 and requests, before a connection stands; all by their names, whoever's they are."""
_SILENT = frozenset({"Timeout", "ReadTimeoutError", "TimeoutError"})
_GARBLED = frozenset({"ContentDecodingError", "InvalidHeader", "Oversized", "Unpackable"})
_CUT = frozenset({"Broken", "RequestException"})
_SPENT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
_WAY_HINT = "is pveproxy running there, and its port open in the firewall?"


class NotReached(errors.Unreachable):
    """Nothing was sent: another endpoint may be asked."""

    def __init__(self, message: str, *, hint: str = "", again: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.again = again
        """The same endpoint may take it at once."""


class NodeNotReached(errors.Unreachable):
    """A read failed at every endpoint, and one of them answers for PVE: the node itself was not reached."""


class AnswerLost(errors.Unreachable):
    """A request was sent and its answer was lost: where it changes state, it may or may not have acted."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        silent: bool = False,
        proxied: bool = False,
        refused: errors.RefusedByPVE | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.proxied = proxied
        """PVE answers, and did not get the answer of the node that it asked for us."""
        self.silent = silent
        """There was time for an answer; asking the same endpoint once more would wait as long again."""
        self.refused = refused
        """PVE's own words, where they do not prove that nothing happened."""


def refusal(  # noqa: PLR0913 - an answer's parts
    endpoint: Endpoint,
    credentials: Credentials,
    method: str,
    *,
    status: int,
    reason: str,
    envelope: Mapping[str, Any] | None,
) -> errors.PvenetError:
    """The error for an answer of 400 and above; `envelope` is its JSON, None where it is not in PVE's form.

    Only a refusal in PVE's own form proves that nothing happened. A release without `message` in it is taken at its
    word where nothing could have happened.
    """
    if status in _UNREACHED:
        return AnswerLost(
            f"{endpoint} could not reach the node: {status} {reason}".rstrip(),
            hint="is the node online? try another endpoint of the cluster",
            proxied=status in _PROXIED,
        )
    text = envelope.get("message", "") if envelope is not None else None
    if envelope is None or (not (isinstance(text, str) and (text or not envelope)) and method != READ):
        if status in _GATEWAYS:
            return AnswerLost(f"PVE does not answer behind {endpoint}: {status} {reason}".rstrip(), hint=_WAY_HINT)
        return garbled(endpoint, method, f": it says {status} to {method}")
    if status == HTTPStatus.UNAUTHORIZED:
        return unauthorized(endpoint, credentials)
    named = envelope.get("errors")
    texts = {str(key): str(text).strip() for key, text in named.items()} if isinstance(named, dict) else {}
    words = str(envelope.get("message") or "").strip() or reason or f"status {status}"
    message = words.replace("\n", "\n  ")  # its lines begin none of ours
    return errors.RefusedByPVE(message, status=status, errors=texts)


def unproven(endpoint: Endpoint, refused: errors.RefusedByPVE) -> AnswerLost:
    """The error for a failure of PVE's that does not prove that nothing happened: it came after it began to act."""
    return AnswerLost(
        f"{endpoint} says {refused.status}, and may have acted before that: {refused.message}", refused=refused
    )


def garbled(endpoint: Endpoint, method: str, what: str = "") -> errors.Unreachable:
    """The error for an answer that is not in PVE's form; a change may have acted all the same."""
    message = f"{endpoint} answers, but not as PVE's API does{what}"
    if method == READ:
        return errors.NotPVE(message, hint=NOT_PVE_HINT)
    return AnswerLost(message, hint=NOT_PVE_HINT)


def unauthorized(endpoint: Endpoint, credentials: Credentials) -> errors.AuthenticationFailed:
    """The error for a token or a password that is not accepted."""
    if isinstance(credentials, Token):
        hint = f"check {credentials.named} (whole, USER@REALM!NAME) and the secret; has the token expired?"
    else:
        hint = f"check {credentials.named} (with its realm, as root@pam) and the password"
    return errors.AuthenticationFailed(f"{endpoint} does not accept the credentials of {credentials.user}", hint=hint)


def trouble(endpoint: Endpoint, error: OSError | HTTPError, method: str, *, begun: bool) -> errors.PvenetError:
    """The error where no answer came; `begun` where something may have been sent."""
    causes = tuple(_causes(error))
    kinds = {name for cause in causes for name in _names(cause)}
    if not begun or kinds & _UNSENT:
        return _before(endpoint, error, method, causes, kinds)
    if kinds & _GARBLED:
        return garbled(endpoint, method, ", and more than it can say" if "Oversized" in kinds else "")
    if kinds & _SILENT:
        return AnswerLost(f"{endpoint} did not answer in time", hint=_WAY_HINT, silent=True)
    if not _names(error) & _CUT:
        return AnswerLost(f"{endpoint} failed: {error}")
    return AnswerLost(f"{endpoint} cut the connection", hint=_WAY_HINT)


def _before(
    endpoint: Endpoint, error: OSError | HTTPError, method: str, causes: tuple[BaseException, ...], kinds: set[str]
) -> errors.PvenetError:
    """Nothing was sent."""
    spent = [cause for cause in causes if isinstance(cause, OSError) and cause.errno in _SPENT]
    if spent:
        return NotReached(
            f"{endpoint} can't be reached: this machine is out of resources ({spent[0].strerror})",
            hint="`ulimit -n` shows how many files a process may have open",
        )
    if isinstance(error, BrokenTLS):
        return _tls_trouble(endpoint, str(error), method, causes)
    if isinstance(error, ValueError):  # no request can be made of it
        return errors.UsageError(f"{endpoint} is not a valid URL", hint="write it as https://HOST:8006")
    return _not_reached(endpoint, kinds)


def _not_reached(endpoint: Endpoint, kinds: set[str]) -> NotReached:
    if "NameResolutionError" in kinds:
        return NotReached(
            f"the name {endpoint.host} does not resolve", hint="check the endpoint's spelling, or use its address"
        )
    if "ConnectionRefusedError" in kinds:
        return NotReached(f"nothing listens at {endpoint}", hint="check host and port (PVE's is 8006)")
    if kinds & _SILENT and not kinds & _UNSENT:  # it took the connection, and went no further
        return NotReached(f"{endpoint} did not answer in time", hint=_WAY_HINT)
    if "NewConnectionError" not in kinds and kinds & {"ConnectionResetError", "BrokenPipeError"}:
        return NotReached(f"{endpoint} cut the connection", hint=_WAY_HINT, again=True)
    return NotReached(f"{endpoint} can't be reached", hint="is the node up, and its port open in the firewall?")


def _tls_trouble(endpoint: Endpoint, text: str, method: str, causes: tuple[BaseException, ...]) -> errors.PvenetError:
    """Distrust, what is no TLS, and an end within the handshake."""
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes) or "ingerprints did not" in text:
        return untrusted(endpoint, text)
    ended = any(isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError) for cause in causes)
    if ended or seen_at(endpoint) is not None:
        return NotReached(f"{endpoint} cut the connection", hint=_WAY_HINT, again=True)
    message = f"{endpoint} does not speak TLS properly"
    if method == READ:
        return errors.NotPVE(message, hint=NOT_PVE_HINT)
    return NotReached(message, hint=NOT_PVE_HINT)


def _names(error: BaseException) -> set[str]:
    """What kind of error it is: the names of its classes."""
    return {kind.__name__ for kind in type(error).__mro__}


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
