"""From parameters to settings and options. Parameters are named as Ansible's neighbours name them (`api_host`)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pvenet import errors
from pvenet.apply.options import ApplyOptions
from pvenet.apply.spoken import command_of, guests_of, on_failure_of, required_of, switch_of, verify_of
from pvenet.apply.stage import StageOptions
from pvenet.cluster import one
from pvenet.fleet.nodes import Fleet
from pvenet.journal import Journals, UnwrittenJournals
from pvenet.node import Node
from pvenet.settings import Options, connect, read_settings
from pvenet.settings.profiles import secret_variables
from pvenet.settings.read import expanded, node_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pvenet.settings import Settings

Parameters: TypeAlias = "Mapping[str, Any]"
"""By name; what was not given is None."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the work is done: the settings, and the node that they lead to."""

    settings: Settings
    fleet: Fleet
    node: Node
    held: bool
    """Nothing is sent that changes anything, and nothing is written."""

    @property
    def journals(self) -> Journals:
        """The node's journals."""
        kind = UnwrittenJournals if self.held else Journals
        return kind(self.fleet.state_dir, self.node.name)


UNCHECKED = "the certificate is not checked (--insecure): whoever answers gets the credentials"


def place_of(parameters: Parameters, *, held: bool, warn: Callable[[str], None]) -> Place:
    """Where the work is done. Raises UsageError for what is missing, and what asking for the nodes raises."""
    settings = settings_of(parameters)
    connection = connect(settings)
    if held:
        connection.hold()
    if settings.unchecked:
        warn(UNCHECKED)
    fleet = Fleet(connection=connection, state_dir=settings.state_dir)
    node = Node(connection, one(connection, node_names(settings.node)))
    return Place(settings=settings, fleet=fleet, node=node, held=held)


def settings_of(parameters: Parameters) -> Settings:
    """The settings that the parameters make, over those of the environment and of profiles. Raises UsageError."""
    if _endpoints(parameters) and _text(parameters, "sim"):
        raise errors.UsageError("`api_host` and `sim` exclude each other", hint="leave one of them out")
    given = {
        "PVENET_ENDPOINT": ",".join(_endpoints(parameters)),
        "PVENET_SIM": _text(parameters, "sim"),
        "PVENET_TOKEN_ID": _token(parameters),
        "PVENET_TOKEN_SECRET": _text(parameters, "api_token_secret"),
        "PVENET_TOKEN_FILE": _text(parameters, "api_token_file"),
        "PVENET_USER": "" if _text(parameters, "api_token_id") else _text(parameters, "api_user"),
        "PVENET_PASSWORD": _text(parameters, "api_password"),
        "PVENET_CA_FILE": _text(parameters, "ca_path"),
        "PVENET_FINGERPRINT": ",".join(_list(parameters, "fingerprint")),
    }
    options = Options(
        node=_text(parameters, "node") or None,
        profile=_text(parameters, "profile") or None,
        state_dir=expanded(_text(parameters, "state_dir")),
        insecure=parameters.get("validate_certs") is False,
    )
    return read_settings(options, os.environ, given)


def _endpoints(parameters: Parameters) -> list[str]:
    """The endpoints; a port that is given apart is that of those that name none."""
    found, port = _list(parameters, "api_host"), parameters.get("api_port")
    if port is None:
        return found
    return [each if _has_port(each) else f"{each.rstrip('/')}:{port}" for each in map(_bracketed, found)]


def _has_port(text: str) -> bool:
    host = text.partition("://")[2] or text
    return ":" in host.rpartition("]")[2]


def _bracketed(text: str) -> str:
    """An IPv6 address as it stands before a port."""
    return f"[{text}]" if text.count(":") > 1 and "[" not in text and "/" not in text else text


def _token(parameters: Parameters) -> str:
    """The token's whole name: neighbours give the user's apart from it."""
    name, user = _text(parameters, "api_token_id"), _text(parameters, "api_user")
    return f"{user}!{name}" if name and user and "!" not in name else name


def _text(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    return "" if value is None else str(value)


def _list(parameters: Parameters, name: str) -> list[str]:
    return [str(each).strip() for each in parameters.get(name) or () if str(each).strip()]


def stage_options_of(parameters: Parameters) -> StageOptions:
    """What the caller agrees to in what is staged."""
    return StageOptions(lossy=bool(parameters.get("lossy")), adopt=bool(parameters.get("adopt")))


def apply_options_of(parameters: Parameters, settings: Settings) -> ApplyOptions:
    """What the caller wants of an apply; the settings say what no parameter does. Raises UsageError."""
    lock = parameters.get("sdn_lock")
    if lock is None:
        lock = switch_of(settings.sdn_lock, "PVENET_SDN_LOCK or the profile's `sdn_lock`", "correct it there")
    timeout = parameters.get("timeout")
    return ApplyOptions(
        timeout=60.0 if timeout is None else float(timeout),
        on_failure=on_failure_of(_text(parameters, "on_failure") or "rollback", "on_failure"),
        confirm_within=parameters.get("confirm_within"),
        arm=bool(parameters.get("arm")),
        adopt=bool(parameters.get("adopt")),
        allow_management=bool(parameters.get("allow_management")),
        allow_guests=guests_of(_list(parameters, "allow_guests"), "allow_guests"),
        verify=verify_of(_text(parameters, "verify") or settings.verify, "verify"),
        sdn_lock=lock,
        update_hosts=bool(parameters.get("update_hosts")),
        require=required_of(_list(parameters, "require"), "require"),
        verify_with=command_of(_text(parameters, "verify_with") or settings.verify_with, "verify_with"),
        withheld=secret_variables(os.environ),
    )


def file_of(parameters: Parameters) -> Path | None:
    """The network file, where one is named."""
    text = _text(parameters, "file")
    return expanded(text) if text else None
