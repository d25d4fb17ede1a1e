"""Options and environment -> where to go, who we are, and whom to trust. An option wins over the environment.

Secrets come from the environment, a file, a command or a prompt, never from argv.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pvenet import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pvenet.connection import Connection
    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.session import Credentials, Trust

NOWHERE = (
    "name a node's endpoint, https://HOST:8006, with --endpoint or PVENET_ENDPOINT, and give a token in\n"
    "PVENET_TOKEN_ID (root@pam!name) and PVENET_TOKEN_SECRET; or try it without any node: --sim DIR"
)


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where a command goes, as far as the command line says."""

    endpoint: tuple[str, ...] = ()
    node: str | None = None
    sim: Path | None = None
    state_dir: Path | None = None
    json: bool = False
    debug: bool = False
    insecure: bool = False


def located(options: Where, environment: Mapping[str, str]) -> Where:
    """The options, completed from the environment. Raises UsageError where nothing says where to go."""

    def path(name: str) -> Path | None:
        return Path(environment[name]).expanduser() if environment.get(name) else None

    endpoint: tuple[str, ...] = options.endpoint
    sim = options.sim
    if endpoint and sim:
        raise errors.UsageError("--endpoint and --sim are two different places", hint="leave one of them out")
    if not endpoint and not sim:
        sim = path("PVENET_SIM")
        if not sim:
            endpoint = tuple(environment.get("PVENET_ENDPOINT", "").replace(",", " ").split())
    if endpoint and endpoint[0].startswith("sim:"):
        sim = Path(endpoint[0].removeprefix("sim:")).expanduser()
        endpoint = ()
    if not endpoint and not sim:
        raise errors.UsageError("no endpoint: which node is meant?", hint=NOWHERE)
    return Where(
        endpoint=endpoint,
        node=options.node or environment.get("PVENET_NODE") or None,
        sim=sim,
        state_dir=options.state_dir or path("PVENET_STATE_DIR") or _default_state_dir(sim, environment),
        json=options.json,
        debug=options.debug,
        insecure=options.insecure,
    )


def _default_state_dir(sim: Path | None, environment: Mapping[str, str]) -> Path:
    if sim:
        return sim / ".pvenet"
    base = environment.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "pvenet"


def connect(
    where: Where,
    environment: Mapping[str, str],
    *,
    prompt: Callable[[str], str] | None,
    debug: Callable[[str], None] | None = None,
) -> Connection:
    """The connection that `where` and the environment describe.

    `prompt` asks a person for a secret; None where there is no terminal. Raises UsageError for what is missing.
    """
    from pvenet.connection import Connection
    from pvenet.connection.endpoint import parse

    if where.sim:
        endpoint, own = _simulated(where.sim)
        given = credentials(environment, prompt) if _names_somebody(environment) else own
        return Connection([endpoint], given, debug=debug)
    endpoints = [parse(text) for text in where.endpoint]
    return Connection(endpoints, credentials(environment, prompt), trust(where, environment), debug=debug)


def _simulated(folder: Path) -> tuple[Endpoint, Credentials]:
    from pvenet.connection.endpoint import Endpoint
    from pvenet.connection.session import Token
    from pvenet.sim.adapter import SimAdapter
    from pvenet.sim.state import SimError

    try:
        adapter = SimAdapter(folder)
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
        if not re.fullmatch(r"[^\s@!=]+@[^\s@!=]+![^\s@!=]+", token):
            raise errors.UsageError(
                f"PVENET_TOKEN_ID is {token.partition('=')[0]!r}",
                hint="write it whole: USER@REALM!NAME",
            )
        return Token(id=token, secret=_secret(environment, "PVENET_TOKEN", f"the secret of {token}", prompt))
    if user := environment.get("PVENET_USER"):
        if "@" not in user:
            raise errors.UsageError(f"PVENET_USER is {user!r}, without a realm", hint=f"write {user}@pam or {user}@pve")
        password = environment.get("PVENET_PASSWORD") or _ask(prompt, f"the password of {user}", "PVENET_PASSWORD")
        return Password(user=user, password=password)
    raise errors.UsageError("no credentials: who are you?", hint=NOWHERE)


def _secret(environment: Mapping[str, str], prefix: str, what: str, prompt: Callable[[str], str] | None) -> str:
    if secret := environment.get(f"{prefix}_SECRET"):
        return secret.strip()
    if name := environment.get(f"{prefix}_FILE"):
        try:
            text = Path(name).expanduser().read_text(encoding="utf8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise errors.UsageError(f"{prefix}_FILE {name} can't be read: {reason}") from None
        return _only_line(text, f"the file {name}")
    if command := environment.get(f"{prefix}_COMMAND"):
        return _only_line(_output(command, f"{prefix}_COMMAND"), f"the command of {prefix}_COMMAND")
    return _ask(prompt, what, f"{prefix}_SECRET, {prefix}_FILE or {prefix}_COMMAND")


def _output(command: str, name: str) -> str:
    import shlex
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, from their own environment
            shlex.split(command), stdout=subprocess.PIPE, check=False, encoding="utf8", timeout=60
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        raise errors.UsageError(f"the command of {name} can't be run", hint="try it in a shell") from None
    if done.returncode:
        raise errors.UsageError(f"the command of {name} ended with {done.returncode}", hint="try it in a shell")
    return done.stdout


def _only_line(text: str, source: str) -> str:
    if not text.strip():
        raise errors.UsageError(f"{source} gives no secret")
    return text.strip().splitlines()[0].rpartition("=")[2]  # also where it holds the whole USER@REALM!NAME=SECRET


def _ask(prompt: Callable[[str], str] | None, what: str, names: str) -> str:
    if prompt is None:
        raise errors.UsageError(f"{what} is missing, and there is no terminal to ask on", hint=f"set {names}")
    return prompt(f"{what[0].upper()}{what[1:]}: ")


def trust(where: Where, environment: Mapping[str, str]) -> Trust:
    """Whom to trust. Raises UsageError for a CA file that is not there and a fingerprint that is none."""
    from pvenet.connection.session import Trust

    ca_file = Path(environment["PVENET_CA_FILE"]).expanduser() if environment.get("PVENET_CA_FILE") else None
    if ca_file and not os.access(ca_file, os.R_OK):
        raise errors.UsageError(f"PVENET_CA_FILE {ca_file} can't be read", hint="copy /etc/pve/pve-root-ca.pem there")
    fingerprint = environment.get("PVENET_FINGERPRINT", "").strip() or None
    if fingerprint and not re.fullmatch(r"[0-9A-Fa-f]{64}", fingerprint.replace(":", "")):
        raise errors.UsageError(
            "PVENET_FINGERPRINT is no SHA-256 fingerprint",
            hint="write all 32 pairs, as `pvenode cert info` does",
        )
    return Trust(ca_file=ca_file, fingerprint=fingerprint, insecure=where.insecure)
