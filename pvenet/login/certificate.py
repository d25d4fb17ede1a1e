"""The certificate at first contact: nobody's word is needed, a person's is, or it is not the one that was pinned."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.connection import Connection, Trust
from pvenet.connection.endpoint import parse
from pvenet.connection.session import Token
from pvenet.connection.trust import seen_at, vouched_at
from pvenet.settings.profiles import known_profiles, profile_of
from pvenet.settings.read import split_fingerprints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pvenet.connection.endpoint import Endpoint

COMPARE = "on the node with `pvenode cert info`, or in the web UI: Node > System > Certificates"
"""Where to compare a fingerprint."""
_NONE = "00" * 32


@dataclass(frozen=True, kw_only=True)
class Word:
    """What was said beforehand about a certificate."""

    given: str = ""
    """The fingerprint that it must have."""
    accepted: str = ""
    """The one that may follow a pinned one."""
    ca_file: Path | None = None


def pin_for(endpoint: Endpoint, environment: Mapping[str, str], word: Word, agree: Callable[[str], None]) -> str | None:
    """The fingerprint to pin; None where a CA vouches for the certificate, or there is none.

    `agree` gets a person's yes to one that is met for the first time. Raises Untrusted, and Unreachable where nobody
    answers.
    """
    if endpoint.scheme != "https":
        return None
    seen = seen_at(endpoint)
    if seen is None:
        raise _unseen(endpoint)
    pinned = pins_of(endpoint, environment)
    if pinned and not any(same(pin, seen) for pin in pinned.values()):
        if not same(word.accepted, seen):
            raise changed(endpoint, pinned, seen, word.accepted)
        return seen
    if word.given and not same(word.given, seen):
        raise errors.Untrusted(
            f"{endpoint} shows a different certificate from the one that --fingerprint names; nothing was sent to it.\n"
            f"  It shows {seen}",
            hint=f"compare it {COMPARE}",
            fingerprint=seen,
        )
    if pinned or word.given:
        return seen
    if vouched_at(endpoint, word.ca_file) is not None:
        return None
    agree(seen)
    return seen


def pins_of(endpoint: Endpoint, environment: Mapping[str, str]) -> dict[str, str]:
    """The fingerprint that each profile has pinned for an endpoint, by the profile's name."""
    found: dict[str, str] = {}
    for name in known_profiles(environment):
        with suppress(errors.UsageError):  # one that lacks a variable now, or is wrong, says so when it is used
            told = profile_of(name, environment)
            urls = told["PVENET_ENDPOINT"].value.replace(",", " ").split() if "PVENET_ENDPOINT" in told else []
            pins = split_fingerprints(told["PVENET_FINGERPRINT"].value) if "PVENET_FINGERPRINT" in told else ()
            each = pins * len(urls) if len(pins) == 1 else pins
            here = [pin for url, pin in zip(urls, each, strict=False) if parse(url).url == endpoint.url]
            if here:
                found[name] = here[0]
    return found


def same(one: str, other: str) -> bool:
    """Whether two spellings are of one fingerprint."""
    return bool(one) and one.replace(":", "").upper() == other.replace(":", "").upper()


def changed(endpoint: Endpoint, pinned: Mapping[str, str], seen: str, accepted: str) -> errors.Untrusted:
    """The error for a certificate that is not the pinned one. It must not read like that of a first contact."""
    name, pin = next(iter(pinned.items()))
    wrong = "\n  --accept-changed names neither of them" if accepted else ""
    return errors.Untrusted(
        f"THE CERTIFICATE OF {endpoint} HAS CHANGED. Nothing was sent to it.\n"
        f"  pinned before {pin}  (profile {name})\n  shown now     {seen}{wrong}\n"
        "  Somebody may be between here and the node, and would get the password.",
        hint="was the node's certificate renewed, or the node reinstalled? Ask whoever did it, and compare the new\n"
        f"one {COMPARE}.\nOnly if it is the one shown now:\n"
        f"  pvenet login {endpoint} --name {name} --accept-changed {seen}",
        fingerprint=seen,
    )


def _unseen(endpoint: Endpoint) -> errors.PvenetError:
    """Why no certificate could be had; asked in a way that sends nothing to whoever answers."""
    connection = Connection([endpoint], Token(id="nobody@pve!none", secret="none"), Trust(fingerprint=_NONE))  # noqa: S106 - nobody's
    try:
        connection.get("version")
    except errors.PvenetError as error:
        return error
    finally:
        connection.close()
    return errors.Unreachable(f"{endpoint} shows no certificate", hint="try again")
