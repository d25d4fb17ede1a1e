"""What a login is asked to do, whom it can ask, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pvenet.connection import Watch
    from pvenet.login.plan import Step
    from pvenet.login.rights import Right, Scope

Store: TypeAlias = Literal["", "keyring", "file"]
"""Where a secret is kept; empty: the keyring where there is one, else a file."""


@dataclass(frozen=True, kw_only=True)
class LoginOptions:
    """What was given; the rest is asked for."""

    place: str = ""
    """A node's name or address, a URL, or `sim:DIR`."""
    name: str = ""
    """The profile's; by default the place's."""
    user: str = ""
    """Who logs in with a password, so that a token can be made."""
    token_id: str = ""
    """A token that is there already, whole."""
    token_file: str = ""
    token_command: str = ""
    token_keyring: str = ""
    token_name: str = ""
    """How a token is called that is made; by default as this machine is."""
    fingerprint: str = ""
    accept_changed: str = ""
    scope: Scope = "change"
    nodes: tuple[str, ...] = ()
    """Empty: all."""
    store: Store = ""
    faults: tuple[str, ...] = ()
    """Of a simulated node."""


class Talk(Protocol):
    """Whoever started the login. What asks raises where there is nobody to ask, and for a no."""

    @property
    def debug(self) -> Callable[[str], None] | None:
        """Hears of every request."""

    @property
    def watch(self) -> Watch | None:
        """Entered while a request is under way; None where nobody looks."""

    @property
    def secret(self) -> Callable[[str], str] | None:
        """Asks for a secret; None where there is nobody to ask."""

    def line(self, what: str, *, option: str, default: str = "") -> str:
        """Asks for what is no secret; `option` says how else it can be given."""

    def agree_certificate(self, place: str, fingerprint: str) -> None:
        """Whether this is the node's, which nobody here has met before."""

    def agree_steps(self, place: str, rights: Sequence[Right], steps: Sequence[Step]) -> None:
        """Whether this may be made there."""

    def done(self, step: Step) -> None:
        """A step was made."""


@dataclass(frozen=True, kw_only=True)
class LoggedIn:
    """A profile that works."""

    name: str
    path: Path
    place: str
    token: str
    fingerprint: str | None
    kept: str
    """Where its secret is, for people."""
    made: tuple[Step, ...]
    rights: tuple[Right, ...]
    lacking: tuple[Right, ...]
    """What of them it has not."""


@dataclass(frozen=True, kw_only=True)
class LoggedOut:
    """A profile that was forgotten."""

    name: str
    token: str
    """Empty where it had none, or it could not be read."""
    removed: bool
    """The token was removed there, too."""
    left: str
    """The file or command with the secret that was not ours to remove; empty where there is none."""
    others: tuple[str, ...] = ()
    """The profiles that have the same token."""
