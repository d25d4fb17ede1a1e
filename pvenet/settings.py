"""ApplyOptions and environment -> where to go, who we are, and whom to trust. An option wins over the environment.

Secrets come from the environment, a file, a command or a prompt, never from argv.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pvenet import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.connection import Connection
    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.session import Credentials, Trust
    from pvenet.sim.faults import Fault

SIM = "sim:"
NOWHERE = (
    "name a node's endpoint, https://HOST:8006, with --endpoint or PVENET_ENDPOINT, and give a token in\n"
    "PVENET_TOKEN_ID (root@pam!name) and PVENET_TOKEN_SECRET; or try it without any node: --sim DIR"
)

_TOKEN_ID = re.compile(r"[^\s:/!=]+@[\w.-]+![\w.-]+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where a command goes, as far as the command line says."""

    endpoint: tuple[str, ...] = ()
    node: str | None = None
    sim: Path | None = None
    fault: tuple[str, ...] = ()
    """What goes wrong at a simulated node, `KIND@WHERE` or `KIND=VALUE@WHERE`."""
    profile: str | None = None
    state_dir: Path | None = None
    json: bool = False
    debug: bool = False
    insecure: bool = False


def located(options: Where, environment: Mapping[str, str]) -> Where:
    """The options, completed from the environment. Raises UsageError where nothing says where to go."""
    endpoint: tuple[str, ...] = options.endpoint
    sim = options.sim
    if endpoint and sim:
        raise errors.UsageError("--endpoint and --sim are two different places", hint="leave one of them out")
    if not endpoint and not sim:
        sim = _path(environment, "PVENET_SIM")
        if not sim:
            endpoint = tuple(environment.get("PVENET_ENDPOINT", "").replace(",", " ").split())
    if any(each.startswith(SIM) for each in endpoint):
        sim, endpoint = _folder(endpoint), ()
    if not endpoint and not sim:
        raise errors.UsageError("no endpoint: which node is meant?", hint=NOWHERE)
    if options.fault and not sim:
        raise errors.UsageError("--fault is for a simulated node; nothing was sent", hint="name one with --sim DIR")
    return Where(
        endpoint=endpoint,
        node=options.node or environment.get("PVENET_NODE") or None,
        sim=sim,
        fault=options.fault,
        state_dir=options.state_dir or _path(environment, "PVENET_STATE_DIR") or _default_state_dir(sim, environment),
        json=options.json,
        debug=options.debug,
        insecure=options.insecure,
    )


def _folder(endpoints: tuple[str, ...]) -> Path:
    """The folder of `sim:DIR`."""
    folder = endpoints[0].removeprefix(SIM)
    if len(endpoints) > 1 or not folder:
        raise errors.UsageError("a simulated node is one folder, alone", hint=f"write it as {SIM}DIR")
    return _expanded(folder)


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    return _expanded(environment[name]) if environment.get(name) else None


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise errors.UsageError(f"there is no home folder for {text}", hint="write the whole path") from None


def _default_state_dir(sim: Path | None, environment: Mapping[str, str]) -> Path:
    if sim:
        return sim / ".pvenet"
    base = environment.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):  # the specification: a relative one is ignored
        base = "~/.local/state"
    return _expanded(base) / "pvenet"


def connect(
    where: Where,
    environment: Mapping[str, str],
    *,
    prompt: Callable[[str], str] | None = None,
    debug: Callable[[str], None] | None = None,
) -> Connection:
    """The connection that `where` and the environment describe.

    `prompt` asks a person for a secret; None where there is no terminal. Raises UsageError for what is missing.
    """
    from pvenet.connection import Connection
    from pvenet.connection.endpoint import parse

    if where.sim:
        endpoint, own = _simulated(where.sim, faults_of(where))
        given = credentials(environment, prompt) if _names_somebody(environment) else own
        return Connection([endpoint], given, debug=debug)
    pins = fingerprints(environment)
    if len(pins) > 1 and len(pins) != len(where.endpoint):
        raise errors.UsageError(
            f"PVENET_FINGERPRINT has {len(pins)} fingerprints, and there are {len(where.endpoint)} endpoints",
            hint="give one for all, or one for each in the order of the endpoints",
        )
    endpoints = [parse(text) for text in where.endpoint]
    if len(pins) > 1:
        endpoints = [replace(endpoint, fingerprint=pin) for endpoint, pin in zip(endpoints, pins, strict=True)]
    return Connection(endpoints, credentials(environment, prompt), trust(where, environment), debug=debug)


def faults_of(where: Where) -> list[Fault]:
    """What is to go wrong at the simulated node. Raises UsageError for what is no fault."""
    from pvenet.sim.faults import parse as fault_of
    from pvenet.sim.state import SimError

    try:
        return [fault_of(text) for text in where.fault]
    except SimError as error:
        raise errors.UsageError(f"{error}", hint="`pvenet sim faults` lists them") from None


