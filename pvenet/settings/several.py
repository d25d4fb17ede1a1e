"""Several places at once: the profiles that are named, each with settings of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.settings.profiles import profile_names, profiles_of
from pvenet.settings.read import read_settings
from pvenet.settings.sources import GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pvenet.settings.options import Options
    from pvenet.settings.read import Settings


def read_places(options: Options, environment: Mapping[str, str], *, placed: bool = True) -> dict[str, Settings]:
    """The settings of each profile, where several are named; else those of the one place, without a name.

    Each of several is read as naming it alone with `--profile` would, but for the node: a profile says which one of its
    own place is meant where that is the only place. Raises UsageError where nothing says where to go, for what names
    one place beside several, and for journals that would be kept in several folders. `placed`: whether a place is
    needed, where no profile is named.
    """
    profiles = profile_names(options.profile or environment.get("PVENET_PROFILE", ""), environment)
    if len(profiles) == 1:
        return {"": read_settings(options, environment, placed=placed)}
    _refuse_placed(options, environment, profiles)
    environment = dict(environment)  # that of the process decodes each of its variables for each profile
    node, read = options.node or environment.get("PVENET_NODE", ""), profiles_of(profiles, environment)
    found = {
        name: replace(read_settings(replace(options, profile=name), environment, read=read), node=node)
        for name in profiles
    }
    folders = {name: settings.state_dir for name, settings in found.items()}
    if len({*folders.values()}) > 1:
        told = "\n".join(f"  {name}: {folder}" for name, folder in folders.items())
        raise errors.UsageError(
            f"these profiles keep their journals in different folders\n{told}",
            hint="name one folder for all of them with --state-dir, or as `state_dir` in each profile",
        )
    return found


def agreed(settings: Mapping[str, Settings], key: str) -> str:
    """What all of these profiles say of a key. Raises UsageError where they differ."""
    said = {name: str(getattr(each, key)) for name, each in settings.items()}
    if len({*said.values()}) > 1:
        told = ", ".join(f"{name} says {value or 'nothing'}" for name, value in said.items())
        option = key.replace("_", "-")
        raise errors.UsageError(
            f"the profiles differ in {key}: {told}", hint=f"say it for all of them with --{option}, or use one profile"
        )
    return next(iter(said.values()))


def _refuse_placed(options: Options, environment: Mapping[str, str], profiles: Sequence[str]) -> None:
    """Raises UsageError for a place that is named beside several profiles."""
    given: dict[str, object] = {"--endpoint": options.endpoint, "--sim": options.sim}
    given |= {name: environment.get(name) for name in GROUPS["place"]}
    if placed := [name for name, value in given.items() if value]:
        raise errors.UsageError(
            f"{placed[0]} names one place, and {len(profiles)} profiles are named: {', '.join(profiles)}",
            hint=f"leave out {placed[0]}, or name no profile",
        )
