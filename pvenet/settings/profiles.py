"""Profiles: places that a configuration file names once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pvenet import errors, private

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 1_000_000
"""Bytes of a configuration file."""
SECRETS = frozenset({"PVENET_TOKEN_SECRET", "PVENET_PASSWORD"})

KEYS: Mapping[str, str] = {
    "endpoints": "PVENET_ENDPOINT",
    "sim": "PVENET_SIM",
    "node": "PVENET_NODE",
    "state_dir": "PVENET_STATE_DIR",
    "token_id": "PVENET_TOKEN_ID",
    "token_secret": "PVENET_TOKEN_SECRET",
    "token_env": "PVENET_TOKEN_SECRET",
    "token_file": "PVENET_TOKEN_FILE",
    "token_command": "PVENET_TOKEN_COMMAND",
    "user": "PVENET_USER",
    "password": "PVENET_PASSWORD",
    "password_env": "PVENET_PASSWORD",
    "ca_file": "PVENET_CA_FILE",
    "fingerprint": "PVENET_FINGERPRINT",
    "verify": "PVENET_VERIFY",
    "verify_with": "PVENET_VERIFY_WITH",
    "sdn_lock": "PVENET_SDN_LOCK",
}
"""The keys of a profile, and what they set. `*_env` names a variable that holds the value."""
SWITCHES = frozenset({"sdn_lock"})
"""Keys that are true or false."""
LISTS = {"endpoints": "a list of URLs", "fingerprint": "text, or a list with one for each endpoint"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it came from."""

    value: str
    source: str


def config_file(environment: Mapping[str, str]) -> Path:
    """`config.toml` in XDG_CONFIG_HOME, or in ~/.config."""
    base = environment.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):  # the specification: a relative one is ignored
        base = str(Path(environment.get("HOME") or "~").expanduser() / ".config")
    return Path(base) / "pvenet" / "config.toml"


def profile_of(name: str, environment: Mapping[str, str]) -> dict[str, Setting]:
    """The settings of a profile. Raises UsageError for one that is not there, or is wrong."""
    path = config_file(environment)
    profiles = _read(path)
    if name not in profiles:
        known = ", ".join(profiles) or "none"
        raise errors.UsageError(
            f"there is no profile {name} in {path}; there are: {known}", hint=_near(name, list(profiles))
        )
    found: dict[str, Setting] = {}
    for key, value in profiles[name].items():
        if KEYS[key] in found:
            raise errors.UsageError(f"{path}: {key} of [profiles.{name}] says a second time what another key says")
        found[KEYS[key]] = Setting(_value(path, name, key, value, environment), f"profile {name}")
    return found


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The profiles of a file. Raises UsageError for one that is wrong, or whose secrets others can read."""
    import tomllib

    try:
        text, status = private.read_checked(path, LARGEST)
        refuse_foreign(path, status)
        data = tomllib.loads(text.decode("utf8"))
    except OSError as error:
        hint = "a profile is a section like [profiles.lab] with endpoints and token_id"
        raise errors.UsageError(f"{path} can't be read: {error.strerror}", hint=hint) from None
    except ValueError as error:  # no TOML, no UTF-8, or a number that nobody can read
        raise errors.UsageError(f"{path} is no TOML: {error}", hint="mend it there") from None
    except RecursionError:
        raise errors.UsageError(f"{path} nests deeper than any profile", hint="mend it there") from None
    open_to_others = bool(status.st_mode & private.READ_OR_WRITE)
    profiles = data.get("profiles", {})
    strange = [key for key in data if key != "profiles"]
    if strange or not isinstance(profiles, dict) or not all(isinstance(each, dict) for each in profiles.values()):
        raise errors.UsageError(
            f"{path}: {strange[0] if strange else 'profiles'} is no section like [profiles.NAME]", hint="mend it there"
        )
    for name, keys in profiles.items():
        _check(path, name, keys, open_to_others=open_to_others)
    return profiles


def refuse_foreign(path: Path, status: os.stat_result) -> None:
    """Raises UsageError for a file that somebody else can write, or replace: it says where secrets are sent."""
    if status.st_uid not in (0, os.geteuid()):
        raise errors.UsageError(f"{path} belongs to somebody else, who can change it", hint=f"chown it: {path}")
    if status.st_mode & private.WRITE:
        raise errors.UsageError(f"{path} can be written by others", hint=f"chmod go-w {path}")
    for folder in dict.fromkeys((path.parent, path.resolve().parent)):
        if folder.stat().st_mode & private.WRITE:
            raise errors.UsageError(f"the folder {folder} can be written by others", hint=f"chmod go-w {folder}")


def _check(path: Path, name: str, keys: Mapping[str, Any], *, open_to_others: bool) -> None:
    for key in keys:
        if key not in KEYS:
            raise errors.UsageError(f"{path}: [profiles.{name}] has an unknown key {key}", hint=_near(key, list(KEYS)))
        if KEYS[key] in SECRETS and not key.endswith("_env") and open_to_others:
            raise errors.UsageError(
                f"{path} holds a secret ({key} of [profiles.{name}]) and others can read it",
                hint=f"chmod 600 {path}; or name a variable, a file or a command instead",
            )


def _value(path: Path, name: str, key: str, value: object, environment: Mapping[str, str]) -> str:
    if "\0" in (",".join(map(str, value)) if isinstance(value, list) else str(value)):  # no path and no name has one
        raise errors.UsageError(f"{path}: {key} of [profiles.{name}] has a null character in it", hint="mend it there")
    if key in LISTS and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    if key in SWITCHES and isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str) or not value:
        what = LISTS.get(key, "text")
        raise errors.UsageError(f"{path}: {key} of [profiles.{name}] is {what}", hint="mend it there")
    if not key.endswith("_env"):
        return value
    if not environment.get(value):
        raise errors.UsageError(f"{value}, which {key} of [profiles.{name}] names, is not set", hint=f"export {value}")
    return environment[value]


def _near(word: str, words: list[str]) -> str:
    close = errors.nearest(word, words)
    return f"did you mean {close}?" if close else f"there are: {', '.join(words) or 'none'}"
