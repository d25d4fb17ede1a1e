"""Between a configuration and a node's file, without any node: what PVE makes of it is asked of a simulated one."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pvenet import errors, wire
from pvenet.apply.dry_run import of_plan
from pvenet.apply.stage import StageOptions
from pvenet.automation.wanted import Wanted, spec_of
from pvenet.fleet.nodes import Fleet
from pvenet.fleet.plans import plan_nodes, refuse_stale
from pvenet.fleet.stage import stage_all
from pvenet.model import Ethernet, beneath, parent_in
from pvenet.render.requests import requests_data
from pvenet.settings import Settings, connect
from pvenet.sim.state import Sim, SimError
from pvenet.spec.desired import merged
from pvenet.spec.export import exported_data, unheld
from pvenet.spec.network_spec import InterfaceSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pvenet.automation.work import Work
    from pvenet.model import Network
    from pvenet.spec.network_spec import NodeSpec

NODE = "node"
"""How the simulated node is called where nobody names one."""
_STANZA = re.compile(r"^\s*iface\s+\S", re.MULTILINE)
_MADE = re.compile(r"(?:bond|vmbr|vlan)\d+")
"""Names by which PVE knows what somebody has made, and no NIC."""
BARE = "auto lo\niface lo inet loopback\n"


def rendered(work: Work) -> None:
    """The file that a node would have that has nothing but its NICs, and the requests that make it."""
    name = str(work.parameters.get("node") or NODE)
    spec = spec_of(work.parameters, name, Wanted.RENDERED)
    with _simulated(name, BARE, _nics(spec.nodes[name]), ovs=_wants_ovs(spec.nodes[name])) as (folder, fleet):
        found = plan_nodes(fleet, spec, (name,), lambda _: None)
        refuse_stale(found, None)
        summary = stage_all(fleet, [each for each in found.nodes if each.plan], StageOptions())
        if summary.failure is not None:
            raise summary.failure
        network = folder / name / "etc" / "network"
        staged = network / "interfaces.new"
        text = (staged if staged.exists() else network / "interfaces").read_text(encoding="utf8")
        requests = [request for each in found.nodes for request in of_plan(name, each.plan)]
    work.data |= {"node": name, "rendered": text, "requests": requests_data(requests)}


def parsed(work: Work) -> None:
    """What a node's file, or PVE's own listing of it as JSON, says, as a configuration."""
    text = work.parameters.get("running_config")
    if not text:
        raise errors.UsageError(
            "state parsed needs a `running_config`, but none is given",
            hint="it is the text of /etc/network/interfaces, or what `pvesh get /nodes/NODE/network "
            "--output-format json` prints",
        )
    name = str(work.parameters.get("node") or NODE)
    network = _of_listing(text) if text.lstrip().startswith(("[", "{")) else _of_file(text, name)
    for each in unheld(network):
        work.heard.warn(f"{name}: {each}")
    work.data |= {"node": name, "parsed": exported_data({name: network})["nodes"][name]}


def _of_listing(text: str) -> Network:
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        data = json.loads(text)
        entries = data["data"] if isinstance(data, dict) else data
        if entries and not wire.unreadable(entries) and all(each.keys() & {"type", "exists"} for each in entries):
            return wire.network(entries)  # what has no type is a parent that is not there (pve-api#f44)
    raise errors.UsageError(
        "`running_config` is JSON, but not a listing of a node's network",
        hint="`pvesh get /nodes/NODE/network --output-format json` prints one",
    )


def _of_file(text: str, name: str) -> Network:
    if not _STANZA.search(text):
        raise errors.UsageError(
            "`running_config` has no line that begins with `iface`",
            hint="it is the text of /etc/network/interfaces",
        )
    with _simulated(name, text, None, ovs="ovs_" in text) as (_, fleet):
        return fleet.node(name).read().network


def _nics(spec: NodeSpec) -> list[str]:
    """The NICs that a configuration is about: those that it describes, and what it refers to and does not describe."""
    described = [merged(each, None) for each in spec.interfaces.values() if isinstance(each, InterfaceSpec)]
    referred = {name for each in described for name in beneath(each)}
    referred |= {parent for each in described if (parent := parent_in(each.name))}
    own = {each.name for each in described if isinstance(each, Ethernet)}
    asked = {name for name in referred - spec.interfaces.keys() if not (_MADE.fullmatch(name) or parent_in(name))}
    return sorted(own | asked)


def _wants_ovs(spec: NodeSpec) -> bool:
    return any(isinstance(each, InterfaceSpec) and each.type.startswith("OVS") for each in spec.interfaces.values())


@contextmanager
def _simulated(name: str, text: str, nics: list[str] | None, *, ovs: bool) -> Iterator[tuple[Path, Fleet]]:
    """A simulated node that is thrown away. Raises UsageError for what can't be the file or the NICs of one."""
    with TemporaryDirectory(prefix="pvenet-") as scratch:
        folder = Path(scratch)
        try:
            Sim.init(folder, node=name, nics=nics, interfaces=text, ovs=ovs)
        except SimError as error:
            raise errors.UsageError(
                f"this can't be simulated: {error}",
                hint="`config` must describe what it refers to, unless that is a NIC",
            ) from None
        settings = Settings(sim=folder, state_dir=folder / "state")
        connection = connect(settings)
        try:
            yield folder, Fleet(connection=connection, state_dir=settings.state_dir)
        finally:
            connection.close()
