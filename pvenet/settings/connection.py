"""From settings to a connection."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.settings.read import expanded
from pvenet.settings.secrets import credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pvenet.connection import Connection, Watch
    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.session import Credentials, Trust
    from pvenet.settings.read import Settings
    from pvenet.sim.faults import Fault


def connect(
    settings: Settings,
    *,
    prompt: Callable[[str], str] | None = None,
    debug: Callable[[str], None] | None = None,
    watch: Watch | None = None,
) -> Connection:
    """The connection that the settings describe; nothing is sent yet.

    `prompt` asks a person for a secret; None where there is no terminal. `debug` hears of every request,
    and `watch` is entered while one is under way. Raises UsageError for what is missing.
    """
    from pvenet.connection import Connection
    from pvenet.connection.endpoint import parse

    if settings.sim:
        endpoint, own = _simulated(settings.sim, faults_of(settings.faults))
        given = credentials(settings.identity, prompt) if settings.identity else own
        return Connection([endpoint], given, debug=debug, watch=watch)
    trusted = trust(settings)
    pins = settings.fingerprints
    if len(pins) > 1 and len(pins) != len(settings.endpoints):
        raise errors.UsageError(
            f"PVENET_FINGERPRINT has {len(pins)} fingerprints, and there are {len(settings.endpoints)} endpoints",
            hint="give one for all, or one for each, in the order of the endpoints",
        )
    endpoints = [parse(text) for text in settings.endpoints]
    if len(pins) > 1:
        endpoints = [replace(endpoint, fingerprint=pin) for endpoint, pin in zip(endpoints, pins, strict=True)]
    return Connection(endpoints, credentials(settings.identity, prompt), trusted, debug=debug, watch=watch)


def trust(settings: Settings) -> Trust:
    """Whom to trust. Raises UsageError for a CA file that is not there and a fingerprint that is none."""
    from pvenet.connection.session import Trust

    ca_file = expanded(settings.ca_file)
    if ca_file and not os.access(ca_file, os.R_OK):
        raise errors.UsageError(f"PVENET_CA_FILE {ca_file} can't be read", hint="copy /etc/pve/pve-root-ca.pem there")
    pins = fingerprints(settings.fingerprints)
    return Trust(ca_file=ca_file, fingerprint=pins[0] if pins else None, insecure=settings.insecure)


def fingerprints(pins: Iterable[str]) -> tuple[str, ...]:
    """The pinned certificates. Raises UsageError for what is no SHA-256 fingerprint."""
    found = tuple(pins)
    if not all(re.fullmatch(r"[0-9A-Fa-f]{64}", pin.replace(":", "")) for pin in found):
        raise errors.UsageError(
            "PVENET_FINGERPRINT is not a SHA-256 fingerprint",
            hint="write all 32 pairs, as `pvenode cert info` prints them",
        )
    return found


def faults_of(texts: Iterable[str]) -> list[Fault]:
    """What is to go wrong at the simulated node. Raises UsageError for what is no fault."""
    from pvenet.sim.faults import KINDS
    from pvenet.sim.faults import parse as fault_of
    from pvenet.sim.state import SimError

    given = tuple(texts)
    try:
        return [fault_of(text) for text in given]
    except SimError as error:
        unknown = [word for text in given if (word := re.split("[=@]", text)[0]) not in KINDS]
        meant = errors.did_you_mean((unknown or [""])[0], KINDS)
        raise errors.UsageError(f"{error}", hint=f"{meant} `pvenet sim faults` lists them".lstrip()) from None


def _simulated(folder: Path, faults: list[Fault]) -> tuple[Endpoint, Credentials]:
    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.session import Token
    from pvenet.sim.adapter import SimAdapter
    from pvenet.sim.state import SimError

    try:
        adapter = SimAdapter(folder, faults=faults)
    except (OSError, SimError) as error:
        raise errors.UsageError(
            f"{folder} is not usable as a simulated node: {errors.reason(error)}", hint="name another folder"
        ) from None
    token_id, secret = adapter.credentials
    return Endpoint(host="sim.invalid", adapter=adapter, label=f"sim:{folder}"), Token(id=token_id, secret=secret)
