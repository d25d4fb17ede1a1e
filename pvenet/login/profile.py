"""The profile that a login writes: its name, its keys, and its secret, which is written before it and gone after it."""

from __future__ import annotations

import platform
import re
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.settings import keychain
from pvenet.settings.profile_files import remove, secret_file, write_secret
from pvenet.settings.profiles import KEYS, profile_file, profile_of
from pvenet.settings.read import SIM, Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pvenet.login.options import LoginOptions, Store
    from pvenet.settings import Settings

_CARRIED = ("node", "state_dir", "verify", "verify_with")
"""Keys that a login leaves as they are in a profile that is there."""
_TOKEN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{1,63}")


def default_name(place: str) -> str:
    """How the profile of a place is called: a name's first part, an address with dashes."""
    host = Path(place.removeprefix(SIM)).name if place.startswith(SIM) else place.partition("://")[2]
    host = re.sub(r":\d+$", "", host)
    first = host.partition(".")[0] if re.match(r"[A-Za-z]", host) else host
    return re.sub(r"[^A-Za-z0-9_-]+", "-", first).strip("-_") or "node"


def token_name(given: str) -> str:
    """How a new token is called: as was said, else as this machine is, so that no other machine's is replaced."""
    if given and not _TOKEN_NAME.fullmatch(given):
        raise errors.UsageError(
            f"{given!r} is not a valid token name",
            hint="start with a letter, then use letters, digits, dots, dashes and _",
        )
    own = re.sub(r"[^A-Za-z0-9_-]+", "-", platform.node().partition(".")[0]).strip("-_")
    return given or (own if _TOKEN_NAME.fullmatch(own) else "pvenet")


def there(name: str, place: str, environment: Mapping[str, str]) -> Mapping[str, str]:
    """The settings of a login's earlier profile; empty where there is none. Raises UsageError for another place's."""
    if not profile_file(name, environment).exists():
        return {}
    try:
        found = {key: each.value for key, each in profile_of(name, environment).items()}
    except errors.UsageError as wrong:
        raise errors.UsageError(
            f"the profile {name} exists, but is invalid: {wrong.message}", hint=f"`pvenet logout {name}` removes it"
        ) from None
    other = found.get("PVENET_ENDPOINT") or f"{SIM}{found.get('PVENET_SIM', '')}"
    if place not in other.split(","):
        raise errors.UsageError(
            f"the profile {name} exists already, for {other}", hint="give this one another name with --name"
        )
    return found


def place_keys(place: str, pin: str | None, ca_file: str, before: Mapping[str, str]) -> dict[str, str | Sequence[str]]:
    """Where to go and whom to trust, and what an earlier profile said beside that."""
    carried = {key: before[KEYS[key]] for key in _CARRIED if KEYS[key] in before}
    if place.startswith(SIM):
        return {"sim": place.removeprefix(SIM), **carried}
    return {"endpoints": [place], **carried, **({"fingerprint": pin} if pin else {"ca_file": ca_file})}


def referred(options: LoginOptions, environment: Mapping[str, str]) -> dict[str, str]:
    """Where a person keeps a token's secret, as keys of a profile; empty where it is to be kept here."""
    if environment.get("PVENET_TOKEN_SECRET") and not (
        options.token_file or options.token_command or options.token_keyring
    ):
        return {}
    for key in ("token_file", "token_command", "token_keyring"):
        if value := getattr(options, key) or environment.get(KEYS[key], ""):
            return {key: str(Path(value).expanduser().absolute()) if key == "token_file" else value}
    return {}


def described(keys: Mapping[str, str]) -> str:
    """Where a secret is, for people."""
    for key, words in (("token_keyring", "the system's keyring"), ("token_command", "the command"), ("token_file", "")):
        if key in keys:
            return words if key == "token_keyring" else f"{words} {keys[key]}".strip()
    return ""


def theirs(name: str, told: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The keys by which a profile names where a person keeps the secret; no logout removes that."""
    own = {"token_keyring": keychain.service_of(name), "token_file": str(secret_file(name, environment))}
    said = {key: told[KEYS[key]] for key in ("token_keyring", "token_command", "token_file") if KEYS[key] in told}
    return {key: value for key, value in said.items() if own.get(key) != value}


def as_somebody(settings: Settings, user: str, password: str) -> Settings:
    """The same place, as a user with a password."""
    return replace(settings, identity=Identity(user=user, password=password, called={"PVENET_USER": "--user"}))


@contextmanager
def kept(name: str, token: str, secret: str, store: Store, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Keep a secret, and give the profile's keys that say where; what fails within takes a new one away again."""
    new = not profile_file(name, environment).exists()
    service = keychain.service_of(name) if store == "keyring" or (store == "" and keychain.usable()) else ""
    try:
        if service:
            keychain.keep(service, token, secret)
            yield {"token_keyring": service}
        else:
            yield {"token_file": str(write_secret(name, secret, environment))}
    except BaseException:
        if new:
            with suppress(errors.UsageError):  # what failed is told, and not that this did, too
                forget(name, token, {"PVENET_TOKEN_KEYRING": service}, environment)
        raise


def drop_other_secrets(
    name: str, token: str, keys: Mapping[str, str], before: Mapping[str, str], environment: Mapping[str, str]
) -> None:
    """Remove what an earlier login has kept, where the profile that is written now names another place or token."""
    file, service = secret_file(name, environment), keychain.service_of(name)
    earlier = before.get("PVENET_TOKEN_ID", "")
    if keys.get("token_file") != str(file):
        remove(file)
    if before.get("PVENET_TOKEN_KEYRING") == service and (earlier != token or "token_keyring" not in keys):
        with suppress(errors.UsageError):  # what is written works; a locked keyring is no reason to fail
            keychain.forget(service, earlier)


def forget(name: str, token: str, told: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Remove a secret that a login has kept, from the keyring or its own file."""
    service = keychain.service_of(name)
    if token and told.get("PVENET_TOKEN_KEYRING") == service:
        keychain.forget(service, token)
    remove(secret_file(name, environment))
