"""Where each setting comes from: a named profile, the environment, and what neighbours call the same things.

All of them are brought under our own names (`PVENET_...`), so that the rest knows one kind of setting. Settings that
belong together come from one source together: the first that has any of them. A token for one cluster never meets an
endpoint's fingerprint of another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.settings.profiles import KEYS, Setting, only_profile, profile_names, profile_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pvenet.settings.options import Options

GROUPS: Mapping[str, tuple[str, ...]] = {
    "place": ("PVENET_ENDPOINT", "PVENET_SIM"),
    "node": ("PVENET_NODE",),
    "state": ("PVENET_STATE_DIR",),
    "who": (
        "PVENET_TOKEN_ID",
        "PVENET_TOKEN_SECRET",
        "PVENET_TOKEN_FILE",
        "PVENET_TOKEN_COMMAND",
        "PVENET_TOKEN_KEYRING",
        "PVENET_USER",
        "PVENET_PASSWORD",
    ),
    "trust": ("PVENET_CA_FILE", "PVENET_FINGERPRINT"),
    "verify": ("PVENET_VERIFY",),
    "verify_with": ("PVENET_VERIFY_WITH",),
    "sdn_lock": ("PVENET_SDN_LOCK",),
}
"""What comes from one source together."""


def sourced(
    environment: Mapping[str, str],
    profile: str | None,
    *,
    placed: bool = False,
    given: Mapping[str, str] | None = None,
    read: Mapping[str, Mapping[str, Setting]] | None = None,
) -> dict[str, Setting]:
    """Every setting that is made outside the command line. `profile` is the one that `--profile` names.

    `given`: settings by our names that a caller gives itself; they win over all others, each group as a whole.
    `read`: what profiles say that have been read already, by name.

    A profile that an option names wins over the environment, as options do; one that PVENET_PROFILE names is only where
    the environment says nothing. Where nothing says where to go, and no option does (`placed`), the only profile that
    `pvenet login` has made is meant. Raises UsageError for a profile that is not there, or is wrong.
    """
    own = {name: Setting(value, "environment") for name, value in environment.items() if value}
    told = {name: Setting(value, "option") for name, value in (given or {}).items() if value}
    neighbours = _neighbours(environment)
    named = profile or environment.get("PVENET_PROFILE") or None
    if not (named or placed or any(name in each for name in GROUPS["place"] for each in (told, own, neighbours))):
        named = only_profile(environment)
    ours: Mapping[str, Setting] = {}
    if named:
        ours = read[named] if read and named in read else profile_of(_one(named, environment), environment)
    sources = [told, ours, own] if profile else [told, own, ours]
    sources.append(neighbours)
    found: dict[str, Setting] = {}
    for group, names in GROUPS.items():
        for source in _naming(sources) if group == "who" else sources:
            here = {name: source[name] for name in names if name in source}
            if here and not (group == "who" and _elsewhere(found, here)):
                found |= here
                break
    return found


def _one(named: str, environment: Mapping[str, str]) -> str:
    """The one profile that is named. Raises UsageError for several."""
    names = profile_names(named, environment)
    if len(names) > 1:
        raise errors.UsageError(
            f"this is about one place, and {len(names)} profiles are named: {', '.join(names)}", hint="name one of them"
        )
    return names[0]


def _naming(sources: Sequence[Mapping[str, Setting]]) -> list[Mapping[str, Setting]]:
    """The sources, those first that name somebody: a password alone says nothing of whose it is."""
    return sorted(sources, key=lambda source: not source.keys() & {"PVENET_TOKEN_ID", "PVENET_USER"})


def called(name: str, source: str) -> str:
    """What a message calls a setting, so that it is found where it stands; what a caller gives has our own name."""
    if source in {"environment", "option"}:
        return name
    key = next((key for key, variable in KEYS.items() if variable == name), "")
    return f"the {source}'s {key}" if source.startswith("profile ") and key else source


def explained(options: Options, environment: Mapping[str, str]) -> dict[str, Setting]:
    """Every setting with its source, the options' too, by name. Raises UsageError as `sourced` does."""
    found = sourced(environment, options.profile, placed=options.placed)
    given = {"PVENET_NODE": options.node, "PVENET_STATE_DIR": options.state_dir}
    if options.endpoint or options.sim:
        found = {name: each for name, each in found.items() if name not in GROUPS["place"]}
        given |= {"PVENET_ENDPOINT": ",".join(options.endpoint), "PVENET_SIM": options.sim}
    found |= {name: Setting(str(value), "option") for name, value in given.items() if value}
    return dict(sorted(found.items()))


def _elsewhere(found: Mapping[str, Setting], who: Mapping[str, Setting]) -> bool:
    """Whether credentials are not meant for the simulated node that another source names."""
    sim = found.get("PVENET_SIM")
    sources = {setting.source for setting in who.values()}
    return sim is not None and not sources <= {sim.source, "environment", "option"}


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
