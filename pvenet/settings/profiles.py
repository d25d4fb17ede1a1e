"""Profiles: places that are named once, in the configuration file or each in a file of its own beside it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pvenet import errors, private
from pvenet.foreign import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LARGEST = 1_000_000
"""Bytes of a configuration file."""
ALL = "all"
"""Names every profile, unless one is called so."""
FOLDER = "profiles.d"
"""Beside the configuration file: profiles that have a file of their own, which `pvenet login` writes."""
ENDING = ".toml"
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
    "token_keyring": "PVENET_TOKEN_KEYRING",
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

    value: str = field(repr=False)
    """Of some settings a secret."""
    source: str


def config_file(environment: Mapping[str, str]) -> Path:
    """`config.toml` in XDG_CONFIG_HOME, or in ~/.config."""
    base = environment.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):  # the specification: a relative one is ignored
        base = str(Path(environment.get("HOME") or "~").expanduser() / ".config")
    return Path(base) / "pvenet" / "config.toml"


def profile_file(name: str, environment: Mapping[str, str]) -> Path:
    """The file that is this profile's own, beside `config.toml`. Raises UsageError for what is no name."""
    check_name(name)
    return config_file(environment).parent / FOLDER / f"{name}{ENDING}"


def check_name(name: str) -> None:
    """Raises UsageError for what can't be the name of a profile."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", name):
        raise errors.UsageError(
            f"{name!r} is not a valid profile name", hint="use only letters, digits, dots, dashes and _"
        )


def profile_names(text: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The profiles that a setting names, with commas between them; `all` names all of them.

    Raises UsageError for an empty name.
    """
    if text == ALL:
        known = known_profiles(environment)
        return (ALL,) if ALL in known or not known else known
    if "," not in text:
        return (text,)
    names = tuple(dict.fromkeys(each.strip() for each in text.split(",")))
    if not all(names):
        raise errors.UsageError(f"the list of profiles {text!r} holds an empty name", hint="remove a comma")
    return names


def profile_of(name: str, environment: Mapping[str, str]) -> dict[str, Setting]:
    """The settings of a profile. Raises UsageError for one that is not there, stands in two files, or is wrong."""
    return profiles_of((name,), environment)[name]


def profiles_of(names: Iterable[str], environment: Mapping[str, str]) -> dict[str, dict[str, Setting]]:
    """The same of several, by name; what they share is read once."""
    path, own = config_file(environment), _own_files(environment)
    shared = _read(path) if path.exists() else {}
    found = {}
    for name in names:
        if name in own:
            if name in shared:
                raise errors.UsageError(
                    f"the profile {name} is in both {path} and {own[name]}", hint="remove it from one of them"
                )
            found[name] = _settings(own[name], name, _alone(own[name], name), environment)
        elif name in shared:
            found[name] = _settings(path, name, shared[name], environment)
        else:
            known = sorted({*shared, *own})
            raise errors.UsageError(
                f"there is no profile {name} in {path} or {FOLDER}; there are: {', '.join(known) or 'none'}",
                hint=errors.did_you_mean(name, known, otherwise="`pvenet login` makes one"),
            )
    return found


def _settings(path: Path, name: str, keys: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Setting]:
    """What the keys of a profile set."""
    found: dict[str, Setting] = {}
    for key, value in keys.items():
        if KEYS[key] in found:
            raise errors.UsageError(f"{path}: {key} of [profiles.{name}] repeats what another key says")
        found[KEYS[key]] = Setting(_value(path, name, key, value, environment), f"profile {name}")
    return found


def _own_files(environment: Mapping[str, str]) -> dict[str, Path]:
    """The files of profiles that have one of their own, by name. Raises UsageError where they can't be listed."""
    folder = config_file(environment).parent / FOLDER
    try:
        return {path.name.removesuffix(ENDING): path for path in sorted(folder.glob(f"[!.]*{ENDING}"))}
    except OSError as error:
        raise errors.UsageError(f"{folder} can't be read: {error.strerror}") from None


def _alone(path: Path, name: str) -> Mapping[str, Any]:
    """The profile of a file that is its own."""
    profiles = _read(path)
    if set(profiles) != {name}:
        others = ", ".join(profiles) or "none"
        raise errors.UsageError(f"{path} is for [profiles.{name}] alone, and holds: {others}", hint="correct it there")
    return profiles[name]


