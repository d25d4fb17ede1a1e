"""Who we are, with the secret: from the settings, a file, a command or a person, and never repeated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.settings.read import NOWHERE, expanded

if TYPE_CHECKING:
    from collections.abc import Callable

    from pvenet.connection.session import Credentials
    from pvenet.settings.read import Identity


_TOKEN_ID = re.compile(r"[^\s:/!=]+@[\w.-]+![\w.-]+", re.ASCII)


def credentials(identity: Identity, prompt: Callable[[str], str] | None = None) -> Credentials:
    """Who we are. Raises UsageError where the settings do not say, or say half of it."""
    from pvenet.connection.session import Password, Token

    if token := identity.token_id:
        if not _TOKEN_ID.fullmatch(token):  # never shown: it could hold the secret, or be it
            raise errors.UsageError("PVENET_TOKEN_ID is no token's name", hint="write it whole: USER@REALM!NAME")
        return Token(id=token, secret=_token_secret(identity, prompt))
    if user := identity.user:
        if not re.fullmatch(r".+@[\w.-]+", user):
            name = user.partition("@")[0] or "root"
            raise errors.UsageError(f"PVENET_USER is {user!r}, without a realm", hint=f"write {name}@pam or {name}@pve")
        password = identity.password or _ask(prompt, f"the password of {user}", "PVENET_PASSWORD")
        return Password(user=user, password=password)
    raise errors.UsageError("no credentials: who are you?", hint=NOWHERE)


def _token_secret(identity: Identity, prompt: Callable[[str], str] | None) -> str:
    token = identity.token_id
    if secret := identity.token_secret:
        return _only_secret(secret, token, "PVENET_TOKEN_SECRET")
    if path := expanded(identity.token_file):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise errors.UsageError(f"PVENET_TOKEN_FILE {path} can't be read: {reason}") from None
        return _only_secret(text, token, f"the file {path}")
    if command := identity.token_command:
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
