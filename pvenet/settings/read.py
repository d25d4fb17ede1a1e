"""`Settings`: where to go, who we are, and whom to trust, as one frozen value."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pvenet import errors
from pvenet.limits import names_node
from pvenet.settings.options import Options
from pvenet.settings.profiles import known_profiles
from pvenet.settings.sources import GROUPS, called, sourced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.settings.profiles import Setting

SIM = "sim:"
ALL = "all"
"""Names every node, where a command takes several."""
NOWHERE = (
    "`pvenet login` makes a profile for a real node, and asks for what it needs;\n"
    "`pvenet --sim lab list` tries it on a simulated one, in the folder lab;\n"
    "or set --endpoint (PVENET_ENDPOINT), PVENET_TOKEN_ID and PVENET_TOKEN_SECRET"
)
"""How to begin."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who we are: a token with its secret, or where that is found; else a user with a password."""

    token_id: str = ""
    """`USER@REALM!NAME`."""
    token_secret: str = field(default="", repr=False)
    token_file: str = ""
    token_command: str = ""
    token_keyring: str = ""
    """The service under which the system's keyring keeps it."""
    user: str = ""
    password: str = field(default="", repr=False)
    called: Mapping[str, str] = field(default_factory=dict, compare=False)
    """How each was given, by the variable that could have: an option, an answer, a profile's key."""

    def name(self, variable: str) -> str:
        """What a message calls it."""
        return self.called.get(variable, variable)

    def __bool__(self) -> bool:
        """Whether it names anybody."""
        return bool(self.token_id or self.user)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that says where a command goes."""

    endpoints: tuple[str, ...] = ()
    """`https://HOST:8006`, the first that answers is used; empty for a simulated node."""
    sim: Path | None = None
    """The folder of a simulated node."""
    faults: tuple[str, ...] = ()
    """What goes wrong at the simulated node."""
    node: str = ""
    """As it was given; some commands take several names, with commas."""
    state_dir: Path
    """Where the journals are kept."""
    identity: Identity = Identity()
    ca_file: str = ""
    fingerprints: tuple[str, ...] = ()
    """The pinned certificates: one for all endpoints, or one for each in their order."""
    insecure: bool = False
    verify: str = ""
    """What an apply is verified by; empty where nothing says so."""
    verify_with: str = ""
    """A command that has the last word after an apply; empty where nothing says so."""
    sdn_lock: str = ""
    """Whether the cluster's SDN lock is held during an apply; empty where nothing says so."""

    @property
    def place(self) -> tuple[str, ...]:
        """What tells this place, as this caller sees it, from every other; no secret is in it."""
        who = (self.identity.token_id, self.identity.user)
        return (*self.endpoints, f"sim:{self.sim or ''}", *self.fingerprints, self.ca_file, *who)

    @property
    def unchecked(self) -> bool:
        """Whether nobody checks who answers."""
        return self.insecure and not self.sim and not self.fingerprints


def load_settings(*endpoints: str, profile: str | None = None) -> Settings:
    """The settings as a command line has them: these endpoints, a profile, the environment.

    Raises UsageError where nothing says where to go.
    """
    return read_settings(Options(endpoint=endpoints, profile=profile), os.environ)


