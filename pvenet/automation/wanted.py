"""What shall become of a node's interfaces, as a configuration or a network file says."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pvenet import errors
from pvenet.automation.parameters import file_of
from pvenet.spec.load import load, of_data
from pvenet.spec.network_spec import Absent, NetworkSpec, NodeSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pvenet.automation.parameters import Parameters

CONFIG = "config"
"""What messages call a configuration that is no file."""


class Wanted(StrEnum):
    """What shall become of the configuration."""

    MERGED = "merged"
    """What it says shall be so, and the rest stays."""
    OVERRIDDEN = "overridden"
    """It is complete: what it does not mention goes, as with `only: true`."""
    DELETED = "deleted"
    """What it names shall be absent."""
    GATHERED = "gathered"
    RENDERED = "rendered"
    PARSED = "parsed"


def spec_of(parameters: Parameters, node: str, state: Wanted) -> NetworkSpec:
    """What shall be on a node. Raises UsageError, and InvalidNetwork for what can't be."""
    file, config = file_of(parameters), parameters.get(CONFIG)
    if (file is None) == (config is None):
        raise errors.UsageError(
            f"state {state} needs a `config` or a `file`, but {'neither' if file is None else 'both'} is given",
            hint="`config` is a node's entry of a network file, `file` a whole one",
        )
    if file is not None:
        spec = load(file)
    elif state is Wanted.DELETED:
        spec = of_data({"nodes": {node: _absent(config or {})}}, CONFIG)
    else:
        spec = of_data({"nodes": {node: config}}, CONFIG)
    if node not in spec.nodes:
        raise errors.UsageError(
            f"{spec.file} does not mention the node {node}", hint=f"it has {', '.join(spec.nodes) or 'none'}"
        )
    return NetworkSpec(file=spec.file, nodes={node: _as(state, spec.nodes[node])})


def _absent(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"state": "absent"} for name in config if name != "only"}


def _as(state: Wanted, spec: NodeSpec) -> NodeSpec:
    match state:
        case Wanted.OVERRIDDEN:
            return replace(spec, only=True)
        case Wanted.DELETED:
            gone = {name: Absent(name=name, position=each.position) for name, each in spec.interfaces.items()}
            return replace(spec, interfaces=gone, only=False)
        case _:
            return spec
