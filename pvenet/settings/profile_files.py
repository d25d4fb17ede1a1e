"""Writing and removing profiles that have a file of their own. Nobody else's file is written. Raises UsageError."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pvenet import errors, private
from pvenet.settings.profiles import KEYS, config_file, known_profiles, profile_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

ENDING_OF_SECRETS = ".token"
HEAD = "# `pvenet login` rewrites this file, `pvenet logout` removes it.\n"


def secret_file(name: str, environment: Mapping[str, str]) -> Path:
    """Where the secret is kept of a profile that has it in a file: beside the profile's own."""
    return profile_file(name, environment).with_name(f"{name}{ENDING_OF_SECRETS}")


def prepare(name: str, environment: Mapping[str, str]) -> None:
    """Make the folder that profiles are written to, so that what comes later can't fail for want of it.

    Refuses a name that the configuration file has, which nobody rewrites.
    """
    path = profile_file(name, environment)
    if name in known_profiles(environment) and not path.exists():
        raise errors.UsageError(
            f"the profile {name} is in {config_file(environment)}, which `pvenet login` leaves alone",
            hint="give the new one another name with --name, or remove that one",
        )
    with _told(path.parent):
        private.make_folder(path.parent.parent)
        private.make_own_folder(path.parent)
        private.replace(path.with_name(f".{name}.probe"), b"")
        path.with_name(f".{name}.probe").unlink()


def write_profile(name: str, values: Mapping[str, str | Sequence[str]], environment: Mapping[str, str]) -> Path:
    """Write a profile's file, whole or not at all; its place."""
    path = profile_file(name, environment)
    lines = [f"{key} = {_toml(value)}\n" for key, value in values.items() if key in KEYS and value]
    with _told(path):
        private.replace(path, (HEAD + f"[profiles.{_quoted(name)}]\n" + "".join(lines)).encode())
    return path


def write_secret(name: str, secret: str, environment: Mapping[str, str]) -> Path:
    """Write a profile's secret into a file that is its owner's alone; its place."""
    path = secret_file(name, environment)
    with _told(path):
        private.replace(path, f"{secret}\n".encode())
    return path


def remove(path: Path) -> bool:
    """Remove a file; whether it was there."""
    with _told(path):
        try:
            path.unlink()
        except FileNotFoundError:
            return False
    return True


def _toml(value: str | Sequence[str]) -> str:
    return _quoted(value) if isinstance(value, str) else f"[{', '.join(map(_quoted, value))}]"


def _quoted(text: str) -> str:
    """A text as TOML's basic strings are, of which those of JSON are a kind where nothing in them is unprintable."""
    if not text.isprintable():
        raise errors.UsageError(f"{text!r} can't be written to a profile", hint="it holds a control character")
    return json.dumps(text, ensure_ascii=False)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise errors.UsageError(
            f"{error.filename or path} can't be written: {error.strerror}",
            hint="is the folder yours? XDG_CONFIG_HOME names another place",
        ) from None