def read_settings(
    options: Options,
    environment: Mapping[str, str],
    given: Mapping[str, str] | None = None,
    *,
    placed: bool = True,
    read: Mapping[str, Mapping[str, Setting]] | None = None,
) -> Settings:
    """The settings that options and environment make. Raises UsageError where nothing says where to go.

    `given`: settings by the names of the variables that a caller gives beside the options, and that count as they do.
    `placed`: whether a place is needed; without one they say where the journals are. `read`: as in `sourced`.
    """
    told = sourced(environment, options.profile, placed=options.placed, given=given, read=read)
    found = {name: setting.value for name, setting in told.items()}
    endpoints, sim = _place(options, found)
    if placed and not endpoints and not sim:
        raise errors.UsageError("no endpoint: which node?", hint=_how_to_begin(environment))
    if options.fault and not sim:
        raise errors.UsageError("--fault is for a simulated node; nothing was sent", hint="name one with --sim DIR")
    kept = options.state_dir or expanded(found.get("PVENET_STATE_DIR", "")) or _default_state_dir(sim, environment)
    return Settings(
        endpoints=endpoints,
        sim=sim,
        faults=options.fault,
        node=options.node or found.get("PVENET_NODE", ""),
        state_dir=kept,
        identity=Identity(
            token_id=found.get("PVENET_TOKEN_ID", ""),
            token_secret=found.get("PVENET_TOKEN_SECRET", ""),
            token_file=found.get("PVENET_TOKEN_FILE", ""),
            token_command=found.get("PVENET_TOKEN_COMMAND", ""),
            token_keyring=found.get("PVENET_TOKEN_KEYRING", ""),
            user=found.get("PVENET_USER", ""),
            password=found.get("PVENET_PASSWORD", ""),
            called={name: called(name, setting.source) for name, setting in told.items() if name in GROUPS["who"]},
        ),
        ca_file=found.get("PVENET_CA_FILE", ""),
        fingerprints=split_fingerprints(found.get("PVENET_FINGERPRINT", "")),
        insecure=options.insecure,
        verify=found.get("PVENET_VERIFY", ""),
        verify_with=found.get("PVENET_VERIFY_WITH", ""),
        sdn_lock=found.get("PVENET_SDN_LOCK", ""),
    )


def split_fingerprints(text: str) -> tuple[str, ...]:
    """The fingerprints that a setting names, with commas between them."""
    return tuple(each.strip() for each in text.split(",") if each.strip())


def node_names(text: str) -> tuple[str, ...]:
    """The nodes that a setting names, with commas or blanks between them; none where it means all of them.

    Raises UsageError for what can't be one.
    """
    names = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if text and not names:  # it would mean all of them
        raise errors.UsageError("the list of nodes holds an empty name", hint="leave it out, or name the nodes")
    for name in names:
        check_node_name(name)
    return () if names == (ALL,) else names


def check_node_name(name: str) -> None:
    """Raises UsageError for what can't be the name of a node."""
    if not names_node(name):
        raise errors.UsageError(f"{name!r} is not a node's name", hint="a node has its host's name, as in pve1")


def expanded(text: str) -> Path | None:
    """A path, `~` expanded; None for no text. Raises UsageError where there is no such home."""
    if not text:
        return None
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise errors.UsageError(f"there is no home folder for {text}", hint="write the full path") from None


def _place(options: Options, found: Mapping[str, str]) -> tuple[tuple[str, ...], Path | None]:
    """The endpoints, or the folder of a simulated node; neither where nothing says where to go."""
    endpoints, sim = tuple(each for text in options.endpoint for each in _named(text)), options.sim
    if endpoints and sim:
        raise errors.UsageError("--endpoint and --sim exclude each other", hint="leave one of them out")
    if not endpoints and not sim:
        sim = expanded(found.get("PVENET_SIM", ""))
        if not sim:
            endpoints = _split(found.get("PVENET_ENDPOINT", ""))
    if any(each.startswith(SIM) for each in endpoints):
        sim, endpoints = _folder(endpoints), ()
    return endpoints, sim


def _how_to_begin(environment: Mapping[str, str]) -> str:
    """The hint where nothing says where to go; where there are profiles, one of them is meant, most likely."""
    with suppress(errors.UsageError):
        if known := known_profiles(environment):
            return f"name one of your profiles with --profile or PVENET_PROFILE: {', '.join(known)}"
    return NOWHERE


def _named(text: str) -> tuple[str, ...]:
    """The endpoints that an option names; the folder of a simulated node may have commas and blanks."""
    return (text,) if text.startswith(SIM) else _split(text)


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _folder(endpoints: tuple[str, ...]) -> Path | None:
    """The folder of `sim:DIR`."""
    folder = endpoints[0].removeprefix(SIM)
    if len(endpoints) > 1 or not folder:
        raise errors.UsageError(
            "a simulated node is one folder, and goes with no other endpoint", hint=f"write it as {SIM}DIR"
        )
    return expanded(folder)


def _default_state_dir(sim: Path | None, environment: Mapping[str, str]) -> Path:
    if sim:
        return sim / ".pvenet"
    base = environment.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):  # the specification: a relative one is ignored
        base = "~/.local/state"
    return (expanded(base) or Path()) / "pvenet"
