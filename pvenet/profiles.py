"""Where settings come from: options, a named profile, the environment, and what neighbours call the same things.

All of them are brought under our own names (`PVENET_...`), so that the rest knows one kind of setting. Settings that
belong together come from one source together: the first that has any of them. A token for one cluster never meets an
endpoint's fingerprint of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pvenet import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUPS: Mapping[str, tuple[str, ...]] = {
    "place": ("PVENET_ENDPOINT", "PVENET_SIM"),
    "node": ("PVENET_NODE",),
    "state": ("PVENET_STATE_DIR",),
    "who": (
        "PVENET_TOKEN_ID",
        "PVENET_TOKEN_SECRET",
        "PVENET_TOKEN_FILE",
        "PVENET_TOKEN_COMMAND",
        "PVENET_USER",
        "PVENET_PASSWORD",
    ),
    "trust": ("PVENET_CA_FILE", "PVENET_FINGERPRINT"),
}
"""What comes from one source together."""

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
}
"""The keys of a profile, and what they set. `*_env` names a variable that holds the value."""
LISTS = {"endpoints": "a list of URLs", "fingerprint": "text, or a list with one for each endpoint"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it came from."""

    value: str
    source: str


def settings(environment: Mapping[str, str], profile: str | None) -> dict[str, Setting]:
    """Every setting that is made outside the command line. `profile` is the one that `--profile` names.

    A profile that an option names wins over the environment, as options do; one that PVENET_PROFILE names is only where
    the environment says nothing. Raises UsageError for a profile that is not there, or is wrong.
    """
    own = {name: Setting(value, "environment") for name, value in environment.items() if value}
    named = profile or environment.get("PVENET_PROFILE") or None
    ours = _profile(named, environment) if named else {}
    sources = [ours, own] if profile else [own, ours]
    sources.append(_neighbours(environment))
    found: dict[str, Setting] = {}
    for group, names in GROUPS.items():
        for source in sources:
            here = {name: source[name] for name in names if name in source}
            if here and not (group == "who" and _elsewhere(found, here)):
                found |= here
                break
    return found


def environment_of(found: Mapping[str, Setting], environment: Mapping[str, str]) -> dict[str, str]:
    """The settings as an environment that has no others of our names."""
    ours = {name for names in GROUPS.values() for name in names}
    rest = {name: value for name, value in environment.items() if name not in ours}
    return rest | {name: setting.value for name, setting in found.items()}


def _elsewhere(found: Mapping[str, Setting], who: Mapping[str, Setting]) -> bool:
    """Whether credentials are not meant for the simulated node that another source names."""
    sim = found.get("PVENET_SIM")
    sources = {setting.source for setting in who.values()}
    return sim is not None and not sources <= {sim.source, "environment"}


# --- profiles --------------------------------------------------------------------------------------------------------


def config_file(environment: Mapping[str, str]) -> Path:
    """`config.toml` in XDG_CONFIG_HOME, or in ~/.config."""
    base = environment.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):  # the specification: a relative one is ignored
        base = str(Path(environment.get("HOME") or "~").expanduser() / ".config")
    return Path(base) / "pvenet" / "config.toml"


def _profile(name: str, environment: Mapping[str, str]) -> dict[str, Setting]:
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
        data = tomllib.loads(path.read_text(encoding="utf8"))
        open_to_others = bool(path.stat().st_mode & 0o077)
    except OSError as error:
        hint = "a profile is a section like [profiles.lab] with endpoints and token_id"
        raise errors.UsageError(f"{path} can't be read: {error.strerror}", hint=hint) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise errors.UsageError(f"{path} is no TOML: {error}", hint="mend it there") from None
    profiles = data.get("profiles", {})
    strange = [key for key in data if key != "profiles"]
    if strange or not isinstance(profiles, dict) or not all(isinstance(each, dict) for each in profiles.values()):
        raise errors.UsageError(
            f"{path}: {strange[0] if strange else 'profiles'} is no section like [profiles.NAME]", hint="mend it there"
        )
    for name, keys in profiles.items():
        _check(path, name, keys, open_to_others=open_to_others)
    return profiles


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
    if key in LISTS and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
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


# --- neighbours ------------------------------------------------------------------------------------------------------


def _neighbours(environment: Mapping[str, str]) -> dict[str, Setting]:
    """What Ansible's and Terraform's variables say."""
    told = {name: value for name, value in environment.items() if name.startswith("PROXMOX_") and value}
    found: dict[str, Setting] = {}
    if user := told.get("PROXMOX_USER"):
        name, secret = told.get("PROXMOX_TOKEN_ID", ""), told.get("PROXMOX_TOKEN_SECRET")
        if name and secret:
            found["PVENET_TOKEN_ID"] = Setting(name if "!" in name else f"{user}!{name}", "PROXMOX_TOKEN_ID")
            found["PVENET_TOKEN_SECRET"] = Setting(secret, "PROXMOX_TOKEN_SECRET")
    if not found and "=" in (whole := told.get("PROXMOX_VE_API_TOKEN", "")):
        token, _, secret = whole.rpartition("=")
        found["PVENET_TOKEN_ID"] = Setting(token, "PROXMOX_VE_API_TOKEN")
        found["PVENET_TOKEN_SECRET"] = Setting(secret, "PROXMOX_VE_API_TOKEN")
    for name in ("PROXMOX_HOST", "PROXMOX_VE_ENDPOINT"):
        if name in told:
            found.setdefault("PVENET_ENDPOINT", Setting(told[name], name))
    return found
