"""The system's keyring, by the package `keyring` (the extra `pvenet[keyring]`), which is imported only here.

Raises UsageError for a keyring that is not there, is locked or refuses; none of its own errors is shown, as what a
backend says may hold anything.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pvenet import errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


def service_of(profile: str) -> str:
    """Under which service a profile's secret is kept; the user's name there is the token's, whole.

    One for each profile: two nodes may have tokens of one name, as those that one machine makes have.
    """
    return f"pvenet:{profile}"


def usable() -> bool:
    """Whether there is a keyring that can keep a secret; nobody is asked to unlock it."""
    try:
        import keyring
    except ImportError:
        return False
    try:
        backend = keyring.get_keyring()
        return bool(backend.priority >= 1)
    except Exception:  # noqa: BLE001 - a backend is a plugin, and fails as it likes
        return False


def fetch(service: str, name: str) -> str:
    """The secret of a token; empty where the keyring has none of that name."""
    with _keyring() as keyring:
        return keyring.get_password(service, name) or ""


def keep(service: str, name: str, secret: str) -> None:
    """Put the secret of a token in, over one that is there."""
    with _keyring() as keyring:
        keyring.set_password(service, name, secret)


def forget(service: str, name: str) -> None:
    """Take the secret of a token out, where there is one."""
    with _keyring() as keyring:
        if keyring.get_password(service, name) is not None:
            keyring.delete_password(service, name)


@contextmanager
def _keyring() -> Iterator[ModuleType]:
    try:
        import keyring
    except ImportError:
        raise errors.UsageError(
            "the package `keyring` for the system's keyring is not installed",
            hint="install pvenet[keyring], or keep the secret in a file: `pvenet login --store file`",
        ) from None
    try:
        yield keyring
    except Exception as error:  # noqa: BLE001 - see above
        raise errors.UsageError(
            f"the system's keyring can't be used ({type(error).__name__})",
            hint="does it exist, and is it unlocked? `pvenet login --store file` keeps the secret in a file instead",
        ) from None