def known_profiles(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The names of all profiles. Raises UsageError for a file that is wrong."""
    path = config_file(environment)
    return tuple(sorted({*(_read(path) if path.exists() else ()), *_own_files(environment)}))


def secret_variables(environment: Mapping[str, str]) -> frozenset[str]:
    """The variables that profiles name for their secrets, whichever of them is used; none of a file that is wrong."""
    paths = [config_file(environment)]
    with suppress(errors.UsageError):
        paths += _own_files(environment).values()
    found: set[str] = set()
    for path in paths:
        with suppress(errors.UsageError):
            keys = (pair for each in _read(path).values() for pair in each.items())
            found |= {name for key, name in keys if key.endswith("_env") and isinstance(name, str)}
    return frozenset(found)


def only_profile(environment: Mapping[str, str]) -> str | None:
    """The profile that is meant where nothing is named: the only one there is, if it has a file of its own."""
    own = _own_files(environment)
    return next(iter(own)) if len(own) == 1 and known_profiles(environment) == tuple(own) else None


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The profiles of a file. Raises UsageError for one that is wrong, or whose secrets others can read."""
    try:
        text, status = private.read_checked(path, LARGEST)
        refuse_foreign(path, status)
        return _profiles(path, text, open_to_others=bool(status.st_mode & private.READ_OR_WRITE))
    except OSError as error:
        hint = "a profile is a section like [profiles.lab] with endpoints and token_id"
        raise errors.UsageError(f"{path} can't be read: {error.strerror}", hint=hint) from None
    except ValueError as error:  # no TOML, no UTF-8, or a number that nobody can read
        raise errors.UsageError(f"{path} is not TOML: {error}", hint="correct it there") from None
    except RecursionError:
        raise errors.UsageError(f"{path} is nested deeper than any profile", hint="correct it there") from None


@lru_cache(maxsize=1)
def _profiles(path: Path, text: bytes, *, open_to_others: bool) -> dict[str, dict[str, Any]]:
    """What a file says, understood once for all the profiles that are wanted of it.

    Raises ValueError and RecursionError for what is no TOML, and UsageError.
    """
    import tomllib

    data = tomllib.loads(text.decode("utf8"))
    profiles = data.get("profiles", {})
    strange = [key for key in data if key != "profiles"]
    if strange or not isinstance(profiles, dict) or not all(isinstance(each, dict) for each in profiles.values()):
        raise errors.UsageError(
            f"{path}: {one_line(strange[0]) if strange else 'profiles'} is not a section like [profiles.NAME]",
            hint="correct it there",
        )
    for name, keys in profiles.items():
        _check(path, name, keys, open_to_others=open_to_others)
    return profiles


def refuse_foreign(path: Path, status: os.stat_result) -> None:
    """Raises UsageError for a file that somebody else can write, or replace: it says where secrets are sent."""
    if status.st_uid not in (0, os.geteuid()):
        raise errors.UsageError(f"{path} belongs to somebody else, who can change it", hint=f"chown it: {path}")
    if status.st_mode & private.WRITE:
        raise errors.UsageError(f"{path} can be written by others", hint=f"`chmod go-w {path}`")
    for folder in dict.fromkeys((path.parent, path.resolve().parent)):
        if folder.stat().st_mode & private.WRITE:
            raise errors.UsageError(f"the folder {folder} can be written by others", hint=f"`chmod go-w {folder}`")


def _check(path: Path, name: str, keys: Mapping[str, Any], *, open_to_others: bool) -> None:
    if not name.isprintable():  # messages name it
        raise errors.UsageError(f"{path}: {name!r} is not a valid profile name", hint="correct it there")
    for key in keys:
        if key not in KEYS:
            raise errors.UsageError(
                f"{path}: [profiles.{name}] has an unknown key {one_line(key)}", hint=_near(key, list(KEYS))
            )
        if KEYS[key] in SECRETS and not key.endswith("_env") and open_to_others:
            raise errors.UsageError(
                f"{path} holds a secret ({key} of [profiles.{name}]) and others can read it",
                hint=f"`chmod 600 {path}`; or name a variable, a file or a command instead",
            )


def _value(path: Path, name: str, key: str, value: object, environment: Mapping[str, str]) -> str:
    if "\0" in (",".join(map(str, value)) if isinstance(value, list) else str(value)):  # no path and no name has one
        raise errors.UsageError(f"{path}: {key} of [profiles.{name}] holds a null character", hint="correct it there")
    if key in LISTS and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    if key in SWITCHES and isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str) or not value:
        what = LISTS.get(key, "text")
        raise errors.UsageError(f"{path}: {key} of [profiles.{name}] is {what}", hint="correct it there")
    if not key.endswith("_env"):
        return value
    if not environment.get(value):
        raise errors.UsageError(f"{value}, which {key} of [profiles.{name}] names, is not set", hint=f"export {value}")
    return environment[value]


def _near(word: str, words: list[str]) -> str:
    return errors.did_you_mean(word, words, otherwise=f"there are: {', '.join(words) or 'none'}")
