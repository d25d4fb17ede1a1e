"""One endpoint from outside: its name, its port, its certificate."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.connection.certificate import read_certificate
from pvenet.connection.failures import NOT_PVE_HINT
from pvenet.connection.probe import knock, pin, shown
from pvenet.doctor.finding import Finding, Looks, State, bad, good, unknown, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pvenet.connection.certificate import Certificate
    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.session import Trust

CHECKS = ("name", "port", "certificate")
SOON = 30
"""Days before a certificate's end from which on it is worth a word."""
_PORT = "check host and port (PVE's is 8006); is pveproxy running there?"
_RENEW = "`pvenode cert info` on the node shows its certificates, `pvecm updatecerts --force` renews PVE's own"


def endpoint_findings(endpoint: Endpoint, trust: Trust) -> list[Finding]:
    """How an endpoint looks; each thing only where the one before it is good."""
    if endpoint.adapter is not None:
        return [good("port", f"{endpoint} answers within this process: it has no name, port or certificate")]
    looks = Looks()
    for check, run in zip(CHECKS, (_name, _port, _certificate), strict=True):
        looks.look([check], partial(_one, run, endpoint, trust))
        if looks.found[-1].state is State.BAD and not looks.lost:
            looks.give_up(looks.found[-1].text)
    return looks.found


def _one(run: Callable[[Endpoint, Trust], Finding], endpoint: Endpoint, trust: Trust) -> list[Finding]:
    return [run(endpoint, trust)]


def _name(endpoint: Endpoint, _trust: Trust) -> Finding:
    addresses = sorted(endpoint.addresses())
    if not addresses:
        todo = "check the endpoint's spelling and this machine's resolver, or use the node's address instead"
        return bad("name", f"the name {endpoint.host} does not resolve", todo)
    if addresses == [endpoint.host]:
        return good("name", f"{endpoint.host} is an address, and needs no name to resolve")
    return good("name", f"{endpoint.host} resolves to {', '.join(addresses)}")


def _port(endpoint: Endpoint, _trust: Trust) -> Finding:
    try:
        seconds = knock(endpoint)
    except ConnectionRefusedError:
        return bad(
            "port", f"nothing listens at {endpoint}", "check host and port (PVE's is 8006); is pveproxy running?"
        )
    except OSError as error:
        why = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or f"{error}"
        return bad("port", f"{endpoint} can't be reached: {why}", "is the node up, and its port open in the firewall?")
    return good("port", f"port {endpoint.port} of {endpoint.host} answers within {max(1, round(seconds * 1000))} ms")


def _certificate(endpoint: Endpoint, trust: Trust) -> Finding:
    if endpoint.scheme == "http":
        return good("certificate", "none is needed: http to this machine itself")
    try:
        der = shown(endpoint, trust)
    except errors.Untrusted as error:
        return bad("certificate", error.message.partition(";")[0], error.hint)
    except TimeoutError:
        return bad("certificate", f"{endpoint} accepts connections, but does not answer", NOT_PVE_HINT)
    except OSError:
        return bad("certificate", f"{endpoint} does not speak TLS properly", NOT_PVE_HINT)
    found = read_certificate(der)
    if found is None:
        return unknown("certificate", "the certificate is trusted, but can't be read")
    return judged(found, datetime.now(UTC), _trusted(endpoint, trust), insecure=trust.insecure)


def _trusted(endpoint: Endpoint, trust: Trust) -> str:
    """By what it is trusted."""
    if pin(endpoint, trust):
        return "pinned"
    if trust.insecure:
        return "not checked (--insecure)"
    return f"signed by a CA of {trust.ca_file or 'this system'}"


def judged(found: Certificate, now: datetime, trusted: str, *, insecure: bool = False) -> Finding:
    """A certificate that was met, at this moment."""
    text = (
        f"for {found.subject or 'nobody'}, by {found.issuer or 'nobody'}, valid until {found.until:%Y-%m-%d}, {trusted}"
    )
    if insecure:
        todo = "pin it: `pvenet` without --insecure shows its fingerprint, and PVENET_FINGERPRINT names it"
        return warning("certificate", f"{text}: whoever answers gets the credentials", todo)
    if not found.since <= now <= found.until:
        what = "is not valid yet" if now < found.since else "has expired"
        return warning("certificate", f"{text}: it {what}", _RENEW)
    if (left := (found.until - now).days) < SOON:
        return warning("certificate", f"{text}: it expires within {left + 1} days", _RENEW)
    return good("certificate", text)


def softened(findings: list[Finding], *, others: bool) -> Iterator[Finding]:
    """Of an endpoint beside others that may answer, what is bad is a warning."""
    for each in findings:
        soft = others and each.state is State.BAD and each.check in ("name", "port")
        yield warning(each.check, each.text, each.todo) if soft else each
