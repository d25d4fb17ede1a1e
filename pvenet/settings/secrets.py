"""Who we are, with the secret: from the settings, a file, a command or a person, and never repeated."""

from __future__ import annotations

import re
import stat
from typing import IO, TYPE_CHECKING, cast

from pvenet import errors, private
from pvenet.settings.read import NOWHERE, expanded

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pvenet.connection.session import Credentials
    from pvenet.settings.read import Identity


MOST = 65536
"""Bytes that a token file may hold, or a command print."""
LONGEST = 60.0
"""Seconds for a command."""
_TOKEN_ID = re.compile(r"[^\s:/!=]+@[\w.-]+![\w.-]+", re.ASCII)


def credentials(identity: Identity, prompt: Callable[[str], str] | None = None) -> Credentials:
    """Who we are. Raises UsageError where the settings do not say, or say half of it."""
    from pvenet.connection.session import Password, Token

    if token := identity.token_id:
        named = identity.name("PVENET_TOKEN_ID")
        check_token_id(token, named)
        return Token(id=token, secret=_token_secret(identity, prompt), named=named)
    if user := identity.user:
        named = identity.name("PVENET_USER")
        check_user(user, named)
        password = identity.password or _ask(prompt, f"the password of {user}", "PVENET_PASSWORD")
        return Password(user=user, password=password, named=named)
    raise errors.UsageError("no credentials: who are you?", hint=NOWHERE)


def check_token_id(text: str, named: str) -> None:
    """Raises UsageError for what is no token's name, which is never shown: it could hold the secret, or be it."""
    if not _TOKEN_ID.fullmatch(text):
        raise errors.UsageError(f"{named} is not a token ID", hint="write it in full: USER@REALM!NAME")


def check_user(text: str, named: str) -> None:
    """Raises UsageError for a user without a realm."""
    if not re.fullmatch(r".+@[\w.-]+", text):
        name = text.partition("@")[0] or "root"
        raise errors.UsageError(f"{named} is {text!r}, without a realm", hint=f"write {name}@pam or {name}@pve")


def _token_secret(identity: Identity, prompt: Callable[[str], str] | None) -> str:
    if secret := identity.token_secret:
        return _only_secret(secret, identity, identity.name("PVENET_TOKEN_SECRET"))
    if path := expanded(identity.token_file):
        return _only_secret(_file_text(path, identity.name("PVENET_TOKEN_FILE")), identity, f"the file {path}")
    if command := identity.token_command:
        name = f"the command of {identity.name('PVENET_TOKEN_COMMAND')}"
        return _only_secret(_output(command, name), identity, name)
    if service := identity.token_keyring:
        from pvenet.settings.keychain import fetch

        return _only_secret(fetch(service, identity.token_id), identity, "the keyring")
    names = "PVENET_TOKEN_SECRET, PVENET_TOKEN_FILE or PVENET_TOKEN_COMMAND"
    return _only_secret(_ask(prompt, f"the secret of {identity.token_id}", names), identity, "what was typed")


def _file_text(path: Path, named: str) -> str:
    """What a token file holds. Raises UsageError for one that others can read."""
    try:
        data, status = private.read_checked(path, MOST)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise errors.UsageError(f"{named} {path} can't be read: {reason}") from None
    if stat.S_ISREG(status.st_mode) and status.st_mode & private.READ_OR_WRITE:
        raise errors.UsageError(f"{named} {path} can be read by others", hint=f"`chmod 600 {path}`")
    return text


def _output(command: str, name: str) -> str:
    """What a command prints: no more than a secret is, and in a time in which a person can unlock a safe."""
    import shlex
    import subprocess

    try:
        started = subprocess.Popen(  # noqa: S603 - the user's own command, from their own environment
            shlex.split(command) or [""], stdout=subprocess.PIPE
        )
    except (OSError, ValueError):
        raise errors.UsageError(f"{name} can't be run", hint="try it in a shell") from None
    try:
        text = _printed(cast("IO[bytes]", started.stdout), name)
        code = started.wait(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        raise errors.UsageError(f"{name} does not end", hint="try it in a shell") from None
    finally:
        if started.poll() is None:
            started.kill()
            started.wait()
        if started.stdout:
            started.stdout.close()
    if code:
        raise errors.UsageError(f"{name} ended with {code}", hint="try it in a shell")
    return text


def _printed(output: IO[bytes], name: str) -> str:
    """Everything that it prints. Raises UsageError for too much of it, and for what takes too long."""
    import os
    import select
    import time

    printed, until = b"", time.monotonic() + LONGEST
    while len(printed) <= MOST:
        left = until - time.monotonic()
        if left <= 0 or not select.select([output], [], [], left)[0]:
            raise errors.UsageError(f"{name} did not print a secret within {LONGEST:.0f} s", hint="try it in a shell")
        part = os.read(output.fileno(), MOST)
        if not part:
            break
        printed += part
    else:
        raise errors.UsageError(f"{name} prints more than {MOST} bytes: that is not a secret", hint="try it in a shell")
    try:
        return printed.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise errors.UsageError(f"{name} prints something that is not text", hint="try it in a shell") from None


def _only_secret(text: str, identity: Identity, source: str) -> str:
    """The secret on the first line, also where that is the whole `USER@REALM!NAME=SECRET`."""
    line = (text.strip().splitlines() or [""])[0]
    name, _, secret = line.rpartition("=")
    if not secret:
        raise errors.UsageError(f"{source} has no secret")
    if _TOKEN_ID.fullmatch(name) and name != identity.token_id:
        raise errors.UsageError(
            f"{source} is for the token {name}, but {identity.name('PVENET_TOKEN_ID')} names {identity.token_id}"
        )
    return secret


def _ask(prompt: Callable[[str], str] | None, what: str, names: str) -> str:
    if prompt is None:
        raise errors.UsageError(f"{what} is missing, and there is no terminal to ask on", hint=f"set {names}")
    given = prompt(f"{what[0].upper()}{what[1:]}: ")
    if not given:
        raise errors.UsageError(f"{what} was left empty", hint=f"enter it, or set {names}")
    return given