def _simulated(folder: Path, faults: list[Fault]) -> tuple[Endpoint, Credentials]:
    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.session import Token
    from pvenet.sim.adapter import SimAdapter
    from pvenet.sim.state import SimError

    try:
        adapter = SimAdapter(folder, faults=faults)
    except (OSError, SimError) as error:
        raise errors.UsageError(f"{folder} can't be a simulated node: {error}", hint="name another folder") from None
    token_id, secret = adapter.credentials
    return Endpoint(host="sim.invalid", adapter=adapter, label=f"sim:{folder}"), Token(id=token_id, secret=secret)


def _names_somebody(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("PVENET_TOKEN_ID") or environment.get("PVENET_USER"))


def credentials(environment: Mapping[str, str], prompt: Callable[[str], str] | None) -> Credentials:
    """Who we are. Raises UsageError where the environment does not say, or says half of it."""
    from pvenet.connection.session import Password, Token

    if token := environment.get("PVENET_TOKEN_ID"):
        if not _TOKEN_ID.fullmatch(token):  # never shown: it could hold the secret, or be it
            raise errors.UsageError("PVENET_TOKEN_ID is no token's name", hint="write it whole: USER@REALM!NAME")
        return Token(id=token, secret=_token_secret(environment, token, prompt))
    if user := environment.get("PVENET_USER"):
        if not re.fullmatch(r".+@[\w.-]+", user):
            name = user.partition("@")[0] or "root"
            raise errors.UsageError(f"PVENET_USER is {user!r}, without a realm", hint=f"write {name}@pam or {name}@pve")
        password = environment.get("PVENET_PASSWORD") or _ask(prompt, f"the password of {user}", "PVENET_PASSWORD")
        return Password(user=user, password=password)
    raise errors.UsageError("no credentials: who are you?", hint=NOWHERE)


def _token_secret(environment: Mapping[str, str], token: str, prompt: Callable[[str], str] | None) -> str:
    if secret := environment.get("PVENET_TOKEN_SECRET"):
        return _only_secret(secret, token, "PVENET_TOKEN_SECRET")
    if path := _path(environment, "PVENET_TOKEN_FILE"):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise errors.UsageError(f"PVENET_TOKEN_FILE {path} can't be read: {reason}") from None
        return _only_secret(text, token, f"the file {path}")
    if command := environment.get("PVENET_TOKEN_COMMAND"):
        name = "the command of PVENET_TOKEN_COMMAND"
        return _only_secret(_output(command, name), token, name)
    names = "PVENET_TOKEN_SECRET, PVENET_TOKEN_FILE or PVENET_TOKEN_COMMAND"
    return _only_secret(_ask(prompt, f"the secret of {token}", names), token, "what was typed")


def _output(command: str, name: str) -> str:
    import shlex
    import subprocess

    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603 - the user's own command, from their own environment
            words or [""], stdout=subprocess.PIPE, check=False, encoding="utf8", timeout=60
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        raise errors.UsageError(f"{name} can't be run", hint="try it in a shell") from None
    if done.returncode:
        raise errors.UsageError(f"{name} ended with {done.returncode}", hint="try it in a shell")
    return done.stdout


def _only_secret(text: str, token: str, source: str) -> str:
    """The secret on the first line, also where that is the whole `USER@REALM!NAME=SECRET`."""
    line = (text.strip().splitlines() or [""])[0]
    name, _, secret = line.rpartition("=")
    if not secret:
        raise errors.UsageError(f"{source} gives no secret")
    if _TOKEN_ID.fullmatch(name) and name != token:
        raise errors.UsageError(f"{source} is about the token {name}, and PVENET_TOKEN_ID about {token}")
    return secret


def _ask(prompt: Callable[[str], str] | None, what: str, names: str) -> str:
    if prompt is None:
        raise errors.UsageError(f"{what} is missing, and there is no terminal to ask on", hint=f"set {names}")
    given = prompt(f"{what[0].upper()}{what[1:]}: ")
    if not given:
        raise errors.UsageError(f"{what} was left empty", hint=f"type it, or set {names}")
    return given


def trust(where: Where, environment: Mapping[str, str]) -> Trust:
    """Whom to trust. Raises UsageError for a CA file that is not there and a fingerprint that is none."""
    from pvenet.connection.session import Trust

    ca_file = _path(environment, "PVENET_CA_FILE")
    if ca_file and not os.access(ca_file, os.R_OK):
        raise errors.UsageError(f"PVENET_CA_FILE {ca_file} can't be read", hint="copy /etc/pve/pve-root-ca.pem there")
    pins = fingerprints(environment)
    return Trust(ca_file=ca_file, fingerprint=pins[0] if pins else None, insecure=where.insecure)


def fingerprints(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The pinned certificates: one for all endpoints, or one for each in their order. Raises UsageError."""
    pins = tuple(text.strip() for text in environment.get("PVENET_FINGERPRINT", "").split(",") if text.strip())
    if not all(re.fullmatch(r"[0-9A-Fa-f]{64}", pin.replace(":", "")) for pin in pins):
        raise errors.UsageError(
            "PVENET_FINGERPRINT is no SHA-256 fingerprint",
            hint="write all 32 pairs, as `pvenode cert info` does",
        )
    return pins
